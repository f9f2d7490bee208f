/** A value that is there, or a promise of it. No promise is made for what is there at once. */
export type Maybe<T> = T | Promise<T>
