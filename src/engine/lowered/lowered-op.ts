// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.
/**
 * Holds an operation in its three forms: with slots and weights as names, as plans are lowered to it; placed in memory; and as the numbers that
 * executors read (native/src/ops.cc, wasm/src/ops.ts).
 */
import {
  ACTIVATION_ALIASES,
  ACTIVATIONS,
  type ActivationKind,
  COMBINATIONS,
  type Combination,
  FORMATS,
  type Format,
  HEAD_FUSIONS,
  type HeadFusion,
  KEY_MASKS,
  type KeyMask,
  NORM_KINDS,
  type NormKind,
  OPS,
  type OpKind,
  PRECISIONS,
  type ProductPrecision,
  ROUTINGS,
  type Routing,
  SCORE_BIASES,
  type ScoreBias,
  WEIGHT_OPERANDS,
  type WeightOperand,
} from '../ops.js'
import type { ConstantName, NormWeights, SlotName, WeightName } from '../plan.js'

// ---- By names ----

/** Says how a weight is stored: packed for the products of a precision, or `rows`, as it is. */
export type WeightForm = ProductPrecision | 'rows'
export interface WeightRef {
  readonly name: WeightName
  readonly form: WeightForm
}

export interface LoweredOp {
  readonly kind: OpKind
  /** Names what the operation works on. */
  readonly input: SlotName | null
  /** Names the other slot that it reads. */
  readonly second: SlotName | null
  /** Names the slot that it writes. */
  readonly output: SlotName | null
  /** Normalises rows, or the queries of each head. It is used by norm, turn. */
  readonly norm: NormWeights | null
  /** Normalises the keys of each head. It is used by turn. */
  readonly keyNorm: NormWeights | null
  /** Names the weight that the operation is about. */
  readonly weight: WeightRef | null
  /** Is added to each row of a product, or to the scores by which experts are chosen. It is used by linear, conv2d, foldPatches, route, expertLinear. */
  readonly bias: WeightName | null
  /** Multiplies each row; in assembleTokens it is the registers. It is used by linear, assembleTokens, elementwise, conv2d. */
  readonly gamma: WeightName | null
  /** Names a table of the plan. */
  readonly constant: ConstantName | null
  /** Names the rows for offsets in columns of a decomposed bias, or the columns that those of a resized picture are made of; what is about rows is the constant. It is used by attention, attentionWeights, resize. */
  readonly columnTable: ConstantName | null
  /** Names how many keys each group sees. It is used by attention, attentionWeights. */
  readonly keyCounts: ConstantName | null
  /** Names the rows whose weights are given; those of all rows where it names none. It is used by attentionWeights. */
  readonly rowIndex: ConstantName | null
  /** Names the heads whose weights are given; those of all heads where it names none. It is used by attentionWeights. */
  readonly headIndex: ConstantName | null
  /** Is applied to each value. It is used by linear, elementwise, conv2d, expertLinear. */
  readonly activation: ActivationKind
  /** Says how the second slot joins at the end. It is used by linear, elementwise, conv2d. */
  readonly combine: Combination
  /** Says which rows of an attention are weights. It is used by attention. */
  readonly weightOperand: WeightOperand
  /** Says what is added to the scores. It is used by attention, attentionWeights. */
  readonly scoreBias: ScoreBias
  /** Says which keys a query sees. It is used by attention, attentionWeights. */
  readonly keyMask: KeyMask
  /** Says what the weights of the heads become. It is used by attentionWeights. */
  readonly headFusion: HeadFusion
  /** Says who chooses whom among tokens and experts. It is used by route. */
  readonly routing: Routing
  /** Says in which precision an attention may multiply. It is used by attention. */
  readonly precision: ProductPrecision
  /** Counts the rows of the grid that a bias is about. It is used by attention, attentionWeights. */
  readonly gridRows: number
  /** Counts the columns of the grid that a bias is about, or of a picture that was resized. It is used by attention, attentionWeights, resize. */
  readonly gridColumns: number
  /** Counts the heads that share out the width. It is used by turn, attention, attentionWeights, probeAttention. */
  readonly heads: number
  /** Counts the heads whose weights are given. It is used by attentionWeights. */
  readonly headCount: number
  /** Counts the tables of angles that a token has: one for all heads, or one for each. It is used by turn. */
  readonly tables: number
  /** Says that neighbouring columns make a pair, and not those half a head apart. It is used by turn. */
  readonly pairsNeighbours: boolean
  /** Multiplies the scores before softmax, or what experts' answers come to. It is used by attention, attentionWeights, probeAttention, fromExperts. */
  readonly scale: number
  /** Is the place among the outputs asked for. It is used by copyOut. */
  readonly outputIndex: number
  /** [values] Says where an input begins among all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes. */
  readonly inputAt: number
  /** [values] Counts all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes. */
  readonly inputLength: number
  /** Counts the channels of the picture that is cut. It is used by patchifyPlanes, patchifyRows. */
  readonly channels: number
  /** [pixels] Is the height of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize. */
  readonly planeHeight: number
  /** [pixels] Is the width of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize. */
  readonly planeWidth: number
  /** [pixels] Is the side of a patch, or of a kernel. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches. */
  readonly patchSize: number
  /** [pixels] Is how far one patch begins from the next one, down and across. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches. */
  readonly patchStride: number
  /** [pixels] Is how far the first patch begins in front of the picture, where zeros lie; as many lie behind it. It is used by conv2d, foldPatches. */
  readonly padding: number
  /** Counts the rows, and the columns, that each of a resized picture is made of. It is used by resize. */
  readonly taps: number
  /** Says that the row with the largest id is taken, and not the first with the id that is asked for. It is used by takeRow. */
  readonly takesLargest: boolean
  /** Is the id whose first row is taken. It is used by takeRow. */
  readonly id: number
  /** [columns] Says where keys begin in a row of the second slot. It is used by attention, attentionWeights. */
  readonly keysAt: number
  /** [columns] Says where values begin in a row of the second slot. It is used by attention. */
  readonly valuesAt: number
  /** [rows] Is the first row that is kept, or may be routed. It is used by sliceRows, route. */
  readonly firstRow: number
  /** [rows] Counts the learnt queries. It is used by probeAttention. */
  readonly latents: number
  /** Counts the groups, or experts, that share out the rows of an image. It is used by attention, attentionWeights, regroup, expertLinear. */
  readonly groups: number
  /** Says that groups become images again. It is used by regroup. */
  readonly isBack: boolean
  /** Counts the experts that each token chooses. It is used by route. */
  readonly choices: number
  /** [rows] Is how many tokens of an image an expert takes at most. It is used by route. */
  readonly capacity: number
  /** Numbers the expert whose rows are multiplied. It is used by expertLinear. */
  readonly expert: number
  /** Names the rows of `input` that the operation takes, [first, count], where it is not all. */
  readonly inputRows: readonly [first: number, count: number] | null
  /** Names the rows of `output` that the operation takes, [first, count], where it is not all. */
  readonly outputRows: readonly [first: number, count: number] | null
}

