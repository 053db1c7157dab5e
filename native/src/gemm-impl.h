// The matrix product, in tiles of MR rows x NR columns held in registers.
//
// A panel of NR weight columns is cut along k into blocks that stay in the first-level cache while the rows of a chunk pass; the
// chunk's rows stay in the second-level cache while the panels pass. Rows are read where they lie: slots have an odd number
// of cache lines to a row, so the rows of a tile never fall into one cache set.
#pragma once

#include "math-impl.h"

namespace plumage {
namespace {

// Steps of k in a round of the inner loop. A line of the next weights is fetched in each round of the first tiles: more at once
// would take the places of the loads that are needed now.
constexpr int ROUND = 4;
constexpr int COLUMN_ROUND = 2;

// c[R][NR] (+)= a * b over `depth` steps of k. Element (i, k) of a is at a[i * iStride + k * kStride]: one of
// the strides is 1, `stride` is the other.
// `ahead` is fetched towards the second-level cache, a line for each round.
template <int R, int N, bool rowsContiguous, bool accumulate>
INLINE void multiplyTile(const float* a, long stride, const float* b, float* c, long depth, const char* ahead) {
  constexpr int UNROLL = rowsContiguous ? ROUND : COLUMN_ROUND;
  V acc[R][N];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) acc[i][j] = accumulate ? load(c + i * NR + j * W) : V{};
  }
  // Three rows to a pointer: x86 addresses base, base + stride and base + 2 * stride. Otherwise a pointer for each k of a round.
  constexpr int P = rowsContiguous ? (R + 2) / 3 : UNROLL;
  const float* rows[P];
#pragma GCC unroll 16
  for (int i = 0; i < P; i++) rows[i] = rowsContiguous ? a + i * 3 * stride : a + i * stride;
  // Several k to a round: the counting would otherwise take turns from the multiplications at the same ports.
  long k = 0;
  for (; k + UNROLL <= depth; k += UNROLL) {
    __builtin_prefetch(ahead, 0, 2);
#pragma GCC unroll 8
    for (int u = 0; u < UNROLL; u++) {
      V right[N];
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) right[j] = load(b + u * NR + j * W);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        V left = splat(rowsContiguous ? rows[i / 3][(i % 3) * stride + u] : rows[u][i]);
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) acc[i][j] += left * right[j];
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < P; i++) rows[i] += rowsContiguous ? UNROLL : UNROLL * stride;
    b += UNROLL * NR;
    ahead += 64;
  }
  for (; k < depth; k++) {
    V right[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) right[j] = load(b + j * W);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      V left = splat(rowsContiguous ? rows[i / 3][(i % 3) * stride] : rows[0][i]);
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) acc[i][j] += left * right[j];
    }
#pragma GCC unroll 16
    for (int i = 0; i < P; i++) rows[i] += rowsContiguous ? 1 : stride;
    b += NR;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) store(c + i * NR + j * W, acc[i][j]);
  }
}

typedef void (*TileFunction)(const float*, long, const float*, float*, long, const char*);

template <int R, int N, bool rowsContiguous, bool accumulate>
__attribute__((noinline)) void tile(const float* a, long stride, const float* b, float* c, long depth, const char* ahead) {
  multiplyTile<R, N, rowsContiguous, accumulate>(a, stride, b, c, depth, ahead);
}

// The tile function for each number of rows up to MR. N: vectors side by side; fewer than NV in a last panel that is not full.
template <bool rowsContiguous, bool accumulate, int N = NV, int R = MR>
struct Tiles {
  static TileFunction of(long rows) {
    return rows == R ? tile<R, N, rowsContiguous, accumulate> : Tiles<rowsContiguous, accumulate, N, R - 1>::of(rows);
  }
};
template <bool rowsContiguous, bool accumulate, int N>
struct Tiles<rowsContiguous, accumulate, N, 1> {
  static TileFunction of(long) { return tile<1, N, rowsContiguous, accumulate>; }
};

template <bool accumulate>
TileFunction tileOf(long rows, long vectors) {
  if (vectors == 1) return Tiles<true, accumulate, 1>::of(rows);
  if (vectors == 2) return Tiles<true, accumulate, 2>::of(rows);
  return Tiles<true, accumulate>::of(rows);
}

