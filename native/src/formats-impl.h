// Writes rows in the formats of kernels.h, and turns one format into another.
#pragma once

#include "product-impl.h"

namespace plumage {
namespace {

// Reads the scale of a row of integers.
INLINE float integerRowScale(const Rows& rows, long row) { return rows.data[(row + 1) * rows.stride - 16]; }

INLINE unsigned short* halvesOf(const Rows& rows, long row) { return reinterpret_cast<unsigned short*>(rows.data + row * rows.stride); }

#if defined(__AVX512BF16__)
typedef __m512i Pair;  // holds 32 bfloat16
INLINE Pair roundPair(V a, V b) { return (__m512i)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a); }
INLINE V widenLow(Pair p) { return (V)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(p)), 16); }
INLINE V widenHigh(Pair p) { return (V)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(p, 1)), 16); }
// Stores 32 values from column `at` on, a multiple of 32; a and b hold 16 of them each.
INLINE void storePair(const Rows& out, long row, long at, V a, V b) {
  unsigned short* to = halvesOf(out, row) + at;
  const Pair high = roundPair(a, b);
  _mm512_store_si512(to, high);
  if (out.format == Format::split) {
    _mm512_store_si512(to + out.low * 2, roundPair(a - widenLow(high), b - widenHigh(high)));
  }
}
#endif

#if defined(__AVX2__) && !defined(__AVX512BF16__)
// Rounds to bfloat16. NaN stays NaN.
INLINE Halves roundVector(V v) {
  const I bits = (I)v;
  const I rounded = bits + isplat(0x7fff) + ((bits >> 16) & isplat(1));
  const I kept = v == v ? rounded : bits | isplat(0x400000);
#if VECTOR_WIDTH == 16
  return (Halves)_mm512_cvtepi32_epi16((__m512i)(kept >> 16));
#else
  const __m256i halves = _mm256_srli_epi32((__m256i)kept, 16);
  return (Halves)_mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
#endif
}
#endif

// Stores vectors from `column` on; value(j) gives the j-th. Where products read bfloat16, what is missing to a whole line becomes zero.
template <typename Value>
INLINE void storeValues(const Rows& out, long row, long column, long vectors, Value value) {
#if defined(__AVX512BF16__)
  if (out.format != Format::float32) {
    for (long j = 0; j < vectors; j += 2) storePair(out, row, column + j * W, value(j), j + 1 < vectors ? value(j + 1) : V{});
    return;
  }
#elif defined(__AVX2__)
  if (out.format == Format::bfloat16) {
    for (long j = 0; j < vectors; j++) *reinterpret_cast<UnalignedHalves*>(halvesOf(out, row) + column + j * W) = roundVector(value(j));
    return;
  }
#endif
  float* to = out.data + row * out.stride + column;
  for (long j = 0; j < vectors; j++) store(to + j * W, value(j));
}

// Writes the scale of a row of integers up to `most`, and gives the factor that makes them; `x` is the row in float32.
INLINE float storeScale(const Rows& out, long row, const float* x, long width, float most) {
  // Sizes are compared as integers, among which NaN is the largest; four at a time, because each waits for the one before.
  I largest[4] = {};
  long c = 0;
  for (; c + 4 * W <= width; c += 4 * W) {
#pragma GCC unroll 4
    for (long i = 0; i < 4; i++) largest[i] = larger((I)absolute(load(x + c + i * W)), largest[i]);
  }
  for (; c < width; c += W) largest[0] = larger((I)absolute(load(x + c)), largest[0]);
  const float size = largestOf(larger(larger(largest[0], largest[1]), larger(largest[2], largest[3])));
  // NaN goes in, NaN comes out: the scale carries it.
  out.data[(row + 1) * out.stride - 16] = size / most;
  return size > 0 ? most / size : 0.0f;
}

// `x` is the row in float32, zero from `width` to the next multiple of 64.
INLINE void storeInt8(const Rows& out, long row, const float* x, long width) {
  unsigned char* to = reinterpret_cast<unsigned char*>(out.data + row * out.stride);
  const V factor = splat(storeScale(out, row, x, width, 127.0f)), magic = splat(12582912.0f + 128.0f);
  for (long c = 0; c < ceilDivide(width, 64) * 64; c += W) {
    const I whole = (I)(load(x + c) * factor + magic) & 0xff;
    const Bytes bytes = __builtin_convertvector(whole, Bytes);
    __builtin_memcpy(to + c, &bytes, W);
  }
}

// Gives the largest number of a row whose products with `depth` bytes can be summed in 32 bits.
INLINE long mostOfInt16(long depth) { return smaller(32767, 0x7fffffff / (127 * depth)); }

INLINE void storeInt16(const Rows& out, long row, const float* x, long width) {
  unsigned short* to = halvesOf(out, row);
  const V factor = splat(storeScale(out, row, x, width, static_cast<float>(mostOfInt16(width)))), magic = splat(12582912.0f);
  for (long c = 0; c < ceilDivide(width, 32) * 32; c += W) {
    const Halves whole = __builtin_convertvector((I)(load(x + c) * factor + magic) & 0xffff, Halves);
    __builtin_memcpy(to + c, &whole, W * 2);
  }
}

// Fills up `x` behind `width` and stores it in a narrow format.
INLINE void storeNarrow(const Rows& out, long row, float* x, long width) {
  for (long c = width; c < ceilDivide(width, 64) * 64; c++) x[c] = 0;
  if (out.format == Format::int8) return storeInt8(out, row, x, width);
  if (out.format == Format::int16) return storeInt16(out, row, x, width);
  storeValues(out, row, 0, ceilDivide(width, W), [&](long j) { return load(x + j * W); });
}

void convert(const ConvertArgs& args, long from, long to, float* scratch) {
  for (long r = from; r < to; r++) {
    const float* in = args.in.data + r * args.in.stride;
    if (args.in.format == Format::float32) {
      __builtin_memcpy(scratch, in, args.width * sizeof(float));
    } else {
      const unsigned short* halves = halvesOf(args.in, r);
      for (long c = 0; c < ceilDivide(args.width, 32) * 32; c += W) {
        const Halves h = *reinterpret_cast<const UnalignedHalves*>(halves + c);
        store(scratch + c, (V)(__builtin_convertvector(h, I) << 16));
      }
    }
    storeNarrow(args.out, r, scratch, args.width);
  }
}

}  // namespace
}  // namespace plumage
