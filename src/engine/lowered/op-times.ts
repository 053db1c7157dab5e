/** Says of each operation of a lowered plan what it is and how much work, for whoever has timed it. */
import type { OpTime } from '../engine.js'
import { type Format, OPS, type OpKind, type OpRow } from '../ops.js'
import type { SlotName } from '../plan.js'
import type { LoweredPlan } from './lower-plan.js'
import type { LoweredOp } from './lowered-op.js'
import { type SlotSizes, sizeOf } from './slot-sizes.js'

/** Has a number for each operation, in the order of the plan. */
export interface MeasuredTimes {
  readonly seconds: ArrayLike<number>
  /** Is for how long all threads together were at work; null where that was not measured. */
  readonly busySeconds: ArrayLike<number> | null
}

/** Counts the bytes of a value of a slot. */
const VALUE_BYTES: Readonly<Record<Format, number>> = { float32: 4, bfloat16: 2, split: 4, int8: 1, int16: 2 }
/** Says in which precision operands of a format are multiplied where neither of them is a packed weight. */
const PRECISION_OF = {
  float32: 'float32',
  bfloat16: 'bfloat16',
  split: 'high',
  int8: 'int8',
  int16: 'int8',
} as const
/** These read as much as they write, which a slot that is read in part, or the caller's memory, does not tell. */
const COPIES: ReadonlySet<OpKind> = new Set([
  'copyIn',
  'copyOut',
  'patchifyPlanes',
  'sliceRows',
  'gatherRows',
  'takeRow',
  'toExperts',
])

export function opTimes(lowered: LoweredPlan, times: MeasuredTimes, batch: number): readonly OpTime[] {
  const { ops, sizes } = lowered
  return ops.map((op, index) => ({
    kind: op.kind,
    shape: shapeOf(op, sizes, batch),
    precision: precisionOf(op, lowered),
    flop: batch * flopOf(op, sizes),
    bytes: batch * bytesOf(op, lowered),
    seconds: numberAt(times.seconds, index),
    busySeconds: times.busySeconds && numberAt(times.busySeconds, index),
  }))
}

function numberAt(numbers: ArrayLike<number>, index: number): number {
  const number = numbers[index]
  if (number === undefined) throw new RangeError(`Operation ${index} was not timed.`)
  return number
}

function precisionOf(op: LoweredOp, { formats, sizes }: LoweredPlan): OpTime['precision'] {
  if (flopOf(op, sizes) === 0 || op.input === null) return null
  if (op.weight !== null && op.weight.form !== 'rows') return op.weight.form
  const format = formats.get(op.input) ?? 'float32'
  // Where rows stay in float32, attention makes whole numbers of them itself.
  return format === 'float32' && op.precision === 'int8' ? 'int8' : PRECISION_OF[format]
}

function bytesOf(op: LoweredOp, { sizes, formats }: LoweredPlan): number {
  const { input, second, output, inputRows, outputRows } = op
  const bytes = (slot: SlotName | null, part: readonly [number, number] | null) => {
    if (slot === null) return 0
    const [rows, width] = partOf(slot, part, sizes)
    return rows * width * VALUE_BYTES[formats.get(slot) ?? 'float32']
  }
  if (COPIES.has(op.kind)) return 2 * (output === null ? bytes(input, inputRows) : bytes(output, outputRows))
  // Self-attention names one slot twice.
  const other = second === input ? 0 : bytes(second, null)
  return bytes(input, inputRows) + other + bytes(output, outputRows)
}

function shapeOf(op: LoweredOp, sizes: SlotSizes, batch: number): string {
  const from = op.input === null ? null : partOf(op.input, op.inputRows, sizes)
  const to = op.output === null ? from : partOf(op.output, op.outputRows, sizes)
  if (to === null) return ''
  const [rows, width] = to
  if (op.kind === 'attention' && from !== null) {
    const keys = op.weightOperand === 'query' || op.second === null ? from[0] : sizeOf(op.second, sizes)[0]
    return [batch * op.groups, rows / op.groups, keys / op.groups, width].join(' x ')
  }
  if (op.kind === 'probeAttention' && from !== null) return [batch, op.latents, ...from].join(' x ')
  const numbers =
    (op.kind === 'linear' || op.kind === 'expertLinear') && from !== null
      ? [batch * rows, from[1], width]
      : op.kind === 'conv2d' && from !== null
        ? [batch * rows, op.patchSize ** 2 * from[1], width]
        : [batch * rows, width]
  const ending = [op.activation === 'identity' ? [] : op.activation, op.combine === 'none' ? [] : op.combine]
  return [numbers.join(' x '), ...ending.flat()].join(', ')
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
    ...op,
    input: size(op.input, op.inputRows),
    second: size(op.second),
    output: size(op.output, op.outputRows),
  })
}
