/**
 * Puts properties in front of those that an object has.
 *
 * @returns what takes them away again, except where others were put in their place since
 */
export function override(object: object, properties: Record<string, unknown>): () => void {
  const undo = Object.entries(properties).map(([name, value]) => {
    const before = Object.getOwnPropertyDescriptor(object, name)
    Object.defineProperty(object, name, { configurable: true, enumerable: false, writable: true, value })
    return () => {
      if (Object.getOwnPropertyDescriptor(object, name)?.value !== value)
        return
      if (before)
        Object.defineProperty(object, name, before)
      else
        Reflect.deleteProperty(object, name)
    }
  })
  return () => undo.forEach(restore => restore())
}

/** Does something while an object says other than it is. */
export function pretend(object: object, properties: Record<string, unknown>, act: () => void): void {
  const restore = override(object, properties)
  try {
    act()
  }
  finally {
    restore()
  }
}
