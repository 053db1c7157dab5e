// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.

// These are the kinds of operations.
export const OP_COPY_IN: i32 = 0
export const OP_COPY_OUT: i32 = 1
export const OP_PATCHIFY_PLANES: i32 = 2
export const OP_PATCHIFY_ROWS: i32 = 3
export const OP_LINEAR: i32 = 4
export const OP_ASSEMBLE_TOKENS: i32 = 5
export const OP_NORM: i32 = 6
export const OP_TURN: i32 = 7
export const OP_ATTENTION: i32 = 8
export const OP_ATTENTION_WEIGHTS: i32 = 9
export const OP_ELEMENTWISE: i32 = 10
export const OP_SLICE_ROWS: i32 = 11
export const OP_MEAN_ROWS: i32 = 12
export const OP_MAX_ROWS: i32 = 13
export const OP_BROADCAST: i32 = 14
export const OP_PROBE_ATTENTION: i32 = 15
export const OP_GATHER_ROWS: i32 = 16
export const OP_TAKE_ROW: i32 = 17
export const OP_CONV2D: i32 = 18
export const OP_FOLD_PATCHES: i32 = 19
export const OP_RESIZE: i32 = 20
export const OP_REGROUP: i32 = 21
export const OP_CONVERT: i32 = 22
export const OP_ROUTE: i32 = 23
export const OP_PLACE_BY_EXPERT: i32 = 24
export const OP_TO_EXPERTS: i32 = 25
export const OP_EXPERT_LINEAR: i32 = 26
export const OP_FROM_EXPERTS: i32 = 27

// These are the members of enumerations.
export const ACTIVATION_IDENTITY: i32 = 0
export const ACTIVATION_RELU: i32 = 1
export const ACTIVATION_RELU6: i32 = 2
export const ACTIVATION_LEAKY_RELU: i32 = 3
export const ACTIVATION_ELU: i32 = 4
export const ACTIVATION_SELU: i32 = 5
export const ACTIVATION_GELU: i32 = 6
export const ACTIVATION_GELU_TANH: i32 = 7
export const ACTIVATION_QUICK_GELU: i32 = 8
export const ACTIVATION_SILU: i32 = 9
export const ACTIVATION_MISH: i32 = 10
export const ACTIVATION_SIGMOID: i32 = 11
export const ACTIVATION_TANH: i32 = 12
export const ACTIVATION_HARD_SIGMOID: i32 = 13
export const ACTIVATION_HARD_SWISH: i32 = 14
export const ACTIVATION_HARD_TANH: i32 = 15
export const ACTIVATION_EXP: i32 = 16
export const ACTIVATION_EXPM1: i32 = 17
export const ACTIVATION_EXP2: i32 = 18
export const ACTIVATION_EXP2SHORT: i32 = 19
export const ACTIVATION_GELU_SHORT: i32 = 20
export const COMBINE_NONE: i32 = 0
export const COMBINE_ADD: i32 = 1
export const COMBINE_GATE: i32 = 2
export const WEIGHT_OPERAND_NONE: i32 = 0
export const WEIGHT_OPERAND_QUERY: i32 = 1
export const WEIGHT_OPERAND_KEY: i32 = 2
export const SCORE_BIAS_NONE: i32 = 0
export const SCORE_BIAS_RELATIVE: i32 = 1
export const SCORE_BIAS_DECOMPOSED: i32 = 2
export const KEY_MASK_NONE: i32 = 0
export const KEY_MASK_CAUSAL: i32 = 1
export const KEY_MASK_KEYS: i32 = 2
export const HEAD_FUSION_NONE: i32 = 0
export const HEAD_FUSION_MEAN: i32 = 1
export const HEAD_FUSION_MAX: i32 = 2
export const HEAD_FUSION_MIN: i32 = 3
export const ROUTING_SIGMOID: i32 = 0
export const ROUTING_SOFTMAX: i32 = 1
export const ROUTING_BY_EXPERTS: i32 = 2
export const FORMAT_FLOAT32: i32 = 0
export const FORMAT_BFLOAT16: i32 = 1
export const FORMAT_SPLIT: i32 = 2
export const FORMAT_INT8: i32 = 3
export const FORMAT_INT16: i32 = 4
export const PRECISION_FLOAT32: i32 = 0
export const PRECISION_HIGH: i32 = 1
export const PRECISION_BFLOAT16: i32 = 2
export const PRECISION_INT8: i32 = 3
export const PRECISION_FLOAT16: i32 = 4
export const NORM_KIND_NONE: i32 = 0
export const NORM_KIND_LAYER_NORM: i32 = 1
export const NORM_KIND_RMS_NORM: i32 = 2

