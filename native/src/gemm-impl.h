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

// Tells whether all columns of the panels are held: in bytes; in bfloat16 where rows are rounded to it too, for beside a value that bytes would lose the
// others to, what comes out is so large that rows of 8 bits lose what stands beside it.
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
    if constexpr (P::ROWS == Format::bfloat16) {
      for (long n = from * P::COLUMNS; n < smaller(to * P::COLUMNS, columns); n++) {
        if (isLostInInt8(weight + n * depth, depth, int8Scale(weight + n * depth, depth))) return false;
      }
    }
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

// Holds what the values of one panel have in common: bias and gamma, which are 0 and 1 where there are none, and what makes its sums values.
template <typename P>
struct PanelVectors {
  typedef typename P::Accumulator A;
  static constexpr long COUNT = P::COLUMNS / W;
  V bias[COUNT], gamma[COUNT], scale[COUNT];
  A offset[COUNT];
  long count;  // the output has so many vectors in this panel

  PanelVectors(const GemmArgs& args, long column) : count(ceilDivide(smaller(P::COLUMNS, args.columns - column), W)) {
    const Epilogue& e = args.epilogue;
    // Behind the panels lie the scales of all columns, then their offsets.
    const float* scales = args.weight + panelFloats<P>(args.columns, args.depth) + column;
    const float* offsets = scales + ceilDivide(args.columns, P::COLUMNS) * P::COLUMNS;
    for (long j = 0; j < COUNT; j++) {
      bias[j] = e.bias == nullptr || args.fromDepth > 0 || j >= count ? V{} : load(e.bias + column + j * W);
      gamma[j] = e.gamma == nullptr || j >= count ? splat(1.0f) : load(e.gamma + column + j * W);
      if constexpr (P::SCALED) scale[j] = load(scales + j * W);
      if constexpr (P::OFFSET) offset[j] = (A)load(offsets + j * W);
    }
  }
};

// Turns the sums of a finished tile into values of `out`, some rows at a time. What it needs is copied into it, so that the compiler need not fear that
// a value which is stored changes it.
template <typename P, Ending ending>
class Finish {
 public:
  Finish() = default;
  // `sums` are the tile's; `earlier` are added to them, where it is not null.
  Finish(const GemmArgs& args, const PanelVectors<P>& vectors, const float* sums, const float* earlier, long row, long column, long rows)
      : args_(&args),
        vectors_(&vectors),
        a_(args.a),
        out_(args.out),
        other_(args.epilogue.other + row * args.epilogue.otherStride + column),
        otherStride_(args.epilogue.otherStride),
        sums_(sums),
        earlier_(earlier),
        row_(row),
        column_(column),
        rows_(rows) {}

  void all() const {
    for (long r = 0; r < rows_; r += GROUP) someRows(r, smaller(r + GROUP, rows_));
  }
  bool isWhole() const { return rows_ == P::ROWS_OF_TILE; }
  // Writes `count` rows of a whole tile.
  template <long count>
  INLINE void someOfWhole(long from) const {
    someRows(from, from + count);
  }

  // Asks for the lines that a row will touch. Beside tiles they are fetched no nearer than to the second-level cache: what waits for lines from
  // beyond it would keep the tiles' own waiting.
  INLINE void fetchRow(long r) const {
    constexpr int NEARNESS = P::FINISHES_BESIDE ? 2 : 3;
    const bool wide = out_.format == Format::float32;
    const float* to = out_.data + (row_ + r) * out_.stride + (wide ? column_ : column_ / 2);
    for (long j = 0; j < P::COLUMNS; j += wide ? 16 : 32) __builtin_prefetch(to + (wide ? j : j / 2), P::FINISHES_BESIDE ? 0 : 1, NEARNESS);
    if (ending != Ending::add && ending != Ending::any) return;
    for (long j = 0; j < P::COLUMNS; j += 16) __builtin_prefetch(other_ + r * otherStride_ + j, 0, NEARNESS);
  }
  void fetchAll() const {
    for (long r = 0; r < rows_; r++) fetchRow(r);
  }

 private:
  static constexpr long GROUP = 4;

  INLINE void someRows(long from, long to) const {
    if constexpr (!P::ADDS_LAST_APART) {
      write<false>(from, to);
    } else if (earlier_ == nullptr) {
      write<false>(from, to);
    } else {
      write<true>(from, to);
    }
  }

