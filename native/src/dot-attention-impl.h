// Computes scaled dot-product attention from bfloat16 operands by dot products of pairs: twice as many products an instruction as in float32.
//
// As in attention-impl.h scores are [key][query] and the result [column][query], with a running maximum and sum for each query. A pair is two
// columns in the scores, and two keys in the result, where exponentials of two keys lie side by side for it. Keys and values of a head are packed
// once for a task, and stay in the second-level cache while its queries pass.
#pragma once

#include "narrow-attention-impl.h"

namespace plumage {
namespace {

struct DotAttention {
  typedef Bfloat16Product P;
  static_assert(P::COLUMNS == QUERIES, "a tile's columns are the queries that go together");
  // A block of scores leaves room in a first-level cache of 32 KB for the queries, and for keys and values on their way through. It is whole tiles.
  static constexpr long KEYS = 144, ROWS = P::MOST_ROWS;
  static_assert(KEYS % ROWS == 0 && KEYS % 2 == 0, "tiles and pairs end where a block does");

  const AttentionArgs& args;
  const long width, pairs;  // a head has so many columns, and so many pairs of keys
  float* keys;     // [key][width / 2]: pairs of columns
  float* values;   // [panel of ROWS columns][pair][ROWS]: pairs of keys
  float* query;    // [width / 2][QUERIES]: pairs of columns
  float* scores;   // [KEYS][QUERIES], whose front becomes the weights [KEYS / 2][QUERIES]
  float* mixed;    // [width][QUERIES]

  static long panels(long width) { return ceilDivide(width, ROWS); }
  static long keyFloats(long keys, long width) { return keys * width / 2; }
  static long valueFloats(long keys, long width) { return ceilDivide(panels(width) * ceilDivide(keys, 2) * ROWS, 16) * 16; }

  static long floats(const AttentionArgs& args) {
    const long width = args.headWidth;
    return keyFloats(args.keys, width) + valueFloats(args.keys, width) + (width / 2 + KEYS + width) * QUERIES;
  }

  DotAttention(const AttentionArgs& a, float* scratch) : args(a), width(a.headWidth), pairs(ceilDivide(a.keys, 2)) {
    keys = scratch;
    values = keys + keyFloats(a.keys, width);
    query = values + valueFloats(a.keys, width);
    scores = query + width / 2 * QUERIES;
    mixed = scores + KEYS * QUERIES;
  }

  void packKeys(const float* key) {
    for (long n = 0; n < args.keys; n++) {
      const float* row = key + n * args.key.rowStride;
      fetchRow(row + ROWS_AHEAD * args.key.rowStride, width / 2);
      __builtin_memcpy(keys + n * width / 2, row, sizeof(float) * static_cast<size_t>(width / 2));
    }
  }

  // Behind an odd last key comes one of zeros.
  void packValues(const float* value) {
    const __m512i firstOfPairs = pairIndices(0), secondOfPairs = pairIndices(16);
    for (long pair = 0; pair < pairs; pair++) {
      const float* even = value + 2 * pair * args.value.rowStride;
      const float* odd = even + args.value.rowStride;
      fetchRow(even + ROWS_AHEAD * args.value.rowStride, width / 2);
      fetchRow(odd + ROWS_AHEAD * args.value.rowStride, width / 2);
      for (long d = 0; d < width; d += 32) {
        const __m512i a = _mm512_loadu_si512(even + d / 2);
        const __m512i b = 2 * pair + 1 < args.keys ? _mm512_loadu_si512(odd + d / 2) : _mm512_setzero_si512();
        alignas(64) float line[32];
        _mm512_store_si512(line, _mm512_permutex2var_epi16(a, firstOfPairs, b));
        _mm512_store_si512(line + 16, _mm512_permutex2var_epi16(a, secondOfPairs, b));
        for (long i = 0; i < 32; i++) values[((d + i) / ROWS * pairs + pair) * ROWS + (d + i) % ROWS] = line[i];
      }
    }
  }

  // Queries beyond the last repeat it. Where the factor of scores is below zero, they change their signs instead, so that the largest score is the
  // largest product.
  void packQuery(const float* q, long queries) {
    const I sign = isplat(args.scale < 0 ? static_cast<int>(0x80008000u) : 0);
    for (long d = 0; d < width / 2; d += 16) {
      for (long half = 0; half < 2; half++) {
        const auto rowAt = [&](long i) {
          return (__m512i)((I)_mm512_loadu_si512(q + smaller(half * 16 + i, queries - 1) * args.query.rowStride + d) ^ sign);
        };
        storeTransposed(rowAt, reinterpret_cast<char*>(query + d * QUERIES + half * W), QUERIES * 4);
      }
    }
  }

