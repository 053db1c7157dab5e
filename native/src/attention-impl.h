// Computes scaled dot-product attention for NR queries of one head, over blocks of keys, with a running maximum and sum for each query.
//
// Everything is transposed: scores are [key][query] and the result [column][query]. Queries then lie in the lanes of vectors, so
// softmax needs no sums across lanes, and the scores are at once the right operand of the product with the values.
#pragma once

#include "score-change-impl.h"

namespace plumage {
namespace {

// Turns a block of scores into softmax weights in place; updates maximum and sum, and gives the factor for what was summed before.
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

// Holds NR queries while they pass the keys: their transposed operand and result, and where softmax stands.
struct QueryBlock {
  float* query;  // [headWidth][NR]
  float* mixed;  // [valueWidth][NR]
  V maximum[NV], total[NV];
};

// Scores come in base 2, which saves a product for each exponential. Lanes without a query repeat the last one, so that they stay harmless.
INLINE void beginBlock(QueryBlock& block, const AttentionArgs& args, const float* q, long queries) {
  const float scale = args.scale * LOG2_E;
  for (long d = 0; d < args.headWidth; d++) {
    for (long r = 0; r < queries; r++) block.query[d * NR + r] = q[r * args.query.rowStride + d] * scale;
    for (long r = queries; r < NR; r++) block.query[d * NR + r] = block.query[d * NR + queries - 1];
  }
  for (int j = 0; j < NV; j++) {
    block.maximum[j] = splat(-__builtin_inff());
    block.total[j] = V{};
  }
}

// Rows of one head lie so far apart that the processor doesn't foresee which is read next: each is asked for this many rows before.
constexpr long ROWS_AHEAD = 8;
INLINE void fetchRow(const float* row, long width) {
  for (long d = 0; d < width; d += 16) __builtin_prefetch(row + d, 0, 3);
}

// Says what changes the scores of a block, if anything does: its number, its first query, and the first of the keys that pass.
struct Change {
  const ScoreChange* scores;  // null where nothing changes them
  long block, query, key;
};

// Passes one block of packed keys: scores, their softmax, and the sum of `values` (panels of MR columns) weighted by it.
INLINE void passKeys(QueryBlock& block, const AttentionArgs& args, const float* key, const float* values, long keys,
                     const Change& change, float* scores) {
  const bool first = change.key == 0;
  const long width = args.headWidth;
  for (long r = 0; r < keys; r += MR) {
    const char* query = reinterpret_cast<const char*>(block.query);
    // The next tile's keys come from the second-level cache in the meantime.
    fetchRow(key + (r + MR) * width, MR * width);
    Tiles<Float32Product, true, false>::of(smaller(MR, keys - r))(key + r * width, width, query, scores + r * NR, width, query);
  }
  if (change.scores != nullptr) change.scores->apply(scores, change.block, change.query, change.key, keys);
  V factor[NV];
  softmaxBlock(scores, keys, block.maximum, block.total, factor);
  if (!first) {
    for (long d = 0; d < args.valueWidth; d++) {
      for (int j = 0; j < NV; j++) {
        float* at = block.mixed + d * NR + j * W;
        store(at, load(at) * factor[j]);
      }
    }
  }
  for (long column = 0; column < args.valueWidth; column += MR) {
    const long count = smaller(MR, args.valueWidth - column);
    const TileFunction function =
        first ? Tiles<Float32Product, false, false>::of(count) : Tiles<Float32Product, false, true>::of(count);
    const char* weights = reinterpret_cast<const char*>(scores);
    function(values + column * KEY_BLOCK, MR, weights, block.mixed + column * NR, keys, weights);
  }
}

INLINE void endBlock(QueryBlock& block, const AttentionArgs& args, float* out, long queries) {
  for (int j = 0; j < NV; j++) block.total[j] = 1.0f / block.total[j];
  for (long d = 0; d < args.valueWidth; d++) {
    for (int j = 0; j < NV; j++) {
      float* at = block.mixed + d * NR + j * W;
      store(at, load(at) * block.total[j]);
    }
  }
  for (long r = 0; r < queries; r++) {
    for (long d = 0; d < args.valueWidth; d++) out[r * args.out.stride + d] = block.mixed[d * NR + r];
  }
}

// Brings the keys of a block together: where they lie, each is on a page of its own, and there are more of them than the processor keeps at hand.
INLINE void packKeys(const AttentionArgs& args, const float* key, long keys, float* packed) {
  for (long r = 0; r < keys; r++) {
    fetchRow(key + (r + ROWS_AHEAD) * args.key.rowStride, args.headWidth);
    __builtin_memcpy(packed + r * args.headWidth, key + r * args.key.rowStride, sizeof(float) * args.headWidth);
  }
}

// Packs a block of values into panels of MR columns, one key after the other, because every tile reads it again from the nearest cache.
INLINE void packValues(const AttentionArgs& args, const float* value, long keys, float* values) {
  for (long r = 0; r < keys; r++) {
    const float* from = value + r * args.value.rowStride;
    float* to = values + r * MR;
    fetchRow(from + ROWS_AHEAD * args.value.rowStride, args.valueWidth);
    for (long d = 0; d < args.valueWidth; d += MR, to += KEY_BLOCK * MR) {
      const long count = smaller(MR, args.valueWidth - d);
      if (count == MR) {
        __builtin_memcpy(to, from + d, sizeof(float) * MR);
      } else {
        for (long i = 0; i < count; i++) to[i] = from[d + i];
      }
    }
  }
}

// Counts the keys that an image's queries see.
INLINE long keysOf(const AttentionArgs& args, long image) {
  return args.mask == KeyMask::keys ? static_cast<long>(args.keyCounts[image % args.groups]) : args.keys;
}

// Says which queries a task has: of one image and head, those from `first` on and before `end`.
struct TaskQueries {
  long image, head, first, end;
};

// So many queries go together in a block.
INLINE TaskQueries queriesOf(const AttentionArgs& args, long task, long block) {
  const long most = args.blocksOfTask * block, tasks = ceilDivide(args.queries, most), first = task % tasks * most;
  return {task / (args.heads * tasks), task / tasks % args.heads, first, smaller(args.queries, first + most)};
}

// The scratch holds (headWidth + valueWidth) * NR floats for each block of queries, KEY_BLOCK * NR once, and KEY_BLOCK for each column of keys
// and of values, these rounded up to whole tiles; then what
// biases need.
void attention(const AttentionArgs& args, long task, float* scratch) {
  const auto [image, head, first, end] = queriesOf(args, task, NR);
  const long blocks = ceilDivide(end - first, NR);
  const float* query = args.query.data + image * args.query.imageStride + first * args.query.rowStride + head * args.headWidth;
  const float* key = args.key.data + image * args.key.imageStride + head * args.headWidth;
  const float* value = args.value.data + image * args.value.imageStride + head * args.valueWidth;
  float* out = args.out.data + image * args.outImageStride + first * args.out.stride + head * args.valueWidth;

  QueryBlock block[MOST_BLOCKS_OF_TASK];
  float* scores = scratch;
  float* values = scores + KEY_BLOCK * NR;
  float* packedKeys = values + ceilDivide(args.valueWidth, MR) * MR * KEY_BLOCK;
  float* free = packedKeys + args.headWidth * KEY_BLOCK;
  for (long i = 0; i < blocks; i++) {
    block[i].query = free;
    block[i].mixed = free + args.headWidth * NR;
    free = block[i].mixed + args.valueWidth * NR;
    beginBlock(block[i], args, query + i * NR * args.query.rowStride, smaller(NR, args.queries - first - i * NR));
  }
  ScoreChange change(args, head, free);
  const bool changes = args.bias != ScoreBias::none || args.mask == KeyMask::causal;
  for (long i = 0; i < blocks; i++) change.begin(i, query + i * NR * args.query.rowStride, first + i * NR);
  const long allKeys = keysOf(args, image);
  for (long n = 0; n < allKeys; n += KEY_BLOCK) {
    const long keys = smaller(KEY_BLOCK, allKeys - n);
    packKeys(args, key + n * args.key.rowStride, keys, packedKeys);
    packValues(args, value + n * args.value.rowStride, keys, values);
    for (long i = 0; i < blocks; i++) {
      // None of the queries sees these keys.
      if (args.mask == KeyMask::causal && n >= first + (i + 1) * NR) continue;
      passKeys(block[i], args, packedKeys, values, keys, {changes ? &change : nullptr, i, first + i * NR, n}, scores);
    }
  }
  for (long i = 0; i < blocks; i++) {
    endBlock(block[i], args, out + i * NR * args.out.stride, smaller(NR, args.queries - first - i * NR));
  }
}

}  // namespace
}  // namespace plumage
