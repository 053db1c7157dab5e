// Computes scaled dot-product attention on matrix tiles: 32 queries of one head at a time pass all keys.
//
// As in attention-impl.h everything is transposed: scores are [key][query], the result [column][query]. Keys are then read where they
// lie, queries sit in the lanes of vectors, and the exponentials of two keys side by side are what the product with the values wants.
//
// Scores are not shifted by their largest: bfloat16 and float32 hold 2^-126 to 2^127, so an exponential loses nothing while |score| is at
// most LIMIT, and |q| times the longest |k| shows that before any score is known. Where it does not, the scores are computed twice.
#pragma once

#include "amx-impl.h"
#include "narrow-attention-impl.h"

namespace plumage {
namespace {

constexpr long STRIP = 32;
constexpr float LIMIT = 80.0f;

// Says how far 2^f is below the straight line 1 + f, in units of 1/128, for f = 0, 1/128, ...
alignas(64) constexpr signed char BELOW_LINE[128] = {
    0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 8,
    8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
    11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10, 10, 10, 10, 10, 10, 10, 9, 9, 9, 9, 9,
    9, 9, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 1, 1, 1, 0,
};

// Makes weights of scores by exponentials 2^x: x and y are score * factor * SCALE - shift * SCALE + OFFSET of two keys, `to` takes the
// weights of both side by side, zero where `valid` has no bit, and `sum` grows by them.

// The weights are bfloat16. x * 2^23 + 127 * 2^23 as a whole number has the exponent in its place, and for a mantissa the straight line between two
// powers, which a table then bends. Seven bits of the fraction choose from it, so the result is within 0.7 % (0.23 % root mean
// square; rounding to bfloat16 alone costs 0.4 and 0.17 %). The sum is of what was stored, so that the weights add up to one.
struct ShortExponentials {
  static constexpr float SCALE = 8388608.0f, OFFSET = 127.0f * 8388608.0f + 32768.0f, LEAST = 8388608.0f;
  const __m512i tableLow = _mm512_load_si512(BELOW_LINE), tableHigh = _mm512_load_si512(BELOW_LINE + 64);
  const __m512i beside = besideEachOther(true);
  const __m512i ones = _mm512_set1_epi16(0x3f80);

  INLINE void store(V x, V y, __mmask32 valid, char* to, V& sum) const {
    const __m512i line = _mm512_permutex2var_epi16(_mm512_cvtps_epi32((__m512)x), beside, _mm512_cvtps_epi32((__m512)y));
    const __m512i below = _mm512_maskz_permutex2var_epi8(0x5555555555555555, tableLow, line, tableHigh);
    const __m512i weights = _mm512_maskz_sub_epi16(valid, line, below);
    _mm512_store_si512(to, weights);
    sum = (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)weights, (__m512bh)ones);
  }
};

// The weights are two bfloat16 each, which add up to the float32.
struct SplitExponentials {
  static constexpr float SCALE = 1.0f, OFFSET = 0.0f, LEAST = -126.0f;
  const __m512i beside = besideEachOther(false);

  INLINE void store(V x, V y, __mmask32 valid, char* to, V& sum) const {
    const V a = (V)_mm512_maskz_mov_ps(valid & 1 ? 0xffff : 0, (__m512)exp2(x));
    const V b = (V)_mm512_maskz_mov_ps(valid & 2 ? 0xffff : 0, (__m512)exp2(y));
    sum += a + b;
    const __m512i high = roundPair(a, b), low = roundPair(a - widenLow(high), b - widenHigh(high));
    _mm512_store_si512(to, _mm512_permutexvar_epi16(beside, high));
    _mm512_store_si512(to + 2 * TILE_BYTES, _mm512_permutexvar_epi16(beside, low));
  }
};

// Sums the squares of `count` bfloat16, a multiple of 32.
INLINE float squaredLength(const unsigned short* x, long count) {
  V total{};
  for (long i = 0; i < count; i += 32) {
    const __m512i pair = _mm512_loadu_si512(x + i);
    total = (V)_mm512_dpbf16_ps((__m512)total, (__m512bh)pair, (__m512bh)pair);
  }
  return _mm512_reduce_add_ps((__m512)total);
}

template <bool split>
INLINE auto exponentialsOf() {
  if constexpr (split) {
    return SplitExponentials();
  } else {
    return ShortExponentials();
  }
}

template <bool split>
struct TileAttention {
  static constexpr long PARTS = split ? 2 : 1;  // each value is so many bfloat16
  typedef decltype(exponentialsOf<split>()) Exponentials;

