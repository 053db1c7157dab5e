// Multiplies in vector registers: in tiles of some rows x VECTORS vectors of columns, with one policy for each kind of operand.
//
// A policy says what a step of the sum is, and how large a tile is. The left operand always moves on by one float a step (one value, two
// bfloat16 or four bytes), broadcast to all lanes; the right one by STEP_BYTES, a number for each lane. Where WIDENS, weights are kept in
// STORED_BYTES a step and made wide block by block, before all tiles of a chunk.
#pragma once

#include <type_traits>

#include "math-impl.h"

namespace plumage {
namespace {

INLINE long ceilDivide(long a, long b) { return (a + b - 1) / b; }
INLINE long smaller(long a, long b) { return a < b ? a : b; }

typedef unsigned short Halves __attribute__((vector_size(VECTOR_WIDTH * 2)));
typedef signed char Bytes __attribute__((vector_size(VECTOR_WIDTH)));
typedef Halves UnalignedHalves __attribute__((aligned(2), may_alias));
typedef Bytes UnalignedBytes __attribute__((aligned(1), may_alias));

INLINE unsigned short roundToBfloat16(float value) {
  unsigned bits;
  __builtin_memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<unsigned short>(bits >> 16 | 0x40);  // NaN stays NaN
  return static_cast<unsigned short>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
INLINE float fromBfloat16(unsigned short value) {
  const unsigned bits = static_cast<unsigned>(value) << 16;
  float result;
  __builtin_memcpy(&result, &bits, 4);
  return result;
}

// The scales of a packed int8 weight lie behind its panels: one float for each column, then 128 times the sum of the column's bytes.
INLINE float int8Scale(const float* row, long depth) {
  V most{};
  long k = 0;
  for (; k + W <= depth; k += W) {
    const V size = absolute(load(row + k));
    most = size > most ? size : most;
  }
  float largest = 0;
  for (long i = 0; i < W; i++) largest = most[i] > largest ? most[i] : largest;
  for (; k < depth; k++) largest = __builtin_fabsf(row[k]) > largest ? __builtin_fabsf(row[k]) : largest;
  return largest / 127.0f;
}
INLINE int toInt8(float value, float scale) {
  return scale > 0 ? static_cast<int>(__builtin_rintf(value / scale)) : 0;
}
// Tells whether nine tenths of the values of a row, zeros aside, become zero beside its largest: as bytes it would be little but that one value.
INLINE bool isLostInInt8(const float* row, long depth, float scale) {
  const V half = splat(0.5f * scale);
  I lost{}, zeros{};
  long k = 0;
  for (; k + W <= depth; k += W) {
    const V size = absolute(load(row + k));
    lost += size <= half;
    zeros += size == V{};
  }
  // A lane in which a comparison holds is -1.
  long lostCount = 0, zeroCount = 0;
  for (long i = 0; i < W; i++) {
    lostCount -= lost[i];
    zeroCount -= zeros[i];
  }
  for (; k < depth; k++) {
    lostCount += __builtin_fabsf(row[k]) <= 0.5f * scale;
    zeroCount += row[k] == 0;
  }
  return 10 * (lostCount - zeroCount) > 9 * (depth - zeroCount);
}
// Added and taken away again, this leaves no room for a fraction.
constexpr float WHOLE = 0x1.8p23f;
// Makes bytes of some values of a row.
INLINE void toBytes(const float* in, long count, float scale, signed char* out) {
  long k = 0;
  if (scale > 0) {
    for (; k + W <= count; k += W) {
      const V whole = (load(in + k) / splat(scale) + splat(WHOLE)) - splat(WHOLE);
      *reinterpret_cast<UnalignedBytes*>(out + k) = __builtin_convertvector(__builtin_convertvector(whole, I), Bytes);
    }
  }
  for (; k < count; k++) out[k] = static_cast<signed char>(toInt8(in[k], scale));
}
INLINE void toBytes(const signed char* in, long count, float, signed char* out) { __builtin_memcpy(out, in, static_cast<size_t>(count)); }

INLINE int int8Sum(const float* row, long depth, float scale) {
  if (!(scale > 0)) return 0;
  V sums{};
  long k = 0;
  for (; k + W <= depth; k += W) sums += (load(row + k) / splat(scale) + splat(WHOLE)) - splat(WHOLE);
  int total = static_cast<int>(sum(sums));
  for (; k < depth; k++) total += toInt8(row[k], scale);
  return total;
}

INLINE int int8Sum(const signed char* row, long depth, float) {
  int total = 0;
  for (long k = 0; k < depth; k++) total += row[k];
  return total;
}

// Holds a part of a panel while it is packed: columns lie one below the other, and zeros where the weight ends.
template <typename T>
struct PackBlock {
  static constexpr long DEPTH = 64 / static_cast<long>(sizeof(T)), MOST_COLUMNS = 4 * W;
  alignas(64) T values[MOST_COLUMNS][DEPTH];
};
typedef PackBlock<float> FloatBlock;
typedef PackBlock<signed char> ByteBlock;

// A tile has as many sums as there are registers, less those for operands.
struct Float32Tile {
  static constexpr int MOST_ROWS = MR, VECTORS = NV;
  static constexpr long COLUMNS = NR;
};

struct Float32Product : Float32Tile {
  typedef V Accumulator;
  static constexpr bool WIDENS = false;
  static constexpr Format ROWS = Format::float32;
  static constexpr long STEP_VALUES = 1, STEP_BYTES = NR * 4, STORED_BYTES = STEP_BYTES;
  static constexpr bool SCALED = false, OFFSET = false;
  static INLINE V right(const char* b, int j) { return load(reinterpret_cast<const float*>(b) + j * W); }
  static INLINE V left(const float* a) { return splat(*a); }
  static INLINE void add(V& sum, V left, V right) { sum += left * right; }
  static INLINE void pack(const FloatBlock& block, long k, char* out) {
    for (long c = 0; c < NR; c++) reinterpret_cast<float*>(out)[c] = block.values[c][k];
  }
};

// Keeps weights in half or a quarter of the memory and multiplies in float32, for processors that multiply nothing narrower.
struct Bfloat16WeightsProduct : Float32Product {
  static constexpr bool WIDENS = true;
  static constexpr long STORED_BYTES = NR * 2;
  static INLINE V widen(const char* b) {
    const Halves h = *reinterpret_cast<const UnalignedHalves*>(b);
    return (V)(__builtin_convertvector(h, I) << 16);
  }
  static INLINE void pack(const FloatBlock& block, long k, char* out) {
    for (long c = 0; c < NR; c++) reinterpret_cast<unsigned short*>(out)[c] = roundToBfloat16(block.values[c][k]);
  }
};
struct Int8WeightsProduct : Float32Product {
  static constexpr bool WIDENS = true;
  static constexpr long STORED_BYTES = NR;
  static constexpr bool SCALED = true;
  static INLINE V widen(const char* b) {
#if VECTOR_WIDTH == 16
    // GCC takes the conversion of whole vectors apart lane by lane.
    return (V)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b))));
#else
    return __builtin_convertvector(__builtin_convertvector(*reinterpret_cast<const UnalignedBytes*>(b), I), V);
#endif
  }
  static INLINE void pack(const ByteBlock& block, long k, char* out) {
    for (long c = 0; c < NR; c++) out[c] = static_cast<char>(block.values[c][k]);
  }
};