  // Turns a block of products into weights 2^(product * factor - maximum * factor), pairs of keys side by side, in place: a pair of rows is read before
  // their weights are written, not behind them. Updates maximum and total, and gives the factor for what was summed before. Weights are summed as
  // they were rounded, so that they add up to one.
  static INLINE V weigh(float* products, long keys, V factor, bool first, V& maximum, V& total) {
    const __m512i beside = besideEachOther(false);
    const I ones = isplat(0x3f803f80);
    V most[4] = {maximum, maximum, maximum, maximum};
    long n = 0;
    for (; n + 4 <= keys; n += 4) {
#pragma GCC unroll 4
      for (long i = 0; i < 4; i++) {
        const V x = load(products + (n + i) * QUERIES);
        most[i] = x > most[i] ? x : most[i];
      }
    }
    for (; n < keys; n++) {
      const V x = load(products + n * QUERIES);
      most[0] = x > most[0] ? x : most[0];
    }
    for (long i = 1; i < 4; i++) most[0] = most[i] > most[0] ? most[i] : most[0];
    const V shift = most[0] * factor;
    const V earlier = first ? V{} : exp2(maximum * factor - shift);
    maximum = most[0];

    V sums[2] = {};
    const auto weighPair = [&](long pair, bool whole) {
      const float* from = products + 2 * pair * QUERIES;
      const V a = exp2Short(load(from) * factor - shift);
      const V b = whole ? exp2Short(load(from + QUERIES) * factor - shift) : V{};
      const __m512i weights = _mm512_permutexvar_epi16(beside, roundPair(a, b));
      store(products + pair * QUERIES, (V)weights);
      Bfloat16Product::add(sums[pair & 1], (I)weights, ones);
    };
    long pair = 0;
    for (; pair + 2 <= keys / 2; pair += 2) {
      weighPair(pair, true);
      weighPair(pair + 1, true);
    }
    for (; pair < keys / 2; pair++) weighPair(pair, true);
    if (keys % 2 == 1) weighPair(pair, false);
    total = total * earlier + (sums[0] + sums[1]);
    return earlier;
  }

  // Passes the keys from n on: their scores, the weights of these, and the sum of values weighted by them.
  // The last queries may fill one vector alone.
  INLINE void passKeys(long n, long vectors, V factor, V* maximum, V* total) {
    const long count = smaller(KEYS, args.keys - n);
    for (long r = 0; r < count; r += ROWS) {
      const float* key = keys + (n + r) * width / 2;
      // The next tile's keys come from the second-level cache in the meantime.
      fetchRow(key + ROWS * width / 2, ROWS * width / 2);
      const char* right = reinterpret_cast<const char*>(query);
      tileOf<P, true, false>(smaller(ROWS, count - r), vectors)(key, width / 2, right, scores + r * QUERIES, width / 2, right);
    }
    for (long half = 0; half < vectors; half++) {
      const V earlier = weigh(scores + half * W, count, factor, n == 0, maximum[half], total[half]);
      if (n == 0) continue;
      for (long d = 0; d < width; d++) {
        float* at = mixed + d * QUERIES + half * W;
        store(at, load(at) * earlier);
      }
    }
    for (long d = 0; d < width; d += ROWS) {
      const long rows = smaller(ROWS, width - d);
      const TileFunction function = n == 0 ? tileOf<P, false, false>(rows, vectors) : tileOf<P, false, true>(rows, vectors);
      const char* weights = reinterpret_cast<const char*>(scores);
      function(values + d * pairs + n / 2 * ROWS, ROWS, weights, mixed + d * QUERIES, ceilDivide(count, 2), weights);
    }
  }

  void run(long task) {
    const auto [image, head, first, end] = queriesOf(args, task, QUERIES);
    const long column = head * width;
    // Two values share a float.
    const float* q = args.query.data + image * args.query.imageStride + column / 2;
    const Rows out{args.out.data + image * args.outImageStride, args.out.stride, args.out.format, args.out.low};
    const V factor = splat(__builtin_fabsf(args.scale) * LOG2_E);
    packKeys(args.key.data + image * args.key.imageStride + column / 2);
    packValues(args.value.data + image * args.value.imageStride + column / 2);
    for (long from = first; from < end; from += QUERIES) {
      const long queries = smaller(QUERIES, end - from);
      packQuery(q + from * args.query.rowStride, queries);
      V maximum[2] = {splat(-__builtin_inff()), splat(-__builtin_inff())}, total[2] = {};
      for (long n = 0; n < args.keys; n += KEYS) passKeys(n, ceilDivide(queries, W), factor, maximum, total);
      const auto columnAt = [&](long c, long half) { return mixed + c * QUERIES + half * W; };
      storeQueries(out, total, from, column, width, queries, columnAt);
    }
  }
};

void narrowAttention(const AttentionArgs& args, Format, long task, float* scratch) { DotAttention(args, scratch).run(task); }

long narrowAttentionFloats(const AttentionArgs& args, Format) { return DotAttention::floats(args); }

}  // namespace
}  // namespace plumage
