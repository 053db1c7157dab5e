// Holds products over rows of features, which are no network's: their Gram matrix, and the scores of queries against rows that are stored narrowly.
#pragma once

#include "rows-impl.h"

namespace plumage {
namespace {

// A tile of a Gram matrix has so many columns of one panel against all of another.
constexpr long GRAM_TILE = NR % MR == 0 ? MR : 4;

// Adds up each column of rows in float64.
void addRows(const float* const* rows, long count, long width, double* sums) {
  for (long r = 0; r < count; r++) {
    const float* row = rows[r];
    for (long i = 0; i < width; i++) sums[i] += row[i];
  }
}

// Writes rows without their mean as panels [panels, GRAM_ROWS, NR]. What is left of a value is rounded once, so that a large mean takes nothing from it.
void centreRows(const float* const* rows, long count, long width, const double* mean, float* panels) {
  for (long panel = 0; panel * NR < width; panel++) {
    const long first = panel * NR, own = smaller(NR, width - first);
    for (long r = 0; r < count; r++) {
      float* out = panels + (panel * GRAM_ROWS + r) * NR;
      const float* in = rows[r] + first;
      for (long i = 0; i < own; i++) out[i] = static_cast<float>(in[i] - mean[first + i]);
      for (long i = own; i < NR; i++) out[i] = 0;
    }
  }
}

// Adds to sums [NR, NR] the products of each column of panel `a` with each of panel `b`, over `count` rows of them.
void gramPanel(const float* a, const float* b, long count, double* sums) {
  for (long i = 0; i < NR; i += GRAM_TILE) {
    V tile[GRAM_TILE][NV] = {};
    for (long r = 0; r < count; r++) {
      V right[NV];
#pragma GCC unroll 3
      for (int v = 0; v < NV; v++) right[v] = load(b + r * NR + v * W);
#pragma GCC unroll 8
      for (int j = 0; j < GRAM_TILE; j++) {
        const V left = splat(a[r * NR + i + j]);
#pragma GCC unroll 3
        for (int v = 0; v < NV; v++) tile[j][v] += left * right[v];
      }
    }
    for (long j = 0; j < GRAM_TILE; j++) {
      alignas(64) float values[NR];
      for (int v = 0; v < NV; v++) store(values + v * W, tile[j][v]);
      double* to = sums + (i + j) * NR;
      for (long n = 0; n < NR; n++) to[n] += values[n];
    }
  }
}


// Adds to sums [vectors, width] what the Gram matrix of the centred rows makes of each vector of `basis` [vectors, width]. Scratch holds a row.
void gramTimes(const float* const* rows, long count, long width, const double* mean, const float* basis, long vectors, float* scratch, double* sums) {
  for (long r = 0; r < count; r++) {
    for (long i = 0; i < width; i++) scratch[i] = static_cast<float>(rows[r][i] - mean[i]);
    for (long v = 0; v < vectors; v++) {
      const double along = dot(scratch, basis + v * width, width);
      double* to = sums + v * width;
      for (long i = 0; i < width; i++) to[i] += along * scratch[i];
    }
  }
}

// Widens W halves. What is below the normal ones is made of its whole number of 2^-24; infinities and NaN stay what they are.
#if defined(__AVX512F__) && VECTOR_WIDTH == 16
INLINE V widenHalves(const unsigned short* in) { return (V)_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in))); }
#elif defined(__F16C__) && VECTOR_WIDTH == 8
INLINE V widenHalves(const unsigned short* in) { return (V)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in))); }
#else
INLINE V widenHalves(const unsigned short* in) {
  typedef unsigned short Halves __attribute__((vector_size(VECTOR_WIDTH * 2)));
  Halves halves;
  __builtin_memcpy(&halves, in, sizeof halves);
  const I bits = __builtin_convertvector(halves, I);
  const I size = bits & isplat(0x7fff), sign = (bits & isplat(0x8000)) << 16;
  const I small = (I)(__builtin_convertvector(size, V) * splat(0x1p-24f));
  const I normal = (size << 13) + isplat(112 << 23), special = (size << 13) + isplat(224 << 23);
  return (V)(sign | (size < isplat(0x400) ? small : size >= isplat(0x7c00) ? special : normal));
}
#endif