// Adds dot products of pairs or fours, which lie side by side in one float, to a lane of the sums.
template <typename Tile, typename Sums, long values>
struct DotProduct : Tile {
  using Tile::COLUMNS;
  typedef Sums Accumulator;
  static constexpr bool WIDENS = false;
  static constexpr long STEP_VALUES = values, STEP_BYTES = COLUMNS * 4, STORED_BYTES = STEP_BYTES;
  static INLINE I right(const char* b, int j) { return (I)load(reinterpret_cast<const float*>(b) + j * W); }
  static INLINE I left(const float* a) { return isplat(*reinterpret_cast<const int __attribute__((may_alias))*>(a)); }
  static INLINE void packBytes(const ByteBlock& block, long k, char* out) {
    for (long c = 0; c < COLUMNS; c++) __builtin_memcpy(out + c * values, block.values[c] + k, values);
  }
};

#if defined(__AVX2__)
INLINE void addProducts(I& sum, I left, I right) {
#if VECTOR_WIDTH == 16
  sum += (I)_mm512_madd_epi16((__m512i)left, (__m512i)right);
#else
  sum += (I)_mm256_madd_epi16((__m256i)left, (__m256i)right);
#endif
  // GCC would make the products of several steps before it adds them, and has no registers for so many.
  __asm__("" : PLUMAGE_ANY_REGISTER(sum));
}
#endif

