// A lowered plan is a list of operations on offsets into an arena, which holds their slots for a batch.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "ops.h"
#include "thread-pool.h"

namespace plumage {

enum class RunStatus : int { done, cancelled, outOfMemory };

struct RunInput {
  long batch;
  const float* pixels;
  std::vector<float*> outputs;
  const float* weights;
};

class Program {
 public:
  Program(const Kernels& kernels, std::vector<Op> ops, std::shared_ptr<Region> constants, long arenaFloats)
      : kernels_(kernels), ops_(std::move(ops)), constants_(std::move(constants)), arenaFloats_(arenaFloats) {}

  // Counts the slots of a batch and what each of `threads` threads needs beside them.
  size_t arenaBytes(long batch, int threads) const;
  // Runs all operations in the engine's arena, on the engine's own thread. `times` gets the seconds of each operation, then those that all threads
  // together were at work in each; where it is null nothing is timed.
  RunStatus run(const RunInput& input, Arena& arena, ThreadPool& pool, const std::atomic<bool>& cancelled, double* times = nullptr);
  // Counts the operations.
  size_t length() const { return ops_.size(); }

 private:
  friend class Execution;
  long scratchFloats(long batch, int threads) const;
  long overrunFloats() const;

  const Kernels& kernels_;
  const std::vector<Op> ops_;
  const std::shared_ptr<Region> constants_;
  const long arenaFloats_;
};

// Holds a product's shape for one operation and batch.
struct LinearShape {
  const Product& product;
  long rows, columns, depth;
  long sliceDepth;  // so much of the depth is summed at once
  long chunkRows;   // so many rows stay in the second-level cache
  long mostChunkRows;  // `chunkRows` is no more for any smaller number of rows
};
LinearShape linearShape(const Kernels& kernels, const Op& op, long rows, int threads);

// Holds how a convolution is shared out for one operation and batch.
struct ConvolutionShape {
  const Product& product;
  long depth;
  long chunkRows;             // so many patches stay in the second-level cache
  long stride, narrowStride;  // floats from patch to patch, as float32 and in the format of the products; 0 where that is the same
  long scratchFloats() const;
};
ConvolutionShape convolutionShape(const Kernels& kernels, const Op& op, long rows, int threads);

// Says what is asked of attention's weights, as far as it depends on no address.
AttentionWeightsArgs attentionWeightsShape(const Op& op);

}  // namespace plumage
