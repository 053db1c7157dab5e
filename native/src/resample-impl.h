// Resizes 8-bit RGB images in fixed point, to the bit as src/kernels/resample-pillow.ts does.
//
// Four neighbouring inputs of an output are one unit of 4 bytes. A pass multiplies units by weights, and its lanes are whatever is
// independent of it. Those are rows for the horizontal pass, which therefore reads blocks of W rows laid out unit by unit, and places along
// the row for the vertical one, whose units come from four rows.
#pragma once

#include "product-impl.h"

namespace plumage {
namespace {

typedef unsigned char Byte;
typedef I UnalignedI __attribute__((aligned(4), may_alias));
INLINE I loadUnits(const Byte* p) { return *reinterpret_cast<const UnalignedI*>(p); }

// Says how a unit is multiplied by its four weights, of 24 bits with the sign. There are SUMS partial sums, and FACTORS numbers stand for the
// weights.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
// Each weight is kept as three signed bytes.
struct UnitProduct {
  static constexpr int SUMS = 3, FACTORS = 3;
  static void encode(const int* weights, int* factors) {
    signed char* bytes = reinterpret_cast<signed char*>(factors);
    for (int i = 0; i < 4; i++) {
      int rest = weights[i];
      for (int digit = 0; digit < 3; digit++) {
        bytes[digit * 4 + i] = static_cast<signed char>(rest);
        rest = (rest - bytes[digit * 4 + i]) / 256;
      }
    }
  }
  static INLINE I prepare(I units) { return units; }
  static INLINE void add(I* sums, I units, const int* factors) {
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++) {
#if VECTOR_WIDTH == 16
      sums[i] = (I)_mm512_dpbusd_epi32((__m512i)sums[i], (__m512i)units, (__m512i)isplat(factors[i]));
#else
      sums[i] = (I)_mm256_dpbusd_avx_epi32((__m256i)sums[i], (__m256i)units, (__m256i)isplat(factors[i]));
#endif
    }
  }
  static INLINE I total(const I* sums) { return sums[0] + (sums[1] << 8) + (sums[2] << 16); }
};
#elif VECTOR_WIDTH >= 8
// Each weight is kept as 15 bits above and 8 below; bytes 0 and 2 of a unit are one pair of 16-bit numbers, 1 and 3 the other.
struct UnitProduct {
  static constexpr int SUMS = 2, FACTORS = 4;
  static void encode(const int* weights, int* factors) {
    short* halves = reinterpret_cast<short*>(factors);
    for (int i = 0; i < 4; i++) {
      const int at = (i & 1) * 2 + (i >> 1);
      halves[at] = static_cast<short>(weights[i] & 0xff);
      halves[4 + at] = static_cast<short>(weights[i] >> 8);
    }
  }
  static INLINE I multiply(I a, int b) {
#if VECTOR_WIDTH == 16
    return (I)_mm512_madd_epi16((__m512i)a, (__m512i)isplat(b));
#else
    return (I)_mm256_madd_epi16((__m256i)a, (__m256i)isplat(b));
#endif
  }
  static INLINE void add(I* sums, I units, const int* factors) {
    const I even = units & isplat(0x00ff00ff), odd = (units >> 8) & isplat(0x00ff00ff);
    sums[0] += multiply(even, factors[0]) + multiply(odd, factors[1]);
    sums[1] += multiply(even, factors[2]) + multiply(odd, factors[3]);
  }
  static INLINE I total(const I* sums) { return sums[0] + (sums[1] << 8); }
};
#else
typedef unsigned U __attribute__((vector_size(VECTOR_WIDTH * 4)));
struct UnitProduct {
  static constexpr int SUMS = 1, FACTORS = 4;
  static void encode(const int* weights, int* factors) {
    for (int i = 0; i < 4; i++) factors[i] = weights[i];
  }
  static INLINE void add(I* sums, I units, const int* factors) {
    for (int i = 0; i < 4; i++) sums[0] = (I)((U)sums[0] + (U)((units >> 8 * i) & isplat(255)) * (U)isplat(factors[i]));
  }
  static INLINE I total(const I* sums) { return sums[0]; }
};
#endif

// Holds the taps of an axis by whole units: the first unit and their number for each output, then factors.
struct UnitTaps {
  const int* ranges;
  const int* factors;
  long stride;  // an output has so many factors
};

INLINE long unitsOf(long inputs) { return ceilDivide(inputs, 4); }
// There is one unit more than the taps fill, as they may begin anywhere in the first.
INLINE long factorStride(const ResampleAxis& axis) { return (unitsOf(axis.stride) + 1) * UnitProduct::FACTORS; }

INLINE UnitTaps encodeTaps(const ResampleAxis& axis, int* scratch) {
  const long stride = factorStride(axis);
  int* ranges = scratch;
  int* factors = scratch + axis.outputs * 2;
  for (long i = 0; i < axis.outputs; i++) {
    const long first = axis.first[i] / 4, units = (axis.first[i] + axis.count[i] - 1) / 4 - first + 1;
    ranges[i * 2] = static_cast<int>(first);
    ranges[i * 2 + 1] = static_cast<int>(units);
    for (long unit = 0; unit < units; unit++) {
      int weights[4];
      for (long j = 0; j < 4; j++) {
        const long tap = (first + unit) * 4 + j - axis.first[i];
        weights[j] = tap >= 0 && tap < axis.count[i] ? axis.weights[i * axis.stride + tap] : 0;
      }
      UnitProduct::encode(weights, factors + i * stride + unit * UnitProduct::FACTORS);
    }
  }
  return {ranges, factors, stride};
}

// Turns sums into levels, in lanes of 4 bytes.
INLINE I levelsOf(const I* sums, int bits) {
  I level = (UnitProduct::total(sums) + isplat(1 << (bits - 1))) >> bits;
  level = level < I{} ? I{} : level;
  return level > isplat(255) ? isplat(255) : level;
}

INLINE void storeLevels(I levels, Byte* out) {
#if VECTOR_WIDTH == 16
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtepi32_epi8((__m512i)levels));
#else
  for (long i = 0; i < W; i++) out[i] = static_cast<Byte>(levels[i]);
#endif
}

