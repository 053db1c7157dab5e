#include "check-ops.h"

#include <algorithm>
#include <cmath>

#include "outcome.h"

namespace plumage {

namespace {

long roundUp(long value, long unit) { return (value + unit - 1) / unit * unit; }

// Counts the floats that a row takes at least.
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
    case Format::int16:
      return roundUp(width, 32) / 2 + 16;
  }
  return MOST;
}

}  // namespace

void Checker::check(const Op& op, size_t index) {
  index_ = index;
  require(op.activation >= Activation::identity && op.activation <= Activation::geluShort, "its activation is none");
  require(op.combine >= Combine::none && op.combine <= Combine::gate, "its combination is none");
  switch (op.kind) {
#define PLUMAGE_CASE(kind) \
  case OpKind::kind:       \
    return kind(op);
    PLUMAGE_OP_KINDS(PLUMAGE_CASE)
#undef PLUMAGE_CASE
  }
  require(false, "its kind is none");
}

void Checker::require(bool right, const char* problem) const {
  if (!right) throw Refusal(WRONG_ARGUMENT, "Operation %zu of the plan can't run: %s.", index_, problem);
}

void Checker::slot(const SlotRef& ref) const {
  require(ref.rows >= 1 && ref.rows <= MOST && ref.width >= 1 && ref.width <= MOST, "a slot has no size");
  require(ref.format >= Format::float32 && ref.format <= Format::int16, "the format of a slot is none");
  const bool halves = ref.format == Format::bfloat16 || ref.format == Format::split;
  require(!halves || kernels_.bfloat16Rows, "the instruction set has no rows in bfloat16");
  require(ref.stride <= MOST && ref.stride % 16 == 0 && ref.stride >= rowFloats(ref.width, ref.format), "a slot's rows overlap");
  // Lines are written whole, by instructions that end the process where one begins elsewhere.
  require(ref.offset % 16 == 0 && arenaFloats_ % 16 == 0, "a slot begins within a line");
  require(ref.offset >= 0 && ref.offset <= arenaFloats_ && ref.rows <= (arenaFloats_ - ref.offset) / ref.stride,
          "a slot lies outside the arena");
}

void Checker::plainSlot(const SlotRef& ref) const {
  slot(ref);
  require(ref.format == Format::float32, "a slot is not in float32");
}

void Checker::sameRows(const SlotRef& a, const SlotRef& b) const { require(a.rows == b.rows, "its slots have different numbers of rows"); }

void Checker::wideEnough(const SlotRef& ref, long width) const { require(ref.width >= width, "a slot is too narrow"); }

void Checker::weights(long offset, long count) {
  require(offset >= 0, "a weight is missing");
  weightsOrNone(offset, count);
}

void Checker::weightsOrNone(long offset, long count) {
  if (offset >= 0) needs_.weights = std::max(needs_.weights, offset + roundUp(count, 16));
}

void Checker::weightMatrix(long offset, long rows, long width) {
  require(rows >= 1 && rows <= MOST, "a weight has no size");
  weights(offset, rows * width);
}

void Checker::normWeights(const NormRef& norm, long width) {
  require(norm.kind == NormKind::layerNorm || norm.kind == NormKind::rmsNorm, "the kind of its norm is none");
  weights(norm.weight, width);
  weightsOrNone(norm.bias, width);
}

void Checker::epilogue(const Op& op) {
  weightsOrNone(op.bias, op.output.width);
  weightsOrNone(op.gamma, op.output.width);
  if (op.combine == Combine::none) return;
  plainSlot(op.second);
  sameRows(op.second, op.output);
  wideEnough(op.second, op.output.width);
}

void Checker::constants(long offset, long count) {
  require(offset >= 0 && offset <= constantFloats_ && count <= constantFloats_ - offset, "its constant lies outside the constants");
}

void Checker::given(const Op& op, long count) {
  require(op.inputLength >= 1 && op.inputLength <= MOST * MOST / 2, "a run is given nothing");
  require(op.inputAt >= 0 && op.inputAt <= op.inputLength && count <= op.inputLength - op.inputAt, "what it reads lies outside what a run is given");
  require(needs_.pixels == 0 || needs_.pixels == op.inputLength, "it is given another number of pixels than the others");
  needs_.pixels = op.inputLength;
}

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

Needs checkOps(const std::vector<Op>& ops, const Kernels& kernels, long arenaFloats, const float* constants, long constantFloats) {
  Checker checker(kernels, arenaFloats, constants, constantFloats);
  for (size_t i = 0; i < ops.size(); i++) checker.check(ops[i], i);
  return checker.take();
}

}  // namespace plumage
