// The matrix product: which part of it meets which in which cache, and what happens to a finished tile.
//
// A panel of weight columns is cut along the depth into blocks that stay in the first-level cache while the rows of a chunk pass; the
// chunk's rows stay in the second-level cache while the panels pass. Rows are read where they lie: slots have an odd number
// of cache lines to a row, so the rows of a tile never fall into one cache set.
#pragma once

#include "formats-impl.h"

namespace plumage {
namespace {

// Applies an activation to `count` floats, a multiple of W, in place.
void activateAll(Activation kind, float* x, long count) {
  withActivation(kind, [&](auto f) {
    for (long i = 0; i < count; i += W) store(x + i, f.apply(load(x + i)));
  });
}

// Where the scales of a weight begin, in floats; `panels` of a product P.
template <typename P>
long panelFloats(long columns, long depth) {
  return ceilDivide(ceilDivide(columns, P::COLUMNS) * ceilDivide(depth, P::STEP_VALUES) * P::STEP_BYTES, 64) * 16;
}

template <typename P>
long packedFloats(long columns, long depth) {
  const long scales = (P::SCALED ? 1 : 0) + (P::OFFSET ? 1 : 0);
  return panelFloats<P>(columns, depth) + scales * ceilDivide(columns, P::COLUMNS) * P::COLUMNS;
}

// Scales and byte sums of the columns of panels [from, to), as toInt8 rounds them.
template <typename P>
void packScales(const float* weight, long columns, long depth, float* packed, long from, long to) {
  float* scales = packed + panelFloats<P>(columns, depth);
  int* sums = reinterpret_cast<int*>(scales + ceilDivide(columns, P::COLUMNS) * P::COLUMNS);
  for (long n = from * P::COLUMNS; n < to * P::COLUMNS; n++) {
    const float scale = n < columns ? int8Scale(weight + n * depth, depth) : 0;
    scales[n] = scale;
    if (!P::OFFSET) continue;
    int sum = 0;
    for (long k = 0; n < columns && k < depth; k++) sum += toInt8(weight[n * depth + k], scale);
    sums[n] = sum * 128;
  }
}

template <typename P>
void pack(const float* weight, long columns, long depth, float* packed, long from, long to) {
  P::packPanels(weight, columns, depth, packed, from, to);
  if constexpr (P::SCALED) packScales<P>(weight, columns, depth, packed, from, to);
}

// A tile's sums c become values of `out`.
template <typename P>
INLINE void finishTile(const GemmArgs& args, float* c, long row, long column, long rows, long vectors) {
  const Epilogue& e = args.epilogue;
  const bool twice = e.activation != Activation::identity && e.combine != Combine::gate;
  const float* scales = args.weight + panelFloats<P>(args.columns, args.depth) + column;
  const int* sums = reinterpret_cast<const int*>(scales + ceilDivide(args.columns, P::COLUMNS) * P::COLUMNS);
  V bias[P::COLUMNS / W], gamma[P::COLUMNS / W];
  for (long j = 0; j < vectors; j++) {
    bias[j] = e.bias == nullptr || args.fromDepth > 0 ? V{} : load(e.bias + column + j * W);
    gamma[j] = e.gamma == nullptr ? splat(1.0f) : load(e.gamma + column + j * W);
  }
  const auto sumAt = [&](long r, long j) {
    V v = load(P::vectorAt(c, r, j));
    if constexpr (P::OFFSET) {
      const I whole = (I)v - (I)load(reinterpret_cast<const float*>(sums) + j * W);
      v = __builtin_convertvector(whole, V) * int8RowScale(args.a, row + r);
    }
    if constexpr (P::SCALED) v *= load(scales + j * W);
    return v + bias[j];
  };
  if (twice) {
    for (long j = 0; j < vectors; j++) {
      for (long r = 0; r < rows; r++) store(P::vectorAt(c, r, j), sumAt(r, j));
    }
    activateAll(e.activation, c, P::tileFloats(rows));
  }
  for (long r = 0; r < rows; r++) {
    const float* other = e.other + (row + r) * e.otherStride + column;
    alignas(64) float gate[P::COLUMNS];
    if (e.combine == Combine::gate) {
      for (long j = 0; j < vectors; j++) store(gate + j * W, load(other + j * W));
      activateAll(e.activation, gate, vectors * W);
    }
    const auto valueAt = [&](long j) {
      V v = twice ? load(P::vectorAt(c, r, j)) : sumAt(r, j);
      if (e.combine == Combine::gate) return load(gate + j * W) * v;
      v *= gamma[j];
      return e.combine == Combine::add ? v + load(other + j * W) : v;
    };
    storeValues(args.out, row + r, column, vectors, valueAt);
  }
}

// Asks for the lines that finishTile will touch, while the last products are computed.
template <typename P>
INLINE void fetchDestination(const GemmArgs& args, long row, long column, long rows, long vectors) {
  const long floats = args.out.format == Format::float32 ? vectors * W : vectors * W / 2;
  const long at = args.out.format == Format::float32 ? column : column / 2;
  for (long r = row; r < row + rows; r++) {
    for (long j = 0; j < floats; j += 16) __builtin_prefetch(args.out.data + r * args.out.stride + at + j, 1, 3);
    if (args.epilogue.combine == Combine::none) continue;
    for (long j = 0; j < vectors * W; j += 16) {
      __builtin_prefetch(args.epilogue.other + r * args.epilogue.otherStride + column + j, 0, 3);
    }
  }
}

template <typename P>
void gemm(const GemmArgs& args, long task, float* scratch) {
  const long panels = ceilDivide(args.columns, P::COLUMNS);
  const long chunk = task / panels, panel = task % panels, column = panel * P::COLUMNS;
  const long first = chunk * args.chunkRows;
  const long rows = smaller(args.chunkRows, args.rows - first);
  const char* weight = reinterpret_cast<const char*>(args.weight) + panel * ceilDivide(args.depth, P::STEP_VALUES) * P::STEP_BYTES;
  const long from = args.fromDepth / P::STEP_VALUES, to = ceilDivide(args.toDepth, P::STEP_VALUES);
  const long block = ceilDivide(to - from, ceilDivide(to - from, P::BLOCK_STEPS));
  const long vectors = ceilDivide(smaller(P::COLUMNS, args.columns - column), W);
  P::begin();
  for (long k = from; k < to; k += block) {
    const long steps = smaller(block, to - k);
    const char* b = weight + k * P::STEP_BYTES;
    const char* next = b + steps * P::STEP_BYTES;
    const long aheadBytes = P::aheadBytes(steps), blockBytes = steps * P::STEP_BYTES;
    const bool last = k + steps == to;
    long fetched = 0;
    for (long r = 0; r < rows; r += P::ROWS_OF_TILE) {
      const long count = smaller(P::ROWS_OF_TILE, rows - r);
      float* c = scratch + r * P::COLUMNS;
      if (last) fetchDestination<P>(args, first + r, column, count, vectors);
      // The weights of the next block, spread over the first tiles; afterwards lines that are there already.
      P::multiply(args.a, first + r, k, b, c, steps, count, vectors, k > from, fetched < blockBytes ? next + fetched : b);
      fetched += aheadBytes;
      if (last) finishTile<P>(args, c, first + r, column, count, vectors);
    }
  }
  P::end();
}

template <typename P>
constexpr Product productOf() {
  return {P::ROWS, P::ROWS_OF_TILE, P::COLUMNS, P::SLICE_DEPTH, packedFloats<P>, pack<P>, gemm<P>};
}

}  // namespace
}  // namespace plumage