// ---- The horizontal pass ----

INLINE int unitAt(const Byte* pixels, long count, int channel) {
  int unit = 0;
  for (long j = 0; j < smaller(count, 4); j++) unit |= pixels[j * 3 + channel] << 8 * j;
  return unit;
}

// Gathers W rows from `row` on as [units][3][W]; rows past the last repeat it.
INLINE void gatherRows(const Byte* in, long width, long height, long row, int* out) {
  const long units = unitsOf(width);
  long whole = 0;
#if VECTOR_WIDTH >= 8
  // 16 bytes are read for each unit's 12.
  whole = width * 3 < 16 ? 0 : (width * 3 - 16) / 12 + 1;
  const __m128i byChannel = _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1);
  for (long part = 0; part < W; part += 4) {
    const Byte* rows[4];
    for (long i = 0; i < 4; i++) rows[i] = in + smaller(row + part + i, height - 1) * width * 3;
    for (long unit = 0; unit < whole; unit++) {
      __m128 r[4];
      for (long i = 0; i < 4; i++) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + unit * 12));
        r[i] = _mm_castsi128_ps(_mm_shuffle_epi8(bytes, byChannel));
      }
      _MM_TRANSPOSE4_PS(r[0], r[1], r[2], r[3]);
      for (long c = 0; c < 3; c++) _mm_store_ps(reinterpret_cast<float*>(out + (unit * 3 + c) * W + part), r[c]);
    }
  }
#endif
  for (long unit = whole; unit < units; unit++) {
    for (int c = 0; c < 3; c++) {
      for (long lane = 0; lane < W; lane++) {
        const Byte* pixels = in + (smaller(row + lane, height - 1) * width + unit * 4) * 3;
        out[(unit * 3 + c) * W + lane] = unitAt(pixels, width - unit * 4, c);
      }
    }
  }
}