const INITIAL: Omit<LoweredOp, 'kind'> = {
  input: null,
  second: null,
  output: null,
  norm: null,
  keyNorm: null,
  weight: null,
  bias: null,
  gamma: null,
  constant: null,
  columnTable: null,
  keyCounts: null,
  rowIndex: null,
  headIndex: null,
  activation: 'identity',
  combine: 'none',
  weightOperand: 'none',
  scoreBias: 'none',
  keyMask: 'none',
  headFusion: 'none',
  routing: 'sigmoid',
  precision: 'float32',
  gridRows: 0,
  gridColumns: 0,
  heads: 1,
  headCount: 0,
  tables: 0,
  pairsNeighbours: false,
  scale: 1,
  outputIndex: 0,
  inputAt: 0,
  inputLength: 0,
  channels: 0,
  planeHeight: 0,
  planeWidth: 0,
  patchSize: 0,
  patchStride: 0,
  padding: 0,
  taps: 0,
  takesLargest: false,
  id: 0,
  keysAt: 0,
  valuesAt: 0,
  firstRow: 0,
  latents: 0,
  groups: 1,
  isBack: false,
  choices: 0,
  capacity: 0,
  expert: 0,
  inputRows: null,
  outputRows: null,
}

export function loweredOp(kind: OpKind, fields: Partial<Omit<LoweredOp, 'kind'>>): LoweredOp {
  return { ...INITIAL, kind, ...fields }
}

