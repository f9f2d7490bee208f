/** What events use the sessions of another. */
const joined = new WeakMap<object, object>()

/** Lets an event use the sessions of another. */
export function join(event: object, sessions: object): void {
  joined.set(event, sessions)
}

/** True for an event that uses these sessions, which are those of another. */
export function hasJoined(event: object, sessions: object): boolean {
  return joined.get(event) === sessions
}