// Makes [height, outputs, 3] of [height, width, 3]; with `asUnits` it makes units of four rows, [height / 4][outputs * 3].
INLINE void resampleRows(const Byte* in, long height, long width, const ResampleAxis& axis, const UnitTaps& taps, bool asUnits, long unitStride,
                         int* gathered, Byte* levels, Byte* out) {
  const long outLength = axis.outputs * 3;
  for (long row = 0; row < height; row += W) {
    gatherRows(in, width, height, row, gathered);
    for (long i = 0; i < axis.outputs; i++) {
      I sums[3][UnitProduct::SUMS] = {};
      const int* units = gathered + taps.ranges[i * 2] * 3 * W;
      const int* factors = taps.factors + i * taps.stride;
      for (long unit = 0; unit < taps.ranges[i * 2 + 1]; unit++) {
#pragma GCC unroll 3
        for (long c = 0; c < 3; c++) UnitProduct::add(sums[c], loadUnits(reinterpret_cast<const Byte*>(units + c * W)), factors);
        units += 3 * W;
        factors += UnitProduct::FACTORS;
      }
      for (long c = 0; c < 3; c++) storeLevels(levelsOf(sums[c], axis.bits), levels + (i * 3 + c) * W);
    }
    const long rows = smaller(W, height - row);
    if (asUnits) {
      // The last unit may have rows that are none; their weights are zero.
      for (long part = 0; part < rows; part += 4) {
        int* to = reinterpret_cast<int*>(out) + (row + part) / 4 * unitStride;
        for (long x = 0; x < outLength; x++) __builtin_memcpy(to + x, levels + x * W + part, 4);
      }
    } else {
      for (long lane = 0; lane < rows; lane++) {
        Byte* to = out + (row + lane) * outLength;
        for (long x = 0; x < outLength; x++) to[x] = levels[x * W + lane];
      }
    }
  }
}

// ---- The vertical pass ----

// Makes units of columns [from, to) of four rows each, [height / 4][stride].
INLINE void interleaveRows(const Byte* in, long height, long length, long from, long to, int* out, long stride) {
  for (long row = 0; row < height; row += 4) {
    const Byte* rows[4];
    for (long i = 0; i < 4; i++) rows[i] = in + smaller(row + i, height - 1) * length;
    int* units = out + row / 4 * stride;
    for (long x = from; x < to; x++) units[x - from] = rows[0][x] | rows[1][x] << 8 | rows[2][x] << 16 | rows[3][x] << 24;
  }
}

// Makes columns [from, to) of the rows of `out`, which are `length` bytes long, of units [units][stride].
INLINE void resampleColumns(const int* units, long stride, const ResampleAxis& axis, const UnitTaps& taps, long from, long to, Byte* out,
                            long length) {
  constexpr long BESIDE = UnitProduct::SUMS == 3 ? 4 : 3;
  for (long i = 0; i < axis.outputs; i++) {
    const int* first = units + taps.ranges[i * 2] * stride;
    const long count = taps.ranges[i * 2 + 1];
    for (long x = from; x < to; x += BESIDE * W) {
      I sums[BESIDE][UnitProduct::SUMS] = {};
      const int* at = first + (x - from);
      const int* factors = taps.factors + i * taps.stride;
      for (long unit = 0; unit < count; unit++) {
#pragma GCC unroll 4
        for (long j = 0; j < BESIDE; j++) UnitProduct::add(sums[j], loadUnits(reinterpret_cast<const Byte*>(at + j * W)), factors);
        at += stride;
        factors += UnitProduct::FACTORS;
      }
      Byte levels[BESIDE * W];
      for (long j = 0; j < BESIDE; j++) storeLevels(levelsOf(sums[j], axis.bits), levels + j * W);
      Byte* place = out + i * length + x;
      if (to - x >= BESIDE * W) {
        __builtin_memcpy(place, levels, BESIDE * W);
      } else {
        __builtin_memcpy(place, levels, to - x);
      }
    }
  }
}

// ---- Both ----

// So many columns go through the vertical pass together where the image itself is its input: their units fit the second-level cache.
constexpr long COLUMNS_TOGETHER = 192;
INLINE long paddedLength(long bytes) { return ceilDivide(bytes, 4 * W) * 4 * W + 4 * W; }

// Lays out the pieces of the scratch memory, one behind the other.
struct ResampleScratch {
  int *horizontalTaps, *verticalTaps, *gathered, *units;
  Byte *levels, *between;
  long bytes;