  const AttentionArgs& args;
  const long strips, depthTiles;  // a strip is 32 keys, a depth tile 32 columns
  char* keys;     // [strip][depthTile][part][2 tiles]: keys as rows
  char* values;   // [strip][part][depthTiles * 2 tiles]: columns as rows, keys along them
  char* weights;  // [strip][part][2 tiles]: pairs of keys as rows, queries along them
  char* query;    // [depthTile][part][2 tiles]: pairs of columns as rows, queries along them
  float* scores;  // two strips, so that one is computed while the other is worked on
  float* mixed;   // [depthTile][4 tiles]: columns as rows, queries along them

  static long floats(const AttentionArgs& args) {
    const long strips = ceilDivide(args.keys, STRIP), depthTiles = args.headWidth / 32;
    return (strips * PARTS * (2 * depthTiles + 1) * 2 + depthTiles * PARTS * 2 + 8 + depthTiles * 4) * TILE_BYTES / 4;
  }

  TileAttention(const AttentionArgs& a, float* scratch) : args(a), strips(ceilDivide(a.keys, STRIP)), depthTiles(a.headWidth / 32) {
    keys = reinterpret_cast<char*>(scratch);
    values = keys + strips * PARTS * depthTiles * 2 * TILE_BYTES;
    weights = values + strips * PARTS * depthTiles * 2 * TILE_BYTES;
    query = weights + strips * PARTS * 2 * TILE_BYTES;
    scores = reinterpret_cast<float*>(query + depthTiles * PARTS * 2 * TILE_BYTES);
    mixed = scores + 2 * TILE_BYTES;
  }

  const unsigned short* part(const float* row, long which) const {
    return reinterpret_cast<const unsigned short*>(row + which * args.low);
  }

  // Packs the values of a strip, 16 columns of 32 keys to a tile. Keys beyond the last are zero.
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
  // Returns the largest squared length of a key, NaN where one is. Keys beyond the last are zero.
  float packKeys(const float* key) {
    float longest = 0, poison = 0;
    for (long n = 0; n < strips * STRIP; n++) {
      V total{};
      for (long d = 0; d < depthTiles; d++) {
        for (long p = 0; p < PARTS; p++) {
          const __m512i values = n < args.keys ? _mm512_loadu_si512(part(key + n * args.key.rowStride + d * 16, p)) : _mm512_setzero_si512();
          if (p == 0) total = (V)_mm512_dpbf16_ps((__m512)total, (__m512bh)values, (__m512bh)values);
          char* to = keys + (((n / STRIP * depthTiles + d) * PARTS + p) * 2 + n / 16 % 2) * TILE_BYTES + n % 16 * 64;
          _mm512_store_si512(to, values);
        }
      }
      const float length = _mm512_reduce_add_ps((__m512)total);
      longest = length > longest ? length : longest;
      poison += length - length;
    }
    return longest + poison;
  }

  // Queries beyond the last repeat it.
  void packQuery(const float* q, long queries) {
    for (long d = 0; d < depthTiles; d++) {
      for (long p = 0; p < PARTS; p++) {
        for (long half = 0; half < 2; half++) {
          const auto rowAt = [&](long i) {
            const long r = smaller(half * 16 + i, queries - 1);
            return _mm512_loadu_si512(part(q + r * args.query.rowStride + d * 16, p));
          };
          storeTransposed(rowAt, query + ((d * PARTS + p) * 2 + half) * TILE_BYTES, 64);
        }
      }
    }
  }

