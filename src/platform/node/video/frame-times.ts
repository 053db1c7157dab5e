/**
 * Decides which frames of a clip are taken: of each stretch of `every` seconds the first one that is there. All is whole numbers, so that no frame is
 * taken or left by how a sum of tenths is rounded, and ffmpeg, which counts in float64, is given numbers with which it finds the same.
 */

/** Is a length of time in seconds, as a fraction: 1/90000. */
export type TimeBase = readonly [numerator: number, denominator: number]

/** Times count from the beginning of the file, in millionths of a second. */
export interface FrameChoice {
  /** Is the length of a stretch; null takes every frame. */
  readonly every: number | null
  readonly from: number
  /** Ends the last stretch; null goes to the end of the file. */
  readonly to: number | null
}

const MICROSECONDS = 1_000_000n

/** Counts stretches since `from`: the frame at `pts` lies in stretch floor((pts * scale - start) / length). */
interface Grid {
  readonly scale: bigint
  readonly start: bigint
  readonly length: bigint
}

function gridOf({ every, from }: FrameChoice, [numerator, denominator]: TimeBase): Grid {
  const scale = BigInt(numerator) * MICROSECONDS
  const start = BigInt(from) * BigInt(denominator)
  const length = BigInt(every ?? 1) * BigInt(denominator)
  const common = gcd(gcd(scale, start), length)
  return { scale: scale / common, start: start / common, length: length / common }
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b)
}

/** Tells of each frame, in their order, whether it is taken. */
export function frameChooser(choice: FrameChoice, timeBase: TimeBase): (pts: number) => boolean {
  const { scale, start, length } = gridOf(choice, timeBase)
  const end = choice.to === null ? null : BigInt(choice.to) * BigInt(timeBase[1])
  let last: bigint | null = null
  return (pts) => {
    const offset = BigInt(pts) * scale - start
    if (offset < 0n) return false
    if (end !== null && BigInt(pts) * BigInt(timeBase[0]) * MICROSECONDS >= end) return false
    if (choice.every === null) return true
    const stretch = offset / length
    if (last !== null && stretch <= last) return false
    last = stretch
    return true
  }
}

/**
 * Writes the same choice as an expression of ffmpeg's `select`, but for `to`.
 *
 * @param firstPts is the first of the ticks from which on there is choice: that of a frame which begins its stretch, so that all after it are chosen as they are
 * where the film is read from its start
 */
export function selectExpression(choice: FrameChoice, timeBase: TimeBase, firstPts?: number): string {
  const { scale, start, length } = gridOf(choice, timeBase)
  const isReached =
    firstPts === undefined ? `gte(pts*${scale},${start})` : `gte(pts*${scale},${start})*gte(pts,${firstPts})`
  if (choice.every === null) return isReached
  const stretch = (pts: string) => `floor((${pts}*${scale}-${start})/${length})`
  const isNew = `gt(${stretch('pts')},${stretch('prev_selected_pts')})`
  return `${isReached}*if(isnan(prev_selected_pts),1,${isNew})`
}

/** Gives seconds, rounded once. */
export function secondsOf(pts: number, [numerator, denominator]: TimeBase): number {
  return (pts * numerator) / denominator
}

/** Gives the first tick that has this time as its text. */
export function firstPtsOf(time: string, [numerator, denominator]: TimeBase): number {
  const before = BigInt(time.replace('.', '')) - 1n
  return before < 0n ? 0 : Number((before * BigInt(denominator)) / (BigInt(numerator) * MILLISECONDS)) + 1
}

const MILLISECONDS = 1000n

/**
 * Writes the time of a frame in seconds with three decimals: the first whole millisecond at which it is shown, so that a player that is sent there shows
 * this frame and not the one before.
 */
export function timeText(pts: number, [numerator, denominator]: TimeBase): string {
  const scaled = BigInt(pts) * BigInt(numerator) * MILLISECONDS
  const ms = (scaled + BigInt(denominator) - 1n) / BigInt(denominator)
  return `${ms / MILLISECONDS}.${String(ms % MILLISECONDS).padStart(3, '0')}`
}
