/** Operations as the flat numbers that an executor reads (native/src/program.cc, wasm/src/program.ts); the order of fields is that of its readOp. */
import type { ActivationKind, NormWeights, Plan, SlotName } from '../plan.js'
import { strideOf } from './arena.js'
import type { LoweredPlan } from './lower-plan.js'
import { sizeOf } from './lower-step.js'
import { COMBINATIONS, FORMATS, type LoweredOp, OP_KINDS, PRECISIONS, type WeightRef } from './lowered-op.js'

/** Positions in the enumeration of native/src/kernels.h; CELU with its default parameter is ELU. */
export const ACTIVATION_CODES = {
  identity: 0,
  relu: 1,
  relu6: 2,
  leaky_relu: 3,
  elu: 4,
  celu: 4,
  selu: 5,
  gelu: 6,
  gelu_tanh: 7,
  quick_gelu: 8,
  silu: 9,
  mish: 10,
  sigmoid: 11,
  tanh: 12,
  hard_sigmoid: 13,
  hard_swish: 14,
  hard_tanh: 15,
} as const satisfies Record<ActivationKind, number>

/** Functions that the activations are made of, for measuring their error. */
export const FUNCTION_CODES = { exp: 16, expm1: 17, exp2: 18, geluShort: 19 } as const

export interface EncodedPlan {
  readonly ops: Float64Array
  readonly constants: Float32Array
  readonly arenaFloats: number
}

/** @param offsetOf where a packed weight begins, in floats; throws for one that was not loaded */
export function encodePlan(
  lowered: LoweredPlan,
  plan: Plan,
  opFields: number,
  offsetOf: (ref: WeightRef) => number,
): EncodedPlan {
  const constantOffsets = new Map<string, number>()
  let constantFloats = 0
  for (const { positions } of lowered.ops) {
    if (positions === null || constantOffsets.has(positions)) continue
    constantOffsets.set(positions, constantFloats)
    constantFloats += plan.constants.get(positions)?.length ?? 0
  }
  const constants = new Float32Array(constantFloats)
  for (const [name, offset] of constantOffsets) constants.set(plan.constants.get(name) ?? [], offset)

  const ops = new Float64Array(lowered.ops.length * opFields)
  lowered.ops.forEach((op, index) => {
    const fields = encodeOp(op, lowered, constantOffsets, offsetOf)
    if (fields.length !== opFields)
      throw new Error(`an operation has ${fields.length} fields, not ${opFields}`)
    ops.set(fields, index * opFields)
  })
  return { ops, constants, arenaFloats: lowered.arena.floats }
}

function encodeOp(
  op: LoweredOp,
  lowered: LoweredPlan,
  constantOffsets: ReadonlyMap<string, number>,
  offsetOf: (ref: WeightRef) => number,
): readonly number[] {
  const { arena, sizes, formats } = lowered
  const slot = (name: SlotName | null, part: readonly [number, number] | null = null) => {
    if (name === null) return [0, 0, 0, 0, 0]
    const [rows, width] = sizeOf(name, sizes)
    const [first, count] = part ?? [0, rows]
    const format = formats.get(name) ?? 'float32'
    const stride = strideOf(width, format)
    const offset = (arena.offsets.get(name) ?? 0) + first * stride
    return [offset, count, width, stride, FORMATS.indexOf(format)]
  }
  const rowsWeight = (name: string | null) => (name === null ? -1 : offsetOf({ name, form: 'rows' }))
  const norm = (weights: NormWeights | null) =>
    weights === null
      ? [0, -1, -1, 0]
      : [
          weights.kind === 'layerNorm' ? 1 : 2,
          rowsWeight(weights.weight),
          // A root mean square norm has no shift.
          weights.kind === 'layerNorm' ? rowsWeight(weights.bias) : -1,
          weights.epsilon,
        ]
  // The input given back as an output has no place in the arena: one row, and 0 for its stride.
  const givesInput = op.kind === 'copyOut' && op.input === null
  const numbers = [...op.numbers, 0, 0, 0, 0].slice(0, 4)
  if (op.temporary !== null) numbers[3] = slot(op.temporary)[3]
  return [
    OP_KINDS.indexOf(op.kind),
    ...(givesInput ? [0, 1, op.numbers[1], 0, 0] : slot(op.input, op.inputRows)),
    ...slot(op.second),
    ...slot(op.output, op.outputRows),
    op.weight === null ? -1 : offsetOf(op.weight),
    op.kind === 'assembleTokens' ? constantAt(op.positions, constantOffsets) : rowsWeight(op.bias),
    rowsWeight(op.gamma),
    ACTIVATION_CODES[op.activation],
    COMBINATIONS.indexOf(op.combine),
    op.heads,
    op.scale,
    ...norm(op.norm),
    ...norm(op.keyNorm),
    ...numbers,
    op.temporary === null ? -1 : slot(op.temporary)[0],
    ['none', 'query', 'key'].indexOf(op.weightOperand),
    op.weight === null || op.weight.form === 'rows' ? 0 : PRECISIONS.indexOf(op.weight.form),
  ]
}

function constantAt(name: string | null, offsets: ReadonlyMap<string, number>): number {
  return name === null ? -1 : (offsets.get(name) ?? -1)
}
