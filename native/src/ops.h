// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.
#pragma once

namespace plumage {

enum class OpKind : int {
  copyIn,
  copyOut,
  patchifyPlanes,
  patchifyRows,
  linear,
  assembleTokens,
  norm,
  turn,
  attention,
  attentionWeights,
  elementwise,
  sliceRows,
  meanRows,
  maxRows,
  broadcast,
  probeAttention,
  gatherRows,
  takeRow,
  conv2d,
  foldPatches,
  resize,
  regroup,
  convert,
  route,
  placeByExpert,
  toExperts,
  expertLinear,
  fromExperts,
};
#define PLUMAGE_OP_KINDS(X) \
  X(copyIn) \
  X(copyOut) \
  X(patchifyPlanes) \
  X(patchifyRows) \
  X(linear) \
  X(assembleTokens) \
  X(norm) \
  X(turn) \
  X(attention) \
  X(attentionWeights) \
  X(elementwise) \
  X(sliceRows) \
  X(meanRows) \
  X(maxRows) \
  X(broadcast) \
  X(probeAttention) \
  X(gatherRows) \
  X(takeRow) \
  X(conv2d) \
  X(foldPatches) \
  X(resize) \
  X(regroup) \
  X(convert) \
  X(route) \
  X(placeByExpert) \
  X(toExperts) \
  X(expertLinear) \
  X(fromExperts)

enum class Activation : int {
  identity,
  relu,
  relu6,
  leakyRelu,
  elu,
  selu,
  gelu,
  geluTanh,
  quickGelu,
  silu,
  mish,
  sigmoid,
  tanh,
  hardSigmoid,
  hardSwish,
  hardTanh,
  exp,
  expm1,
  exp2,
  exp2Short,
  geluShort,
};

enum class Combine : int {
  none,
  add,
  gate,
};

enum class WeightOperand : int {
  none,
  query,
  key,
};

enum class ScoreBias : int {
  none,
  relative,
  decomposed,
};

enum class KeyMask : int {
  none,
  causal,
  keys,
};

enum class HeadFusion : int {
  none,
  mean,
  max,
  min,
};

enum class Routing : int {
  sigmoid,
  softmax,
  byExperts,
};

enum class Format : int {
  float32,
  bfloat16,
  split,
  int8,
  int16,
};

enum class Precision : int {
  float32,
  high,
  bfloat16,
  int8,
  float16,
};

enum class NormKind : int {
  none,
  layerNorm,
  rmsNorm,
};
#define PLUMAGE_ACTIVATIONS(X) \
  X(identity) \
  X(relu) \
  X(relu6) \
  X(leakyRelu) \
  X(elu) \
  X(selu) \
  X(gelu) \
  X(geluTanh) \
  X(quickGelu) \
  X(silu) \
  X(mish) \
  X(sigmoid) \
  X(tanh) \
  X(hardSigmoid) \
  X(hardSwish) \
  X(hardTanh) \
  X(exp) \
  X(expm1) \
  X(exp2) \
  X(exp2Short) \
  X(geluShort)
constexpr int PRECISIONS = 5;

// Offsets count floats from where slots or weights begin, for one image; -1 stands for none. A slot without rows is none.
struct SlotRef {
  long offset;
  long rows;
  long width;
  long stride;
  Format format;
};

struct NormRef {
  NormKind kind;
  long weight;
  long bias;
  float epsilon;
};

struct PackedRef {
  long offset;
  Precision precision;
};

struct Op {
  OpKind kind;
  // Names what the operation works on.
  SlotRef input;
  // Names the other slot that it reads.
  SlotRef second;
  // Names the slot that it writes.
  SlotRef output;
  // Normalises rows, or the queries of each head. It is used by norm, turn.
  NormRef norm;
  // Normalises the keys of each head. It is used by turn.
  NormRef keyNorm;
  // Names the weight that the operation is about.
  PackedRef weight;
  // Is added to each row of a product, or to the scores by which experts are chosen. It is used by linear, conv2d, foldPatches, route, expertLinear.
  long bias;
  // Multiplies each row; in assembleTokens it is the registers. It is used by linear, assembleTokens, elementwise, conv2d.
  long gamma;
  // Names a table of the plan.
  long constant;
  // Names the rows for offsets in columns of a decomposed bias, or the columns that those of a resized picture are made of; what is about rows is the constant. It is used by attention, attentionWeights, resize.
  long columnTable;
  // Names how many keys each group sees. It is used by attention, attentionWeights.
  long keyCounts;
  // Names the rows whose weights are given; those of all rows where it names none. It is used by attentionWeights.
  long rowIndex;
  // Names the heads whose weights are given; those of all heads where it names none. It is used by attentionWeights.
  long headIndex;
  // Is applied to each value. It is used by linear, elementwise, conv2d, expertLinear.
  Activation activation;
  // Says how the second slot joins at the end. It is used by linear, elementwise, conv2d.
  Combine combine;
  // Says which rows of an attention are weights. It is used by attention.
  WeightOperand weightOperand;
  // Says what is added to the scores. It is used by attention, attentionWeights.
  ScoreBias scoreBias;
  // Says which keys a query sees. It is used by attention, attentionWeights.
  KeyMask keyMask;
  // Says what the weights of the heads become. It is used by attentionWeights.
  HeadFusion headFusion;
  // Says who chooses whom among tokens and experts. It is used by route.
  Routing routing;
  // Says in which precision an attention may multiply. It is used by attention.
  Precision precision;
  // Counts the rows of the grid that a bias is about. It is used by attention, attentionWeights.
  long gridRows;
  // Counts the columns of the grid that a bias is about, or of a picture that was resized. It is used by attention, attentionWeights, resize.
  long gridColumns;
  // Counts the heads that share out the width. It is used by turn, attention, attentionWeights, probeAttention.
  long heads;
  // Counts the heads whose weights are given. It is used by attentionWeights.
  long headCount;
  // Counts the tables of angles that a token has: one for all heads, or one for each. It is used by turn.
  long tables;
  // Says that neighbouring columns make a pair, and not those half a head apart. It is used by turn.
  bool pairsNeighbours;
  // Multiplies the scores before softmax, or what experts' answers come to. It is used by attention, attentionWeights, probeAttention, fromExperts.
  float scale;
  // Is the place among the outputs asked for. It is used by copyOut.
  long outputIndex;
  // [values] Says where an input begins among all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes.
  long inputAt;
  // [values] Counts all that a run is given of one image. It is used by copyIn, copyOut, patchifyPlanes.
  long inputLength;
  // Counts the channels of the picture that is cut. It is used by patchifyPlanes, patchifyRows.
  long channels;
  // [pixels] Is the height of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize.
  long planeHeight;
  // [pixels] Is the width of the picture that is cut, put together or resized. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches, resize.
  long planeWidth;
  // [pixels] Is the side of a patch, or of a kernel. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches.
  long patchSize;
  // [pixels] Is how far one patch begins from the next one, down and across. It is used by patchifyPlanes, patchifyRows, conv2d, foldPatches.
  long patchStride;
  // [pixels] Is how far the first patch begins in front of the picture, where zeros lie; as many lie behind it. It is used by conv2d, foldPatches.
  long padding;
  // Counts the rows, and the columns, that each of a resized picture is made of. It is used by resize.
  long taps;
  // Says that the row with the largest id is taken, and not the first with the id that is asked for. It is used by takeRow.
  bool takesLargest;
  // Is the id whose first row is taken. It is used by takeRow.
  long id;
  // [columns] Says where keys begin in a row of the second slot. It is used by attention, attentionWeights.
  long keysAt;
  // [columns] Says where values begin in a row of the second slot. It is used by attention.
  long valuesAt;
  // [rows] Is the first row that is kept, or may be routed. It is used by sliceRows, route.
  long firstRow;
  // [rows] Counts the learnt queries. It is used by probeAttention.
  long latents;
  // Counts the groups, or experts, that share out the rows of an image. It is used by attention, attentionWeights, regroup, expertLinear.
  long groups;
  // Says that groups become images again. It is used by regroup.
  bool isBack;
  // Counts the experts that each token chooses. It is used by route.
  long choices;
  // [rows] Is how many tokens of an image an expert takes at most. It is used by route.
  long capacity;
  // Numbers the expert whose rows are multiplied. It is used by expertLinear.
  long expert;
};

constexpr int OP_FIELDS = 69;
// Reads OP_FIELDS numbers.
Op readOp(const double* fields);

}  // namespace plumage
