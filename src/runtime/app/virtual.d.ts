/** What the module knows when the app is built. */
declare module '#build/unsession.mjs' {
  /** The keys in `expose`. */
  export const exposed: readonly string[]
  /** False where a session can be there without the readable cookie that goes with ours. */
  export const hasMark: boolean
  /** The name of the channel of its tabs, without the base URL, which the environment may change. */
  export const channel: string
  /** The option `guard`, with its defaults. */
  export const guard: { require?: string, redirectTo: string }
}
