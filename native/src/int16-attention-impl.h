// Computes scaled dot-product attention for int8 by products of integers of 16 bits, where the processor has none of bfloat16: more exact than
// those, and up to twice as many an instruction as in float32.
//
// Operands come as bfloat16. A task makes integers of them: queries with a scale each, the keys of a head with one for all, its values with one
// for each column. As in attention-impl.h scores are [key][query] and the result [column][query]; as in dot-attention-impl.h a pair is two columns
// in the scores, and two keys in the result.
#pragma once

#include "attention-impl.h"

namespace plumage {
namespace {

struct Int16Attention {
  typedef Int16Product P;
  static constexpr long ROWS = P::MOST_ROWS, QUERIES = P::COLUMNS;
  static constexpr long KEYS = (KEY_BLOCK < 128 ? KEY_BLOCK : 128) / ROWS * ROWS;
  static_assert(KEYS % 2 == 0, "pairs end where a block does");
  // Sums of a whole block of keys stay within 32 bits. Small weights are many, so that they get more of the bits than values do.
  static constexpr long MOST_WEIGHT = 8191, MOST_VALUE = 2047;
  static_assert(KEYS * MOST_WEIGHT * MOST_VALUE <= 0x7fffffff, "weighted values would not fit");

  const AttentionArgs& args;
  const long width, pairs;  // a head has so many columns, and so many pairs of keys
  float* keys;         // [key][width / 2]: pairs of columns
  float* values;       // [panel of ROWS columns][pair][ROWS]: pairs of keys
  float* query;        // [width / 2][QUERIES]: pairs of columns
  float* scores;       // [KEYS][QUERIES], whose front becomes the weights [KEYS / 2][QUERIES]
  float* sums;         // [ROWS][QUERIES]
  float* mixed;        // [width][QUERIES]
  float* valueScales;  // [width]
  float* factors;      // [2][width / 2]: of even columns and of odd ones
  float* line;         // [width, filled up to whole panels]
  float keyScale = 0;
  V factor[NV];  // makes base-2 scores of the products of these queries
  I maximum[NV];
  V total[NV];

  static long panels(long width) { return ceilDivide(width, ROWS); }
  static long keyFloats(long keys, long width) { return keys * width / 2; }
  static long valueFloats(long keys, long width) { return ceilDivide(panels(width) * ceilDivide(keys, 2) * ROWS, 16) * 16; }

  static long floats(const AttentionArgs& args) {
    const long width = args.headWidth;
    return keyFloats(args.keys, width) + valueFloats(args.keys, width) + (width / 2 + KEYS + ROWS + width) * QUERIES + 3 * width + ROWS;
  }

  Int16Attention(const AttentionArgs& a, float* scratch) : args(a), width(a.headWidth), pairs(ceilDivide(a.keys, 2)) {
    keys = scratch;
    values = keys + keyFloats(a.keys, width);
    query = values + valueFloats(a.keys, width);
    scores = query + width / 2 * QUERIES;
    sums = scores + KEYS * QUERIES;
    mixed = sums + ROWS * QUERIES;
    valueScales = mixed + width * QUERIES;
    factors = valueScales + width;
    line = factors + width;
  }

  // The products of a query with a key, and the differences between two of them, stay within 32 bits.
  float mostOfOperand() const { return __builtin_floorf(__builtin_sqrtf(static_cast<float>(0x3fffff00 / width))); }

  // Sizes of bfloat16 are compared as integers, among which NaN is the largest: the scale that is made of it carries it.
  static INLINE I evenSize(I pair) { return (pair << 16) & isplat(0x7fffffff); }
  static INLINE I oddSize(I pair) { return pair & isplat(0x7fff0000); }
  static INLINE I pairsAt(const float* at) { return (I)load(at); }
  // Gives integers whose low 16 bits count; those above are of no use.
  static INLINE I whole(V value, V scale) { return (I)(value * scale + splat(12582912.0f)); }
  static INLINE I evenWhole(I pair, V scale) { return whole((V)(pair << 16), scale); }
  static INLINE I oddWhole(I pair, V scale) { return whole((V)(pair & isplat(static_cast<int>(0xffff0000u))), scale); }
  static INLINE I beside(I first, I second) { return (first & isplat(0xffff)) | (second << 16); }

  float packRow(const float* row, float most, float* to) const {
    I size{};
    for (long d = 0; d < width / 2; d += W) size = larger(size, larger(evenSize(pairsAt(row + d)), oddSize(pairsAt(row + d))));
    const float largestValue = largestOf(size);
    storeRow(row, largestValue > 0 ? most / largestValue : 0, to);
    return largestValue / __builtin_fabsf(most);
  }
  INLINE void storeRow(const float* row, float scale, float* to) const {
    for (long d = 0; d < width / 2; d += W) {
      const I pair = pairsAt(row + d);
      store(to + d, (V)beside(evenWhole(pair, splat(scale)), oddWhole(pair, splat(scale))));
    }
  }