// Adds up the lanes in halves, which waits for four additions in place of fifteen.
INLINE float sumInHalves(V v) {
  alignas(64) float lanes[W];
  store(lanes, v);
  for (long half = W / 2; half > 0; half /= 2) {
    for (long i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

// Asks for the lines of rows that come so much later that memory can keep up: the processor by itself looks no further than the end of a page.
INLINE void fetchAhead(const unsigned char* bytes, long count) {
  constexpr long AHEAD = 8192;
  for (long i = 0; i < count; i += 64) __builtin_prefetch(bytes + AHEAD + i, 0, 2);
}

// Multiplies the query with each of `count` rows of halves, which may begin at any byte. The squares of lengths cost nothing beside the reading of rows.
void scoreHalves(const unsigned char* rows, long count, long width, const float* query, float* scores, float* squares) {
  constexpr long TOGETHER = 4;
  const auto at = [&](long row) { return reinterpret_cast<const unsigned short*>(rows + row * width * 2); };
  const long whole = width / W * W;
  const auto finish = [&](long row, V sums, V lengths) {
    if (whole < width) {
      unsigned short halves[W] = {};
      float rest[W] = {};
      __builtin_memcpy(halves, at(row) + whole, static_cast<size_t>(width - whole) * 2);
      __builtin_memcpy(rest, query + whole, static_cast<size_t>(width - whole) * 4);
      const V last = widenHalves(halves);
      sums += last * load(rest);
      lengths += last * last;
    }
    scores[row] = sumInHalves(sums);
    squares[row] = sumInHalves(lengths);
  };
  long row = 0;
  for (; row + TOGETHER <= count; row += TOGETHER) {
    V sums[TOGETHER] = {}, lengths[TOGETHER] = {};
    fetchAhead(rows + row * width * 2, TOGETHER * width * 2);
    for (long i = 0; i < whole; i += W) {
      const V q = load(query + i);
#pragma GCC unroll 4
      for (long j = 0; j < TOGETHER; j++) {
        const V x = widenHalves(at(row + j) + i);
        sums[j] += x * q;
        lengths[j] += x * x;
      }
    }
    for (long j = 0; j < TOGETHER; j++) finish(row + j, sums[j], lengths[j]);
  }
  for (; row < count; row++) {
    V total{}, length{};
    for (long i = 0; i < whole; i += W) {
      const V x = widenHalves(at(row) + i);
      total += x * load(query + i);
      length += x * x;
    }
    finish(row, total, length);
  }
}

// A sum in float64 has so many lanes, each of which adds up every sixteenth product; each product is exact.
constexpr long EXACT_LANES = 16;

double dotHalves(const float* query, const unsigned char* row, long width) {
  const unsigned short* halves = reinterpret_cast<const unsigned short*>(row);
  alignas(64) double lanes[EXACT_LANES] = {};
#if defined(__AVX512F__) && VECTOR_WIDTH == 16
  __m512d low = _mm512_setzero_pd(), high = low;
  const auto add = [&](const float* q, const unsigned short* h) {
    const __m512 a = (__m512)load(q), b = (__m512)widenHalves(h);
    low = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(_mm512_castps512_ps256(b)), low);
    high = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(b, 1)), high);
  };
#else
  const auto add = [&](const float* q, const unsigned short* h) {
    float x[EXACT_LANES];
    for (long i = 0; i < EXACT_LANES; i += W) store(x + i, widenHalves(h + i));
#pragma GCC unroll 16
    for (long i = 0; i < EXACT_LANES; i++) lanes[i] += static_cast<double>(q[i]) * static_cast<double>(x[i]);
  };
#endif
  long i = 0;
  for (; i + EXACT_LANES <= width; i += EXACT_LANES) add(query + i, halves + i);
  if (i < width) {
    float q[EXACT_LANES] = {};
    unsigned short h[EXACT_LANES] = {};
    __builtin_memcpy(q, query + i, static_cast<size_t>(width - i) * 4);
    __builtin_memcpy(h, halves + i, static_cast<size_t>(width - i) * 2);
    add(q, h);
  }
#if defined(__AVX512F__) && VECTOR_WIDTH == 16
  _mm512_store_pd(lanes, low);
  _mm512_store_pd(lanes + 8, high);
#endif
  for (long half = EXACT_LANES / 2; half > 0; half /= 2) {
    for (long l = 0; l < half; l++) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

// Gives what rounding to bfloat16 takes from values.
INLINE V lostInBfloat16(V v) {
  const I bits = (I)v;
  return v - (V)((bits + isplat(0x7fff) + ((bits >> 16) & isplat(1))) & isplat(static_cast<int>(0xffff0000)));
}

void widenRows(const unsigned char* const* rows, long count, long width, float* out, float* squares, float* lost) {
  const long whole = width / W * W;
  for (long r = 0; r < count; r++, out += width) {
    const unsigned short* in = reinterpret_cast<const unsigned short*>(rows[r]);
    // Rows that are gathered are asked for before their turn.
    if (r + 4 < count) {
      for (long i = 0; i < width * 2; i += 64) __builtin_prefetch(rows[r + 4] + i);
    }
    V lengths{}, losses{};
    const auto measure = [&](V x) {
      const V loss = lostInBfloat16(x);
      lengths += x * x;
      losses += loss * loss;
    };
    for (long i = 0; i < whole; i += W) {
      const V x = widenHalves(in + i);
      store(out + i, x);
      measure(x);
    }
    if (whole < width) {
      unsigned short halves[W] = {};
      __builtin_memcpy(halves, in + whole, static_cast<size_t>(width - whole) * 2);
      const V x = widenHalves(halves);
      __builtin_memcpy(out + whole, &x, static_cast<size_t>(width - whole) * 4);
      measure(x);
    }
    squares[r] = sumInHalves(lengths);
    lost[r] = sumInHalves(losses);
  }
}

// Whole vectors are compared, up to the stride; nothing but what lies within the columns is listed. What is not a number is not below anything.
long findLarge(const float* scores, long stride, long rows, long columns, const float* rowBounds, const float* columnBounds, unsigned* places) {
  long found = 0;
  const auto list = [&](long r, long from, V row, V bound, const float* more) {
    for (long i = from; i < smaller(columns, from + W); i++) {
      const bool isBelow = row[i - from] < bound[0] && (more == nullptr || row[i - from] < more[i]);
      if (!isBelow) places[found++] = static_cast<unsigned>(r * 65536 + i);
    }
  };
  const auto isLarge = [](I below) {
#if defined(__AVX512F__) && VECTOR_WIDTH == 16
    return _mm512_movepi32_mask((__m512i)below) != 0xffff;
#elif defined(__AVX2__) && VECTOR_WIDTH == 8
    return _mm256_movemask_ps((__m256)below) != 0xff;
#else
    int all = -1;
    for (long i = 0; i < W; i++) all &= below[i];
    return all == 0;
#endif
  };
  for (long r = 0; r < rows; r++) {
    const V bound = splat(rowBounds[r]);
    for (long c = 0; c < columns; c += W) {
      const V row = load(scores + r * stride + c);
      I below = row < bound;
      if (columnBounds != nullptr) below &= row < load(columnBounds + c);
      if (__builtin_expect(isLarge(below), false)) list(r, c, row, bound, columnBounds);
    }
  }
  return found;
}

// Multiplies the query, in 15 bits, with each of `count` rows of bytes. All is in whole numbers but the scales, so that every instruction set gives the same.
void scoreBytes(const signed char* rows, const float* scales, long count, long width, const short* query, float queryScale, float* scores) {
  // So many products of 15 and 8 bits fit into 32.
  constexpr long PIECE = 1024;
  for (long r = 0; r < count; r++) {
    const signed char* row = rows + r * width;
    fetchAhead(reinterpret_cast<const unsigned char*>(row), width);
    long total = 0;
    for (long from = 0; from < width; from += PIECE) {
      int piece = 0;
      for (long i = from; i < smaller(from + PIECE, width); i++) piece += static_cast<short>(row[i]) * query[i];
      total += piece;
    }
    scores[r] = static_cast<float>(static_cast<double>(total) * (static_cast<double>(queryScale) * static_cast<double>(scales[r])));
  }
}

// Adds up bytes as words, which is the least that reading them takes.
unsigned long long sumBytes(const unsigned char* bytes, long count) {
  typedef unsigned long long Words __attribute__((vector_size(VECTOR_WIDTH * 4)));
  Words sums[4] = {};
  long i = 0;
  for (; i + static_cast<long>(sizeof sums) <= count; i += static_cast<long>(sizeof sums)) {
    for (int v = 0; v < 4; v++) {
      Words words;
      __builtin_memcpy(&words, bytes + i + v * static_cast<long>(sizeof words), sizeof words);
      sums[v] += words;
    }
  }
  const Words all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  unsigned long long total = 0;
  for (long v = 0; v < W / 2; v++) total += all[v];
  for (; i < count; i++) total += bytes[i];
  return total;
}

}  // namespace
}  // namespace plumage
