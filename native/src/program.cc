#include "program.h"

#include <algorithm>

#include "cpu.h"
#include "execution.h"

namespace plumage {

namespace {

struct FieldReader {
  const double* at;
  long number() { return static_cast<long>(*at++); }
  int small() { return static_cast<int>(*at++); }
  float real() { return static_cast<float>(*at++); }
  SlotRef slot() {
    SlotRef ref;
    ref.offset = number();
    ref.rows = number();
    ref.width = number();
    ref.stride = number();
    return ref;
  }
  NormRef norm() {
    NormRef ref;
    ref.kind = static_cast<NormKind>(small());
    ref.weight = number();
    ref.bias = number();
    ref.epsilon = real();
    return ref;
  }
};

}  // namespace

// The order is that of encodeOp in src/platform/node/native/encode-ops.ts.
Op readOp(const double* fields) {
  FieldReader read{fields};
  Op op;
  op.kind = static_cast<OpKind>(read.small());
  op.in = read.slot();
  op.second = read.slot();
  op.out = read.slot();
  op.weight = read.number();
  op.bias = read.number();
  op.gamma = read.number();
  op.activation = static_cast<Activation>(read.small());
  op.combine = static_cast<Combine>(read.small());
  op.heads = read.number();
  op.scale = read.real();
  op.norm = read.norm();
  op.keyNorm = read.norm();
  for (long& number : op.numbers) number = read.number();
  op.temporary = read.number();
  op.weightOperand = static_cast<WeightOperand>(read.small());
  return op;
}

long chunkRowsFor(const Kernels& kernels, long rows, long depth, int threads) {
  static const long cacheFloats = levelTwoCacheBytes() / 4;
  const long tiles = (rows + kernels.tileRows - 1) / kernels.tileRows;
  // Three quarters: weights come from further away than rows, so many rows for each reading of them.
  const long fitting = std::max<long>(1, cacheFloats / 2 / depth / kernels.tileRows);
  long chunks = (tiles + fitting - 1) / fitting;
  // As many for each thread, where there are enough rows.
  chunks = std::min(tiles, (chunks + threads - 1) / threads * threads);
  return (tiles + chunks - 1) / chunks * kernels.tileRows;
}

long Program::scratchFloats(long batch, int threads) const {
  long most = 0;
  for (const Op& op : ops_) {
    long needed = 0;
    if (op.kind == OpKind::linear) {
      needed = chunkRowsFor(kernels_, batch * op.in.rows, op.in.width, threads) * kernels_.tileColumns;
    } else if (op.kind == OpKind::attention) {
      const long headWidth = op.out.width / op.heads;
      const long panels = (headWidth + kernels_.tileRows - 1) / kernels_.tileRows;
      needed = (MOST_BLOCKS_OF_TASK * 2 * headWidth + kernels_.keyBlock) * kernels_.tileColumns +
               panels * kernels_.tileRows * kernels_.keyBlock;
    } else if (op.kind == OpKind::probeAttention) {
      needed = 2 * ((op.in.rows + 15) / 16 * 16);
    }
    most = std::max(most, needed);
  }
  // An odd number of lines apart, so that the threads' scratch does not fall into the same cache sets.
  return (most + 31) / 32 * 32 + 16;
}

size_t Program::arenaBytes(long batch, int threads) const {
  return sizeof(float) * (static_cast<size_t>(batch) * arenaFloats_ + static_cast<size_t>(threads) * scratchFloats(batch, threads));
}

RunStatus Program::run(const RunInput& input, ThreadPool& pool, const std::atomic<bool>& cancelled) {
  const size_t bytes = arenaBytes(input.batch, pool.size());
  if (arena_ == nullptr || arena_->bytes() < bytes) {
    arena_.reset();
    arena_ = Region::allocate(bytes);
    if (arena_ == nullptr) return RunStatus::outOfMemory;
  }
  Execution execution(*this, input, pool, cancelled);
  for (const Op& op : ops_) {
    execution.run(op);
    if (cancelled.load()) return RunStatus::cancelled;
  }
  return RunStatus::done;
}

}  // namespace plumage
