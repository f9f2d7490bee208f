/** How much of a server's output goes into a message. */
const LENGTH = 4000

/**
 * What a server printed, short enough for the message of a test: each entry once, with how often
 * it came, and the last of it. Lines of a stack lose their `at`, for which vitest would take them
 * for its own.
 */
export function digest(output: string): string {
  const times = new Map<string, number>()
  // An entry goes on in indented lines, and ends with a brace.
  for (const entry of output.split(/\n(?![ \t}\]])/))
    times.set(entry, (times.get(entry) ?? 0) + 1)
  const text = [...times].map(([entry, count]) => count === 1 ? entry : `${entry}\n  (${count} times)`).join('\n').replaceAll(/^(\s+)at /gm, '$1| ')
  return text.length > LENGTH ? `...${text.slice(-LENGTH)}` : text
}
