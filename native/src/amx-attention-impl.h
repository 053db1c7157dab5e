// Scaled dot-product attention on matrix tiles: 32 queries of one head at a time pass all keys.
//
// As in attention-impl.h everything is transposed: scores are [key][query], the result [column][query]. Keys are then read where they
// lie, queries sit in the lanes of vectors, and the exponentials of two keys side by side are what the product with the values wants.
//
// Scores are not shifted by their largest: bfloat16 and float32 hold 2^-126 to 2^127, so an exponential loses nothing while |score| is at
// most LIMIT, and |q| times the longest |k| shows that before any score is known. Where it does not, the scores are computed twice.
#pragma once

#include "amx-impl.h"
#include "attention-impl.h"

namespace plumage {
namespace {

constexpr long QUERIES = 32, STRIP = 32;
constexpr float LIMIT = 80.0f;
// What the vector units have written must be in memory before a tile is loaded: the compiler does not know that tiles read it.
INLINE void settle() { __asm__ volatile("" ::: "memory"); }

// 2^x for |x| <= 126 to 8e-5, which bfloat16 rounds away: the whole part of x goes to the exponent, and a cubic of the rest to the mantissa.
INLINE V exp2Short(V x) {
  const I bits = (I)_mm512_cvtps_epi32((__m512)(x * 8388608.0f));
  const V f = (V)((bits & 0x7fffff) | 0x3f800000);
  V p = splat(0.07802452147006989f);
  p = p * f + -0.008006412535905838f;
  p = p * f + 0.4777728021144867f;
  p = p * f + 0.45213431119918823f;
  return (V)((I)p + (bits & static_cast<int>(0xff800000)));
}

// Sums of squares of `count` bfloat16, a multiple of 32.
INLINE float squaredLength(const unsigned short* x, long count) {
  V total{};
  for (long i = 0; i < count; i += 32) {
    const __m512i pair = _mm512_loadu_si512(x + i);
    total = (V)_mm512_dpbf16_ps((__m512)total, (__m512bh)pair, (__m512bh)pair);
  }
  return _mm512_reduce_add_ps((__m512)total);
}

template <bool split>
struct TileAttention {
  static constexpr long PARTS = split ? 2 : 1;  // bfloat16 for each value

  const AttentionArgs& args;
  const long strips, depthTiles;  // of 32 keys; of 32 columns
  char* values;   // [strip][part][depthTiles * 2 tiles]: columns as rows, keys along them
  char* weights;  // [strip][part][2 tiles]: pairs of keys as rows, queries along them
  char* query;    // [depthTile][part][2 tiles]: pairs of columns as rows, queries along them
  float* scores;  // two strips, so that one is computed while the other is worked on
  float* mixed;   // [depthTile][4 tiles]: columns as rows, queries along them

  static long floats(const AttentionArgs& args) {
    const long strips = ceilDivide(args.keys, STRIP), depthTiles = args.headWidth / 32;
    return (strips * PARTS * (depthTiles + 1) * 2 + depthTiles * PARTS * 2 + 8 + depthTiles * 4) * TILE_BYTES / 4;
  }

  TileAttention(const AttentionArgs& a, float* scratch) : args(a), strips(ceilDivide(a.keys, STRIP)), depthTiles(a.headWidth / 32) {
    values = reinterpret_cast<char*>(scratch);
    weights = values + strips * PARTS * depthTiles * 2 * TILE_BYTES;
    query = weights + strips * PARTS * 2 * TILE_BYTES;
    scores = reinterpret_cast<float*>(query + depthTiles * PARTS * 2 * TILE_BYTES);
    mixed = scores + 2 * TILE_BYTES;
  }

  const unsigned short* part(const float* row, long which) const {
    return reinterpret_cast<const unsigned short*>(row + which * args.low);
  }

  // Values of a strip: 16 columns of 32 keys to a tile. Keys beyond the last are zero.
  void packValues(const float* value) {
    static const __m512i firstOfPairs = pairIndices(0), secondOfPairs = pairIndices(16);
    for (long strip = 0; strip < strips; strip++) {
      for (long p = 0; p < PARTS; p++) {
        for (long d = 0; d < depthTiles; d++) {
          __m512i left[16], right[16];
          for (long i = 0; i < 16; i++) {
            const long key = strip * STRIP + i * 2;
            const float* row = value + key * args.value.rowStride + d * 16;
            const __m512i even = key < args.keys ? _mm512_loadu_si512(part(row, p)) : _mm512_setzero_si512();
            const __m512i odd = key + 1 < args.keys ? _mm512_loadu_si512(part(row + args.value.rowStride, p)) : _mm512_setzero_si512();
            left[i] = _mm512_permutex2var_epi16(even, firstOfPairs, odd);
            right[i] = _mm512_permutex2var_epi16(even, secondOfPairs, odd);
          }
          transpose16(left);
          transpose16(right);
          char* to = values + ((strip * PARTS + p) * depthTiles + d) * 2 * TILE_BYTES;
          for (long i = 0; i < 16; i++) {
            _mm512_store_si512(to + i * 64, left[i]);
            _mm512_store_si512(to + TILE_BYTES + i * 64, right[i]);
          }
        }
      }
    }
  }
  // Values from, from + 1 ... of one vector, each beside that of the other.
  static __m512i pairIndices(short from) {
    alignas(64) short index[32];
    for (short i = 0; i < 16; i++) {
      index[i * 2] = static_cast<short>(from + i);
      index[i * 2 + 1] = static_cast<short>(32 + from + i);
    }
    return _mm512_load_si512(index);
  }

