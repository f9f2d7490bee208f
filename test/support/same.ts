type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles only where both types are exactly the same, `any` and `unknown` told apart. */
export declare function same<A, B>(...different: IsSame<A, B> extends true ? [] : [never]): void
