// Holds what attention from bfloat16 operands does in the same way on matrix tiles and on vectors: 32 queries go together, in the lanes of two vectors.
#pragma once

#include "attention-impl.h"
#include "transpose-impl.h"

namespace plumage {
namespace {

constexpr long QUERIES = 2 * W;

// Lays pairs of vectors side by side, value by value: 0, 16, 1, 17, ... of 32 halves; `upper` is for 4-byte values, the other for packed ones.
INLINE __m512i besideEachOther(bool upper) {
  alignas(64) short index[32];
  for (short i = 0; i < 32; i++) index[i] = static_cast<short>(upper ? i / 2 * 2 + 1 + i % 2 * 32 : i / 2 + i % 2 * 16);
  return _mm512_load_si512(index);
}

// Gives values from, from + 1 ... of one vector, each beside that of the other.
INLINE __m512i pairIndices(short from) {
  alignas(64) short index[32];
  for (short i = 0; i < 16; i++) {
    index[i * 2] = static_cast<short>(from + i);
    index[i * 2 + 1] = static_cast<short>(32 + from + i);
  }
  return _mm512_load_si512(index);
}

// Turns 16 rows of 16 units of 4 bytes into columns, `step` bytes apart.
template <typename RowAt>
INLINE void storeTransposed(RowAt rowAt, char* to, long step) {
  __m512i rows[16];
  for (long i = 0; i < 16; i++) rows[i] = rowAt(i);
  transpose16(rows);
  for (long i = 0; i < 16; i++) _mm512_store_si512(to + i * step, rows[i]);
}

// Goes back to a row for each query, and divides it by the query's total. columnAt(c, half) has column c of one half of the queries.
template <typename ColumnAt>
INLINE void storeQueries(const Rows& out, const V* total, long row, long column, long width, long queries, ColumnAt columnAt) {
  const V inverse[2] = {1.0f / total[0], 1.0f / total[1]};
  for (long d = 0; d < width; d += 32) {
    for (long half = 0; half < 2; half++) {
      __m512i x[16], y[16];
      for (long i = 0; i < 16; i++) {
        x[i] = (__m512i)(load(columnAt(d + i, half)) * inverse[half]);
        y[i] = (__m512i)(load(columnAt(d + 16 + i, half)) * inverse[half]);
      }
      transpose16(x);
      transpose16(y);
      for (long i = 0; i < smaller(16, queries - half * 16); i++) {
        const auto valueAt = [&](long j) { return (V)(j == 0 ? x[i] : y[i]); };
        storeValues(out, row + half * 16 + i, column + d, 2, valueAt);
      }
    }
  }
}

}  // namespace
}  // namespace plumage