#if defined(__AVX2__) && !defined(DOT_TILE_ROWS)
// Multiplies bytes as integers of 16 bits, of which there are two in a lane, where the processor has no products of bytes that keep whole sums.
// The other operand is then as exact as these sums allow, which costs nothing.
struct Int16RowsProduct : DotProduct<Float32Tile, I, 2> {
  static constexpr bool WIDENS = true;
  static constexpr Format ROWS = Format::int16;
  static constexpr long STORED_BYTES = NR * 2;
  static constexpr bool SCALED = true, OFFSET = false;
  static INLINE void add(I& sum, I left, I right) { addProducts(sum, left, right); }
  static INLINE V widen(const char* b) {
#if VECTOR_WIDTH == 16
    return (V)_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
#else
    return (V)_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
#endif
  }
  static INLINE void pack(const ByteBlock& block, long k, char* out) { packBytes(block, k, out); }
};
#endif

#if defined(__AVX2__)
// Multiplies integers of 16 bits, both operands of which are there as it reads them.
struct Int16Product : DotProduct<Float32Tile, I, 2> {
  static INLINE void add(I& sum, I left, I right) {
#if defined(__AVX512VNNI__) && VECTOR_WIDTH == 16
    sum = (I)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)left, (__m512i)right);
#elif defined(__AVXVNNI__) && VECTOR_WIDTH == 8
    sum = (I)_mm256_dpwssd_avx_epi32((__m256i)sum, (__m256i)left, (__m256i)right);
#else
    addProducts(sum, left, right);
#endif
  }
};
#endif

#if defined(DOT_TILE_ROWS)
struct DotTile {
  static constexpr int MOST_ROWS = DOT_TILE_ROWS, VECTORS = DOT_TILE_VECTORS;
  static constexpr long COLUMNS = VECTORS * W;
};

#if defined(__AVX512BF16__)
struct Bfloat16Product : DotProduct<DotTile, V, 2> {
  static constexpr Format ROWS = Format::bfloat16;
  static constexpr bool SCALED = false, OFFSET = false;
  static INLINE void add(V& sum, I left, I right) { sum = (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)left, (__m512bh)right); }
  static INLINE void pack(const FloatBlock& block, long k, char* out) {
    unsigned short* to = reinterpret_cast<unsigned short*>(out);
    for (long c = 0; c < COLUMNS; c++) {
      for (long i = 0; i < 2; i++) to[c * 2 + i] = roundToBfloat16(block.values[c][k + i]);
    }
  }
};
#endif

struct Int8Product : DotProduct<DotTile, I, 4> {
  static constexpr Format ROWS = Format::int8;
  static constexpr bool SCALED = true, OFFSET = true;
  static INLINE void add(I& sum, I left, I right) {
#if VECTOR_WIDTH == 16
    sum = (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)left, (__m512i)right);
#else
    sum = (I)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)left, (__m256i)right);
#endif
  }
  static INLINE void pack(const ByteBlock& block, long k, char* out) { packBytes(block, k, out); }
};
#endif

// The inner loop takes so many steps in a round. A line of the next weights is fetched in each round of the first tiles: more at once
// would take the places of the loads that are needed now.
constexpr int ROUND = 4;
constexpr int COLUMN_ROUND = 2;