// A field's parts lie here, from the field's own place on.
export const SLOT_PART_OFFSET: i32 = 0
export const SLOT_PART_ROWS: i32 = 1
export const SLOT_PART_WIDTH: i32 = 2
export const SLOT_PART_STRIDE: i32 = 3
export const SLOT_PART_FORMAT: i32 = 4
export const NORM_PART_KIND: i32 = 0
export const NORM_PART_WEIGHT: i32 = 1
export const NORM_PART_BIAS: i32 = 2
export const NORM_PART_EPSILON: i32 = 3
export const PACKED_PART_OFFSET: i32 = 0
export const PACKED_PART_PRECISION: i32 = 1

// Fields lie here, in numbers from the operation's first, which is its kind.
export const FIELDS: i32 = 69
/** Names what the operation works on. */
export const INPUT: i32 = 1
/** Names the other slot that it reads. */
export const SECOND: i32 = 6
/** Names the slot that it writes. */
export const OUTPUT: i32 = 11
/** Normalises rows, or the queries of each head. It is used by norm, turn. */
export const NORM: i32 = 16
/** Normalises the keys of each head. It is used by turn. */
export const KEY_NORM: i32 = 20
/** Names the weight that the operation is about. */
export const WEIGHT: i32 = 24
/** Is added to each row of a product, or to the scores by which experts are chosen. It is used by linear, conv2d, foldPatches, route, expertLinear. */
export const BIAS: i32 = 26
/** Multiplies each row; in assembleTokens it is the registers. It is used by linear, assembleTokens, elementwise, conv2d. */
export const GAMMA: i32 = 27
/** Names a table of the plan. */
export const CONSTANT: i32 = 28
/** Names the rows for offsets in columns of a decomposed bias, or the columns that those of a resized picture are made of; what is about rows is the constant. It is used by attention, attentionWeights, resize. */
export const COLUMN_TABLE: i32 = 29
/** Names how many keys each group sees. It is used by attention, attentionWeights. */
export const KEY_COUNTS: i32 = 30
/** Names the rows whose weights are given; those of all rows where it names none. It is used by attentionWeights. */
export const ROW_INDEX: i32 = 31
/** Names the heads whose weights are given; those of all heads where it names none. It is used by attentionWeights. */
export const HEAD_INDEX: i32 = 32
/** Is applied to each value. It is used by linear, elementwise, conv2d, expertLinear. */
export const ACTIVATION: i32 = 33
/** Says how the second slot joins at the end. It is used by linear, elementwise, conv2d. */
export const COMBINE: i32 = 34
/** Says which rows of an attention are weights. It is used by attention. */
export const WEIGHT_OPERAND: i32 = 35
/** Says what is added to the scores. It is used by attention, attentionWeights. */
export const SCORE_BIAS: i32 = 36
/** Says which keys a query sees. It is used by attention, attentionWeights. */
export const KEY_MASK: i32 = 37
/** Says what the weights of the heads become. It is used by attentionWeights. */
export const HEAD_FUSION: i32 = 38
/** Says who chooses whom among tokens and experts. It is used by route. */
export const ROUTING: i32 = 39
/** Says in which precision an attention may multiply. It is used by attention. */
export const PRECISION: i32 = 40
/** Counts the rows of the grid that a bias is about. It is used by attention, attentionWeights. */
export const GRID_ROWS: i32 = 41
/** Counts the columns of the grid that a bias is about, or of a picture that was resized. It is used by attention, attentionWeights, resize. */
export const GRID_COLUMNS: i32 = 42
/** Counts the heads that share out the width. It is used by turn, attention, attentionWeights, probeAttention. */
export const HEADS: i32 = 43
/** Counts the heads whose weights are given. It is used by attentionWeights. */
export const HEAD_COUNT: i32 = 44
/** Counts the tables of angles that a token has: one for all heads, or one for each. It is used by turn. */
export const TABLES: i32 = 45
/** Says that neighbouring columns make a pair, and not those half a head apart. It is used by turn. */
export const PAIRS_NEIGHBOURS: i32 = 46
/** Multiplies the scores before softmax, or what experts' answers come to. It is used by attention, attentionWeights, probeAttention, fromExperts. */
export const SCALE: i32 = 47
/** Is the place among the outputs asked for. It is used by copyOut. */
export const OUTPUT_INDEX: i32 = 48
/** [values] Says where an input begins among all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes. */
export const INPUT_AT: i32 = 49
/** [values] Counts all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes. */
export const INPUT_LENGTH: i32 = 50
/** Counts the channels of the picture that is cut. It is used by patchifyPlanes, patchifyRows. */
export const CHANNELS: i32 = 51
/** [pixels] Is the height of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize. */
export const PLANE_HEIGHT: i32 = 52
/** [pixels] Is the width of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize. */
export const PLANE_WIDTH: i32 = 53
/** [pixels] Is the side of a patch, or of a kernel. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches. */
export const PATCH_SIZE: i32 = 54
/** [pixels] Is how far one patch begins from the next one, down and across. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches. */
export const PATCH_STRIDE: i32 = 55
/** [pixels] Is how far the first patch begins in front of the picture, where zeros lie; as many lie behind it. It is used by conv2d, foldPatches. */
export const PADDING: i32 = 56
/** Counts the rows, and the columns, that each of a resized picture is made of. It is used by resize. */
export const TAPS: i32 = 57
/** Says that the row with the largest id is taken, and not the first with the id that is asked for. It is used by takeRow. */
export const TAKES_LARGEST: i32 = 58
/** Is the id whose first row is taken. It is used by takeRow. */
export const ID: i32 = 59
/** [columns] Says where keys begin in a row of the second slot. It is used by attention, attentionWeights. */
export const KEYS_AT: i32 = 60
/** [columns] Says where values begin in a row of the second slot. It is used by attention. */
export const VALUES_AT: i32 = 61
/** [rows] Is the first row that is kept, or may be routed. It is used by sliceRows, route. */
export const FIRST_ROW: i32 = 62
/** [rows] Counts the learnt queries. It is used by probeAttention. */
export const LATENTS: i32 = 63
/** Counts the groups, or experts, that share out the rows of an image. It is used by attention, attentionWeights, regroup, expertLinear. */
export const GROUPS: i32 = 64
/** Says that groups become images again. It is used by regroup. */
export const IS_BACK: i32 = 65
/** Counts the experts that each token chooses. It is used by route. */
export const CHOICES: i32 = 66
/** [rows] Is how many tokens of an image an expert takes at most. It is used by route. */
export const CAPACITY: i32 = 67
/** Numbers the expert whose rows are multiplied. It is used by expertLinear. */
export const EXPERT: i32 = 68

