/**
 * The table of operations: what an executor can be asked to do, as data. Plans are lowered to these; see lowered/lower-step.ts.
 *
 * All that must agree with this table is made from it by `node scripts/generate-ops.mjs`: the operation in TypeScript with its encoder
 * (lowered/lowered-op.ts), the C++ enumerations, structure and reader (native/src/ops.h, ops.cc), the offsets in AssemblyScript
 * (wasm/src/ops.ts) and the uniforms of WGSL (webgpu/shaders/params.ts). A new operation is a row here, a slow kernel, and one kernel for
 * each engine. The order of rows, fields and members counts: it is the order of the numbers that stand for them.
 */

// ---- Enumerations ----

/** Functions of one value; the formulas are in src/kernels/activation.ts. */
export const ACTIVATIONS = [
  'identity',
  'relu',
  'relu6',
  'leaky_relu',
  'elu',
  'selu',
  'gelu',
  'gelu_tanh',
  'quick_gelu',
  'silu',
  'mish',
  'sigmoid',
  'tanh',
  'hard_sigmoid',
  'hard_swish',
  'hard_tanh',
] as const

/** Names of functions that are another one: CELU with its default parameter is ELU. */
export const ACTIVATION_ALIASES = { celu: 'elu' } as const
/** Names an activation as Birder does; the formulas are PyTorch's. */
export type ActivationKind = (typeof ACTIVATIONS)[number] | keyof typeof ACTIVATION_ALIASES

/** Functions that activations are made of. They follow the activations, and are there for measuring their error. */
export const FUNCTIONS = ['exp', 'expm1', 'exp2', 'exp2Short', 'geluShort'] as const

/** Says how products are computed. Every engine has some of them; `float16` is no precision of the native one. */
export const PRECISIONS = ['float32', 'high', 'bfloat16', 'int8', 'float16'] as const
/** Names a precision of products. */
export type ProductPrecision = (typeof PRECISIONS)[number]

/**
 * Says how the values of a row are stored. In every format but float32 a row is filled up to whole cache lines with zeros, so that products may
 * run over them. `split` is bfloat16, then what rounding left over as bfloat16 again; `int8` is round(127 * value / largest of the row) + 128,
 * and the scale, largest / 127, is the first float of the row's last cache line. `int16` is round(most * value / largest of the row), where `most`
 * is as large as 16 bits hold and as 32 bits hold the sum of the row's products with bytes; its scale, largest / most, lies in the same place.
 */
export const FORMATS = ['float32', 'bfloat16', 'split', 'int8', 'int16'] as const
export type Format = (typeof FORMATS)[number]

/** Says what an operation does with its second slot at the end: out += second, or out *= activation(second). */
export const COMBINATIONS = ['none', 'add', 'gate'] as const
export type Combination = (typeof COMBINATIONS)[number]

export const NORM_KINDS = ['none', 'layerNorm', 'rmsNorm'] as const
export type NormKind = (typeof NORM_KINDS)[number]

/** Says which rows of an attention are weights, and not a slot. */
export const WEIGHT_OPERANDS = ['none', 'query', 'key'] as const
export type WeightOperand = (typeof WEIGHT_OPERANDS)[number]

/** Says what attention adds to its scores; plan.ts has the formulas. */
export const SCORE_BIASES = ['none', 'relative', 'decomposed'] as const
export type ScoreBias = (typeof SCORE_BIASES)[number]

/** Says which keys a query sees: all, those up to its own place, or the first of each group. */
export const KEY_MASKS = ['none', 'causal', 'keys'] as const
export type KeyMask = (typeof KEY_MASKS)[number]

/** Says what the weights of an attention's heads become, value by value. */
export const HEAD_FUSIONS = ['none', 'mean', 'max', 'min'] as const
/** Says what the weights of several heads become: their mean, the largest or the smallest, value by value; or `none`, where each head stays on its own. */
export type HeadFusion = (typeof HEAD_FUSIONS)[number]

/** Says who chooses whom among tokens and experts, and by which scores; plan.ts has the formulas. */
export const ROUTINGS = ['sigmoid', 'softmax', 'byExperts'] as const
export type Routing = (typeof ROUTINGS)[number]

/** Holds every enumeration by the type that fields give it. */
export const ENUMERATIONS = {
  activation: ACTIVATIONS,
  combination: COMBINATIONS,
  weightOperand: WEIGHT_OPERANDS,
  scoreBias: SCORE_BIASES,
  keyMask: KEY_MASKS,
  headFusion: HEAD_FUSIONS,
  routing: ROUTINGS,
  format: FORMATS,
  precision: PRECISIONS,
  normKind: NORM_KINDS,
} as const