/** Lists every weight that an operation reads. */
export function weightsOf(op: LoweredOp): readonly WeightRef[] {
  const refs: WeightRef[] = []
  if (op.weight !== null) refs.push(op.weight)
  const names = [op.bias, op.gamma, op.norm?.weight, op.norm?.bias, op.keyNorm?.weight, op.keyNorm?.bias]
  for (const name of names) if (name !== null && name !== undefined) refs.push({ name, form: 'rows' })
  return refs
}

/** Lists every table of the plan that an operation reads. */
export function constantsOf(op: LoweredOp): readonly ConstantName[] {
  return [op.constant, op.columnTable, op.keyCounts, op.rowIndex, op.headIndex].filter(
    (name) => name !== null,
  )
}

// ---- Placed ----

export type Activation = (typeof ACTIVATIONS)[number]

export interface SlotPlace {
  readonly offset: number
  readonly rows: number
  readonly width: number
  readonly stride: number
  readonly format: Format
}

export interface NormPlace {
  readonly kind: NormKind
  readonly weight: number
  readonly bias: number
  readonly epsilon: number
}

export interface PackedPlace {
  readonly offset: number
  readonly precision: ProductPrecision
}

/** Offsets count floats from where slots, weights or constants begin; -1 stands for none. A slot without rows is none. */
export interface PlacedOp {
  readonly kind: OpKind
  readonly input: SlotPlace
  readonly second: SlotPlace
  readonly output: SlotPlace
  readonly norm: NormPlace
  readonly keyNorm: NormPlace
  readonly weight: PackedPlace
  readonly bias: number
  readonly gamma: number
  readonly constant: number
  readonly columnTable: number
  readonly keyCounts: number
  readonly rowIndex: number
  readonly headIndex: number
  readonly activation: Activation
  readonly combine: Combination
  readonly weightOperand: WeightOperand
  readonly scoreBias: ScoreBias
  readonly keyMask: KeyMask
  readonly headFusion: HeadFusion
  readonly routing: Routing
  readonly precision: ProductPrecision
  readonly gridRows: number
  readonly gridColumns: number
  readonly heads: number
  readonly headCount: number
  readonly tables: number
  readonly pairsNeighbours: boolean
  readonly scale: number
  readonly outputIndex: number
  readonly inputAt: number
  readonly inputLength: number
  readonly channels: number
  readonly planeHeight: number
  readonly planeWidth: number
  readonly patchSize: number
  readonly patchStride: number
  readonly padding: number
  readonly taps: number
  readonly takesLargest: boolean
  readonly id: number
  readonly keysAt: number
  readonly valuesAt: number
  readonly firstRow: number
  readonly latents: number
  readonly groups: number
  readonly isBack: boolean
  readonly choices: number
  readonly capacity: number
  readonly expert: number
}

/** Knows where slots, weights and constants lie. What is not there throws by its name. */
export interface Places {
  slot(name: SlotName, rows: readonly [first: number, count: number] | null): SlotPlace
  weight(ref: WeightRef): number
  constant(name: ConstantName): number
}

const NO_SLOT: SlotPlace = { offset: 0, rows: 0, width: 0, stride: 0, format: 'float32' }
const NO_NORM: NormPlace = { kind: 'none', weight: -1, bias: -1, epsilon: 0 }

