// Scaled dot-product attention for NR queries of one head, over blocks of keys, with a running maximum and sum for each query.
//
// Everything is transposed: scores are [key][query] and the result [column][query]. Queries then lie in the lanes of vectors, so
// softmax needs no sums across lanes, and the scores are at once the right operand of the product with the values.
#pragma once

#include "gemm-impl.h"

namespace plumage {
namespace {

constexpr float LOG2_E = 1.44269504088896341f;

// Softmax weights of a block of scores in place; updates maximum and sum, and gives the factor for what was summed before.
INLINE void softmaxBlock(float* scores, long keys, V* maximum, V* total, V* factor) {
#pragma GCC unroll 4
  for (int j = 0; j < NV; j++) {
    V m0 = maximum[j], m1 = m0, m2 = m0, m3 = m0;
    float* s = scores + j * W;
    long n = 0;
    for (; n + 4 <= keys; n += 4) {
      V a = load(s + n * NR), b = load(s + (n + 1) * NR), c = load(s + (n + 2) * NR), d = load(s + (n + 3) * NR);
      m0 = a > m0 ? a : m0;
      m1 = b > m1 ? b : m1;
      m2 = c > m2 ? c : m2;
      m3 = d > m3 ? d : m3;
    }
    for (; n < keys; n++) {
      V a = load(s + n * NR);
      m0 = a > m0 ? a : m0;
    }
    m0 = m1 > m0 ? m1 : m0;
    m2 = m3 > m2 ? m3 : m2;
    m0 = m2 > m0 ? m2 : m0;
    factor[j] = exp2(maximum[j] - m0);
    maximum[j] = m0;
    V sum0{}, sum1{};
    for (n = 0; n + 2 <= keys; n += 2) {
      V a = exp2(load(s + n * NR) - m0), b = exp2(load(s + (n + 1) * NR) - m0);
      store(s + n * NR, a);
      store(s + (n + 1) * NR, b);
      sum0 += a;
      sum1 += b;
    }
    for (; n < keys; n++) {
      V a = exp2(load(s + n * NR) - m0);
      store(s + n * NR, a);
      sum0 += a;
    }
    total[j] = total[j] * factor[j] + (sum0 + sum1);
  }
}

// Scratch: (headWidth + valueWidth + KEY_BLOCK) * NR floats.
void attention(const AttentionArgs& args, long task, float* scratch) {
  const long blocks = ceilDivide(args.queries, NR);
  const long image = task / (args.heads * blocks), head = task / blocks % args.heads;
  const long first = task % blocks * NR;
  const long queries = smaller(NR, args.queries - first);
  const long width = args.headWidth, valueWidth = args.valueWidth;
  float* query = scratch;                  // [headWidth][NR]
  float* mixed = query + width * NR;       // [valueWidth][NR]
  float* scores = mixed + valueWidth * NR; // [KEY_BLOCK][NR]

  // Scores in base 2: one product less for each exponential.
  const float scale = args.scale * LOG2_E;
  const float* q = args.query.data + image * args.query.imageStride + first * args.query.rowStride + head * width;
  for (long r = 0; r < NR; r++) {
    // Lanes without a query repeat the last one, so that they stay harmless.
    const float* from = q + smaller(r, queries - 1) * args.query.rowStride;
    for (long d = 0; d < width; d++) query[d * NR + r] = from[d] * scale;
  }

  V maximum[NV], total[NV], factor[NV];
  for (int j = 0; j < NV; j++) {
    maximum[j] = splat(-__builtin_inff());
    total[j] = V{};
  }
  const float* key = args.key.data + image * args.key.imageStride + head * width;
  const float* value = args.value.data + image * args.value.imageStride + head * valueWidth;
  const long tileCount = ceilDivide(valueWidth, MR);
  for (long n = 0; n < args.keys; n += KEY_BLOCK) {
    const long keys = smaller(KEY_BLOCK, args.keys - n);
    for (long r = 0; r < keys; r += MR) {
      const long count = smaller(MR, keys - r);
      Tiles<true, false>::of(count)(key + (n + r) * args.key.rowStride, args.key.rowStride, query, scores + r * NR, width,
                                    reinterpret_cast<const char*>(query));
    }
    softmaxBlock(scores, keys, maximum, total, factor);
    if (n > 0) {
      for (long d = 0; d < valueWidth; d++) {
        for (int j = 0; j < NV; j++) store(mixed + d * NR + j * W, load(mixed + d * NR + j * W) * factor[j]);
      }
    }
    for (long t = 0, column = 0; t < tileCount; t++) {
      const long count = (valueWidth - column) / (tileCount - t);
      const TileFunction function = n == 0 ? Tiles<false, false>::of(count) : Tiles<false, true>::of(count);
      function(value + n * args.value.rowStride + column, args.value.rowStride, scores, mixed + column * NR, keys,
               reinterpret_cast<const char*>(scores));
      column += count;
    }
  }

  for (int j = 0; j < NV; j++) total[j] = 1.0f / total[j];
  for (long d = 0; d < valueWidth; d++) {
    for (int j = 0; j < NV; j++) store(mixed + d * NR + j * W, load(mixed + d * NR + j * W) * total[j]);
  }
  float* out = args.out + image * args.outImageStride + first * args.outRowStride + head * valueWidth;
  for (long r = 0; r < queries; r++) {
    for (long d = 0; d < valueWidth; d++) out[r * args.outRowStride + d] = mixed[d * NR + r];
  }
}

}  // namespace
}  // namespace plumage
