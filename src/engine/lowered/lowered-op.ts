/** What an executor runs: fewer kinds than the plan has, each with what was fused into it. Slots are still names here. */
import type { ActivationKind, NormWeights, SlotName, WeightName } from '../plan.js'

/** In the order of native/src/kernels.h, but for the last, which that engine does not have. */
export const PRECISIONS = ['float32', 'high', 'bfloat16', 'int8', 'float16'] as const
export type ProductPrecision = (typeof PRECISIONS)[number]

/** How the values of a slot are stored; in the order of native/src/kernels.h. */
export const FORMATS = ['float32', 'bfloat16', 'split', 'int8'] as const
export type Format = (typeof FORMATS)[number]

/** How a weight is stored: packed for the products of a precision, or `rows`, as it is. */
export type WeightForm = ProductPrecision | 'rows'
export interface WeightRef {
  readonly name: WeightName
  readonly form: WeightForm
}

export const OP_KINDS = [
  'copyIn',
  'copyOut',
  'patchifyPlanes',
  'patchifyRows',
  'linear',
  'assembleTokens',
  'norm',
  'attention',
  'elementwise',
  'sliceRows',
  'meanRows',
  'broadcast',
  'probeAttention',
  'regroup',
  'convert',
] as const
export type OpKind = (typeof OP_KINDS)[number]

export const COMBINATIONS = ['none', 'add', 'gate'] as const
export type Combination = (typeof COMBINATIONS)[number]

/** Slots of one image; where a step keeps something between its operations, a slot of its own. */
export interface LoweredOp {
  readonly kind: OpKind
  readonly input: SlotName | null
  readonly second: SlotName | null
  readonly output: SlotName | null
  readonly temporary: SlotName | null
  readonly weight: WeightRef | null
  readonly bias: WeightName | null
  readonly gamma: WeightName | null
  /** Name of a constant of the plan; only in `assembleTokens`. */
  readonly positions: string | null
  readonly activation: ActivationKind
  readonly combine: Combination
  readonly heads: number
  readonly scale: number
  readonly norm: NormWeights | null
  readonly keyNorm: NormWeights | null
  /** What else a kind needs; see native/src/program.h. */
  readonly numbers: readonly number[]
  readonly weightOperand: 'none' | 'query' | 'key'
  /** Rows of `input` that this op takes, where it is not all: [first, count]; the rest belongs to other experts. */
  readonly inputRows: readonly [number, number] | null
  readonly outputRows: readonly [number, number] | null
}

const EMPTY: Omit<LoweredOp, 'kind'> = {
  input: null,
  second: null,
  output: null,
  temporary: null,
  weight: null,
  bias: null,
  gamma: null,
  positions: null,
  activation: 'identity',
  combine: 'none',
  heads: 1,
  scale: 1,
  norm: null,
  keyNorm: null,
  numbers: [],
  weightOperand: 'none',
  inputRows: null,
  outputRows: null,
}

export function loweredOp(kind: OpKind, fields: Partial<Omit<LoweredOp, 'kind'>>): LoweredOp {
  return { ...EMPTY, kind, ...fields }
}

/** Every weight that an operation reads. */
export function weightsOf(op: LoweredOp): readonly WeightRef[] {
  const refs: WeightRef[] = op.weight === null ? [] : [op.weight]
  const names = [op.bias, op.gamma, op.norm?.weight, op.norm?.bias, op.keyNorm?.weight, op.keyNorm?.bias]
  for (const name of names) if (name !== null && name !== undefined) refs.push({ name, form: 'rows' })
  return refs
}
