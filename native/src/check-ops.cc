#include "check-ops.h"

#include <algorithm>
#include <cmath>

#include "outcome.h"

namespace plumage {

namespace {

// Rows, columns and offsets stay below this, so that sums and products of two of them can't run over.
constexpr long MOST = 1L << 31;
constexpr long MOST_OUTPUTS = 1L << 16;

long roundUp(long value, long unit) { return (value + unit - 1) / unit * unit; }

// The floats that a row takes at least.
long rowFloats(long width, Format format) {
  switch (format) {
    case Format::float32:
      return roundUp(width, 16);
    case Format::bfloat16:
      return roundUp(width, 32) / 2;
    case Format::split:
      return roundUp(width, 32);
    case Format::int8:
      return roundUp(width, 64) / 4 + 16;
  }
  return MOST;
}

class Checker {
 public:
  Checker(const Kernels& kernels, long arenaFloats, long constantFloats)
      : kernels_(kernels), arenaFloats_(arenaFloats), constantFloats_(constantFloats) {}

  void check(const Op& op, size_t index) {
    index_ = index;
    require(op.activation >= Activation::identity && op.activation <= Activation::geluShort, "its activation is none");
    require(op.combine >= Combine::none && op.combine <= Combine::gate, "its combination is none");
    kind(op);
  }
  Needs take() { return std::move(needs_); }

 private:
  // ---- What all kinds of operation share ----

  void require(bool right, const char* problem) const {
    if (!right) throw Refusal(WRONG_ARGUMENT, "Operation %zu of the plan can't run: %s.", index_, problem);
  }

  void slot(const SlotRef& ref) const {
    require(ref.rows >= 1 && ref.rows <= MOST && ref.width >= 1 && ref.width <= MOST, "a slot has no size");
    require(ref.format >= Format::float32 && ref.format <= Format::int8, "the format of a slot is none");
    const bool halves = ref.format == Format::bfloat16 || ref.format == Format::split;
    require(!halves || kernels_.bfloat16Rows, "the instruction set has no rows in bfloat16");
    require(ref.stride <= MOST && ref.stride % 16 == 0 && ref.stride >= rowFloats(ref.width, ref.format), "a slot's rows overlap");
    require(ref.offset >= 0 && ref.offset <= arenaFloats_ && ref.rows <= (arenaFloats_ - ref.offset) / ref.stride,
            "a slot lies outside the arena");
  }
  void plainSlot(const SlotRef& ref) const {
    slot(ref);
    require(ref.format == Format::float32, "a slot is not in float32");
  }
  // Rows are written one below the other for the whole batch, so each image must have as many.
  void sameRows(const SlotRef& a, const SlotRef& b) const { require(a.rows == b.rows, "its slots have different numbers of rows"); }
  void wideEnough(const SlotRef& ref, long width) const { require(ref.width >= width, "a slot is too narrow"); }

  // `count` floats of weights; they are read in whole vectors.
  void weights(long offset, long count) {
    require(offset >= 0, "a weight is missing");
    weightsOrNone(offset, count);
  }
  void weightsOrNone(long offset, long count) {
    if (offset >= 0) needs_.weights = std::max(needs_.weights, offset + roundUp(count, 16));
  }
  void weightMatrix(long offset, long rows, long width) {
    require(rows >= 1 && rows <= MOST, "a weight has no size");
    weights(offset, rows * width);
  }
  void normWeights(const NormRef& norm, long width) {
    require(norm.kind == NormKind::layerNorm || norm.kind == NormKind::rmsNorm, "the kind of its norm is none");
    weights(norm.weight, width);
    weightsOrNone(norm.bias, width);
  }
  void epilogue(const Op& op) {
    weightsOrNone(op.bias, op.output.width);
    weightsOrNone(op.gamma, op.output.width);
    if (op.combine == Combine::none) return;
    plainSlot(op.second);
    sameRows(op.second, op.output);
    wideEnough(op.second, op.output.width);
  }
  void constants(long offset, long count) {
    require(offset <= constantFloats_ && count <= constantFloats_ - offset, "its constant lies outside the constants");
  }
  void pixels(long count) {
    require(needs_.pixels == 0 || needs_.pixels == count, "it reads another number of pixels than the others");
    needs_.pixels = count;
  }