  void packKeys(const float* key) {
    I size{};
    for (long n = 0; n < args.keys; n++) {
      const float* row = key + n * args.key.rowStride;
      fetchRow(row + ROWS_AHEAD * args.key.rowStride, width / 2);
      for (long d = 0; d < width / 2; d += W) size = larger(size, larger(evenSize(pairsAt(row + d)), oddSize(pairsAt(row + d))));
    }
    const float largestValue = largestOf(size);
    keyScale = largestValue / mostOfOperand();
    for (long n = 0; n < args.keys; n++) {
      storeRow(key + n * args.key.rowStride, largestValue > 0 ? mostOfOperand() / largestValue : 0, keys + n * width / 2);
    }
  }

  // Behind an odd last key comes one of zeros.
  void packValues(const float* value) {
    for (long d = 0; d < width / 2; d += W) {
      I even{}, odd{};
      for (long n = 0; n < args.keys; n++) {
        const I pair = pairsAt(value + n * args.value.rowStride + d);
        even = larger(even, evenSize(pair));
        odd = larger(odd, oddSize(pair));
      }
      for (long i = 0; i < W; i++) {
        const float sizes[2] = {((V)even)[i], ((V)odd)[i]};
        for (long j = 0; j < 2; j++) {
          valueScales[2 * (d + i) + j] = sizes[j] / MOST_VALUE;
          factors[j * width / 2 + d + i] = sizes[j] > 0 ? MOST_VALUE / sizes[j] : 0;
        }
      }
    }
    for (long pair = 0; pair < pairs; pair++) {
      const float* first = value + 2 * pair * args.value.rowStride;
      const bool isWhole = 2 * pair + 1 < args.keys;
      for (long d = 0; d < width / 2; d += W) {
        const I a = pairsAt(first + d), b = isWhole ? pairsAt(first + args.value.rowStride + d) : I{};
        const V even = load(factors + d), odd = load(factors + width / 2 + d);
        alignas(64) int columns[2][W];
        store(reinterpret_cast<float*>(columns[0]), (V)beside(evenWhole(a, even), evenWhole(b, even)));
        store(reinterpret_cast<float*>(columns[1]), (V)beside(oddWhole(a, odd), oddWhole(b, odd)));
        for (long i = 0; i < W; i++) {
          __builtin_memcpy(line + 2 * (d + i), &columns[0][i], 4);
          __builtin_memcpy(line + 2 * (d + i) + 1, &columns[1][i], 4);
        }
      }
      for (long panel = 0; panel < panels(width); panel++) {
        __builtin_memcpy(values + (panel * pairs + pair) * ROWS, line + panel * ROWS, sizeof(float) * ROWS);
      }
    }
  }

  // Queries beyond the last repeat it. Where the factor of scores is below zero they change their signs instead, so that the largest score is the
  // largest product.
  void packQuery(const float* q, long queries) {
    const float most = args.scale < 0 ? -mostOfOperand() : mostOfOperand();
    alignas(64) float scales[QUERIES];
    for (long r = 0; r < QUERIES; r++) {
      if (r < queries) scales[r] = packRow(q + r * args.query.rowStride, most, line);
      if (r >= queries) scales[r] = scales[r - 1];
      for (long d = 0; d < width / 2; d++) __builtin_memcpy(query + d * QUERIES + r, line + d, 4);
    }
    for (int j = 0; j < NV; j++) factor[j] = load(scales + j * W) * (keyScale * __builtin_fabsf(args.scale) * LOG2_E);
  }

