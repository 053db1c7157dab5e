// Drives the matrix product: decides which part of it meets which in which cache, and what happens to a finished tile.
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

// Gives the floats that the panels of a weight take for a product P; its scales begin behind them.
template <typename P>
long panelFloats(long columns, long depth) {
  return ceilDivide(ceilDivide(columns, P::COLUMNS) * ceilDivide(depth, P::STEP_VALUES) * P::STORED_BYTES, 64) * 16;
}

template <typename P>
long packedFloats(long columns, long depth) {
  const long scales = (P::SCALED ? 1 : 0) + (P::OFFSET ? 1 : 0);
  return panelFloats<P>(columns, depth) + scales * ceilDivide(columns, P::COLUMNS) * P::COLUMNS;
}

// Writes panels [from, to) with their scales and byte sums; `scaleOf` gives the scale of a column.
template <typename P, typename Value, typename ScaleOf>
void packScaled(const Value* weight, long columns, long depth, float* packed, long from, long to, const ScaleOf& scaleOf) {
  float* scales = packed + panelFloats<P>(columns, depth);
  int* sums = reinterpret_cast<int*>(scales + ceilDivide(columns, P::COLUMNS) * P::COLUMNS);
  for (long n = from * P::COLUMNS; n < to * P::COLUMNS; n++) {
    scales[n] = n < columns ? scaleOf(n) : 0;
    if (P::OFFSET) sums[n] = n < columns ? int8Sum(weight + n * depth, depth, scales[n]) * 128 : 0;
  }
  P::packPanels(weight, scales, columns, depth, packed, from, to);
}

// Tells whether bytes hold all columns of the panels.
template <typename P>
bool pack(const float* weight, long columns, long depth, float* packed, long from, long to) {
  if constexpr (P::SCALED) {
    bool holds = true;
    packScaled<P>(weight, columns, depth, packed, from, to, [&](long n) {
      const float scale = int8Scale(weight + n * depth, depth);
      if (isLostInInt8(weight + n * depth, depth, scale)) holds = false;
      return scale;
    });
    return holds;
  } else {
    P::packPanels(weight, nullptr, columns, depth, packed, from, to);
    return true;
  }
}

template <typename P>
void packBytes(const signed char* weight, const float* scales, long columns, long depth, float* packed, long from, long to) {
  packScaled<P>(weight, columns, depth, packed, from, to, [&](long n) { return scales[n]; });
}

template <typename P>
constexpr auto bytePacker() -> decltype(&packBytes<P>) {
  if constexpr (P::SCALED) {
    return packBytes<P>;
  } else {
    return nullptr;
  }
}

// Names what a finished tile's sums go through on their way out. The common ways each have code of their own, without choices inside.
enum class Ending { plain, add, gelu, geluShort, any };

// Holds bias and gamma of one panel. Where there is none they are 0 and 1.
template <typename P>
struct PanelVectors {
  static constexpr long COUNT = P::COLUMNS / W;
  V bias[COUNT], gamma[COUNT];
  long count;  // the output has so many vectors in this panel

  PanelVectors(const GemmArgs& args, long column) : count(ceilDivide(smaller(P::COLUMNS, args.columns - column), W)) {
    const Epilogue& e = args.epilogue;
    for (long j = 0; j < COUNT; j++) {
      bias[j] = e.bias == nullptr || args.fromDepth > 0 || j >= count ? V{} : load(e.bias + column + j * W);
      gamma[j] = e.gamma == nullptr || j >= count ? splat(1.0f) : load(e.gamma + column + j * W);
    }
  }
};

// Turns the sums of a finished tile into values of `out`, some rows at a time.
template <typename P, Ending ending>
class Finish {
 public:
  Finish() = default;
  // `sums` are the tile's; `earlier` are added to them, where it is not null.
  Finish(const GemmArgs& args, const PanelVectors<P>& vectors, const float* sums, const float* earlier, long row, long column, long rows)
      : args_(&args), vectors_(&vectors), sums_(sums), earlier_(earlier), row_(row), column_(column), rows_(rows) {}