  // Adds columns d * 32 to d * 32 + 31 to one of the four tiles of scores: keys which / 2 * 16 on, queries which % 2 * 16 on.
#define PLUMAGE_SCORE(WHICH, K, Q)                                                                         \
  {                                                                                                        \
    const char* k = key + (d * PARTS * 2 + WHICH / 2) * TILE_BYTES;                                        \
    const char* q = query + (d * PARTS * 2 + WHICH % 2) * TILE_BYTES;                                      \
    _tile_loadd(K, k, 64);                                                                                 \
    _tile_loadd(Q, q, 64);                                                                                 \
    _tile_dpbf16ps(WHICH, K, Q);                                                                           \
    if (split) {                                                                                           \
      _tile_loadd(Q, q + 2 * TILE_BYTES, 64);                                                              \
      _tile_dpbf16ps(WHICH, K, Q);                                                                         \
      _tile_loadd(K, k + 2 * TILE_BYTES, 64);                                                              \
      _tile_loadd(Q, q, 64);                                                                               \
      _tile_dpbf16ps(WHICH, K, Q);                                                                         \
    }                                                                                                      \
  }
#define PLUMAGE_SCORES(WHICH, K, Q)                                     \
  if (part < 4) _tile_zero(WHICH);                                      \
  for (long d = part / 4; d < depthTiles; d += 2) PLUMAGE_SCORE(WHICH, K, Q) \
  if (part >= 4) _tile_stored(WHICH, to + WHICH * 256, 64);
  // Computes one of eight parts of the scores of 32 keys, four tiles with keys as rows.
  INLINE void scorePart(int part, const char* key, float* to) {
    switch (part % 4) {
      case 0: PLUMAGE_SCORES(0, 4, 6) break;
      case 1: PLUMAGE_SCORES(1, 5, 7) break;
      case 2: PLUMAGE_SCORES(2, 4, 6) break;
      default: PLUMAGE_SCORES(3, 5, 7) break;
    }
  }
#undef PLUMAGE_SCORES
#undef PLUMAGE_SCORE
  INLINE void scoreStrip(const char* key, float* to) {
#pragma GCC unroll 8
    for (int part = 0; part < 8; part++) scorePart(part, key, to);
  }
  static INLINE float* scoreAt(float* strip, long key, long half) { return strip + ((key >> 4) * 2 + half) * 256 + (key & 15) * 16; }

  // Computes one of eight parts of a strip's weights: exponentials of score * factor - shift, for eight keys and one half of the queries. Keys
  // from `count` on weigh nothing. Adds the weights to `sum`.
  template <bool shifted>
  INLINE void weighPart(int part, const float* strip, long count, char* to, V factor, V shift, const Exponentials& exponentials, V& sum) {
    const int half = part % 2, first = part / 2 * 8;
    const float* score = strip + (first / 16 * 2 + half) * 256 + first % 16 * 16;
    char* row = to + half * TILE_BYTES + first * 32;
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      V x = load(score + i * 16) * factor - shift, y = load(score + i * 16 + 16) * factor - shift;
      if (shifted) {
        x = atLeast(x, Exponentials::LEAST);
        y = atLeast(y, Exponentials::LEAST);
      }
      const __mmask32 valid = first + i + 1 < count ? 0xffffffff : first + i < count ? 0x55555555 : 0;
      exponentials.store(x, y, valid, row + i * 32, sum);
    }
  }

  // Computes the weights of all keys, and their sums. The next strip's products run beside this one's exponentials.
  template <bool shifted>
  void weighKeys(float scale, const V* shift, V* total) {
    const Exponentials exponentials;
    const V factor = splat(scale * Exponentials::SCALE);
    const V shifts[2] = {shift[0] * Exponentials::SCALE - Exponentials::OFFSET, shift[1] * Exponentials::SCALE - Exponentials::OFFSET};
    V sums[2] = {};
    scoreStrip(keys, scores);
    for (long s = 0; s < strips; s++) {
      const float* strip = scores + s % 2 * TILE_BYTES;
      float* nextStrip = scores + (s + 1) % 2 * TILE_BYTES;
      // Behind the last strip the first is computed once more, and not looked at.
      const char* next = s + 1 < strips ? keys + (s + 1) * depthTiles * PARTS * 2 * TILE_BYTES : keys;
      const long count = args.keys - s * STRIP;
      char* to = weights + s * PARTS * 2 * TILE_BYTES;
#pragma GCC unroll 8
      for (int part = 0; part < 8; part++) {
        scorePart(part, next, nextStrip);
        weighPart<shifted>(part, strip, count, to, factor, shifts[part % 2], exponentials, sums[part % 2]);
      }
    }
    for (int half = 0; half < 2; half++) total[half] = sums[half];
  }

