// Generated from src/engine/ops.ts by scripts/generate-ops.mjs: change the table and run `node scripts/generate-ops.mjs`.
#include "ops.h"

namespace plumage {

namespace {

struct FieldReader {
  const double* at;
  long whole() { return static_cast<long>(*at++); }
  float real() { return static_cast<float>(*at++); }
  bool flag() { return *at++ != 0; }
  // The way leads over a whole number, because a double beyond int may not be cast to it. What int cannot hold is no member.
  template <typename Enumeration>
  Enumeration as() {
    const long value = whole();
    return static_cast<Enumeration>(value == static_cast<int>(value) ? static_cast<int>(value) : -1);
  }
  SlotRef slot() {
    SlotRef ref;
    ref.offset = whole();
    ref.rows = whole();
    ref.width = whole();
    ref.stride = whole();
    ref.format = as<Format>();
    return ref;
  }
  NormRef norm() {
    NormRef ref;
    ref.kind = as<NormKind>();
    ref.weight = whole();
    ref.bias = whole();
    ref.epsilon = real();
    return ref;
  }
  PackedRef packed() {
    PackedRef ref;
    ref.offset = whole();
    ref.precision = as<Precision>();
    return ref;
  }
};

}  // namespace

Op readOp(const double* fields) {
  FieldReader read{fields};
  Op op;
  op.kind = read.as<OpKind>();
  op.input = read.slot();
  op.second = read.slot();
  op.output = read.slot();
  op.norm = read.norm();
  op.keyNorm = read.norm();
  op.weight = read.packed();
  op.bias = read.whole();
  op.gamma = read.whole();
  op.constant = read.whole();
  op.columnTable = read.whole();
  op.keyCounts = read.whole();
  op.rowIndex = read.whole();
  op.headIndex = read.whole();
  op.activation = read.as<Activation>();
  op.combine = read.as<Combine>();
  op.weightOperand = read.as<WeightOperand>();
  op.scoreBias = read.as<ScoreBias>();
  op.keyMask = read.as<KeyMask>();
  op.headFusion = read.as<HeadFusion>();
  op.routing = read.as<Routing>();
  op.precision = read.as<Precision>();
  op.gridRows = read.whole();
  op.gridColumns = read.whole();
  op.heads = read.whole();
  op.headCount = read.whole();
  op.tables = read.whole();
  op.pairsNeighbours = read.flag();
  op.scale = read.real();
  op.outputIndex = read.whole();
  op.inputAt = read.whole();
  op.inputLength = read.whole();
  op.channels = read.whole();
  op.planeHeight = read.whole();
  op.planeWidth = read.whole();
  op.patchSize = read.whole();
  op.patchStride = read.whole();
  op.padding = read.whole();
  op.taps = read.whole();
  op.takesLargest = read.flag();
  op.id = read.whole();
  op.keysAt = read.whole();
  op.valuesAt = read.whole();
  op.firstRow = read.whole();
  op.latents = read.whole();
  op.groups = read.whole();
  op.isBack = read.flag();
  op.choices = read.whole();
  op.capacity = read.whole();
  op.expert = read.whole();
  return op;
}

}  // namespace plumage
