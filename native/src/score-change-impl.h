// Adds to the scores of attention what it learns of the places of queries and keys, and takes out keys that a query does not see.
//
// Scores are [key][query], NR queries side by side, and count in base 2.
#pragma once

#include "rows-impl.h"

namespace plumage {
namespace {

constexpr float LOG2_E = 1.44269504088896341f;

// Says where the values of neighbouring queries of one row of the grid lie: lanes from a first one on have them at `at` - the key's offset.
struct Run {
  I lanes;
  const float* at;
};

// Holds what one head's scores change by. `scratch` has the floats that `biasFloats` tells.
class ScoreChange {
 public:
  ScoreChange(const AttentionArgs& args, long head, float* scratch)
      : args_(args), across_(offsetsOf(args.gridColumns)), special_(args.queries - args.gridRows * args.gridColumns), scratch_(scratch) {
    if (args.bias != ScoreBias::relative) return;
    const long offsets = offsetsOf(args.gridRows) * across_;
    const float* table = args.table + head * (offsets + 3);
    // Vectors are read that begin before the first value or end behind the last.
    for (long i = 0; i < offsets; i++) scratch[W + i] = table[i] * LOG2_E;
    toPatch_ = table[offsets] * LOG2_E;
    toSpecial_ = table[offsets + 1] * LOG2_E;
    between_ = table[offsets + 2] * LOG2_E;
  }

  // Is called for each block of queries before its keys pass; `query` has the first of them as they are.
  void begin(long block, const float* query, long first) {
    if (args_.bias != ScoreBias::decomposed) return;
    float* values = valuesOf(block);
    for (long lane = 0; lane < NR; lane++) {
      const long place = smaller(first + lane, args_.queries - 1);
      const float* q = query + (place - first) * args_.query.rowStride;
      const long row = place / args_.gridColumns, column = place % args_.gridColumns;
      products(q, args_.table, row, args_.gridRows, values + lane);
      products(q, args_.columnTable, column, args_.gridColumns, values + args_.gridRows * NR + lane);
    }
  }

  // Changes the scores of `keys` keys from `key` on with a block of queries from `first` on.
  void apply(float* scores, long block, long first, long key, long keys) const {
    for (long j = 0; j < NV; j++) {
      float* s = scores + j * W;
      if (args_.bias == ScoreBias::relative) addRelative(s, first + j * W, key, keys);
      if (args_.bias == ScoreBias::decomposed) addDecomposed(s, valuesOf(block) + j * W, key, keys);
      if (args_.mask == KeyMask::causal) takeOut(s, first + j * W, key, keys);
    }
  }

 private:
  float* valuesOf(long block) const { return scratch_ + block * (args_.gridRows + args_.gridColumns) * NR; }

  // Multiplies a query with the rows of its offsets to all places of a line.
  void products(const float* q, const float* table, long place, long places, float* to) const {
    const long width = args_.headWidth;
    for (long i = 0; i < places; i++) to[i * NR] = dot(q, table + (place - i + places - 1) * width, width) * LOG2_E;
  }

  // Finds the runs of the queries from `first` on; there is none for lanes of special queries, or without one.
  long findRuns(long first, Run* runs) const {
    const long columns = args_.gridColumns;
    long count = 0;
    for (long lane = special_ > first ? special_ - first : 0; lane < W && first + lane < args_.queries;) {
      const long place = first + lane - special_, column = place % columns;
      const long base = (place / columns + args_.gridRows - 1) * across_ + column + columns - 1;
      runs[count++] = {laneNumbers() >= isplat(static_cast<int>(lane)), scratch_ + W + base - lane};
      lane += columns - column;
    }
    return count;
  }

  // `COUNT` is the number of runs, or 0 where it is told at run time.
  template <long COUNT>
  INLINE void addRuns(float* scores, long place, long keys, const Run* runs, long count) const {
    const V special = splat(toPatch_);
    long column = place % args_.gridColumns, offset = place / args_.gridColumns * across_ + column;
    for (long n = 0; n < keys; n++, scores += NR) {
      V value = special;
      for (long i = 0; i < (COUNT > 0 ? COUNT : count); i++) value = runs[i].lanes ? load(runs[i].at - offset) : value;
      store(scores, load(scores) + value);
      offset++;
      if (++column < args_.gridColumns) continue;
      column = 0;
      offset += across_ - args_.gridColumns;
    }
  }

  void addRelative(float* scores, long first, long key, long keys) const {
    const long specialKeys = key < special_ ? smaller(special_ - key, keys) : 0;
    const V value = laneNumbers() < isplat(static_cast<int>(smaller(W, special_ - first))) ? splat(between_) : splat(toSpecial_);
    for (long n = 0; n < specialKeys; n++) store(scores + n * NR, load(scores + n * NR) + value);
    Run runs[W];
    const long count = findRuns(first, runs), place = key + specialKeys - special_;
    scores += specialKeys * NR;
    keys -= specialKeys;
    if (count == 1) return addRuns<1>(scores, place, keys, runs, count);
    if (count == 2) return addRuns<2>(scores, place, keys, runs, count);
    addRuns<0>(scores, place, keys, runs, count);
  }

  void addDecomposed(float* scores, const float* values, long key, long keys) const {
    const float* ofColumns = values + args_.gridRows * NR;
    long row = key / args_.gridColumns, column = key % args_.gridColumns;
    for (long n = 0; n < keys; n++, scores += NR) {
      store(scores, load(scores) + (load(values + row * NR) + load(ofColumns + column * NR)));
      if (++column < args_.gridColumns) continue;
      column = 0;
      row++;
    }
  }

  // Keys behind a query weigh nothing.
  static void takeOut(float* scores, long first, long key, long keys) {
    const I places = laneNumbers() + static_cast<int>(first);
    for (long n = key > first ? 0 : first - key; n < keys; n++) {
      float* at = scores + n * NR;
      store(at, places < isplat(static_cast<int>(key + n)) ? splat(-__builtin_inff()) : load(at));
    }
  }

  const AttentionArgs& args_;
  const long across_, special_;
  float* scratch_;
  float toPatch_ = 0, toSpecial_ = 0, between_ = 0;
};

}  // namespace
}  // namespace plumage