// ---- Fields of an operation ----

/**
 * `slot`: values that are computed, [rows, width] for each image. `packed`: a weight in the form that a product reads, or as it is. `rows`: a
 * weight as it is. `norm`: how rows are normalised. `constant`: a table of the plan, the same for all images. The others are single numbers.
 */
export type FieldType =
  | 'slot'
  | 'packed'
  | 'rows'
  | 'norm'
  | 'constant'
  | 'count'
  | 'real'
  | 'flag'
  | 'activation'
  | 'combination'
  | 'weightOperand'
  | 'scoreBias'
  | 'keyMask'
  | 'headFusion'
  | 'routing'
  | 'precision'

export interface Field {
  readonly type: FieldType
  readonly meaning: string
  /** Says what a number counts, where it counts something. */
  readonly unit?: string
  /** Stands where an operation gives none; default 0. */
  readonly initial?: number
  /** Lets an operation take some rows of a slot only: the others belong to other experts. */
  readonly isPartial?: boolean
}

/** The numbers of the fields that have several. Offsets count floats from where slots or weights begin; -1 stands for none. */
export const PARTS = {
  slot: { offset: 'offset', rows: 'count', width: 'count', stride: 'count', format: 'format' },
  norm: { kind: 'normKind', weight: 'offset', bias: 'offset', epsilon: 'real' },
  packed: { offset: 'offset', precision: 'precision' },
} as const

export const FIELDS = {
  input: { type: 'slot', meaning: 'Names what the operation works on.', isPartial: true },
  second: { type: 'slot', meaning: 'Names the other slot that it reads.' },
  output: { type: 'slot', meaning: 'Names the slot that it writes.', isPartial: true },
  norm: { type: 'norm', meaning: 'Normalises rows, or the queries of each head.' },
  keyNorm: { type: 'norm', meaning: 'Normalises the keys of each head.' },
  weight: { type: 'packed', meaning: 'Names the weight that the operation is about.' },
  bias: {
    type: 'rows',
    meaning: 'Is added to each row of a product, or to the scores by which experts are chosen.',
  },
  gamma: { type: 'rows', meaning: 'Multiplies each row; in assembleTokens it is the registers.' },
  constant: { type: 'constant', meaning: 'Names a table of the plan.' },
  columnTable: {
    type: 'constant',
    meaning:
      'Names the rows for offsets in columns of a decomposed bias, or the columns that those of a resized picture are made of; what is about rows is the constant.',
  },
  keyCounts: { type: 'constant', meaning: 'Names how many keys each group sees.' },
  rowIndex: {
    type: 'constant',
    meaning: 'Names the rows whose weights are given; those of all rows where it names none.',
  },
  headIndex: {
    type: 'constant',
    meaning: 'Names the heads whose weights are given; those of all heads where it names none.',
  },
  activation: { type: 'activation', meaning: 'Is applied to each value.' },
  combine: { type: 'combination', meaning: 'Says how the second slot joins at the end.' },
  weightOperand: { type: 'weightOperand', meaning: 'Says which rows of an attention are weights.' },
  scoreBias: { type: 'scoreBias', meaning: 'Says what is added to the scores.' },
  keyMask: { type: 'keyMask', meaning: 'Says which keys a query sees.' },
  headFusion: { type: 'headFusion', meaning: 'Says what the weights of the heads become.' },
  routing: { type: 'routing', meaning: 'Says who chooses whom among tokens and experts.' },
  precision: { type: 'precision', meaning: 'Says in which precision an attention may multiply.' },
  gridRows: { type: 'count', meaning: 'Counts the rows of the grid that a bias is about.' },
  gridColumns: {
    type: 'count',
    meaning: 'Counts the columns of the grid that a bias is about, or of a picture that was resized.',
  },
  heads: { type: 'count', meaning: 'Counts the heads that share out the width.', initial: 1 },
  headCount: { type: 'count', meaning: 'Counts the heads whose weights are given.' },
  tables: {
    type: 'count',
    meaning: 'Counts the tables of angles that a token has: one for all heads, or one for each.',
  },
  pairsNeighbours: {
    type: 'flag',
    meaning: 'Says that neighbouring columns make a pair, and not those half a head apart.',
  },
  scale: {
    type: 'real',
    meaning: "Multiplies the scores before softmax, or what experts' answers come to.",
    initial: 1,
  },
  outputIndex: { type: 'count', meaning: 'Is the place among the outputs asked for.' },
  inputAt: {
    type: 'count',
    unit: 'values',
    meaning: 'Says where an input begins among all that a run is given of one image.',
  },
  inputLength: { type: 'count', unit: 'values', meaning: 'Counts all that a run is given of one image.' },
  channels: { type: 'count', meaning: 'Counts the channels of the picture that is cut.' },
  planeHeight: {
    type: 'count',
    unit: 'pixels',
    meaning: 'Is the height of the picture that is cut, put together or resized.',
  },
  planeWidth: {
    type: 'count',
    unit: 'pixels',
    meaning: 'Is the width of the picture that is cut, put together or resized.',
  },
  patchSize: { type: 'count', unit: 'pixels', meaning: 'Is the side of a patch, or of a kernel.' },
  patchStride: {
    type: 'count',
    unit: 'pixels',
    meaning: 'Is how far one patch begins from the next one, down and across.',
  },
  padding: {
    type: 'count',
    unit: 'pixels',
    meaning:
      'Is how far the first patch begins in front of the picture, where zeros lie; as many lie behind it.',
  },
  taps: {
    type: 'count',
    meaning: 'Counts the rows, and the columns, that each of a resized picture is made of.',
  },
  takesLargest: {
    type: 'flag',
    meaning:
      'Says that the row with the largest id is taken, and not the first with the id that is asked for.',
  },
  id: { type: 'count', meaning: 'Is the id whose first row is taken.' },
  keysAt: { type: 'count', unit: 'columns', meaning: 'Says where keys begin in a row of the second slot.' },
  valuesAt: {
    type: 'count',
    unit: 'columns',
    meaning: 'Says where values begin in a row of the second slot.',
  },
  firstRow: { type: 'count', unit: 'rows', meaning: 'Is the first row that is kept, or may be routed.' },
  latents: { type: 'count', unit: 'rows', meaning: 'Counts the learnt queries.' },
  groups: {
    type: 'count',
    meaning: 'Counts the groups, or experts, that share out the rows of an image.',
    initial: 1,
  },
  isBack: { type: 'flag', meaning: 'Says that groups become images again.' },
  choices: { type: 'count', meaning: 'Counts the experts that each token chooses.' },
  capacity: {
    type: 'count',
    unit: 'rows',
    meaning: 'Is how many tokens of an image an expert takes at most.',
  },
  expert: { type: 'count', meaning: 'Numbers the expert whose rows are multiplied.' },
} as const satisfies Record<string, Field>
export type FieldName = keyof typeof FIELDS

