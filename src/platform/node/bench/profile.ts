/** Says where the time of a run goes: operations that are alike are added up, each beside what its threads could do at most. */
import type { OpTime, Precision } from '../../../engine/engine.js'

export interface Profile {
  /** Is the time of all operations, in seconds; what a run takes beyond it is not in them. */
  readonly seconds: number
  /** Are added up by kind, shape and precision, the longest first. */
  readonly operations: readonly ProfiledOperation[]
}

export interface ProfiledOperation extends Omit<OpTime, 'busySeconds'> {
  /** Counts the operations that are alike. */
  readonly count: number
  /** Is the part of all threads' time for which they waited for each other. */
  readonly waiting: number
  /** Counts the floating-point operations a second that its products could do at most; null for what has no products. */
  readonly peakFlopPerSecond: number | null
}

/** @param peakOf measures what products of a precision can do at most; it is asked once for each that occurs */
export async function profileOf(
  times: readonly OpTime[],
  threads: number,
  peakOf: (precision: Precision) => Promise<number | null>,
): Promise<Profile> {
  const alike = new Map<string, OpTime[]>()
  for (const time of times) {
    const key = `${time.kind} ${time.shape} ${time.precision}`
    alike.set(key, [...(alike.get(key) ?? []), time])
  }
  const precisions = new Set(times.flatMap(({ flop, precision }) => (flop > 0 && precision !== null ? [precision] : [])))
  const peaks = new Map<Precision | null, number | null>()
  for (const precision of precisions) peaks.set(precision, await peakOf(precision))
  const operations = [...alike.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const sum = (of: (time: OpTime) => number) => group.reduce((total, time) => total + of(time), 0)
    const seconds = sum((time) => time.seconds)
    return {
      kind: first.kind,
      shape: first.shape,
      precision: first.precision,
      count: group.length,
      flop: sum((time) => time.flop),
      bytes: sum((time) => time.bytes),
      seconds,
      waiting: seconds === 0 ? 0 : Math.max(0, 1 - sum((time) => time.busySeconds) / (threads * seconds)),
      peakFlopPerSecond: first.flop === 0 ? null : (peaks.get(first.precision) ?? null),
    }
  })
  operations.sort((a, b) => b.seconds - a.seconds)
  return { seconds: operations.reduce((total, { seconds }) => total + seconds, 0), operations }
}