export function placeOp(op: LoweredOp, places: Places): PlacedOp {
  const slot = (name: SlotName | null, part: readonly [number, number] | null) =>
    name === null ? NO_SLOT : places.slot(name, part)
  const rows = (name: WeightName | null) => (name === null ? -1 : places.weight({ name, form: 'rows' }))
  const constant = (name: ConstantName | null) => (name === null ? -1 : places.constant(name))
  const packed = (ref: WeightRef | null): PackedPlace => ({
    offset: ref === null ? -1 : places.weight(ref),
    precision: ref === null || ref.form === 'rows' ? 'float32' : ref.form,
  })
  const norm = (weights: NormWeights | null): NormPlace => {
    if (weights === null) return NO_NORM
    const { kind, weight, bias, epsilon } = weights
    // A root mean square norm has no shift.
    return { kind, weight: rows(weight), bias: kind === 'layerNorm' ? rows(bias) : -1, epsilon }
  }
  return {
    kind: op.kind,
    input: slot(op.input, op.inputRows),
    second: slot(op.second, null),
    output: slot(op.output, op.outputRows),
    norm: norm(op.norm),
    keyNorm: norm(op.keyNorm),
    weight: packed(op.weight),
    bias: rows(op.bias),
    gamma: rows(op.gamma),
    constant: constant(op.constant),
    columnTable: constant(op.columnTable),
    keyCounts: constant(op.keyCounts),
    rowIndex: constant(op.rowIndex),
    headIndex: constant(op.headIndex),
    activation: baseOf(op.activation),
    combine: op.combine,
    weightOperand: op.weightOperand,
    scoreBias: op.scoreBias,
    keyMask: op.keyMask,
    headFusion: op.headFusion,
    routing: op.routing,
    precision: op.precision,
    gridRows: op.gridRows,
    gridColumns: op.gridColumns,
    heads: op.heads,
    headCount: op.headCount,
    tables: op.tables,
    pairsNeighbours: op.pairsNeighbours,
    scale: op.scale,
    outputIndex: op.outputIndex,
    inputAt: op.inputAt,
    inputLength: op.inputLength,
    channels: op.channels,
    planeHeight: op.planeHeight,
    planeWidth: op.planeWidth,
    patchSize: op.patchSize,
    patchStride: op.patchStride,
    padding: op.padding,
    taps: op.taps,
    takesLargest: op.takesLargest,
    id: op.id,
    keysAt: op.keysAt,
    valuesAt: op.valuesAt,
    firstRow: op.firstRow,
    latents: op.latents,
    groups: op.groups,
    isBack: op.isBack,
    choices: op.choices,
    capacity: op.capacity,
    expert: op.expert,
  }
}

/** Takes the function that a name stands for. */
export function baseOf(kind: ActivationKind): Activation {
  return kind in ACTIVATION_ALIASES
    ? ACTIVATION_ALIASES[kind as keyof typeof ACTIVATION_ALIASES]
    : (kind as Activation)
}

// ---- As numbers ----

/** Counts the numbers that an operation takes. */
export const OP_FIELDS = 69
const OP_KINDS = Object.keys(OPS) as readonly OpKind[]

