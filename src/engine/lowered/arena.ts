/** Places each slot in one piece of memory: slots that are never alive together share a place. */
import { type Format, OPS, type OpRow } from '../ops.js'
import type { SlotName } from '../plan.js'
import type { LoweredOp } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

export interface Arena {
  /** Counts floats from the start for one image. A batch takes them times its size. */
  readonly offsets: ReadonlyMap<SlotName, number>
  readonly floats: number
}

/** Counts the cache lines that a row takes; FORMATS in ops.ts says what they hold. */
const LINES: Record<Format, (width: number) => number> = {
  float32: (width) => Math.ceil(width / 16),
  bfloat16: (width) => Math.ceil(width / 32),
  split: (width) => 2 * Math.ceil(width / 32),
  // The last line holds the scale.
  int8: (width) => Math.ceil(width / 64) + 1,
  int16: (width) => Math.ceil(width / 32) + 1,
}

/**
 * Counts floats from one row to the next: a multiple of 16 and an odd number of cache lines, so that rows one below the other never fall
 * into the same set of a cache.
 */
export function strideOf(width: number, format: Format = 'float32'): number {
  const lines = LINES[format](width)
  return 16 * (lines % 2 === 0 ? lines + 1 : lines)
}

interface Life {
  readonly floats: number
  from: number
  to: number
}

export function planArena(
  ops: readonly LoweredOp[],
  sizes: SlotSizes,
  formats: ReadonlyMap<SlotName, Format>,
): Arena {
  const lastUse = new Map<SlotName, number>()
  ops.forEach((op, index) => {
    for (const slot of [op.input, op.second, op.output]) {
      if (slot !== null) lastUse.set(slot, index)
    }
  })

  // Slots that share memory share a life.
  const lives = new Map<SlotName, Life>()
  ops.forEach((op, index) => {
    for (const slot of [op.input, op.second]) {
      const life = slot === null ? undefined : lives.get(slot)
      if (life !== undefined) life.to = Math.max(life.to, index)
    }
    const slot = op.output
    if (slot === null) return
    const known = lives.get(slot)
    if (known !== undefined) {
      known.to = index
      return
    }
    const inherited = inPlaceOf(op, index, lastUse, sizes, formats)
    const life = inherited === null ? undefined : lives.get(inherited)
    if (life !== undefined) life.to = index
    const [rows, width] = sizeOf(slot, sizes)
    lives.set(slot, life ?? { floats: rows * strideOf(width, formats.get(slot)), from: index, to: index })
  })
  return place(lives)
}

/** Finds the slot whose memory the output may take over: it is read element by element at the place that is written, and for the last time. */
function inPlaceOf(
  op: LoweredOp,
  index: number,
  lastUse: ReadonlyMap<SlotName, number>,
  sizes: SlotSizes,
  formats: ReadonlyMap<SlotName, Format>,
): SlotName | null {
  if (op.output === null || formats.has(op.output)) return null
  for (const name of OPS[op.kind].inPlace) {
    const slot = op[name]
    // What is also read otherwise than element by element must stay.
    if (
      slot === null ||
      (slot === op.input && !isReadInPlace(op, 'input')) ||
      formats.has(slot) ||
      lastUse.get(slot) !== index
    )
      continue
    const [rows, width] = sizeOf(slot, sizes)
    const [outRows, outWidth] = sizeOf(op.output, sizes)
    if (rows === outRows && width === outWidth) return slot
  }
  return null
}

function isReadInPlace({ kind }: LoweredOp, name: 'input' | 'second'): boolean {
  const { inPlace }: OpRow = OPS[kind]
  return inPlace.includes(name)
}

/** Places the largest first, each where the lowest place is free all its life. */
function place(lives: ReadonlyMap<SlotName, Life>): Arena {
  const places = new Map<Life, number>()
  let floats = 0
  for (const life of [...new Set(lives.values())].sort((a, b) => b.floats - a.floats)) {
    const neighbours = [...places]
      .filter(([other]) => other.from <= life.to && life.from <= other.to)
      .sort(([, a], [, b]) => a - b)
    let offset = 0
    for (const [other, start] of neighbours) {
      if (start >= offset + life.floats) break
      offset = Math.max(offset, start + other.floats)
    }
    places.set(life, offset)
    floats = Math.max(floats, offset + life.floats)
  }
  const offsets = new Map<SlotName, number>()
  for (const [slot, life] of lives) {
    const offset = places.get(life)
    if (offset !== undefined) offsets.set(slot, offset)
  }
  return { offsets, floats }
}

/** Throws for a slot that no operation reads or writes. */
export function offsetIn(arena: Arena, slot: SlotName): number {
  const offset = arena.offsets.get(slot)
  if (offset === undefined) throw new Error(`The slot ${slot} has no place in the arena.`)
  return offset
}
