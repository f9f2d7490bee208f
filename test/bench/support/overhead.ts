import { quantile } from './stats'

/** What requests took, in microseconds: each a mean of a batch. */
export interface Samples {
  times: number[]
  /** Of all threads of this process. */
  cpu: number[]
  /** Bytes that the heap grew by. */
  garbage: number[]
}

/** What sessions add to a request: differences of the same quantile, in microseconds. */
export interface Overhead {
  p10: number
  median: number
  /** The median of the processor time. */
  cpu: number
  /** The median of the bytes that the collector has to remove. */
  garbage: number
  /** Of the 10th percentiles, with sessions to without. */
  ratio: number
  /** The 10th percentile of a request without sessions. */
  bare: number
  samples: number
}

export function overheadOf(app: Samples, bare: Samples): Overhead {
  const difference = (of: keyof Samples, fraction: number): number => quantile(app[of], fraction) - quantile(bare[of], fraction)
  const bareTime = quantile(bare.times, 0.1)
  return {
    p10: difference('times', 0.1),
    median: difference('times', 0.5),
    cpu: difference('cpu', 0.5),
    garbage: difference('garbage', 0.5),
    ratio: quantile(app.times, 0.1) / bareTime,
    bare: bareTime,
    samples: app.times.length,
  }
}
