/** What people see of a storage key: enough to tell sessions apart, and good for nothing else. */
export function toHandle(key: string): string {
  return key.slice(0, 12)
}

/** What a failure of storage says; drivers name keys in their errors. */
export function describeFailure(error: unknown): string {
  const { message, cause } = error as Error
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  return `${message}${reason}`.replace(/[\da-f]{64}/g, toHandle)
}