  ResampleScratch(const ResampleArgs& args, char* memory) : bytes(0) {
    const ResampleAxis &h = args.horizontal, &v = args.vertical;
    const long width = args.width, height = args.height;
    const bool both = h.outputs > 0 && v.outputs > 0;
    const auto piece = [&](long size) {
      char* at = memory + bytes;
      bytes += ceilDivide(size, 64) * 64;
      return at;
    };
    const auto taps = [&](const ResampleAxis& axis) { return reinterpret_cast<int*>(piece(axis.outputs * (2 + factorStride(axis)) * 4)); };
    horizontalTaps = taps(h);
    verticalTaps = taps(v);
    gathered = reinterpret_cast<int*>(piece(h.outputs > 0 ? unitsOf(width) * 3 * W * 4 : 0));
    levels = reinterpret_cast<Byte*>(piece(h.outputs * 3 * W));
    units = reinterpret_cast<int*>(
        piece(v.outputs == 0 ? 0 : unitsOf(height) * 4 * (both && !args.verticalFirst ? paddedLength(h.outputs * 3) : paddedLength(COLUMNS_TOGETHER))));
    between = reinterpret_cast<Byte*>(piece(both && args.verticalFirst ? v.outputs * width * 3 : 0));
  }
};

long resampleScratchBytes(const ResampleArgs& args) { return ResampleScratch(args, nullptr).bytes; }

void verticalPass(const ResampleArgs& args, const UnitTaps& taps, long length, int* units, Byte* out) {
  const long stride = paddedLength(COLUMNS_TOGETHER);
  for (long from = 0; from < length; from += COLUMNS_TOGETHER) {
    const long to = smaller(from + COLUMNS_TOGETHER, length);
    interleaveRows(args.in, args.height, length, from, to, units, stride);
    resampleColumns(units, stride, args.vertical, taps, from, to, out, length);
  }
}

bool resampleRowsOf(RowSource& source, const ResampleArgs& args, const UnitTaps& taps, long stride, const ResampleScratch& scratch) {
  static_assert(RowSource::ROWS % W == 0 && RowSource::ROWS % 4 == 0, "a strip is a whole number of vectors and of units");
  for (long row = 0; row < args.height; row += RowSource::ROWS) {
    const long count = smaller(RowSource::ROWS, args.height - row);
    const Byte* rows = source.rows(row, count);
    if (rows == nullptr) return false;
    resampleRows(rows, count, args.width, args.horizontal, taps, true, stride, scratch.gathered, scratch.levels,
                 reinterpret_cast<Byte*>(scratch.units + row / 4 * stride));
  }
  return true;
}

bool resample(const ResampleArgs& args, char* memory) {
  const ResampleScratch scratch(args, memory);
  const ResampleAxis &h = args.horizontal, &v = args.vertical;
  const UnitTaps horizontal = encodeTaps(h, scratch.horizontalTaps), vertical = encodeTaps(v, scratch.verticalTaps);
  if (v.outputs == 0) {
    resampleRows(args.in, args.height, args.width, h, horizontal, false, 0, scratch.gathered, scratch.levels, args.out);
  } else if (h.outputs == 0) {
    verticalPass(args, vertical, args.width * 3, scratch.units, args.out);
  } else if (args.verticalFirst) {
    verticalPass(args, vertical, args.width * 3, scratch.units, scratch.between);
    resampleRows(scratch.between, v.outputs, args.width, h, horizontal, false, 0, scratch.gathered, scratch.levels, args.out);
  } else {
    const long length = h.outputs * 3, stride = paddedLength(length);
    if (args.source != nullptr) {
      if (!resampleRowsOf(*args.source, args, horizontal, stride, scratch)) return false;
    } else {
      resampleRows(args.in, args.height, args.width, h, horizontal, true, stride, scratch.gathered, scratch.levels,
                   reinterpret_cast<Byte*>(scratch.units));
    }
    resampleColumns(scratch.units, stride, v, vertical, 0, length, args.out, length);
  }
  return true;
}

}  // namespace
}  // namespace plumage
