/** Everything that an iterable gives in lots. */
export async function collect<T>(lots: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const lot of lots)
    all.push(...lot)
  return all
}