// ---- Operations ----

type Size = readonly [rows: number, width: number]

/** Holds what the work of an operation depends on. */
export interface OpSizes {
  readonly input: Size
  readonly second: Size
  readonly output: Size
  readonly latents: number
  readonly groups: number
  readonly weightOperand: WeightOperand
  readonly heads: number
  readonly headCount: number
  readonly headFusion: HeadFusion
  readonly keysAt: number
  readonly patchSize: number
}

export interface OpRow {
  /** Is what a profile shows. */
  readonly label: string
  /** Holds every field that the kind may set; the others stay as they are initially. */
  readonly uses: readonly FieldName[]
  /** `product`: what products of the weight's precision read; `attention`: what attention reads where heads fit tiles. */
  readonly reads: 'float32' | 'product' | 'attention'
  /** `any` format; `between`: the one that products and narrow attention may leave to each other; whole rows only. */
  readonly writes: 'any' | 'between' | 'float32'
  /** Names slots whose memory the output may take over: they are read element by element at the place that is written. */
  readonly inPlace: readonly ('input' | 'second')[]
  /** Counts the floating-point operations for one image, two for each multiply-add of a product. Norms, softmax and activations count nothing. */
  readonly flop: (sizes: OpSizes) => number
  /** Says that of the engines that run operations the native one alone has it. */
  readonly isNativeAlone?: true
}

const none = () => 0
const plain = { reads: 'float32', writes: 'float32', inPlace: [], flop: none } as const
const nativeAlone = { ...plain, isNativeAlone: true } as const