// Computes c[R][COLUMNS] (+)= a * b over `steps`. Element (i, k) of a is at a[i * iStride + k * kStride]: one of the strides is 1, `stride` is
// the other. `ahead` is fetched towards the second-level cache, a line for each round.
template <typename P, int R, int N, bool rowsContiguous, bool accumulate>
INLINE void multiplyTile(const float* a, long stride, const char* b, float* c, long steps, const char* ahead) {
  typedef typename P::Accumulator A;
  constexpr int UNROLL = rowsContiguous ? ROUND : COLUMN_ROUND;
  A acc[R][N];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) acc[i][j] = accumulate ? (A)load(c + i * P::COLUMNS + j * W) : A{};
  }
  // Three rows share a pointer, because x86 addresses base, base + stride and base + 2 * stride. Otherwise each step of a round has one.
  constexpr int POINTERS = rowsContiguous ? (R + 2) / 3 : UNROLL;
  const float* rows[POINTERS];
#pragma GCC unroll 16
  for (int i = 0; i < POINTERS; i++) rows[i] = rowsContiguous ? a + i * 3 * stride : a + i * stride;
  // A round has several steps, because the counting would otherwise take turns from the multiplications at the same ports.
  long k = 0;
  for (; k + UNROLL <= steps; k += UNROLL) {
    __builtin_prefetch(ahead, 0, 2);
#pragma GCC unroll 8
    for (int u = 0; u < UNROLL; u++) {
      decltype(P::right(b, 0)) right[N];
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) right[j] = P::right(b + u * P::STEP_BYTES, j);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        const auto left = P::left(rowsContiguous ? rows[i / 3] + (i % 3) * stride + u : rows[u] + i);
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) P::add(acc[i][j], left, right[j]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < POINTERS; i++) rows[i] += rowsContiguous ? UNROLL : UNROLL * stride;
    b += UNROLL * P::STEP_BYTES;
    ahead += 64;
  }
  for (; k < steps; k++) {
    decltype(P::right(b, 0)) right[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) right[j] = P::right(b, j);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const auto left = P::left(rowsContiguous ? rows[i / 3] + (i % 3) * stride : rows[0] + i);
#pragma GCC unroll 4
      for (int j = 0; j < N; j++) P::add(acc[i][j], left, right[j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < POINTERS; i++) rows[i] += rowsContiguous ? 1 : stride;
    b += P::STEP_BYTES;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) store(c + i * P::COLUMNS + j * W, (V)acc[i][j]);
  }
}

typedef void (*TileFunction)(const float*, long, const char*, float*, long, const char*);

template <typename P, int R, int N, bool rowsContiguous, bool accumulate>
__attribute__((noinline)) void tile(const float* a, long stride, const char* b, float* c, long steps, const char* ahead) {
  multiplyTile<P, R, N, rowsContiguous, accumulate>(a, stride, b, c, steps, ahead);
}

// Finds the tile function for a number of rows. N vectors lie side by side; they are fewer than VECTORS in a last panel that is not full.
template <typename P, bool rowsContiguous, bool accumulate, int N = P::VECTORS, int R = P::MOST_ROWS>
struct Tiles {
  static TileFunction of(long rows) {
    return rows == R ? tile<P, R, N, rowsContiguous, accumulate> : Tiles<P, rowsContiguous, accumulate, N, R - 1>::of(rows);
  }
};
template <typename P, bool rowsContiguous, bool accumulate, int N>
struct Tiles<P, rowsContiguous, accumulate, N, 1> {
  static TileFunction of(long) { return tile<P, 1, N, rowsContiguous, accumulate>; }
};

// Finds it for a number of vectors too.
template <typename P, bool rowsContiguous, bool accumulate>
INLINE TileFunction tileOf(long rows, long vectors) {
  if (vectors == 1) return Tiles<P, rowsContiguous, accumulate, 1>::of(rows);
  if (vectors == 2) return Tiles<P, rowsContiguous, accumulate, 2>::of(rows);
  return Tiles<P, rowsContiguous, accumulate>::of(rows);
}