INLINE long ceilDivide(long a, long b) { return (a + b - 1) / b; }
INLINE long smaller(long a, long b) { return a < b ? a : b; }

template <typename Function>
INLINE void finishTile(const Epilogue& e, Function f, const float* c, float* out, long outStride, long row, long column, long rows,
                       long vectors) {
  for (long j = 0; j < vectors; j++) {
    const long at = column + j * W;
    const V bias = e.bias == nullptr ? V{} : load(e.bias + at);
    for (long r = 0; r < rows; r++) {
      V v = load(c + r * NR + j * W) + bias;
      const float* other = e.other + (row + r) * e.otherStride + at;
      if (e.combine == Combine::gate) {
        v = f.apply(load(other)) * v;
      } else {
        v = f.apply(v);
        if (e.gamma != nullptr) v *= load(e.gamma + at);
        if (e.combine == Combine::add) v += load(other);
      }
      store(out + (row + r) * outStride + at, v);
    }
  }
}

// Asks for the lines that the epilogue will touch, while the last products are computed.
INLINE void fetchDestination(const GemmArgs& args, long row, long column, long rows, long vectors) {
  for (long r = row; r < row + rows; r++) {
    for (long j = 0; j < vectors * W; j += 16) {
      __builtin_prefetch(args.out + r * args.outStride + column + j, 1, 3);
      if (args.epilogue.combine != Combine::none) {
        __builtin_prefetch(args.epilogue.other + r * args.epilogue.otherStride + column + j, 0, 3);
      }
    }
  }
}

void gemm(const GemmArgs& args, long task, float* scratch) {
  const long panels = ceilDivide(args.columns, NR);
  const long chunk = task / panels, panel = task % panels;
  const long first = chunk * args.chunkRows;
  const long rows = smaller(args.chunkRows, args.rows - first);
  const float* weight = args.weight + panel * args.depth * NR;
  const long blocks = ceilDivide(args.depth, DEPTH_BLOCK);
  const long block = ceilDivide(args.depth, blocks);
  const long vectors = ceilDivide(smaller(NR, args.columns - panel * NR), W);
  const long linesOfBlock = block * NR * 4 / 64;
  const TileFunction begin = tileOf<false>(MR, vectors), go = tileOf<true>(MR, vectors);
  for (long k = 0; k < args.depth; k += block) {
    const long depth = smaller(block, args.depth - k);
    const float* b = weight + k * NR;
    const char* next = reinterpret_cast<const char*>(b + depth * NR);
    long line = 0;
    for (long r = 0; r < rows; r += MR) {
      const long count = smaller(MR, rows - r);
      const TileFunction function = count == MR ? (k == 0 ? begin : go)
                                    : k == 0    ? tileOf<false>(count, vectors)
                                                : tileOf<true>(count, vectors);
      // The weights of the next block, spread over the first tiles; afterwards lines that are there already.
      const char* ahead = line < linesOfBlock ? next + line * 64 : reinterpret_cast<const char*>(b);
      line += depth / ROUND;
      const bool last = k + depth == args.depth;
      if (last) fetchDestination(args, first + r, panel * NR, count, vectors);
      function(args.a + (first + r) * args.aStride + k, args.aStride, b, scratch + r * NR, depth, ahead);
      if (last) {
        withActivation(args.epilogue.activation, [&](auto f) {
          finishTile(args.epilogue, f, scratch + r * NR, args.out, args.outStride, first + r, panel * NR, count, vectors);
        });
      }
    }
  }
}

void packPanels(const float* weight, long columns, long depth, float* packed, long from, long to) {
  for (long panel = from; panel < to; panel++) {
    float* out = packed + panel * depth * NR;
    const long width = smaller(NR, columns - panel * NR);
    const float* in = weight + panel * NR * depth;
    // Sixteen k at a time: a line of each column is read once and written while it is in the cache.
    for (long k = 0; k < depth; k += 16) {
      const long end = smaller(k + 16, depth);
      for (long c = 0; c < width; c++) {
        for (long i = k; i < end; i++) out[i * NR + c] = in[c * depth + i];
      }
      for (long i = k; i < end; i++) {
        for (long c = width; c < NR; c++) out[i * NR + c] = 0;
      }
    }
  }
}

}  // namespace
}  // namespace plumage