/** A row's meaning is a comment, since pages are sent the rest. */
export const OPS = {
  /** Brings what a run is given into a slot. */
  copyIn: {
    ...plain,
    label: 'copy in',
    uses: ['output', 'inputAt', 'inputLength'],
  },
  /** Gives a slot to the caller, or what a run was given where there is no input. */
  copyOut: {
    ...plain,
    label: 'copy out',
    uses: ['input', 'outputIndex', 'inputAt', 'inputLength'],
  },
  /** Cuts the pixels, plane by plane, into patches. */
  patchifyPlanes: {
    ...plain,
    label: 'patches of planes',
    uses: [
      'output',
      'inputAt',
      'inputLength',
      'channels',
      'planeHeight',
      'planeWidth',
      'patchSize',
      'patchStride',
    ],
  },
  /** Cuts a slot, a pixel to a row, into patches. */
  patchifyRows: {
    ...plain,
    label: 'patches of rows',
    uses: ['input', 'output', 'channels', 'planeHeight', 'planeWidth', 'patchSize', 'patchStride'],
  },
  /** Multiplies rows with a weight; then activation, gamma, and the second slot. */
  linear: {
    label: 'linear',
    uses: ['input', 'second', 'output', 'weight', 'bias', 'gamma', 'activation', 'combine'],
    reads: 'product',
    writes: 'between',
    inPlace: ['second'],
    flop: ({ input: [rows, depth], output: [, columns] }) => 2 * rows * depth * columns,
  },
  /** Puts the class token (weight) and registers (gamma) before the rows, and adds positions (constant). */
  assembleTokens: {
    ...plain,
    label: 'tokens',
    uses: ['input', 'output', 'weight', 'gamma', 'constant'],
  },
  /** Normalises each row. */
  norm: {
    label: 'norm',
    uses: ['input', 'output', 'norm'],
    reads: 'float32',
    writes: 'any',
    inPlace: ['input'],
    flop: none,
  },
  /** Normalises the queries and keys of each head, and turns them by angles (constant); values stay as they are. */
  turn: {
    label: 'turn',
    uses: ['input', 'output', 'norm', 'keyNorm', 'constant', 'heads', 'tables', 'pairsNeighbours'],
    reads: 'float32',
    writes: 'any',
    inPlace: ['input'],
    flop: none,
  },
  /** Gives each query the mean of the values, weighted by the softmax of its products with the keys. */
  attention: {
    label: 'attention',
    uses: [
      'input',
      'second',
      'output',
      'weight',
      'weightOperand',
      'constant',
      'columnTable',
      'keyCounts',
      'scoreBias',
      'keyMask',
      'precision',
      'gridRows',
      'gridColumns',
      'heads',
      'scale',
      'keysAt',
      'valuesAt',
      'groups',
    ],
    reads: 'attention',
    writes: 'between',
    inPlace: [],
    flop: ({ input, second, output: [outRows, width], groups, weightOperand }) => {
      // A soft mixture combines by the products that it dispatched by, so that they count once, however an engine gets them.
      if (weightOperand === 'key') return 2 * input[0] * second[0] * width
      if (weightOperand === 'query') return 4 * outRows * input[0] * width
      return (4 * input[0] * second[0] * width) / groups
    },
  },
  /** Gives what an attention weighs values by, the softmax of the products of queries with the keys, for the rows and heads that are asked for. */
  attentionWeights: {
    label: 'attention weights',
    uses: [
      'input',
      'second',
      'output',
      'constant',
      'columnTable',
      'keyCounts',
      'rowIndex',
      'headIndex',
      'scoreBias',
      'keyMask',
      'headFusion',
      'gridRows',
      'gridColumns',
      'heads',
      'headCount',
      'scale',
      'keysAt',
      'groups',
    ],
    reads: 'attention',
    writes: 'float32',
    inPlace: [],
    flop: ({ second, output: [outRows, keys], heads, headCount, headFusion, keysAt }) => {
      // Keys and values, as wide as each other, share out what a row has from `keysAt` on.
      const headWidth = (second[1] - keysAt) / 2 / heads
      return 2 * outRows * (headFusion === 'none' ? 1 : headCount) * keys * headWidth
    },
  },
  /** Applies an activation, gamma, and the second slot to each value. */
  elementwise: {
    label: 'elementwise',
    uses: ['input', 'second', 'output', 'gamma', 'activation', 'combine'],
    reads: 'float32',
    writes: 'float32',
    inPlace: ['input', 'second'],
    flop: none,
  },
  /** Keeps some rows. */
  sliceRows: { ...plain, label: 'slice', uses: ['input', 'output', 'firstRow'] },
  /** Gives the mean of the rows of each group, of which there are as many as output rows. */
  meanRows: {
    ...plain,
    label: 'mean',
    uses: ['input', 'output'],
  },
  /** Gives the largest value of each column. */
  maxRows: {
    ...plain,
    label: 'max',
    uses: ['input', 'output'],
  },
  /** Puts a weight, or a constant, into a slot. */
  broadcast: {
    ...plain,
    label: 'broadcast',
    uses: ['output', 'weight', 'constant'],
  },
  /** Lets latents (weight) attend to keys (input), and pools their part of the values (second). */
  probeAttention: {
    ...plain,
    label: 'probe',
    uses: ['input', 'second', 'output', 'weight', 'heads', 'scale', 'latents'],
    // Each latent pools its own columns only, so that pooling is one pass over the values.
    flop: ({ input: [rows, width], second, latents }) => 2 * (rows * latents * width + second[0] * second[1]),
  },
  /** Puts rows where an index (constant) says, or zeros where it is -1. */
  gatherRows: {
    ...plain,
    label: 'gather',
    uses: ['input', 'output', 'constant'],
  },
  /** Takes the row of each image that its ids (second) say. */
  takeRow: {
    ...plain,
    label: 'take row',
    uses: ['input', 'second', 'output', 'takesLargest', 'id'],
  },
  /** Multiplies patches of a slot, a pixel to a row, with a weight; then activation, gamma, and the second slot. */
  conv2d: {
    label: 'convolution',
    uses: [
      'input',
      'second',
      'output',
      'weight',
      'bias',
      'gamma',
      'activation',
      'combine',
      'planeHeight',
      'planeWidth',
      'patchSize',
      'patchStride',
      'padding',
    ],
    // Patches overlap, so that what they are multiplied as is made of each of them, and not of the pixels.
    reads: 'float32',
    writes: 'between',
    inPlace: ['second'],
    flop: ({ input: [, channels], output: [rows, columns], patchSize }) =>
      2 * rows * patchSize ** 2 * channels * columns,
  },
  /** Adds up patches, a row each, where they lie in the picture, and a bias: a pixel to a row. */
  foldPatches: {
    ...plain,
    label: 'fold',
    uses: ['input', 'output', 'bias', 'planeHeight', 'planeWidth', 'patchSize', 'patchStride', 'padding'],
  },
  /** Makes each pixel of a picture of some of another one, a pixel to a row: of rows (constant) and columns (columnTable), with weights. */
  resize: {
    ...plain,
    label: 'resize',
    uses: ['input', 'output', 'constant', 'columnTable', 'planeHeight', 'planeWidth', 'gridColumns', 'taps'],
  },
  /** Turns rows by [image][group][row] into rows by [group][image][row], or back. */
  regroup: {
    ...plain,
    label: 'regroup',
    uses: ['input', 'output', 'groups', 'isBack'],
  },
  /** Stores the same values in another format. */
  convert: {
    label: 'convert',
    uses: ['input', 'output'],
    reads: 'float32',
    writes: 'any',
    inPlace: [],
    flop: none,
  },
  /** Makes of each token's scores the weights of the experts that it goes to, and 0 for the others. */
  route: {
    ...nativeAlone,
    label: 'route',
    uses: ['input', 'output', 'bias', 'routing', 'firstRow', 'choices', 'capacity'],
  },
  /** Numbers the rows of each expert for the whole batch: of each token the experts' weights, then their rows, and behind the tokens where each expert's rows begin and how many they are. */
  placeByExpert: {
    ...nativeAlone,
    label: 'places by expert',
    uses: ['input', 'output'],
  },
  /** Puts each token where the experts that it goes to have their rows (second). */
  toExperts: {
    ...nativeAlone,
    label: 'to experts',
    uses: ['input', 'second', 'output'],
    writes: 'any',
  },
  /** Multiplies an expert's rows (second) with a weight; then activation. */
  expertLinear: {
    ...nativeAlone,
    label: 'expert',
    uses: ['input', 'second', 'output', 'weight', 'bias', 'activation', 'expert', 'groups'],
    reads: 'product',
    writes: 'between',
    // On the average of the experts, which is exact for all of them together where none drops a token.
    flop: ({ input: [rows, depth], output: [, columns], groups }) => (2 * rows * depth * columns) / groups,
  },
  /** Adds up for each token its experts' answers, times their weights (second) and scale. */
  fromExperts: {
    ...nativeAlone,
    label: 'from experts',
    uses: ['input', 'second', 'output', 'scale'],
  },
} as const satisfies Record<string, OpRow>
export type OpKind = keyof typeof OPS
/** Names an operation that every engine has that runs operations. */
export type PortableOpKind = {
  [Kind in OpKind]: (typeof OPS)[Kind] extends { readonly isNativeAlone: true } ? never : Kind
}[OpKind]