  template <bool twice>
  INLINE void write(long from, long to) const {
    if constexpr (ending == Ending::any) return writeAny<twice>(from, to);
    for (long r = from; r < to; r++) {
      const V rowScale = rowScaleOf(r);
      storeValues(out_, row_ + r, column_, PanelVectors<P>::COUNT, [&](long j) {
        const V v = sumAt<twice>(rowScale, r, j) + vectors_->bias[j];
        if constexpr (ending == Ending::gelu) return gelu(v);
        if constexpr (ending == Ending::geluShort) return geluShort(v);
        if constexpr (ending == Ending::add) return v * vectors_->gamma[j] + load(other_ + r * otherStride_ + j * W);
        return v;
      });
    }
  }

  template <bool twice>
  void writeAny(long from, long to) const {
    const Epilogue& e = args_->epilogue;
    const long count = vectors_->count;
    alignas(64) float values[GROUP * P::COLUMNS];
    for (long r = from; r < to; r++) {
      const V rowScale = rowScaleOf(r);
      for (long j = 0; j < count; j++) store(values + (r - from) * P::COLUMNS + j * W, sumAt<twice>(rowScale, r, j) + vectors_->bias[j]);
    }
    const bool gated = e.combine == Combine::gate;
    if (!gated && e.activation != Activation::identity) activateAll(e.activation, values, (to - from) * P::COLUMNS);
    for (long r = from; r < to; r++) {
      const float* value = values + (r - from) * P::COLUMNS;
      const float* other = other_ + r * otherStride_;
      alignas(64) float gate[P::COLUMNS];
      if (gated) {
        for (long j = 0; j < count; j++) store(gate + j * W, load(other + j * W));
        activateAll(e.activation, gate, count * W);
      }
      storeValues(out_, row_ + r, column_, count, [&](long j) {
        const V v = load(value + j * W);
        if (gated) return load(gate + j * W) * v;
        return e.combine == Combine::add ? v * vectors_->gamma[j] + load(other + j * W) : v * vectors_->gamma[j];
      });
    }
  }

  INLINE V rowScaleOf(long r) const { return isInteger(P::ROWS) ? splat(integerRowScale(a_, row_ + r)) : V{}; }

  template <bool twice>
  INLINE V sumAt(V rowScale, long r, long j) const {
    typedef typename P::Accumulator A;
    A sum = (A)load(P::vectorAt(sums_, r, j));
    if (twice) sum += (A)load(P::vectorAt(earlier_, r, j));
    if constexpr (P::OFFSET) sum -= vectors_->offset[j];
    if constexpr (isInteger(P::ROWS)) {
      return __builtin_convertvector(sum, V) * (vectors_->scale[j] * rowScale);
    } else if constexpr (P::SCALED) {
      return sum * vectors_->scale[j];
    } else {
      return sum;
    }
  }

  const GemmArgs* args_;
  const PanelVectors<P>* vectors_;
  Rows a_, out_;
  const float* other_;
  long otherStride_;
  const float* sums_;
  const float* earlier_;
  long row_, column_, rows_ = 0;
};

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
    Finish<P, ending> previous{};
    for (long r = 0; r < rows; r += P::ROWS_OF_TILE) {
      const long count = smaller(P::ROWS_OF_TILE, rows - r);
      float* c = scratch + r * P::COLUMNS;
      float* sums = apart ? lastSums + r / P::ROWS_OF_TILE % 2 * P::ROWS_OF_TILE * P::COLUMNS : c;
      Finish<P, ending> current{};
      if (last) current = Finish<P, ending>(args, vectors, sums, apart ? c : nullptr, first + r, column, count);
      if (!P::FINISHES_BESIDE) current.fetchAll();
      // Fetching the next block's weights is spread over the first tiles; the others fetch lines that are there already.
      const char* ahead = fetched < blockBytes ? next + fetched : stored;
      P::multiply(args.a, first + r, k, b, sums, steps, count, vectors.count, k > from && !apart, ahead, previous, current);
      fetched += aheadBytes;
      if (P::FINISHES_BESIDE) {
        previous = current;
      } else {
        current.all();
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