  // Queries beyond the last repeat it.
  void packQuery(const float* q, long queries) {
    for (long d = 0; d < depthTiles; d++) {
      for (long p = 0; p < PARTS; p++) {
        for (long half = 0; half < 2; half++) {
          __m512i rows[16];
          for (long i = 0; i < 16; i++) {
            const long r = smaller(half * 16 + i, queries - 1);
            rows[i] = _mm512_loadu_si512(part(q + r * args.query.rowStride + d * 16, p));
          }
          transpose16(rows);
          char* to = query + ((d * PARTS + p) * 2 + half) * TILE_BYTES;
          for (long i = 0; i < 16; i++) _mm512_store_si512(to + i * 64, rows[i]);
        }
      }
    }
  }

  INLINE void multiplyKeys(const char* k, const char* q, long stride) {
    _tile_loadd(4, k, stride);
    _tile_loadd(6, q, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, q + TILE_BYTES, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, k + 16 * stride, stride);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  // Scores of 32 keys: four tiles, keys as rows.
  INLINE void scoreStrip(const float* key, float* to) {
    const long stride = args.key.rowStride * 4;
    clearSums();
    for (long d = 0; d < depthTiles; d++) {
      const char* high = reinterpret_cast<const char*>(key + d * 16);
      const char* q = query + d * PARTS * 2 * TILE_BYTES;
      if (split) {
        multiplyKeys(high, q + 2 * TILE_BYTES, stride);
        multiplyKeys(high + args.low * 4, q, stride);
      }
      multiplyKeys(high, q, stride);
    }
    storeSums(to);
  }
  static INLINE float* scoreAt(float* strip, long key, long half) { return strip + ((key >> 4) * 2 + half) * 256 + (key & 15) * 16; }

  // Exponentials of a strip's scores as weights; keys from `count` on have none.
  template <bool shifted>
  INLINE void weighStrip(float* strip, long count, char* to, float factor, const V* shift, V* total) {
    static const __m512i pairs = pairIndices16();
    const V f = splat(factor);
    for (long half = 0; half < 2; half++) {
      V sum{};
      for (long i = 0; i < STRIP; i += 2) {
        V x = load(scoreAt(strip, i, half)) * f, y = load(scoreAt(strip, i + 1, half)) * f;
        V a, b;
        if (shifted) {
          a = exp2(x - shift[half]);
          b = exp2(y - shift[half]);
        } else if (split) {
          a = exp2(x);
          b = exp2(y);
        } else {
          a = exp2Short(x);
          b = exp2Short(y);
        }
        if (__builtin_expect(i + 1 >= count, 0)) {
          b = V{};
          if (i >= count) a = V{};
        }
        sum += a + b;
        const __m512i high = roundPair(a, b);
        char* row = to + half * TILE_BYTES + i * 32;
        _mm512_store_si512(row, _mm512_permutexvar_epi16(pairs, high));
        if (split) {
          const __m512i low = roundPair(a - widenLow(high), b - widenHigh(high));
          _mm512_store_si512(row + 2 * TILE_BYTES, _mm512_permutexvar_epi16(pairs, low));
        }
      }
      total[half] += sum;
    }
  }
  // 0, 16, 1, 17, ...
  static __m512i pairIndices16() {
    alignas(64) short index[32];
    for (short i = 0; i < 32; i++) index[i] = static_cast<short>(i / 2 + i % 2 * 16);
    return _mm512_load_si512(index);
  }

  template <bool shifted>
  void weighKeys(const float* key, float factor, const V* shift, V* total) {
    scoreStrip(key, scores);
    for (long s = 0; s < strips; s++) {
      float* strip = scores + s % 2 * TILE_BYTES;
      // The next strip's products run beside this one's exponentials.
      if (s + 1 < strips) scoreStrip(key + (s + 1) * STRIP * args.key.rowStride, scores + (s + 1) % 2 * TILE_BYTES);
      weighStrip<shifted>(strip, smaller(STRIP, args.keys - s * STRIP), weights + s * PARTS * 2 * TILE_BYTES, factor, shift, total);
    }
  }

  void largestScores(const float* key, float factor, V* largest) {
    for (long half = 0; half < 2; half++) largest[half] = splat(-__builtin_inff());
    for (long s = 0; s < strips; s++) {
      scoreStrip(key + s * STRIP * args.key.rowStride, scores);
      for (long half = 0; half < 2; half++) {
        for (long i = 0; i < smaller(STRIP, args.keys - s * STRIP); i++) {
          const V x = load(scoreAt(scores, i, half)) * factor;
          largest[half] = x > largest[half] ? x : largest[half];
        }
      }
    }
  }

  INLINE void multiplyValues(const char* v, const char* p) {
    _tile_loadd(4, v, 64);
    _tile_loadd(6, p, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, p + TILE_BYTES, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, v + TILE_BYTES, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  void mixValues() {
    settle();
    for (long d = 0; d < depthTiles; d++) {
      clearSums();
      for (long s = 0; s < strips; s++) {
        const char* v = values + (s * PARTS * depthTiles + d) * 2 * TILE_BYTES;
        const char* p = weights + s * PARTS * 2 * TILE_BYTES;
        if (split) {
          multiplyValues(v, p + 2 * TILE_BYTES);
          multiplyValues(v + depthTiles * 2 * TILE_BYTES, p);
        }
        multiplyValues(v, p);
      }
      storeSums(mixed + d * TILE_BYTES);
    }
  }

  // Back to a row for each query, 32 columns at a time.
  void storeMixed(const Rows& out, const V* total, long row, long column, long queries) {
    const V inverse[2] = {1.0f / total[0], 1.0f / total[1]};
    for (long d = 0; d < depthTiles; d++) {
      for (long half = 0; half < 2; half++) {
        __m512i x[16], y[16];
        for (long i = 0; i < 16; i++) {
          x[i] = (__m512i)(load(scoreAt(mixed + d * TILE_BYTES, i, half)) * inverse[half]);
          y[i] = (__m512i)(load(scoreAt(mixed + d * TILE_BYTES, 16 + i, half)) * inverse[half]);
        }
        transpose16(x);
        transpose16(y);
        for (long i = 0; i < smaller(16, queries - half * 16); i++) {
          const auto valueAt = [&](long j) { return (V)(j == 0 ? x[i] : y[i]); };
          storeValues(out, row + half * 16 + i, column + d * 32, 2, valueAt);
        }
      }
    }
  }

  void run(long task) {
    const long groupQueries = args.blocksOfTask * QUERIES, groups = ceilDivide(args.queries, groupQueries);
    const long image = task / (args.heads * groups), head = task / groups % args.heads, first = task % groups * groupQueries;
    const long end = smaller(args.queries, first + groupQueries), column = head * args.headWidth;
    // Two values to a float.
    const float* q = args.query.data + image * args.query.imageStride + column / 2;
    const float* key = args.key.data + image * args.key.imageStride + column / 2;
    const Rows out{args.out.data + image * args.outImageStride, args.out.stride, args.out.format, args.out.low};
    const float factor = args.scale * LOG2_E;
    packValues(args.value.data + image * args.value.imageStride + column / 2);
    float longest = 0;
    for (long n = 0; n < args.keys; n++) {
      const float length = squaredLength(part(key + n * args.key.rowStride, 0), args.headWidth);
      longest = length <= longest ? longest : length;
    }
    configureTiles();
    for (long from = first; from < end; from += QUERIES) {
      const long queries = smaller(QUERIES, end - from);
      float longestQuery = 0;
      for (long r = 0; r < queries; r++) {
        const float length = squaredLength(part(q + (from + r) * args.query.rowStride, 0), args.headWidth);
        longestQuery = length <= longestQuery ? longestQuery : length;
      }
      packQuery(q + from * args.query.rowStride, queries);
      settle();
      V total[2] = {}, shift[2] = {};
      // Rounding a length to bfloat16 loses less than a hundredth. False for NaN, too.
      if (__builtin_sqrtf(longest * longestQuery) * __builtin_fabsf(factor) * 1.01f <= LIMIT) {
        weighKeys<false>(key, factor, shift, total);
      } else {
        largestScores(key, factor, shift);
        weighKeys<true>(key, factor, shift, total);
      }
      mixValues();
      storeMixed(out, total, from, column, queries);
    }
    _tile_release();
  }
};

void tileAttention(const AttentionArgs& args, Format rows, long task, float* scratch) {
  if (rows == Format::split) {
    TileAttention<true>(args, scratch).run(task);
  } else {
    TileAttention<false>(args, scratch).run(task);
  }
}

long tileAttentionFloats(const AttentionArgs& args, Format rows) {
  return rows == Format::split ? TileAttention<true>::floats(args) : TileAttention<false>::floats(args);
}

}  // namespace
}  // namespace plumage
