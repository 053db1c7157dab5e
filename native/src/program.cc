#include "program.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "cpu.h"
#include "execution.h"

namespace plumage {

LinearShape linearShape(const Kernels& kernels, const Op& op, long rows, int threads) {
  static const long cacheBytes = levelTwoCacheBytes();
  const Product& product = *kernels.products[static_cast<int>(op.weight.precision)];
  LinearShape shape{product, rows, op.output.width, op.input.width, op.input.width, 0, 0};
  // Only a sum that is added to something can be made piece by piece.
  const bool sliceable = op.combine == Combine::add && op.activation == Activation::identity && op.output.format == Format::float32;
  if (sliceable && product.sliceDepth > 0) {
    const long slices = (shape.depth + product.sliceDepth - 1) / product.sliceDepth;
    shape.sliceDepth = (shape.depth / slices + 63) / 64 * 64;
  }
  const long rowBytes = std::max<long>(1, op.input.stride * 4 * shape.sliceDepth / shape.depth);
  const long tiles = (shape.rows + product.tileRows - 1) / product.tileRows;
  // Rows get three eighths of the cache: the rest is for weights on their way, sums and what else passes.
  const long fitting = std::max<long>(1, cacheBytes * 3 / 8 / rowBytes / product.tileRows);
  long chunks = (tiles + fitting - 1) / fitting;
  // Each thread gets as many, unless there are panels enough to share out: each chunk reads all weights anew.
  const long panels = (shape.columns + product.tileColumns - 1) / product.tileColumns;
  if (panels < 8 * threads) chunks = std::min(tiles, (chunks + threads - 1) / threads * threads);
  shape.chunkRows = (tiles + chunks - 1) / chunks * product.tileRows;
  shape.mostChunkRows = std::min(tiles, fitting) * product.tileRows;
  return shape;
}

long Program::scratchFloats(long batch, int threads) const {
  long most = 0;
  for (const Op& op : ops_) {
    long needed = 0;
    if (op.kind == OpKind::linear || op.kind == OpKind::expertLinear) {
      const LinearShape shape = linearShape(kernels_, op, batch * op.input.rows, threads);
      const long chunkRows = op.kind == OpKind::linear ? shape.chunkRows : shape.mostChunkRows;
      needed = (chunkRows + 2 * shape.product.tileRows) * shape.product.tileColumns;
    } else if (op.kind == OpKind::conv2d) {
      needed = convolutionShape(kernels_, op, batch * op.output.rows, threads).scratchFloats();
    } else if (op.kind == OpKind::resize) {
      needed = op.planeWidth * op.input.width;
    } else if (op.kind == OpKind::attention && op.input.format != Format::float32) {
      AttentionArgs args{};
      args.keys = op.second.rows / op.groups;
      args.headWidth = op.output.width / op.heads;
      needed = kernels_.narrowAttentionFloats(args, op.input.format);
    } else if (op.kind == OpKind::attention) {
      const long headWidth = op.output.width / op.heads;
      const Product& product = *kernels_.products[0];
      const long panels = (headWidth + product.tileRows - 1) / product.tileRows;
      const long rows = headWidth + panels * product.tileRows;  // keys and values
      needed = (MOST_BLOCKS_OF_TASK * 2 * headWidth + kernels_.keyBlock) * kernels_.queryBlock + rows * kernels_.keyBlock +
               biasFloats(op.scoreBias, op.gridRows, op.gridColumns, MOST_BLOCKS_OF_TASK, kernels_.queryBlock);
    } else if (op.kind == OpKind::attentionWeights) {
      needed = kernels_.attentionWeightsFloats(attentionWeightsShape(op));
    } else if (op.kind == OpKind::probeAttention) {
      needed = 2 * ((op.input.rows + 15) / 16 * 16);
    } else if (op.kind == OpKind::route && op.routing == Routing::softmax) {
      needed = op.input.rows * op.choices + op.input.width;
    } else if (op.kind == OpKind::norm || op.kind == OpKind::convert || op.kind == OpKind::turn || op.kind == OpKind::toExperts) {
      needed = (op.input.width + 63) / 64 * 64;
    }
    most = std::max(most, needed);
  }
  // Scratch lies an odd number of lines apart, so that that of all threads does not fall into the same cache sets.
  return (most + 31) / 32 * 32 + 16;
}

// Tiles are whole: the last of a slot reads this far beyond its rows, and whatever it finds there is not used.
long Program::overrunFloats() const {
  long widest = 0;
  for (const Op& op : ops_) widest = std::max(widest, op.input.stride);
  return 32 * widest;
}

size_t Program::arenaBytes(long batch, int threads) const {
  return sizeof(float) * (static_cast<size_t>(batch) * arenaFloats_ + static_cast<size_t>(threads) * scratchFloats(batch, threads) +
                          overrunFloats());
}

RunStatus Program::run(const RunInput& input, Arena& arena, ThreadPool& pool, const std::atomic<bool>& cancelled, double* times) {
  float* slots = arena.reserve(arenaBytes(input.batch, pool.size()));
  if (slots == nullptr) return RunStatus::outOfMemory;
  Execution execution(*this, input, slots, pool, cancelled);
  typedef std::chrono::steady_clock Clock;
  std::optional<ThreadPool::WorkCount> work;
  if (times != nullptr) work.emplace(pool);
  for (size_t i = 0; i < ops_.size(); i++) {
    const Clock::time_point begun = work ? Clock::now() : Clock::time_point();
    execution.run(ops_[i]);
    if (work) {
      times[i] = std::chrono::duration<double>(Clock::now() - begun).count();
      times[ops_.size() + i] = work->take();
    }
    if (cancelled.load()) return RunStatus::cancelled;
  }
  return RunStatus::done;
}

}  // namespace plumage
