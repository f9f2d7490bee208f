import autocannon from 'autocannon'

/** Somebody who asks over a connection of their own. */
export interface Shooter {
  cookie: string
  /** What the next answer has to count. */
  expect(): number
}

/** Seconds without an answer that are an error. */
const TIMEOUT = 10

/**
 * Asks for a path so many times, each shooter as fast as the answers come.
 *
 * @returns how many requests a second were answered
 * @throws Error that says what was wrong: an answer, or a connection
 */
export async function fire(origin: string, path: string, shooters: readonly Shooter[], amount: number): Promise<number> {
  const waiting = [...shooters]
  const clock = { answers: 0, first: 0, last: 0 }
  let wrong: string | undefined
  const { errors } = await autocannon({
    url: origin,
    connections: shooters.length,
    amount,
    timeout: TIMEOUT,
    bailout: 1,
    // How often it looks whether all is done, in milliseconds.
    sampleInt: 10,
    setupClient(client) {
      const { cookie, expect } = waiting.shift()!
      client.setRequests([{ path, headers: { cookie }, onResponse(status, body) {
        clock.last = performance.now()
        clock.first ||= clock.last
        clock.answers++
        const expected = `{"count":${expect()}}`
        if (status !== 200 || body !== expected)
          wrong ??= `${path} answered ${status} ${body.slice(0, 200)} in place of ${expected}`
      } }])
    },
  })
  if (wrong)
    throw new Error(wrong)
  if (errors > 0 || clock.answers !== amount)
    throw new Error(`${path} was answered ${clock.answers} times of ${amount}; errors of the connections: ${errors}`)
  return (amount - 1) / (clock.last - clock.first) * 1000
}
