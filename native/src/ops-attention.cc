// Holds attention, what norms and turns queries and keys before it, and the attention of a few latents: of each, first what it may be asked, then
// what it does.
#include <algorithm>
#include <cmath>

#include "check-ops.h"
#include "execution.h"

namespace plumage {

// Keys and values, as wide as each other, share out what a row has from `keysAt` on.
static long widthOfKeys(const Op& op) { return (op.second.width - op.keysAt) / 2; }

void Checker::attention(const Op& op) {
  const long width = op.output.width, key = op.keysAt, value = op.valuesAt;
  slot(op.input);
  slot(op.second);
  slot(op.output);
  require(op.heads >= 1 && width % op.heads == 0, "its heads do not share its width");
  require(key >= 0 && key <= MOST && value >= 0 && value <= MOST, "its keys or values begin nowhere");
  operandFormats(op, width);
  if (op.input.format == Format::float32) {
    require(op.output.format == Format::float32, "it writes another format than it reads");
  } else {
    require(kernels_.narrowAttention != nullptr && !isInteger(op.output.format) && op.weightOperand == WeightOperand::none && value % 32 == 0,
            "narrow attention does not hold it");
  }
  changeOfScores(op, width / op.heads);
  wideEnough(op.second, value + width);
  wideEnough(op.input, width);
  if (op.weightOperand == WeightOperand::query) {
    weightMatrix(op.weight.offset, op.output.rows, width);
    // Keys are the rows of `in` here.
    require(op.input.rows >= op.second.rows, "it has fewer keys than values");
  } else {
    require(op.weightOperand == WeightOperand::none || op.weightOperand == WeightOperand::key, "its weight is no operand");
    sameRows(op.input, op.output);
    wideEnough(op.second, op.weightOperand == WeightOperand::key ? 0 : key + width);
    if (op.weightOperand == WeightOperand::key) weightMatrix(op.weight.offset, op.second.rows, width);
  }
}

void Checker::operandFormats(const Op& op, long width) const {
  require(op.input.format == op.second.format, "its operands have different formats");
  if (op.input.format == Format::float32) return;
  // Where the second parts of split rows lie follows from the width.
  require(op.input.width == op.second.width, "its operands are no slot of narrow queries, keys and values");
  require(!isInteger(op.input.format) && width / op.heads % 32 == 0 && op.keysAt % 32 == 0, "narrow heads do not begin at lines");
  const Format* formats = kernels_.attentionRows;
  require(std::find(formats, formats + PRECISIONS, op.input.format) != formats + PRECISIONS, "its operands are in a format that attention does not take");
}

// Groups, biases and masks are those of self-attention; the last two are computed in float32.
void Checker::changeOfScores(const Op& op, long headWidth) {
  const bool isPlain = op.scoreBias == ScoreBias::none && op.keyMask == KeyMask::none;
  require(op.scoreBias >= ScoreBias::none && op.scoreBias <= ScoreBias::decomposed, "its bias is none");
  require(op.keyMask >= KeyMask::none && op.keyMask <= KeyMask::keys, "its mask is none");
  if (isPlain && op.groups == 1) return;
  require(op.weightOperand == WeightOperand::none, "its operands have no groups, biases or masks");
  require(isPlain || op.input.format == Format::float32, "its scores are not in float32");
  sameRows(op.input, op.second);
  require(op.groups >= 1 && op.input.rows % op.groups == 0, "its groups do not share its rows");
  const long own = op.input.rows / op.groups;
  if (op.scoreBias != ScoreBias::none) scoreBias(op, own, headWidth);
  if (op.keyMask != KeyMask::keys) return;
  constants(op.keyCounts, op.groups);
  for (long group = 0; group < op.groups; group++) {
    const float count = constants_[op.keyCounts + group];
    require(count >= 1 && count <= static_cast<float>(own) && count == std::floor(count), "a group does not have so many keys");
  }
}

void Checker::scoreBias(const Op& op, long own, long headWidth) {
  require(op.gridRows >= 1 && op.gridColumns >= 1 && op.gridRows <= own && op.gridColumns <= own / op.gridRows, "its grid is larger than its rows");
  const long down = offsetsOf(op.gridRows), across = offsetsOf(op.gridColumns);
  if (op.scoreBias == ScoreBias::relative) {
    const long ofHead = down * across + 3;
    require(ofHead <= constantFloats_ / op.heads, "its constant lies outside the constants");
    return constants(op.constant, op.heads * ofHead);
  }
  require(op.gridRows * op.gridColumns == own, "its grid is not all of its rows");
  constants(op.constant, down * headWidth);
  constants(op.columnTable, across * headWidth);
}

void Execution::attention(const Op& op) {
  AttentionArgs args = attentionArgs(op, op.output.width);
  const long lots = args.images * args.heads;
  if (op.input.format != Format::float32) {
    // Values are packed once for each task; so few tasks, but enough to share out evenly.
    const long blocks = (args.queries + kernels_.narrowQueryBlock - 1) / kernels_.narrowQueryBlock;
    const long groups = std::clamp<long>(8 * pool_.size() / lots, 1, blocks);
    args.blocksOfTask = (blocks + groups - 1) / groups;
    const long tasks = lots * ((blocks + args.blocksOfTask - 1) / args.blocksOfTask);
    return pool_.run(tasks, cancelled_,
                     [&](int thread, long task) { kernels_.narrowAttention(args, op.input.format, task, scratch(thread)); });
  }
  const long blocks = (args.queries + kernels_.queryBlock - 1) / kernels_.queryBlock;
  // As many go together as leave enough tasks to share out evenly.
  args.blocksOfTask = std::clamp<long>(lots * blocks / (24 * pool_.size()), 1, std::min(MOST_BLOCKS_OF_TASK, blocks));
  const long groups = (blocks + args.blocksOfTask - 1) / args.blocksOfTask;
  pool_.run(lots * groups, cancelled_, [&](int thread, long task) { kernels_.attention(args, task, scratch(thread)); });
}

// In self-attention `in` holds queries, keys and values, and `second` is `in`. Otherwise `in` holds the queries and `second` keys and values.
AttentionArgs Execution::attentionArgs(const Op& op, long width) const {
  AttentionArgs args;
  const float* in = slot(op.input);
  const float* second = slot(op.second);
  // A group is like an image of its own.
  const long inRows = op.input.rows / op.groups, secondRows = op.second.rows / op.groups;
  args.query = {in, op.input.stride, inRows * op.input.stride};
  // Keys and values begin here in a row, in floats.
  const bool narrow = op.input.format != Format::float32;
  const long key = narrow ? op.keysAt / 2 : op.keysAt, value = narrow ? op.valuesAt / 2 : op.valuesAt;
  args.key = {second + key, op.second.stride, secondRows * op.second.stride};
  args.value = {second + value, op.second.stride, secondRows * op.second.stride};
  args.queries = inRows;
  args.keys = secondRows;
  if (op.weightOperand == WeightOperand::query) {
    args.query = {weight(op.weight.offset), width, 0};
    args.queries = op.output.rows;
    // When a soft mixture dispatches, keys are the normed tokens, and values the tokens themselves.
    args.key = {in, op.input.stride, op.input.rows * op.input.stride};
  } else if (op.weightOperand == WeightOperand::key) {
    args.key = {weight(op.weight.offset), width, 0};
  }
  args.mask = op.keyMask;
  args.keyCounts = constant(op.keyCounts);
  args.groups = op.groups;
  args.bias = op.scoreBias;
  args.table = constant(op.constant);
  args.columnTable = constant(op.columnTable);
  args.gridRows = op.gridRows;
  args.gridColumns = op.gridColumns;
  args.heads = op.heads;
  args.headWidth = args.valueWidth = width / op.heads;
  args.scale = op.scale;
  args.images = input_.batch * op.groups;
  args.out = rows(op.output);
  args.outImageStride = op.output.rows / op.groups * op.output.stride;
  args.low = rows(op.input).low;
  return args;
}

void Checker::attentionWeights(const Op& op) {
  slot(op.input);
  slot(op.second);
  plainSlot(op.output);
  require(op.keysAt >= 0 && op.keysAt < op.second.width, "its keys begin nowhere");
  require(op.weightOperand == WeightOperand::none, "its weight is no operand");
  const long width = widthOfKeys(op);
  require(op.heads >= 1 && width >= op.heads && width % op.heads == 0, "its heads do not share its width");
  operandFormats(op, width);
  wideEnough(op.input, width);
  wideEnough(op.second, op.keysAt + width);
  changeOfScores(op, width / op.heads);
  require(op.output.width == op.second.rows / op.groups, "its output has not one column for each key");
  require(op.headFusion >= HeadFusion::none && op.headFusion <= HeadFusion::min, "its heads become nothing");
  require(op.headCount >= 1 && op.headCount <= MOST, "it names no heads");
  const long lots = op.headFusion == HeadFusion::none ? op.headCount : 1;
  require(op.output.rows % lots == 0, "its output has not as many rows for each head");
  if (op.rowIndex < 0) {
    require(op.output.rows / lots == op.input.rows, "its output has not one row for each query");
  } else {
    indices(op.rowIndex, op.output.rows / lots, op.input.rows);
  }
  if (op.headIndex < 0) {
    require(op.headCount == op.heads, "it names not all heads");
  } else {
    indices(op.headIndex, op.headCount, op.heads);
  }
}

void Checker::indices(long offset, long count, long most) {
  constants(offset, count);
  for (long i = 0; i < count; i++) {
    const float index = constants_[offset + i];
    require(index >= 0 && index < static_cast<float>(most) && index == std::floor(index), "it names a row or a head that is not there");
  }
}

AttentionWeightsArgs attentionWeightsShape(const Op& op) {
  AttentionWeightsArgs args{};
  args.of.queries = op.input.rows / op.groups;
  args.of.keys = op.second.rows / op.groups;
  args.of.headWidth = widthOfKeys(op) / op.heads;
  args.of.bias = op.scoreBias;
  args.of.gridColumns = op.gridColumns;
  args.format = op.input.format;
  args.fusion = op.headFusion;
  args.heads = op.headCount;
  args.rows = op.headFusion == HeadFusion::none ? op.output.rows / op.headCount : op.output.rows;
  return args;
}

// A task of fewer rows would spend its time on packing keys.
constexpr long FEWEST_ROWS_OF_TASK = 128;

void Execution::attentionWeights(const Op& op) {
  AttentionWeightsArgs args = attentionWeightsShape(op);
  args.of = attentionArgs(op, widthOfKeys(op));
  args.rowIndex = constant(op.rowIndex);
  args.headIndex = constant(op.headIndex);
  const long lots = input_.batch * (op.headFusion == HeadFusion::none ? op.headCount : 1);
  const long most = std::max<long>(1, args.rows / FEWEST_ROWS_OF_TASK);
  const long blocks = std::clamp<long>(8 * pool_.size() / lots, 1, most);
  args.blockRows = (args.rows + blocks - 1) / blocks;
  pool_.run(lots * ((args.rows + args.blockRows - 1) / args.blockRows), cancelled_,
            [&](int thread, long task) { kernels_.attentionWeights(args, task, scratch(thread)); });
}

void Checker::turn(const Op& op) {
  const long width = op.input.width / 3;
  plainSlot(op.input);
  slot(op.output);
  sameRows(op.input, op.output);
  wideEnough(op.output, op.input.width);
  require(op.heads >= 1 && op.input.width % 3 == 0 && width % op.heads == 0, "its heads do not share its queries, keys and values");
  const long headWidth = width / op.heads;
  for (const NormRef& norm : {op.norm, op.keyNorm}) {
    if (norm.kind != NormKind::none) normWeights(norm, headWidth);
  }
  if (op.constant < 0) return;
  require(headWidth % 2 == 0, "its heads do not consist of pairs");
  require(op.tables == 1 || op.tables == op.heads, "it has not one table for all heads, nor one for each");
  constants(op.constant, op.input.rows * op.tables * 2 * headWidth);
}
void Execution::turn(const Op& op) {
  TurnArgs args;
  args.in = slot(op.input);
  args.inStride = op.input.stride;
  args.out = rows(op.output);
  args.rows = op.input.rows;
  args.heads = op.heads;
  args.headWidth = op.input.width / 3 / op.heads;
  args.norms[0] = normWeights(op.norm);
  args.norms[1] = normWeights(op.keyNorm);
  args.table = constant(op.constant);
  args.tables = op.tables;
  args.pairsNeighbours = op.pairsNeighbours;
  forRows(input_.batch * op.input.rows, op.input.width,
          [&](int thread, long first, long last) { kernels_.turn(args, first, last, scratch(thread)); });
}

void Checker::probeAttention(const Op& op) {
  const long latents = op.latents, width = op.input.width;
  plainSlot(op.input);
  plainSlot(op.second);
  plainSlot(op.output);
  weightMatrix(op.weight.offset, latents, width);
  require(op.heads >= 1 && width % op.heads == 0, "its heads do not share its width");
  require(width % latents == 0, "its latents do not share its width");
  sameRows(op.input, op.second);
  wideEnough(op.second, width);
  require(op.output.rows == 1, "its output is not one row");
  wideEnough(op.output, width);
}
void Execution::probeAttention(const Op& op) {
  ProbeArgs args;
  args.latents = weight(op.weight.offset);
  args.latentCount = op.latents;
  args.keys = slot(op.input);
  args.values = slot(op.second);
  args.stride = op.input.stride;
  args.valueStride = op.second.stride;
  args.imageStride = op.input.rows * op.input.stride;
  args.valueImageStride = op.second.rows * op.second.stride;
  args.out = slot(op.output);
  args.outImageStride = op.output.stride;
  args.images = input_.batch;
  args.heads = op.heads;
  args.width = op.input.width;
  args.rows = op.input.rows;
  args.scale = op.scale;
  pool_.run(args.images * args.latentCount, cancelled_,
            [&](int thread, long task) { kernels_.probe(args, task, scratch(thread)); });
}

}  // namespace plumage
