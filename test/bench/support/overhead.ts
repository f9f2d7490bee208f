import { quantile } from './stats'

/** What sessions add to a request: differences of the same quantile, in microseconds. */
export interface Overhead {
  p10: number
  median: number
  /** Of the medians, with sessions to without. */
  ratio: number
  /** The median of a request without sessions. */
  bare: number
  samples: number
}

export function overheadOf(app: readonly number[], bare: readonly number[]): Overhead {
  const difference = (fraction: number): number => quantile(app, fraction) - quantile(bare, fraction)
  return {
    p10: difference(0.1),
    median: difference(0.5),
    ratio: quantile(app, 0.5) / quantile(bare, 0.5),
    bare: quantile(bare, 0.5),
    samples: app.length,
  }
}