  // ---- Each kind ----

  // There is a function for each of them, so that a new one can't be forgotten.
  void kind(const Op& op) {
    switch (op.kind) {
#define PLUMAGE_CASE(kind) \
  case OpKind::kind:       \
    return kind(op);
      PLUMAGE_OP_KINDS(PLUMAGE_CASE)
#undef PLUMAGE_CASE
    }
    require(false, "its kind is none");
  }

  void copyIn(const Op& op) {
    plainSlot(op.output);
    pixels(op.output.rows * op.output.width);
  }

  void copyOut(const Op& op) {
    const long index = op.outputIndex;
    require(index >= 0 && index < MOST_OUTPUTS, "its output has no such number");
    if (op.input.stride == 0) {
      // The input itself is given back.
      require(op.input.rows == 1 && op.input.width >= 1 && op.input.width <= MOST, "the input has no size");
      pixels(op.input.width);
    } else {
      plainSlot(op.input);
    }
    const size_t at = static_cast<size_t>(index);
    if (needs_.outputs.size() <= at) needs_.outputs.resize(at + 1, 0);
    const long values = op.input.rows * op.input.width;
    require(needs_.outputs[at] == 0 || needs_.outputs[at] == values, "it writes an output in another size than another one");
    needs_.outputs[at] = values;
  }

  void patchify(const Op& op) {
    const long channels = op.channels, height = op.planeHeight, width = op.planeWidth, patch = op.patchSize;
    require(channels >= 1 && channels <= MOST && height >= 1 && height <= MOST && width >= 1 && width <= MOST && patch >= 1 && patch <= MOST,
            "an image has no size");
    const long most = MOST * MOST / 2;
    require(channels <= most / height / width && channels <= most / patch / patch, "an image is too large");
    plainSlot(op.output);
    require((height / patch) * (width / patch) == op.output.rows, "its output has not one row for each patch");
    wideEnough(op.output, channels * patch * patch);
  }

  void patchifyPlanes(const Op& op) {
    patchify(op);
    pixels(op.channels * op.planeHeight * op.planeWidth);
  }

  void patchifyRows(const Op& op) {
    patchify(op);
    plainSlot(op.input);
    require(op.input.rows == op.planeHeight * op.planeWidth, "its input has not one row for each pixel");
    wideEnough(op.input, op.channels);
  }

  void linear(const Op& op) {
    require(op.weight.precision >= Precision::float32 && op.weight.precision <= Precision::int8, "its precision is none");
    const Product* product = kernels_.products[static_cast<int>(op.weight.precision)];
    require(product != nullptr, "the instruction set has no products of its precision");
    slot(op.input);
    slot(op.output);
    sameRows(op.input, op.output);
    require(op.input.format == product->rows, "its products do not read the format of its input");
    require(op.output.format != Format::int8, "products do not write int8");
    require(op.output.width * op.input.width <= MOST * MOST / 64, "its weight is too large");
    require(op.weight.offset >= 0, "a weight is missing");
    needs_.weights = std::max(needs_.weights, op.weight.offset + product->packedFloats(op.output.width, op.input.width));
    epilogue(op);
  }

  void assembleTokens(const Op& op) {
    plainSlot(op.input);
    plainSlot(op.output);
    const long width = op.output.width, special = op.output.rows - op.input.rows, head = op.weight.offset < 0 ? 0 : 1;
    require(special >= head, "its output has no rows for the class token");
    wideEnough(op.input, width);
    if (head == 1) weights(op.weight.offset, width);
    if (special > head) weightMatrix(op.gamma, special - head, width);
    if (op.constant >= 0) constants(op.constant, op.input.rows * width);
  }

  void norm(const Op& op) {
    plainSlot(op.input);
    slot(op.output);
    sameRows(op.input, op.output);
    wideEnough(op.output, op.input.width);
    normWeights(op.norm, op.input.width);
  }

  void elementwise(const Op& op) {
    plainSlot(op.input);
    plainSlot(op.output);
    sameRows(op.input, op.output);
    wideEnough(op.input, op.output.width);
    wideEnough(op.output, op.input.width);
    epilogue(op);
  }

