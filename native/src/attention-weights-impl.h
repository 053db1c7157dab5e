// Gives what attention weighs values by, for the rows and heads that are asked for: a row of scores is complete before its softmax, since it is
// what is wanted. Queries are rows here and keys columns, as in the result.
#pragma once

#include "attention-impl.h"

namespace plumage {
namespace {

// Fewer rows than this are not worth packing keys for.
constexpr long FEWEST_TILED_ROWS = 2 * MR;

struct WeightRows {
  const AttentionWeightsArgs& args;
  const AttentionArgs& of;
  const long width, line;  // a head has so many columns, and all keys have so many places, in whole panels and whole fours of vectors
  const bool tiled;
  float* packed;     // [panel of NR keys][width][NR], where rows are many
  float* scores;     // [MR][line], whose first columns become the weights
  float* queries;    // [MR][width]
  float* tile;       // [MR][NR]
  float* wide;       // [width]: a key in float32
  float* ofColumns;  // what a query's bias has for each column of the grid, where it is made of rows and columns

  static long up(long count) { return ceilDivide(count, 16) * 16; }
  static long lineOf(const AttentionArgs& of) { return ceilDivide(ceilDivide(of.keys, NR) * NR, 64) * 64; }
  static bool isTiled(const AttentionWeightsArgs& args) { return args.rows >= FEWEST_TILED_ROWS; }

  static long floats(const AttentionWeightsArgs& args) {
    const long width = up(args.of.headWidth), line = lineOf(args.of);
    return (isTiled(args) ? line * width : 0) + MR * (line + width) + up(MR * NR) + width +
           (args.of.bias == ScoreBias::decomposed ? up(args.of.gridColumns) : 0);
  }

  WeightRows(const AttentionWeightsArgs& a, float* scratch)
      : args(a), of(a.of), width(a.of.headWidth), line(lineOf(a.of)), tiled(isTiled(a)), packed(scratch) {
    const long room = up(width);
    scores = packed + (tiled ? line * room : 0);
    queries = scores + MR * line;
    tile = queries + MR * room;
    wide = tile + up(MR * NR);
    ofColumns = wide + room;
  }

  // Gives a head's part of a row in float32: where it lies, or widened into `room`.
  const float* partOf(const AttentionOperand& operand, long image, long row, long head, float* room) const {
    const float* at = operand.data + image * operand.imageStride + row * operand.rowStride;
    if (args.format == Format::float32) return at + head * width;
    // Two values share a float.
    const char* halves = reinterpret_cast<const char*>(at) + head * width * 2;
    for (long d = 0; d < width; d += W) {
      V value = Bfloat16WeightsProduct::widen(halves + d * 2);
      if (args.format == Format::split) value += Bfloat16WeightsProduct::widen(halves + of.low * 4 + d * 2);
      store(room + d, value);
    }
    return room;
  }

  // Keys are read far apart, and the processor doesn't foresee them.
  const float* keyOf(long image, long key, long head) const {
    const long bytes = args.format == Format::float32 ? 4 : 2;
    const char* ahead = reinterpret_cast<const char*>(of.key.data + image * of.key.imageStride + (key + ROWS_AHEAD) * of.key.rowStride);
    for (long at = 0; at < width * bytes; at += 64) __builtin_prefetch(ahead + head * width * bytes + at, 0, 3);
    return partOf(of.key, image, key, head, wide);
  }

  void packKeys(long image, long head) {
    for (long n = 0; n < of.keys; n++) {
      const float* key = keyOf(image, n, head);
      float* to = packed + n / NR * NR * width + n % NR;
      for (long d = 0; d < width; d++) to[d * NR] = key[d];
    }
    for (long n = of.keys; n < ceilDivide(of.keys, NR) * NR; n++) {
      for (long d = 0; d < width; d++) packed[n / NR * NR * width + d * NR + n % NR] = 0;
    }
  }

  // Is `dot` for many keys, one after the other: their sums over lanes are most of the work.
  float product(const float* query, const float* key) const {
    V total{};
    long d = 0;
    for (; d + W <= width; d += W) total += load(query + d) * load(key + d);
#if VECTOR_WIDTH == 16
    float added = _mm512_reduce_add_ps((__m512)total);
#else
    float added = sum(total);
#endif
    for (; d < width; d++) added += query[d] * key[d];
    return added;
  }

  void score(long image, long head, long count) {
    if (!tiled) {
      for (long n = 0; n < of.keys; n++) {
        const float* key = keyOf(image, n, head);
        for (long r = 0; r < count; r++) scores[r * line + n] = product(queries + r * width, key) * of.scale;
      }
      return;
    }
    const TileFunction multiply = Tiles<Float32Product, true, false>::of(count);
    for (long n = 0; n < of.keys; n += NR) {
      const char* keys = reinterpret_cast<const char*>(packed + n * width);
      multiply(queries, width, keys, tile, width, keys);
      for (long r = 0; r < count; r++) {
        for (long j = 0; j < NR; j += W) store(scores + r * line + n + j, load(tile + r * NR + j) * of.scale);
      }
    }
  }

