/** Runs with what it logs as an error left out: servers log what is expected of them here. */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { error } = console
  console.error = () => {}
  try {
    return await run()
  }
  finally {
    console.error = error
  }
}