  // Turns a block of products into weights, pairs of keys side by side, in place: a pair of rows is read before its weights are written, not behind
  // them. Gives the factor for what was summed before. Weights are summed as they were rounded, so that they add up to one.
  INLINE V weigh(float* products, long count, bool first, int j) {
    I most[4] = {maximum[j], maximum[j], maximum[j], maximum[j]};
    long n = 0;
    for (; n + 4 <= count; n += 4) {
#pragma GCC unroll 4
      for (long i = 0; i < 4; i++) most[i] = larger(pairsAt(products + (n + i) * QUERIES), most[i]);
    }
    for (; n < count; n++) most[0] = larger(pairsAt(products + n * QUERIES), most[0]);
    const I largestProduct = larger(larger(most[0], most[1]), larger(most[2], most[3]));
    const V earlier = first ? V{} : exp2(__builtin_convertvector(maximum[j] - largestProduct, V) * factor[j]);
    maximum[j] = largestProduct;
    const V scale = factor[j];
    // Nothing is above the largest, so that no weight is above MOST_WEIGHT.
    const auto weightAt = [&](const float* at) {
      const V below = __builtin_convertvector(pairsAt(at) - largestProduct, V);
      return whole(exp2Short(below * scale), splat(static_cast<float>(MOST_WEIGHT)));
    };
    I sum{};
    for (long pair = 0; pair < count / 2; pair++) {
      const float* from = products + 2 * pair * QUERIES;
      const I weights = beside(weightAt(from), weightAt(from + QUERIES));
      store(products + pair * QUERIES, (V)weights);
      P::add(sum, isplat(0x00010001), weights);
    }
    if (count % 2 == 1) {
      const I weights = weightAt(products + (count - 1) * QUERIES) & isplat(0xffff);
      store(products + count / 2 * QUERIES, (V)weights);
      P::add(sum, isplat(0x00010001), weights);
    }
    total[j] = total[j] * earlier + __builtin_convertvector(sum, V);
    return earlier;
  }

  // Passes the keys from n on: their scores, the weights of these, and the sum of values weighted by them. The last queries
  // may fill fewer vectors.
  INLINE void passKeys(long n, long vectors) {
    const long count = smaller(KEYS, args.keys - n);
    const bool first = n == 0;
    for (long r = 0; r < count; r += ROWS) {
      const float* key = keys + (n + r) * width / 2;
      // The next tile's keys come from the second-level cache in the meantime.
      fetchRow(key + ROWS * width / 2, ROWS * width / 2);
      const char* right = reinterpret_cast<const char*>(query);
      tileOf<P, true, false>(smaller(ROWS, count - r), vectors)(key, width / 2, right, scores + r * QUERIES, width / 2, right);
    }
    V earlier[NV];
    for (int j = 0; j < vectors; j++) earlier[j] = weigh(scores + j * W, count, first, j);
    for (long d = 0; d < width; d += ROWS) {
      const long rows = smaller(ROWS, width - d);
      const char* weights = reinterpret_cast<const char*>(scores);
      tileOf<P, false, false>(rows, vectors)(values + d * pairs + n / 2 * ROWS, ROWS, weights, sums, ceilDivide(count, 2), weights);
      for (long i = 0; i < rows; i++) {
        const V scale = splat(valueScales[d + i]);
        for (int j = 0; j < vectors; j++) {
          float* at = mixed + (d + i) * QUERIES + j * W;
          const V sum = __builtin_convertvector(pairsAt(sums + i * QUERIES + j * W), V) * scale;
          store(at, first ? sum : load(at) * earlier[j] + sum);
        }
      }
    }
  }

  void storeQueries(const Rows& out, long row, long column, long queries) {
    for (int j = 0; j < ceilDivide(queries, W); j++) {
      // Integers know no NaN: where the scale of a query or of the keys is one, it comes in here.
      const V inverse = 1.0f / total[j] + (factor[j] - factor[j]);
      for (long d = 0; d < width; d++) store(mixed + d * QUERIES + j * W, load(mixed + d * QUERIES + j * W) * inverse);
    }
    for (long r = 0; r < queries; r++) {
      for (long d = 0; d < width; d++) line[d] = mixed[d * QUERIES + r];
      storeValues(out, row + r, column, width / W, [&](long j) { return load(line + j * W); });
    }
  }

  void run(long task) {
    const auto [image, head, first, end] = queriesOf(args, task, QUERIES);
    const long column = head * width;
    // Two values share a float.
    const float* q = args.query.data + image * args.query.imageStride + column / 2;
    const Rows out{args.out.data + image * args.outImageStride, args.out.stride, args.out.format, args.out.low};
    packKeys(args.key.data + image * args.key.imageStride + column / 2);
    packValues(args.value.data + image * args.value.imageStride + column / 2);
    for (long from = first; from < end; from += QUERIES) {
      const long queries = smaller(QUERIES, end - from);
      packQuery(q + from * args.query.rowStride, queries);
      for (int j = 0; j < NV; j++) {
        maximum[j] = isplat(-0x3fffffff);
        total[j] = V{};
      }
      for (long n = 0; n < args.keys; n += KEYS) passKeys(n, ceilDivide(queries, W));
      storeQueries(out, from, column, queries);
    }
  }
};

void narrowAttention(const AttentionArgs& args, Format, long task, float* scratch) { Int16Attention(args, scratch).run(task); }

long narrowAttentionFloats(const AttentionArgs& args, Format) { return Int16Attention::floats(args); }

}  // namespace
}  // namespace plumage