/** Writes OP_FIELDS numbers from `at` on. */
export function writeOp(op: PlacedOp, to: Float64Array, at: number): void {
  to.set(
    [
      OP_KINDS.indexOf(op.kind),
      ...slotNumbers(op.input),
      ...slotNumbers(op.second),
      ...slotNumbers(op.output),
      ...normNumbers(op.norm),
      ...normNumbers(op.keyNorm),
      ...packedNumbers(op.weight),
      op.bias,
      op.gamma,
      op.constant,
      op.columnTable,
      op.keyCounts,
      op.rowIndex,
      op.headIndex,
      ACTIVATIONS.indexOf(op.activation),
      COMBINATIONS.indexOf(op.combine),
      WEIGHT_OPERANDS.indexOf(op.weightOperand),
      SCORE_BIASES.indexOf(op.scoreBias),
      KEY_MASKS.indexOf(op.keyMask),
      HEAD_FUSIONS.indexOf(op.headFusion),
      ROUTINGS.indexOf(op.routing),
      PRECISIONS.indexOf(op.precision),
      op.gridRows,
      op.gridColumns,
      op.heads,
      op.headCount,
      op.tables,
      op.pairsNeighbours ? 1 : 0,
      op.scale,
      op.outputIndex,
      op.inputAt,
      op.inputLength,
      op.channels,
      op.planeHeight,
      op.planeWidth,
      op.patchSize,
      op.patchStride,
      op.padding,
      op.taps,
      op.takesLargest ? 1 : 0,
      op.id,
      op.keysAt,
      op.valuesAt,
      op.firstRow,
      op.latents,
      op.groups,
      op.isBack ? 1 : 0,
      op.choices,
      op.capacity,
      op.expert,
    ],
    at,
  )
}

/** Reads back what `writeOp` wrote. Throws RangeError for a number that stands for nothing. */
export function readOp(from: Float64Array, at: number): PlacedOp {
  let place = at
  const next = () => {
    const value = from[place++]
    if (value === undefined)
      throw new RangeError(`An operation ends at ${from.length}, before its last number.`)
    return value
  }
  const slot = (): SlotPlace => ({
    offset: next(),
    rows: next(),
    width: next(),
    stride: next(),
    format: member(FORMATS, next()),
  })
  const norm = (): NormPlace => ({
    kind: member(NORM_KINDS, next()),
    weight: next(),
    bias: next(),
    epsilon: next(),
  })
  const packed = (): PackedPlace => ({
    offset: next(),
    precision: member(PRECISIONS, next()),
  })
  return {
    kind: member(OP_KINDS, next()),
    input: slot(),
    second: slot(),
    output: slot(),
    norm: norm(),
    keyNorm: norm(),
    weight: packed(),
    bias: next(),
    gamma: next(),
    constant: next(),
    columnTable: next(),
    keyCounts: next(),
    rowIndex: next(),
    headIndex: next(),
    activation: member(ACTIVATIONS, next()),
    combine: member(COMBINATIONS, next()),
    weightOperand: member(WEIGHT_OPERANDS, next()),
    scoreBias: member(SCORE_BIASES, next()),
    keyMask: member(KEY_MASKS, next()),
    headFusion: member(HEAD_FUSIONS, next()),
    routing: member(ROUTINGS, next()),
    precision: member(PRECISIONS, next()),
    gridRows: next(),
    gridColumns: next(),
    heads: next(),
    headCount: next(),
    tables: next(),
    pairsNeighbours: next() === 1,
    scale: next(),
    outputIndex: next(),
    inputAt: next(),
    inputLength: next(),
    channels: next(),
    planeHeight: next(),
    planeWidth: next(),
    patchSize: next(),
    patchStride: next(),
    padding: next(),
    taps: next(),
    takesLargest: next() === 1,
    id: next(),
    keysAt: next(),
    valuesAt: next(),
    firstRow: next(),
    latents: next(),
    groups: next(),
    isBack: next() === 1,
    choices: next(),
    capacity: next(),
    expert: next(),
  }
}

function slotNumbers(place: SlotPlace): readonly number[] {
  return [place.offset, place.rows, place.width, place.stride, FORMATS.indexOf(place.format)]
}
function normNumbers(place: NormPlace): readonly number[] {
  return [NORM_KINDS.indexOf(place.kind), place.weight, place.bias, place.epsilon]
}
function packedNumbers(place: PackedPlace): readonly number[] {
  return [place.offset, PRECISIONS.indexOf(place.precision)]
}

function member<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(`${index} is the number of none of ${list.join(', ')}.`)
  return found
}