  void sliceRows(const Op& op) {
    plainSlot(op.input);
    plainSlot(op.output);
    wideEnough(op.input, op.output.width);
    require(op.firstRow >= 0 && op.firstRow <= op.input.rows - op.output.rows, "the rows that it takes are not there");
  }

  void maxRows(const Op& op) { meanRows(op); }

  void meanRows(const Op& op) {
    plainSlot(op.input);
    plainSlot(op.output);
    require(op.output.rows == 1, "its output is not one row");
    wideEnough(op.output, op.input.width);
  }

  void broadcast(const Op& op) {
    plainSlot(op.output);
    if (op.constant >= 0) return constants(op.constant, op.output.rows * op.output.width);
    weightMatrix(op.weight.offset, op.output.rows, op.output.width);
  }

  void attention(const Op& op) {
    const long width = op.output.width, key = op.keysAt, value = op.valuesAt;
    slot(op.input);
    slot(op.second);
    slot(op.output);
    require(op.heads >= 1 && width % op.heads == 0, "its heads do not share its width");
    require(key >= 0 && key <= MOST && value >= 0 && value <= MOST, "its keys or values begin nowhere");
    require(op.input.format == op.second.format, "its operands have different formats");
    if (op.input.format == Format::float32) {
      require(op.output.format == Format::float32, "it writes another format than it reads");
    } else {
      require(kernels_.tileAttention != nullptr && op.input.format != Format::int8 && op.output.format != Format::int8 &&
                  op.weightOperand == WeightOperand::none && width / op.heads % 32 == 0 && key % 32 == 0 && value % 32 == 0,
              "matrix tiles do not hold it");
    }
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
    if (op.temporary.rows > 0) normedAttention(op);
  }

  // Normed queries and keys have a slot of their own.
  void normedAttention(const Op& op) {
    const long width = op.output.width;
    require(op.weightOperand == WeightOperand::none && op.input.format == Format::float32, "it can't norm its operands");
    sameRows(op.input, op.second);
    wideEnough(op.input, 2 * width);
    plainSlot(op.temporary);
    sameRows(op.temporary, op.input);
    wideEnough(op.temporary, 2 * width);
    for (const NormRef& norm : {op.norm, op.keyNorm}) {
      if (norm.kind != NormKind::none) normWeights(norm, width / op.heads);
    }
  }

  void probeAttention(const Op& op) {
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

  void regroup(const Op& op) {
    plainSlot(op.input);
    plainSlot(op.output);
    sameRows(op.input, op.output);
    wideEnough(op.output, op.input.width);
    require(op.groups >= 1 && op.input.rows % op.groups == 0, "its groups do not share its rows");
  }

  void convert(const Op& op) {
    slot(op.input);
    slot(op.output);
    require(op.input.format == Format::float32 || op.input.format == Format::bfloat16, "it converts from a format that is only written");
    require(op.output.format != Format::float32, "it converts into float32");
    sameRows(op.input, op.output);
    wideEnough(op.output, op.input.width);
  }

  const Kernels& kernels_;
  const long arenaFloats_, constantFloats_;
  size_t index_ = 0;
  Needs needs_;
};

}  // namespace

std::vector<Op> readOps(const double* fields, size_t length) {
  if (length % OP_FIELDS != 0) throw Refusal(WRONG_ARGUMENT, "%zu numbers are not %d for each operation.", length, OP_FIELDS);
  // Every field is a whole number or a small fraction, so all of them can be cast to what a field holds.
  constexpr double LARGEST = static_cast<double>(1L << 53);
  for (size_t i = 0; i < length; i++) {
    if (!(std::fabs(fields[i]) <= LARGEST)) {
      throw Refusal(WRONG_ARGUMENT, "Operation %zu of the plan holds %g, which no field can hold.", i / OP_FIELDS, fields[i]);
    }
  }
  std::vector<Op> ops;
  ops.reserve(length / OP_FIELDS);
  for (size_t at = 0; at < length; at += OP_FIELDS) ops.push_back(readOp(fields + at));
  return ops;
}

Needs checkOps(const std::vector<Op>& ops, const Kernels& kernels, long arenaFloats, long constantFloats) {
  Checker checker(kernels, arenaFloats, constantFloats);
  for (size_t i = 0; i < ops.size(); i++) checker.check(ops[i], i);
  return checker.take();
}

}  // namespace plumage