  // Writes rows [from, to) of the tile, at most GROUP; those that it does not have are left out.
  static constexpr long GROUP = 4;
  INLINE void rows(long from, long to) const {
    to = smaller(to, rows_);
    if (from >= to) return;
    if constexpr (ending == Ending::any) return anyRows(from, to);
    for (long r = from; r < to; r++) {
      const float* other = args_->epilogue.other + (row_ + r) * args_->epilogue.otherStride + column_;
      storeValues(args_->out, row_ + r, column_, PanelVectors<P>::COUNT, [&](long j) {
        const V v = sumAt(r, j) + vectors_->bias[j];
        if constexpr (ending == Ending::gelu) return gelu(v);
        if constexpr (ending == Ending::geluShort) return geluShort(v);
        if constexpr (ending == Ending::add) return v * vectors_->gamma[j] + load(other + j * W);
        return v;
      });
    }
  }

  void all() const {
    for (long r = 0; r < rows_; r += GROUP) rows(r, r + GROUP);
  }

 private:
  void anyRows(long from, long to) const {
    const Epilogue& e = args_->epilogue;
    const long count = vectors_->count;
    alignas(64) float values[GROUP * P::COLUMNS];
    for (long r = from; r < to; r++) {
      for (long j = 0; j < count; j++) store(values + (r - from) * P::COLUMNS + j * W, sumAt(r, j) + vectors_->bias[j]);
    }
    const bool gated = e.combine == Combine::gate;
    if (!gated && e.activation != Activation::identity) activateAll(e.activation, values, (to - from) * P::COLUMNS);
    for (long r = from; r < to; r++) {
      const float* value = values + (r - from) * P::COLUMNS;
      const float* other = e.other + (row_ + r) * e.otherStride + column_;
      alignas(64) float gate[P::COLUMNS];
      if (gated) {
        for (long j = 0; j < count; j++) store(gate + j * W, load(other + j * W));
        activateAll(e.activation, gate, count * W);
      }
      storeValues(args_->out, row_ + r, column_, count, [&](long j) {
        const V v = load(value + j * W);
        if (gated) return load(gate + j * W) * v;
        return e.combine == Combine::add ? v * vectors_->gamma[j] + load(other + j * W) : v * vectors_->gamma[j];
      });
    }
  }

  INLINE V sumAt(long r, long j) const {
    typedef typename P::Accumulator A;
    A sum = (A)load(P::vectorAt(sums_, r, j));
    if (earlier_ != nullptr) sum += (A)load(P::vectorAt(earlier_, r, j));
    const float* scales = args_->weight + panelFloats<P>(args_->columns, args_->depth) + column_ + j * W;
    if constexpr (P::OFFSET) sum -= (A)load(scales + ceilDivide(args_->columns, P::COLUMNS) * P::COLUMNS);
    if constexpr (isInteger(P::ROWS)) {
      return __builtin_convertvector(sum, V) * (load(scales) * integerRowScale(args_->a, row_ + r));
    } else if constexpr (P::SCALED) {
      return sum * load(scales);
    } else {
      return sum;
    }
  }

  const GemmArgs* args_;
  const PanelVectors<P>* vectors_;
  const float* sums_;
  const float* earlier_;
  long row_, column_, rows_ = 0;
};

// Asks for the lines that Finish will touch, while the last products are computed.
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

