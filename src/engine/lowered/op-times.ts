/** Says of each operation of a lowered plan what it is and how much work, for whoever has timed it. */
import type { OpTime } from '../engine.js'
import { type Format, OPS, type OpRow } from '../ops.js'
import type { SlotName } from '../plan.js'
import type { LoweredPlan } from './lower-plan.js'
import type { LoweredOp } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

/** Counts the bytes of a value of a slot. */
const VALUE_BYTES: Readonly<Record<Format, number>> = { float32: 4, bfloat16: 2, split: 4, int8: 1 }
/** Says in which precision an attention multiplies operands of a format. */
const ATTENTION_PRECISION = { float32: 'float32', bfloat16: 'bfloat16', split: 'high', int8: 'int8' } as const

/** @param times has two numbers for each operation: the seconds that it took, and those that all threads together were at work in it */
export function opTimes(lowered: LoweredPlan, times: Float64Array, batch: number): readonly OpTime[] {
  const { ops, sizes } = lowered
  return ops.map((op, index) => ({
    kind: op.kind,
    shape: shapeOf(op, sizes, batch),
    precision: precisionOf(op, lowered),
    flop: batch * flopOf(op, sizes),
    bytes: batch * bytesOf(op, lowered),
    seconds: times[2 * index] ?? Number.NaN,
    busySeconds: times[2 * index + 1] ?? Number.NaN,
  }))
}

function precisionOf(op: LoweredOp, { formats }: LoweredPlan): OpTime['precision'] {
  if (op.kind === 'attention' && op.input !== null) {
    return ATTENTION_PRECISION[formats.get(op.input) ?? 'float32']
  }
  return op.weight === null || op.weight.form === 'rows' ? null : op.weight.form
}

/** Counts the values of slots that pass through an operation, without its weights. */
function bytesOf(op: LoweredOp, { sizes, formats }: LoweredPlan): number {
  const { input, second, output, inputRows, outputRows } = op
  const bytes = (slot: SlotName | null, part: readonly [number, number] | null) => {
    if (slot === null) return 0
    const [rows, width] = partOf(slot, part, sizes)
    return rows * width * VALUE_BYTES[formats.get(slot) ?? 'float32']
  }
  return bytes(input, inputRows) + bytes(second, null) + bytes(output, outputRows)
}

/** Writes a product as rows x depth x columns, an attention as queries x keys x width and heads, and all else as rows x width. */
function shapeOf(op: LoweredOp, sizes: SlotSizes, batch: number): string {
  const slot = op.output ?? op.input
  const [rows, width] = slot === null ? [1, 0] : partOf(slot, op.output === null ? op.inputRows : op.outputRows, sizes)
  const ending = [op.activation === 'identity' ? '' : op.activation, op.combine === 'none' ? '' : op.combine]
  const tail = ending.filter((word) => word !== '').map((word) => `, ${word}`)
  if (op.input !== null && op.kind === 'linear') {
    const [, depth] = partOf(op.input, op.inputRows, sizes)
    return `${batch * rows} x ${depth} x ${width}${tail.join('')}`
  }
  if (op.kind === 'attention') return `${batch} of ${rows} x ${width}, ${op.heads} heads`
  return `${batch * rows} x ${width}${tail.join('')}`
}

function partOf(
  slot: SlotName,
  part: readonly [number, number] | null,
  sizes: SlotSizes,
): readonly [rows: number, width: number] {
  const [rows, width] = sizeOf(slot, sizes)
  return [part?.[1] ?? rows, width]
}

/** Counts the floating-point operations of one image, as the table of operations says. */
export function flopOf(op: LoweredOp, sizes: SlotSizes): number {
  const { flop }: OpRow = OPS[op.kind]
  const size = (slot: SlotName | null, part: readonly [number, number] | null = null) =>
    slot === null ? ([0, 0] as const) : partOf(slot, part, sizes)
  return flop({
    input: size(op.input, op.inputRows),
    second: size(op.second),
    output: size(op.output, op.outputRows),
    latents: op.latents,
    weightOperand: op.weightOperand,
  })
}
