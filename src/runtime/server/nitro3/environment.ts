import type { OptionKinds } from '#unsession/host'

/**
 * Options as the environment left them: Nitro 3 puts its texts in their places. They become
 * what the option is: numbers, `true` and `false`, and lists and objects in JSON. A text of digits
 * stays a text where the build has a text, such as a password.
 */
export function readTexts<T extends object>(options: T, kinds: OptionKinds): T {
  return Object.fromEntries(Object.entries(options).map(([option, value]) => {
    const kind = kinds[option] ?? 'string'
    if (typeof value === 'string')
      return [option, readText(value, kind)]
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value) && typeof kind === 'object'
    return [option, isGroup ? readTexts(value, kind) : value]
  })) as T
}

function readText(text: string, kind: OptionKinds[string]): unknown {
  if (!/^(?:true|false|\[.*\]|\{.*\})$/s.test(text) && (kind === 'string' || !/^-?\d+(?:\.\d+)?$/.test(text)))
    return text
  try {
    return JSON.parse(text)
  }
  catch {
    return text
  }
}
