import { elapsed } from '../clock'

/** Milliseconds until scripts that were refused are tried again. */
const RETRY_MILLISECONDS = 60_000

/**
 * How Redis, or a proxy before it, refuses a command for good: the user lacks a right, or the
 * command was renamed. Troubles that pass, such as `OOM`, `LOADING` or `READONLY`, have other codes.
 */
const REFUSAL = /^(?:NOPERM|ERR|(?![A-Z]{3,}\b))/

/**
 * Whether Redis runs our script for us. Where it does not, records are read and then written, as
 * with drivers that cannot compare, which the operator is told once. When the right is given it
 * is noticed by itself.
 */
export class Scripts {
  #refusedUntil = 0

  /** The way without a script where there must be one; each answers whether the record was as expected. */
  async run(byScript: () => Promise<boolean>, byReading: () => Promise<boolean>): Promise<boolean> {
    if (elapsed() < this.#refusedUntil)
      return byReading()
    try {
      const isDone = await byScript()
      this.#noteRun()
      return isDone
    }
    catch (error) {
      if (!isRefusal(error))
        throw error
      // A script that was refused did nothing. Where reading is refused as well, it is not about scripts.
      const isDone = await byReading()
      this.#noteRefusal(error)
      return isDone
    }
  }

  #noteRun(): void {
    if (this.#refusedUntil > 0)
      console.info('[unsession] Redis runs the command EVAL again: several processes lose nothing to each other.')
    this.#refusedUntil = 0
  }

  #noteRefusal({ message }: Error): void {
    if (this.#refusedUntil === 0)
      console.warn(`[unsession] Redis refuses the command EVAL: "${message.split(', with args', 1)[0]}". Sessions work, but a record is read and then written instead of both in one step: several processes can overwrite each other's changes, and undo a logout of the same instant. One process loses nothing. Allow it, for example with \`ACL SETUSER <user> +eval +getrange +get +set +unlink\`; no restart is needed.`)
    this.#refusedUntil = elapsed() + RETRY_MILLISECONDS
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError' && REFUSAL.test(error.message)
}