// @ts-ignore: decorator
@inline export function field(op: usize, index: i32): i32 {
  return <i32>load<f64>(op + (<usize>index << 3))
}
// @ts-ignore: decorator
@inline export function realField(op: usize, index: i32): f32 {
  return <f32>load<f64>(op + (<usize>index << 3))
}
// @ts-ignore: decorator
@inline export function kindOf(op: usize): i32 {
  return field(op, 0)
}
// @ts-ignore: decorator
@inline export function activationOf(op: usize): i32 {
  return field(op, ACTIVATION)
}
// @ts-ignore: decorator
@inline export function combineOf(op: usize): i32 {
  return field(op, COMBINE)
}
// @ts-ignore: decorator
@inline export function weightOperandOf(op: usize): i32 {
  return field(op, WEIGHT_OPERAND)
}
// @ts-ignore: decorator
@inline export function scoreBiasOf(op: usize): i32 {
  return field(op, SCORE_BIAS)
}
// @ts-ignore: decorator
@inline export function keyMaskOf(op: usize): i32 {
  return field(op, KEY_MASK)
}
// @ts-ignore: decorator
@inline export function headFusionOf(op: usize): i32 {
  return field(op, HEAD_FUSION)
}
// @ts-ignore: decorator
@inline export function routingOf(op: usize): i32 {
  return field(op, ROUTING)
}
// @ts-ignore: decorator
@inline export function precisionOf(op: usize): i32 {
  return field(op, PRECISION)
}
// @ts-ignore: decorator
@inline export function gridRowsOf(op: usize): i32 {
  return field(op, GRID_ROWS)
}
// @ts-ignore: decorator
@inline export function gridColumnsOf(op: usize): i32 {
  return field(op, GRID_COLUMNS)
}
// @ts-ignore: decorator
@inline export function headsOf(op: usize): i32 {
  return field(op, HEADS)
}
// @ts-ignore: decorator
@inline export function headCountOf(op: usize): i32 {
  return field(op, HEAD_COUNT)
}
// @ts-ignore: decorator
@inline export function tablesOf(op: usize): i32 {
  return field(op, TABLES)
}
// @ts-ignore: decorator
@inline export function pairsNeighbours(op: usize): bool {
  return field(op, PAIRS_NEIGHBOURS) != 0
}
// @ts-ignore: decorator
@inline export function scaleOf(op: usize): f32 {
  return realField(op, SCALE)
}
// @ts-ignore: decorator
@inline export function outputIndexOf(op: usize): i32 {
  return field(op, OUTPUT_INDEX)
}
// @ts-ignore: decorator
@inline export function inputAtOf(op: usize): i32 {
  return field(op, INPUT_AT)
}
// @ts-ignore: decorator
@inline export function inputLengthOf(op: usize): i32 {
  return field(op, INPUT_LENGTH)
}
// @ts-ignore: decorator
@inline export function channelsOf(op: usize): i32 {
  return field(op, CHANNELS)
}
// @ts-ignore: decorator
@inline export function planeHeightOf(op: usize): i32 {
  return field(op, PLANE_HEIGHT)
}
// @ts-ignore: decorator
@inline export function planeWidthOf(op: usize): i32 {
  return field(op, PLANE_WIDTH)
}
// @ts-ignore: decorator
@inline export function patchSizeOf(op: usize): i32 {
  return field(op, PATCH_SIZE)
}
// @ts-ignore: decorator
@inline export function patchStrideOf(op: usize): i32 {
  return field(op, PATCH_STRIDE)
}
// @ts-ignore: decorator
@inline export function paddingOf(op: usize): i32 {
  return field(op, PADDING)
}
// @ts-ignore: decorator
@inline export function tapsOf(op: usize): i32 {
  return field(op, TAPS)
}
// @ts-ignore: decorator
@inline export function takesLargest(op: usize): bool {
  return field(op, TAKES_LARGEST) != 0
}
// @ts-ignore: decorator
@inline export function idOf(op: usize): i32 {
  return field(op, ID)
}
// @ts-ignore: decorator
@inline export function keysAtOf(op: usize): i32 {
  return field(op, KEYS_AT)
}
// @ts-ignore: decorator
@inline export function valuesAtOf(op: usize): i32 {
  return field(op, VALUES_AT)
}
// @ts-ignore: decorator
@inline export function firstRowOf(op: usize): i32 {
  return field(op, FIRST_ROW)
}
// @ts-ignore: decorator
@inline export function latentsOf(op: usize): i32 {
  return field(op, LATENTS)
}
// @ts-ignore: decorator
@inline export function groupsOf(op: usize): i32 {
  return field(op, GROUPS)
}
// @ts-ignore: decorator
@inline export function isBack(op: usize): bool {
  return field(op, IS_BACK) != 0
}
// @ts-ignore: decorator
@inline export function choicesOf(op: usize): i32 {
  return field(op, CHOICES)
}
// @ts-ignore: decorator
@inline export function capacityOf(op: usize): i32 {
  return field(op, CAPACITY)
}
// @ts-ignore: decorator
@inline export function expertOf(op: usize): i32 {
  return field(op, EXPERT)
}
