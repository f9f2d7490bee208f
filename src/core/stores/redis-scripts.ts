import { elapsed } from '../clock'

/** Milliseconds until scripts that were refused are tried again. */
const RETRY_MILLISECONDS = 60_000

/**
 * How Redis, or a proxy before it, refuses a command for good: the user lacks a right, or the
 * command was renamed. Troubles that pass, such as `OOM`, `LOADING` or `READONLY`, have other codes.
 */
const REFUSAL = /^(?:NOPERM|ERR|(?![A-Z]{3,}\b))/

/**
 * Redis runs a script in one go. The stored text must begin with what is expected; an empty
 * expectation asks for the whole text, which is empty only where there is none.
 */
const COMPARE_AND_SET = `
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('UNLINK', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1`

/** The SHA-1 of the script, by which Redis knows one that it has run before. */
const DIGEST = '32b9b3ce6adb87747305e7bc7024e89f9cb372c6'

/** What the script is called with: the key, what its text must begin with, the new text, its seconds. */
type Call = [key: string, expected: string, text: string, ttl: number]

/** The part of ioredis that runs scripts. */
export interface ScriptClient {
  eval(script: string, keyCount: number, ...call: Call): Promise<unknown>
  evalsha(digest: string, keyCount: number, ...call: Call): Promise<unknown>
}

/**
 * Runs our script in Redis. Where it may not, records are read and then written, as with drivers
 * that cannot compare, which the operator is told once. When the right is given it is noticed by itself.
 */
export class Scripts {
  #refusedUntil = 0

  /**
   * Whether the record was as expected, and has been changed.
   *
   * @param byReading the way without a script
   */
  async run(client: ScriptClient, call: Call, byReading: () => Promise<boolean>): Promise<boolean> {
    if (elapsed() < this.#refusedUntil)
      return byReading()
    try {
      // What Redis refuses, it has not done: a node that was restarted has to be told the script.
      const answer = await client.evalsha(DIGEST, 1, ...call)
        .catch((error: unknown) => isReply(error) ? client.eval(COMPARE_AND_SET, 1, ...call) : Promise.reject(error))
      if (this.#refusedUntil > 0)
        console.info('[unsession] Redis runs the command EVAL again.')
      this.#refusedUntil = 0
      return answer === 1
    }
    catch (error) {
      if (!isReply(error) || !REFUSAL.test(error.message))
        throw error
      // Where reading is refused as well, it is not about scripts.
      const isDone = await byReading()
      if (this.#refusedUntil === 0)
        console.warn(`[unsession] Redis refuses the command EVAL: "${error.message.split(', with args', 1)[0]}". Meanwhile several processes can overwrite each other's changes, and undo a logout. Allow it with \`ACL SETUSER <user> +eval +evalsha +getrange +get +set +unlink\`.`)
      this.#refusedUntil = elapsed() + RETRY_MILLISECONDS
      return isDone
    }
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}