  // Finds the largest score of each query, which is NaN where one of them is.
  void largestScores(float factor, V* largest) {
    V poison[2] = {};
    for (long half = 0; half < 2; half++) largest[half] = splat(-__builtin_inff());
    for (long s = 0; s < strips; s++) {
      scoreStrip(keys + s * depthTiles * PARTS * 2 * TILE_BYTES, scores);
      for (long half = 0; half < 2; half++) {
        for (long i = 0; i < smaller(STRIP, args.keys - s * STRIP); i++) {
          const V x = load(scoreAt(scores, i, half)) * factor;
          largest[half] = x > largest[half] ? x : largest[half];
          poison[half] += x - x;
        }
      }
    }
    for (long half = 0; half < 2; half++) largest[half] += poison[half];
  }

  // Split operands are read three times, so they had better stay in the first-level cache; others only pass through.
#define PLUMAGE_LOAD(TILE, AT)           \
  if constexpr (split) {                 \
    _tile_loadd(TILE, AT, 64);           \
  } else {                               \
    _tile_stream_loadd(TILE, AT, 64);    \
  }
  INLINE void multiplyValues(const char* v, const char* p) {
    PLUMAGE_LOAD(4, v)
    PLUMAGE_LOAD(6, p)
    _tile_dpbf16ps(0, 4, 6);
    PLUMAGE_LOAD(7, p + TILE_BYTES)
    _tile_dpbf16ps(1, 4, 7);
    PLUMAGE_LOAD(5, v + TILE_BYTES)
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
#undef PLUMAGE_LOAD
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

  void run(long task) {
    const auto [image, head, first, end] = queriesOf(args, task, QUERIES);
    const long column = head * args.headWidth;
    // Two values share a float.
    const float* q = args.query.data + image * args.query.imageStride + column / 2;
    const float* key = args.key.data + image * args.key.imageStride + column / 2;
    const Rows out{args.out.data + image * args.outImageStride, args.out.stride, args.out.format, args.out.low};
    const float factor = args.scale * LOG2_E;
    packValues(args.value.data + image * args.value.imageStride + column / 2);
    const float longest = packKeys(key);
    configureTiles();
    for (long from = first; from < end; from += QUERIES) {
      const long queries = smaller(QUERIES, end - from);
      float longestQuery = 0, poison = 0;
      for (long r = 0; r < queries; r++) {
        const float length = squaredLength(part(q + (from + r) * args.query.rowStride, 0), args.headWidth);
        longestQuery = length > longestQuery ? length : longestQuery;
        poison += length - length;
      }
      packQuery(q + from * args.query.rowStride, queries);
      settle();
      V total[2] = {}, shift[2] = {};
      // Rounding a length to bfloat16 loses less than a hundredth. This is false for NaN, too.
      if (__builtin_sqrtf(longest * longestQuery + poison) * __builtin_fabsf(factor) * 1.01f <= LIMIT) {
        weighKeys<false>(factor, shift, total);
      } else {
        largestScores(factor, shift);
        weighKeys<true>(factor, shift, total);
        // NaN goes in, NaN comes out.
        for (int half = 0; half < 2; half++) total[half] += shift[half] - shift[half];
      }
      mixValues();
      const auto columnAt = [&](long c, long half) { return scoreAt(mixed + c / 32 * TILE_BYTES, c % 32, half); };
      storeQueries(out, total, from, column, args.headWidth, queries, columnAt);
    }
    _tile_release();
  }
};

void narrowAttention(const AttentionArgs& args, Format rows, long task, float* scratch) {
  if (rows == Format::split) {
    TileAttention<true>(args, scratch).run(task);
  } else {
    TileAttention<false>(args, scratch).run(task);
  }
}

long narrowAttentionFloats(const AttentionArgs& args, Format rows) {
  return rows == Format::split ? TileAttention<true>::floats(args) : TileAttention<false>::floats(args);
}

}  // namespace
}  // namespace plumage