// Has what the driver in gemm-impl.h needs of a product that works on vector registers.
template <typename Policy>
struct VectorProduct : Policy {
  using Policy::COLUMNS;
  static constexpr long ROWS_OF_TILE = Policy::MOST_ROWS, BLOCK_STEPS = DEPTH_BLOCK, SLICE_DEPTH = Policy::OFFSET ? 0 : 1024;
  // Says how many bytes a tile function fetches ahead.
  static long aheadBytes(long steps) { return steps / ROUND * 64; }
  static void begin() {}
  static void end() {}
  // Sums are added up where they lie, and a tile is finished before the next is begun: registers have no time to spare beside products.
  static constexpr bool ADDS_LAST_APART = false, FINISHES_BESIDE = false;
  template <typename Finish>
  static INLINE void multiply(const Rows& a, long row, long step, const char* b, float* c, long steps, long rows, long vectors,
                              bool accumulate, const char* ahead, const Finish&, const Finish&) {
    const TileFunction function = accumulate ? tileOf<Policy, true, true>(rows, vectors) : tileOf<Policy, true, false>(rows, vectors);
    function(a.data + row * a.stride + step, a.stride, b, c, steps, ahead);
  }
  static INLINE const float* vectorAt(const float* c, long row, long vector) { return c + row * COLUMNS + vector * W; }

  // The sums of this measurement do not wait for each other.
  static double peak(long repetitions) {
    typedef typename Policy::Accumulator A;
    constexpr int CHAINS = 12;
    alignas(64) float operands[2 * COLUMNS];
    for (long i = 0; i < 2 * COLUMNS; i++) operands[i] = 0.001f * static_cast<float>(i);
    A sums[CHAINS] = {};
    auto left = Policy::left(operands + 1);
    const auto right = Policy::right(reinterpret_cast<const char*>(operands), 0);
    for (long k = 0; k < repetitions; k++) {
#pragma GCC unroll 12
      for (int i = 0; i < CHAINS; i++) {
        // Nobody may know that the products are all the same.
        __asm__ volatile("" : PLUMAGE_ANY_REGISTER(left));
        Policy::add(sums[i], left, right);
      }
    }
    A total{};
    for (int i = 0; i < CHAINS; i++) total += sums[i];
    volatile auto seen = total[0];
    static_cast<void>(seen);
    return 2.0 * CHAINS * W * Policy::STEP_VALUES * static_cast<double>(repetitions);
  }

  // Makes the steps of a panel as wide as products read them.
  static INLINE void widenSteps(const char* b, long steps, float* out) {
    for (long i = 0; i < steps * Policy::VECTORS; i++) store(out + i * W, Policy::widen(b + i * (Policy::STORED_BYTES / Policy::VECTORS)));
  }

  // `scales` are those of all columns, for a product that has any. A weight comes as floats, or as bytes.
  template <typename Value>
  static void packPanels(const Value* weight, const float* scales, long columns, long depth, float* packed, long from, long to) {
    typedef std::conditional_t<Policy::SCALED, ByteBlock, FloatBlock> Block;
    const long steps = ceilDivide(depth, Policy::STEP_VALUES);
    Block block{};
    for (long panel = from; panel < to; panel++) {
      char* out = reinterpret_cast<char*>(packed) + panel * steps * Policy::STORED_BYTES;
      const long first = panel * COLUMNS, width = smaller(COLUMNS, columns - first);
      // A line of each column is read once and written while it is in the cache.
      for (long k = 0; k < depth; k += Block::DEPTH) {
        const long count = smaller(Block::DEPTH, depth - k);
        for (long c = 0; c < COLUMNS; c++) {
          const long own = c < width ? count : 0;
          const Value* in = weight + (first + c) * depth + k;
          if constexpr (Policy::SCALED) {
            toBytes(in, own, scales[first + c], block.values[c]);
          } else {
            __builtin_memcpy(block.values[c], in, static_cast<size_t>(own) * sizeof(float));
          }
          if (own < Block::DEPTH) __builtin_memset(block.values[c] + own, 0, static_cast<size_t>(Block::DEPTH - own) * sizeof(block.values[c][0]));
        }
        for (long i = 0; i < count; i += Policy::STEP_VALUES, out += Policy::STORED_BYTES) Policy::pack(block, i, out);
      }
    }
  }
};

}  // namespace
}  // namespace plumage