template <typename P, Ending ending>
void gemmEnding(const GemmArgs& args, long task, float* scratch) {
  const long panels = ceilDivide(args.columns, P::COLUMNS);
  const long chunk = task / panels, panel = task % panels, column = panel * P::COLUMNS;
  const long first = chunk * args.chunkRows;
  const long rows = smaller(args.chunkRows, args.rows - first);
  const char* weight = reinterpret_cast<const char*>(args.weight) + panel * ceilDivide(args.depth, P::STEP_VALUES) * P::STORED_BYTES;
  const long from = args.fromDepth / P::STEP_VALUES, to = ceilDivide(args.toDepth, P::STEP_VALUES);
  const long block = ceilDivide(to - from, ceilDivide(to - from, P::BLOCK_STEPS));
  const PanelVectors<P> vectors(args, column);
  float* lastSums = scratch + ceilDivide(args.chunkRows, P::ROWS_OF_TILE) * P::ROWS_OF_TILE * P::COLUMNS;
  P::begin();
  for (long k = from; k < to; k += block) {
    const long steps = smaller(block, to - k);
    const char* stored = weight + k * P::STORED_BYTES;
    const char* next = stored + steps * P::STORED_BYTES;
    const long aheadBytes = P::aheadBytes(steps), blockBytes = steps * P::STORED_BYTES;
    const char* b = stored;
    alignas(64) float widened[P::WIDENS ? P::BLOCK_STEPS * P::COLUMNS : 1];
    if constexpr (P::WIDENS) {
      P::widenSteps(stored, steps, widened);
      b = reinterpret_cast<const char*>(widened);
    }
    const bool last = k + steps == to;
    // Tiles that read sums back wait long for it: the sums of the last block are added where the tile is finished.
    const bool apart = last && k > from && P::ADDS_LAST_APART;
    long fetched = 0;
    Finish<P, ending> previous;
    for (long r = 0; r < rows; r += P::ROWS_OF_TILE) {
      const long count = smaller(P::ROWS_OF_TILE, rows - r);
      float* c = scratch + r * P::COLUMNS;
      float* sums = apart ? lastSums + r / P::ROWS_OF_TILE % 2 * P::ROWS_OF_TILE * P::COLUMNS : c;
      if (last) fetchDestination<P>(args, first + r, column, count, vectors.count);
      // Fetching the next block's weights is spread over the first tiles; the others fetch lines that are there already.
      const char* ahead = fetched < blockBytes ? next + fetched : stored;
      P::multiply(args.a, first + r, k, b, sums, steps, count, vectors.count, k > from && !apart, ahead, previous);
      fetched += aheadBytes;
      if (last) previous = Finish<P, ending>(args, vectors, sums, apart ? c : nullptr, first + r, column, count);
      if (!P::FINISHES_BESIDE) {
        previous.all();
        previous = Finish<P, ending>();
      }
    }
    previous.all();
  }
  P::end();
}

template <typename P>
void gemm(const GemmArgs& args, long task, float* scratch) {
  const Epilogue& e = args.epilogue;
  const bool whole = args.columns % P::COLUMNS == 0;
  if (whole && e.activation == Activation::identity && e.combine == Combine::none && e.gamma == nullptr) {
    gemmEnding<P, Ending::plain>(args, task, scratch);
  } else if (whole && e.activation == Activation::identity && e.combine == Combine::add) {
    gemmEnding<P, Ending::add>(args, task, scratch);
  } else if (whole && e.activation == Activation::gelu && e.combine == Combine::none && e.gamma == nullptr) {
    // Integers round away more than the short way does.
    if (args.out.format == Format::bfloat16 || isInteger(P::ROWS)) {
      gemmEnding<P, Ending::geluShort>(args, task, scratch);
    } else {
      gemmEnding<P, Ending::gelu>(args, task, scratch);
    }
  } else {
    gemmEnding<P, Ending::any>(args, task, scratch);
  }
}

template <typename P>
constexpr Product productOf() {
  static_assert(!P::OFFSET || P::SLICE_DEPTH == 0, "the offset of a column is that of its whole depth, and would be taken off in each slice");
  return {P::ROWS, P::ROWS_OF_TILE, P::COLUMNS, P::SLICE_DEPTH, packedFloats<P>, pack<P>, bytePacker<P>(), gemm<P>, P::peak};
}

}  // namespace
}  // namespace plumage
