/** Does something while an object says other than it is. */
export function pretend(object: object, properties: Record<string, unknown>, act: () => void): void {
  const names = Object.keys(properties)
  const before = names.map(name => Object.getOwnPropertyDescriptor(object, name))
  names.forEach(name => define(object, name, properties[name]))
  try {
    act()
  }
  finally {
    names.forEach((name, index) => restore(object, name, before[index]))
  }
}

export function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { configurable: true, enumerable: false, writable: true, value })
}

function restore(object: object, name: string, before: PropertyDescriptor | undefined): void {
  if (before)
    Object.defineProperty(object, name, before)
  else
    Reflect.deleteProperty(object, name)
}