  // Adds what a query at `place` among its group has for each key.
  void addBias(float* row, long head, long place, const float* query) {
    const long columns = of.gridColumns, special = of.keys - of.gridRows * columns;
    if (of.bias == ScoreBias::decomposed) {
      for (long c = 0; c < columns; c++) ofColumns[c] = dot(query, of.columnTable + (place % columns - c + columns - 1) * width, width);
      for (long r = 0; r < of.gridRows; r++, row += columns) {
        const float ofRow = dot(query, of.table + (place / columns - r + of.gridRows - 1) * width, width);
        for (long c = 0; c < columns; c++) row[c] += ofRow + ofColumns[c];
      }
      return;
    }
    const long across = offsetsOf(columns), offsets = offsetsOf(of.gridRows) * across;
    const float* table = of.table + head * (offsets + 3);
    for (long n = 0; n < special; n++) row[n] += place < special ? table[offsets + 2] : table[offsets + 1];
    row += special;
    if (place < special) {
      for (long n = 0; n < of.gridRows * columns; n++) row[n] += table[offsets];
      return;
    }
    const long down = (place - special) / columns, right = (place - special) % columns;
    for (long r = 0; r < of.gridRows; r++, row += columns) {
      const float* at = table + (down - r + of.gridRows - 1) * across + right + columns - 1;
      for (long c = 0; c < columns; c++) row[c] += at[-c];
    }
  }

  // Makes powers of the scores of a query that sees the first keys, and gives what makes weights of them. The other keys weigh nothing.
  float weigh(float* row, long seen) const {
    const long end = ceilDivide(seen, 4 * W) * 4 * W;
    for (long n = seen; n < end; n++) row[n] = -__builtin_inff();
    // Four at a time, because each waits for the one before.
    V most[4] = {load(row), load(row + W), load(row + 2 * W), load(row + 3 * W)};
    for (long n = 4 * W; n < end; n += 4 * W) {
#pragma GCC unroll 4
      for (long i = 0; i < 4; i++) {
        const V score = load(row + n + i * W);
        most[i] = score > most[i] ? score : most[i];
      }
    }
    for (long i = 1; i < 4; i++) most[0] = most[i] > most[0] ? most[i] : most[0];
    float largest = most[0][0];
    for (long i = 1; i < W; i++) largest = most[0][i] > largest ? most[0][i] : largest;
    V total{};
    for (long n = 0; n + W <= seen; n += W) {
      const V weight = exp2((load(row + n) - largest) * LOG2_E);
      store(row + n, weight);
      total += weight;
    }
    const long last = seen / W * W;
    if (last < seen) {
      const V weight = firstLanes(exp2((load(row + last) - largest) * LOG2_E), seen - last);
      store(row + last, weight);
      total += weight;
    }
    for (long n = seen; n < of.keys; n++) row[n] = 0;
    return 1.0f / sum(total);
  }

  // Puts the weights of a head, which are `share` of a row, into a row of the output, or joins them with those of the heads before.
  template <typename Join>
  void join(const float* row, float share, float* out, Join joined) const {
    for (long n = 0; n < of.keys; n += W) store(out + n, joined(out + n, load(row + n) * share));
  }
  void put(const float* row, float share, float* out, long index) const {
    if (args.fusion == HeadFusion::mean) share /= static_cast<float>(args.heads);
    if (args.fusion == HeadFusion::none || index == 0) return join(row, share, out, [](const float*, V weight) { return weight; });
    if (args.fusion == HeadFusion::mean) return join(row, share, out, [](const float* at, V weight) { return load(at) + weight; });
    if (args.fusion == HeadFusion::max) return join(row, share, out, [](const float* at, V weight) { return weight > load(at) ? weight : load(at); });
    join(row, share, out, [](const float* at, V weight) { return weight < load(at) ? weight : load(at); });
  }

  // Passes rows [first, last), which are of one group, for a head.
  void passHead(long batchImage, long group, long index, long first, long last) {
    const long image = batchImage * of.groups + group;
    const long head = args.headIndex == nullptr ? index : static_cast<long>(args.headIndex[index]);
    const bool isApart = args.fusion == HeadFusion::none;
    float* out = args.of.out.data + (batchImage * args.rows * (isApart ? args.heads : 1) + (isApart ? index * args.rows : 0)) * of.out.stride;
    if (tiled) packKeys(image, head);
    for (long r = first; r < last; r += MR) {
      const long count = smaller(MR, last - r);
      for (long i = 0; i < count; i++) {
        const float* query = partOf(of.query, image, rowAt(r + i) % of.queries, head, wide);
        __builtin_memcpy(queries + i * width, query, sizeof(float) * static_cast<size_t>(width));
      }
      score(image, head, count);
      for (long i = 0; i < count; i++) {
        const long place = rowAt(r + i) % of.queries;
        float* row = scores + i * line;
        if (of.bias != ScoreBias::none) addBias(row, head, place, queries + i * width);
        const float share = weigh(row, of.mask == KeyMask::causal ? place + 1 : keysOf(of, image));
        put(row, share, out + (r + i) * of.out.stride, index);
      }
    }
  }

  long rowAt(long index) const { return args.rowIndex == nullptr ? index : static_cast<long>(args.rowIndex[index]); }

  void run(long task) {
    const bool isApart = args.fusion == HeadFusion::none;
    const long lots = isApart ? args.heads : 1, blocks = ceilDivide(args.rows, args.blockRows);
    const long image = task / blocks / lots, lot = task / blocks % lots;
    const long end = smaller(args.rows, (task % blocks + 1) * args.blockRows);
    for (long first = task % blocks * args.blockRows, last = first; first < end; first = last) {
      const long group = rowAt(first) / of.queries;
      while (last < end && rowAt(last) / of.queries == group) last++;
      if (isApart) {
        passHead(image, group, lot, first, last);
      } else {
        for (long index = 0; index < args.heads; index++) passHead(image, group, index, first, last);
      }
    }
  }
};

void attentionWeights(const AttentionWeightsArgs& args, long task, float* scratch) { WeightRows(args, scratch).run(task); }

long attentionWeightsFloats(const AttentionWeightsArgs& args) { return WeightRows::floats(args); }

}  // namespace
}  // namespace plumage
