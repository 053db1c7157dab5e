/** Says where the time of a run goes: operations that are alike are added up, each beside what the instruction set could do at most. */
import type { OpTime, Precision, RunTimes } from '../../../engine/engine.js'

/** Shares are parts of all threads' time, the run's seconds times its threads. Those of operations, waiting and handing over make one together. */
export interface Profile {
  /** Is the time of the run, from asking for it to its answer. */
  readonly seconds: number
  readonly threads: number
  /** Are added up by kind, shape and precision, the longest first. */
  readonly operations: readonly ProfiledOperation[]
  /** Is the share for which threads waited for others or for a processor; null where the engine cannot tell, and operations contain it. */
  readonly waiting: number | null
  /** Is the share between operations: the run is handed to the engine's threads, and back. */
  readonly dispatch: number
}

export interface ProfiledOperation extends Omit<OpTime, 'seconds' | 'busySeconds'> {
  /** Counts the operations that are alike; `flop` and `bytes` are of all of them. */
  readonly count: number
  /** Is the share for which threads were at work. */
  readonly share: number
  /** Is the time that it would take if no thread waited: its share of the run's seconds. */
  readonly seconds: number
  /** Is the share for which threads waited here, a part of `Profile.waiting`. */
  readonly waiting: number | null
  /** Is what products of its precision could do in `seconds` at most; null for what has no products, for too short a time, and where that cannot be measured. */
  readonly peakFlopPerSecond: number | null
}

export interface TimedRun {
  readonly times: RunTimes
  /** Passed from asking for the run to its answer. */
  readonly seconds: number
}

/** @param peakOf measures what products of a precision could do at most, or gives null */
export async function profileOf(
  { times: { threads, operations: times }, seconds }: TimedRun,
  peakOf: (precision: Precision) => Promise<number | null>,
): Promise<Profile> {
  const all = threads * seconds
  const alike = new Map<string, OpTime[]>()
  for (const time of times) {
    const key = `${time.kind} ${time.shape} ${time.precision}`
    alike.set(key, [...(alike.get(key) ?? []), time])
  }
  const operations = [...alike.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { kind, shape, precision } = first
    const sum = (of: (time: OpTime) => number) => group.reduce((total, time) => total + of(time), 0)
    const share = sum((time) => time.busySeconds ?? threads * time.seconds) / all
    const isTold = group.every(({ busySeconds }) => busySeconds !== null)
    return {
      kind,
      shape,
      precision,
      count: group.length,
      flop: sum(({ flop }) => flop),
      bytes: sum(({ bytes }) => bytes),
      share,
      seconds: share * seconds,
      waiting: isTold ? sum((time) => threads * time.seconds) / all - share : null,
    }
  })
  operations.sort((a, b) => b.share - a.share)
  const peaks = await peaksFor(operations, peakOf)
  const took = times.reduce((total, time) => total + time.seconds, 0)
  return {
    seconds,
    threads,
    operations: operations.map((operation) => ({
      ...operation,
      peakFlopPerSecond: makesRate(operation) ? (peaks.get(operation.precision) ?? null) : null,
    })),
    waiting: operations.reduce<number | null>(
      (total, { waiting }) => (total === null || waiting === null ? null : total + waiting),
      0,
    ),
    dispatch: 1 - took / seconds,
  }
}

/** [seconds] is so long that clocks which tick in microseconds give a rate of it. */
const TELLING_TIME = 1e-4

function makesRate({ flop, seconds }: Pick<OpTime, 'flop' | 'seconds'>): boolean {
  return flop > 0 && seconds >= TELLING_TIME
}

/** Nothing is faster than the peak: one below what was seen was disturbed by other work, or is of other instructions, and is none. */
async function peaksFor(
  operations: readonly Omit<ProfiledOperation, 'peakFlopPerSecond'>[],
  peakOf: (precision: Precision) => Promise<number | null>,
): Promise<ReadonlyMap<Precision | null, number | null>> {
  const fastest = new Map<Precision, number>()
  for (const { precision, flop, seconds } of operations.filter(makesRate)) {
    if (precision !== null) fastest.set(precision, Math.max(fastest.get(precision) ?? 0, flop / seconds))
  }
  const peaks = new Map<Precision, number | null>()
  for (const [precision, seen] of fastest) {
    let peak = await peakOf(precision)
    if (peak !== null && peak < seen) peak = await peakOf(precision)
    peaks.set(precision, peak !== null && peak < seen ? null : peak)
  }
  return peaks
}
