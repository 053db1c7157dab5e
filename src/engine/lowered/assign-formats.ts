/**
 * Chooses how each slot is stored. A value that only products read is written at once as they read it; one that others read, too, stays in
 * float32 and is converted for the products.
 */
import { type Format, OPS } from '../ops.js'
import type { SlotName } from '../plan.js'
import type { Arithmetic } from './arithmetic.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

/** Heads whose width is a multiple of this can pass through matrix tiles. */
const TILE_WIDTH = 32

export interface FormattedOps {
  readonly ops: readonly LoweredOp[]
  /** Holds the formats of slots that are not float32. */
  readonly formats: ReadonlyMap<SlotName, Format>
}

/** @param sizes converted slots are added to it */
export function assignFormats(
  ops: readonly LoweredOp[],
  outputs: ReadonlySet<SlotName>,
  sizes: SlotSizes,
  arithmetic: Arithmetic,
): FormattedOps {
  const wanted = new Map<SlotName, Set<Format>>()
  const want = (slot: SlotName | null, format: Format) => {
    if (slot !== null) wanted.set(slot, (wanted.get(slot) ?? new Set()).add(format))
  }
  for (const op of ops) {
    want(op.input, inputFormat(op, arithmetic))
    if (op.second !== op.input) want(op.second, 'float32')
  }
  for (const slot of outputs) want(slot, 'float32')

  const lastWriter = new Map(ops.map((op) => [op.output, op]))
  const formats = new Map<SlotName, Format>()
  const converted = new Map<SlotName, Map<Format, SlotName>>()
  const result: LoweredOp[] = []
  for (const op of ops) {
    const format = inputFormat(op, arithmetic)
    const input = (op.input === null ? null : converted.get(op.input)?.get(format)) ?? op.input
    const precision = op.kind === 'attention' && isTiled(op) ? arithmetic.precision : op.precision
    result.push({ ...op, input, second: op.second === op.input ? input : op.second, precision })
    const slot = op.output
    if (slot === null) continue
    const needs = wanted.get(slot) ?? new Set<Format>(['float32'])
    const stored = formatOfOutput(op, needs, arithmetic)
    if (stored !== 'float32') formats.set(slot, stored)
    // Parts of a slot are written one after the other: the last of them completes it.
    if (isPart(op) && op !== lastWriter.get(slot)) continue
    const copies = new Map<Format, SlotName>()
    for (const need of needs) {
      if (need === stored || need === 'float32') continue
      const copy = `${slot} (${need})`
      sizes.set(copy, sizeOf(slot, sizes))
      formats.set(copy, need)
      copies.set(need, copy)
      result.push(loweredOp('convert', { input: slot, output: copy }))
    }
    converted.set(slot, copies)
  }
  return { ops: result, formats }
}

/** Tells what writes some rows of its slot, beside others. */
function isPart({ kind, outputRows }: LoweredOp): boolean {
  return outputRows !== null || kind === 'expertLinear'
}

function inputFormat(op: LoweredOp, arithmetic: Arithmetic): Format {
  if (OPS[op.kind].reads === 'product' && op.weight !== null && op.weight.form !== 'rows') {
    return arithmetic.rowsFor(op.weight.form)
  }
  return isTiled(op) ? arithmetic.attention : 'float32'
}

/** Tells self-attention in heads that tiles can hold, which may be as narrow as products are. */
function isTiled(op: LoweredOp): boolean {
  if (OPS[op.kind].reads !== 'attention' || op.second !== op.input) return false
  // Biases and masks change scores in float32.
  if (op.scoreBias !== 'none' || op.keyMask !== 'none') return false
  // Keys begin where queries end.
  return (op.keysAt / op.heads) % TILE_WIDTH === 0
}

function formatOfOutput(op: LoweredOp, needs: ReadonlySet<Format>, arithmetic: Arithmetic): Format {
  if (needs.has('float32')) return 'float32'
  const [only] = needs
  const { reads, writes } = OPS[op.kind]
  // Attention writes as narrowly as it reads; a part of a slot is written beside others, in float32.
  const isNarrow = reads !== 'attention' || inputFormat(op, arithmetic) !== 'float32'
  const writesBetween = writes === 'between' && isNarrow && op.outputRows === null
  // The scale of a row of integers is known only when the whole row is.
  const needsWholeRow = (format: Format) => format === 'int8' || format === 'int16'
  const can = (format: Format) =>
    writes === 'any' || (writesBetween && !needsWholeRow(format) && arithmetic.between !== 'float32')
  if (needs.size === 1 && only !== undefined && can(only)) return only
  return can(arithmetic.between) ? arithmetic.between : 'float32'
}
