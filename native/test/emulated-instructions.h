// Computes what AVX-512 and AMX instructions compute, in plain code, so that kernels for them are tested on processors that lack them.
//
// The compiler includes this before a file of kernels. The build says by EMULATE_* which instructions the processor has not; those that it has
// are left as they are, but for those of AMX, which need the system's leave. Only what the kernels use is here, and a kernel that uses more does not compile. Sums are made in the order that Intel's
// manuals give; speed is no aim.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace plumage_emulated {

#define EMULATED static inline __attribute__((always_inline))

typedef int Ints __attribute__((vector_size(64)));
typedef short Shorts __attribute__((vector_size(64)));

template <typename To, typename From>
EMULATED To as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "only the type may differ");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

template <typename Number, int count>
struct Lanes {
  Number at[count];
};

template <typename Number, typename Vector>
EMULATED auto lanes(const Vector& v) {
  return as<Lanes<Number, sizeof(Vector) / sizeof(Number)>>(v);
}

// Makes a vector whose lane i is f(i).
template <typename Vector, typename Number, typename F>
EMULATED Vector each(F f) {
  Lanes<Number, sizeof(Vector) / sizeof(Number)> made;
  for (int i = 0; i < static_cast<int>(sizeof(Vector) / sizeof(Number)); i++) made.at[i] = static_cast<Number>(f(i));
  return as<Vector>(made);
}

EMULATED float fromBfloat16(unsigned short value) { return as<float>(static_cast<unsigned>(value) << 16); }

// The instruction rounds to nearest even, and a NaN stays one.
EMULATED unsigned short toBfloat16(float value) {
  const unsigned bits = as<unsigned>(value);
  if (std::isnan(value)) return static_cast<unsigned short>(bits >> 16 | 0x40);
  return static_cast<unsigned short>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Adds products of four unsigned bytes and four signed ones to each lane.
template <typename Vector>
EMULATED Vector dpbusd(Vector sum, Vector a, Vector b) {
  const auto sums = lanes<int>(sum);
  const auto left = lanes<unsigned char>(a);
  const auto right = lanes<signed char>(b);
  return each<Vector, int>([&](int i) {
    int total = sums.at[i];
    for (int k = 0; k < 4; k++) total += left.at[4 * i + k] * right.at[4 * i + k];
    return total;
  });
}

// Adds products of two signed numbers of 16 bits to each lane.
template <typename Vector>
EMULATED Vector dpwssd(Vector sum, Vector a, Vector b) {
  const auto sums = lanes<int>(sum);
  const auto left = lanes<short>(a), right = lanes<short>(b);
  return each<Vector, int>([&](int i) { return sums.at[i] + left.at[2 * i] * right.at[2 * i] + left.at[2 * i + 1] * right.at[2 * i + 1]; });
}

// Takes the lower or the upper halves of each 16 bytes of two vectors, in turn.
template <typename Number, bool upper>
EMULATED __m512i unpack(__m512i a, __m512i b) {
  constexpr int PART = 16 / sizeof(Number);
  const auto first = lanes<Number>(a), second = lanes<Number>(b);
  return each<__m512i, Number>([&](int i) {
    const int from = i / PART * PART + (upper ? PART / 2 : 0) + i % PART / 2;
    return i % 2 == 0 ? first.at[from] : second.at[from];
  });
}

template <typename Number>
EMULATED __m512i permuteTwo(__m512i a, __m512i index, __m512i b) {
  constexpr int COUNT = 64 / sizeof(Number);
  const auto first = lanes<Number>(a), second = lanes<Number>(b), at = lanes<Number>(index);
  return each<__m512i, Number>([&](int i) { return (at.at[i] & COUNT ? second : first).at[at.at[i] & (COUNT - 1)]; });
}

EMULATED __m512 permuteTwoFloats(__m512 a, __m512i index, __m512 b) {
  const auto first = lanes<float>(a), second = lanes<float>(b);
  const auto at = lanes<int>(index);
  return each<__m512, float>([&](int i) { return (at.at[i] & 16 ? second : first).at[at.at[i] & 15]; });
}

// Has a bit for each lane that is negative.
EMULATED unsigned short signsOf(__m512i v) {
  const auto all = lanes<int>(v);
  unsigned signs = 0;
  for (int i = 0; i < 16; i++) signs |= static_cast<unsigned>(all.at[i] < 0) << i;
  return static_cast<unsigned short>(signs);
}

EMULATED __m512d multiplyAdd(__m512d a, __m512d b, __m512d c) {
  const auto x = lanes<double>(a), y = lanes<double>(b), z = lanes<double>(c);
  return each<__m512d, double>([&](int i) { return __builtin_fma(x.at[i], y.at[i], z.at[i]); });
}

// Where the bit of a lane is 0, the lane becomes zero.
template <typename Number, typename Vector>
EMULATED Vector onlyWhere(unsigned long long mask, Vector v) {
  const auto all = lanes<Number>(v);
  return each<Vector, Number>([&](int i) { return mask >> i & 1 ? all.at[i] : Number{}; });
}

template <typename To, typename Wide, typename Narrow, typename From>
EMULATED To convert(From v) {
  const auto from = lanes<Narrow>(v);
  return each<To, Wide>([&](int i) { return static_cast<Wide>(from.at[i]); });
}

// Does for each half what an instruction of 32 bytes does.
template <typename To, typename Half, typename F, typename From>
EMULATED To halves(F f, From a, From b) {
  const auto x = lanes<Half>(a), y = lanes<Half>(b);
  const Lanes<decltype(f(x.at[0], y.at[0])), 2> both = {{f(x.at[0], y.at[0]), f(x.at[1], y.at[1])}};
  return as<To>(both);
}

// AMX has eight tiles a thread, which must be laid out before they are used.
struct Tiles {
  struct Layout {
    unsigned char palette, start, reserved[14];
    unsigned short columnBytes[16];
    unsigned char rows[16];
  } layout;
  alignas(64) unsigned char bytes[8][16][64];
};
static thread_local Tiles tiles;

static inline void wantTile(int tile) {
  if (tiles.layout.palette == 1 && tiles.layout.rows[tile] <= 16 && tiles.layout.columnBytes[tile] <= 64) return;
  std::fprintf(stderr, "Tile %d is used before it is laid out.\n", tile);
  std::abort();
}

static inline void clearTile(int tile) {
  wantTile(tile);
  std::memset(tiles.bytes[tile], 0, sizeof tiles.bytes[tile]);
}
static inline void loadTile(int tile, const void* from, long stride) {
  clearTile(tile);
  for (int row = 0; row < tiles.layout.rows[tile]; row++) {
    std::memcpy(tiles.bytes[tile][row], static_cast<const char*>(from) + row * stride, tiles.layout.columnBytes[tile]);
  }
}
static inline void storeTile(int tile, void* to, long stride) {
  wantTile(tile);
  for (int row = 0; row < tiles.layout.rows[tile]; row++) {
    std::memcpy(static_cast<char*>(to) + row * stride, tiles.bytes[tile][row], tiles.layout.columnBytes[tile]);
  }
}

// Pairs are summed apart over the whole depth, first and second ones, and added at last.
static inline void multiplyBfloat16(int to, int left, int right) {
  wantTile(to), wantTile(left), wantTile(right);
  for (int row = 0; row < tiles.layout.rows[to]; row++) {
    float sums[2][16] = {};
    const auto a = as<Lanes<unsigned short, 32>>(tiles.bytes[left][row]);
    for (int k = 0; k < tiles.layout.columnBytes[left] / 4; k++) {
      const auto b = as<Lanes<unsigned short, 32>>(tiles.bytes[right][k]);
      for (int part = 0; part < 2; part++) {
        for (int c = 0; c < 16; c++) sums[part][c] += fromBfloat16(a.at[2 * k + part]) * fromBfloat16(b.at[2 * c + part]);
      }
    }
    auto total = as<Lanes<float, 16>>(tiles.bytes[to][row]);
    for (int c = 0; c < 16; c++) total.at[c] += sums[0][c] + sums[1][c];
    std::memcpy(tiles.bytes[to][row], &total, sizeof total);
  }
}
static inline void multiplyInt8(int to, int left, int right) {
  wantTile(to), wantTile(left), wantTile(right);
  for (int row = 0; row < tiles.layout.rows[to]; row++) {
    auto total = as<__m512i>(tiles.bytes[to][row]);
    for (int k = 0; k < tiles.layout.columnBytes[left] / 4; k++) {
      const int four = as<Lanes<int, 16>>(tiles.bytes[left][row]).at[k];
      total = dpbusd(total, each<__m512i, int>([&](int) { return four; }), as<__m512i>(tiles.bytes[right][k]));
    }
    std::memcpy(tiles.bytes[to][row], &total, sizeof total);
  }
}

#if defined(EMULATE_AVX512F)
#define __AVX512F__ 1
// The compiler has no register for so wide a vector.
#define PLUMAGE_ANY_REGISTER "+m"
EMULATED __m512i load512(const void* p) {
  __m512i v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
EMULATED __m512 loadFloats512(const void* p) {
  __m512 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
EMULATED void store512(void* p, __m512i v) { std::memcpy(p, &v, sizeof v); }
EMULATED void store512(void* p, __m512d v) { std::memcpy(p, &v, sizeof v); }
EMULATED __m512 loadWhere(unsigned mask, const void* p) {
  return each<__m512, float>([&](int i) { return mask >> i & 1 ? static_cast<const float*>(p)[i] : 0.0f; });
}
EMULATED float addAll(__m512 v) {
  auto sums = lanes<float>(v);
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) sums.at[i] += sums.at[i + half];
  }
  return sums.at[0];
}
// Takes away what is whole: 2^-M * round(2^M * x) in general, here with M = 0 and the rounding down that the lowest bits of the instruction's number
// ask for. Of an infinity nothing is left, and a NaN stays one.
template <int how>
EMULATED __m512 fractions(__m512 v) {
  static_assert(how == 9, "only whole numbers, rounded down without an exception, are taken away");
  const auto from = lanes<float>(v);
  return each<__m512, float>([&](int i) { return std::isinf(from.at[i]) ? 0.0f : from.at[i] - std::floor(from.at[i]); });
}
// Gives a * 2^floor(b), rounded once. A NaN stays one; where b is infinite, a becomes zero or infinite, and of zero and infinity a NaN.
EMULATED float scaled(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (std::isinf(b)) return a * (b > 0 ? b : 0.0f);
  const float whole = std::floor(b);
  return std::ldexp(a, static_cast<int>(whole < -1000 ? -1000 : whole > 1000 ? 1000 : whole));
}
EMULATED __m512 scale(__m512 a, __m512 b) {
  const auto from = lanes<float>(a), by = lanes<float>(b);
  return each<__m512, float>([&](int i) { return scaled(from.at[i], by.at[i]); });
}
EMULATED float fromHalf(unsigned short half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  float size = std::ldexp(static_cast<float>(exponent == 0 ? fraction : fraction + 1024), (exponent == 0 ? 1 : exponent) - 25);
  if (exponent == 31) size = fraction == 0 ? INFINITY : NAN;
  return half & 0x8000 ? -size : size;
}
EMULATED __m512 widenHalves(__m256i v) {
  const auto from = lanes<unsigned short>(v);
  return each<__m512, float>([&](int i) { return fromHalf(from.at[i]); });
}
template <int which>
EMULATED __m512i shuffleParts(__m512i a, __m512i b) {
  const auto first = lanes<__m128i>(a), second = lanes<__m128i>(b);
  const Lanes<__m128i, 4> parts = {{first.at[which & 3], first.at[which >> 2 & 3], second.at[which >> 4 & 3], second.at[which >> 6 & 3]}};
  return as<__m512i>(parts);
}

#define _mm512_load_si512(p) plumage_emulated::load512(p)
#define _mm512_loadu_si512(p) plumage_emulated::load512(p)
#define _mm512_store_si512(p, v) plumage_emulated::store512(p, v)
#define _mm512_setzero_si512() __m512i{}
#define _mm512_set1_epi16(x) plumage_emulated::each<__m512i, short>([&](int) { return x; })
#define _mm512_castsi512_si256(v) plumage_emulated::lanes<__m256i>(v).at[0]
#define _mm512_extracti64x4_epi64(v, part) plumage_emulated::lanes<__m256i>(v).at[part]
#define _mm512_slli_epi32(v, by) ((__m512i)((plumage_emulated::Ints)(v) << (by)))
#define _mm512_cvtepu16_epi32(v) plumage_emulated::convert<__m512i, int, unsigned short>(v)
#define _mm512_cvtepi8_epi32(v) plumage_emulated::convert<__m512i, int, signed char>(v)
#define _mm512_cvtepi8_epi16(v) plumage_emulated::convert<__m512i, short, signed char>(v)
#define _mm512_cvtepi32_epi8(v) plumage_emulated::convert<__m128i, signed char, int>(v)
#define _mm512_cvtepi32_epi16(v) plumage_emulated::convert<__m256i, short, int>(v)
#define _mm512_cvtph_ps(v) plumage_emulated::widenHalves(v)
#define _mm512_cvtepi32_ps(v) plumage_emulated::convert<__m512, float, int>(v)
#define _mm512_cvtps_epi32(v) \
  plumage_emulated::halves<__m512i, __m256>([](__m256 x, __m256) { return _mm256_cvtps_epi32(x); }, v, v)
#define _mm512_madd_epi16(a, b) \
  plumage_emulated::halves<__m512i, __m256i>([](__m256i x, __m256i y) { return _mm256_madd_epi16(x, y); }, a, b)
#define _mm512_max_ps(a, b) plumage_emulated::halves<__m512, __m256>([](__m256 x, __m256 y) { return _mm256_max_ps(x, y); }, a, b)
#define _mm512_min_ps(a, b) plumage_emulated::halves<__m512, __m256>([](__m256 x, __m256 y) { return _mm256_min_ps(x, y); }, a, b)
#define _mm512_reduce_ps(v, how) plumage_emulated::fractions<how>(v)
#define _mm512_scalef_ps(a, b) plumage_emulated::scale(a, b)
#define _mm512_reduce_add_ps(v) plumage_emulated::addAll(v)
#define _mm512_maskz_mov_ps(mask, v) plumage_emulated::onlyWhere<float>(mask, v)
#define _mm512_maskz_loadu_ps(mask, p) plumage_emulated::loadWhere(mask, p)
#define _mm512_maskz_sub_epi16(mask, a, b) \
  plumage_emulated::onlyWhere<short>(mask, (__m512i)((plumage_emulated::Shorts)(a) - (plumage_emulated::Shorts)(b)))
#define _mm512_unpacklo_epi32(a, b) plumage_emulated::unpack<int, false>(a, b)
#define _mm512_unpackhi_epi32(a, b) plumage_emulated::unpack<int, true>(a, b)
#define _mm512_unpacklo_epi64(a, b) plumage_emulated::unpack<long, false>(a, b)
#define _mm512_unpackhi_epi64(a, b) plumage_emulated::unpack<long, true>(a, b)
#define _mm512_shuffle_i32x4(a, b, which) plumage_emulated::shuffleParts<which>(a, b)
#define _mm512_permutex2var_epi16(a, index, b) plumage_emulated::permuteTwo<short>(a, index, b)
#define _mm512_permutexvar_epi16(index, a) plumage_emulated::permuteTwo<short>(a, index, a)
#define _mm512_permutex2var_ps(a, index, b) plumage_emulated::permuteTwoFloats(a, index, b)
#define _mm512_load_ps(p) plumage_emulated::loadFloats512(p)
#define _mm512_castps512_ps256(v) plumage_emulated::lanes<__m256>(v).at[0]
#define _mm512_extractf32x8_ps(v, part) plumage_emulated::lanes<__m256>(v).at[part]
#define _mm512_movepi32_mask(v) plumage_emulated::signsOf(v)
#define _mm512_setzero_pd() __m512d{}
#define _mm512_cvtps_pd(v) plumage_emulated::convert<__m512d, double, float>(v)
#define _mm512_fmadd_pd(a, b, c) plumage_emulated::multiplyAdd(a, b, c)
#define _mm512_store_pd(p, v) plumage_emulated::store512(p, v)
#endif

#if defined(EMULATE_AVX512VBMI)
#define _mm512_maskz_permutex2var_epi8(mask, a, index, b) \
  plumage_emulated::onlyWhere<char>(mask, plumage_emulated::permuteTwo<char>(a, index, b))
#endif

#if defined(EMULATE_AVX512VNNI)
#define __AVX512VNNI__ 1
#define _mm512_dpbusd_epi32(sum, a, b) plumage_emulated::dpbusd<__m512i>(sum, a, b)
#define _mm512_dpwssd_epi32(sum, a, b) plumage_emulated::dpwssd<__m512i>(sum, a, b)
#endif

#if defined(EMULATE_AVXVNNI)
#define __AVXVNNI__ 1
#define _mm256_dpbusd_avx_epi32(sum, a, b) plumage_emulated::dpbusd<__m256i>(sum, a, b)
#define _mm256_dpwssd_avx_epi32(sum, a, b) plumage_emulated::dpwssd<__m256i>(sum, a, b)
#endif

#if defined(EMULATE_AVX512BF16)
#define __AVX512BF16__ 1
// The second numbers of pairs are added first.
EMULATED __m512 addPairs(__m512 sum, __m512bh a, __m512bh b) {
  const auto sums = lanes<float>(sum);
  const auto left = lanes<unsigned short>(a), right = lanes<unsigned short>(b);
  return each<__m512, float>([&](int i) {
    float total = sums.at[i];
    for (int k = 1; k >= 0; k--) {
      total = __builtin_fmaf(fromBfloat16(left.at[2 * i + k]), fromBfloat16(right.at[2 * i + k]), total);
    }
    return total;
  });
}
EMULATED __m512bh roundBoth(__m512 upper, __m512 lower) {
  const auto high = lanes<float>(upper), low = lanes<float>(lower);
  return each<__m512bh, unsigned short>([&](int i) { return toBfloat16(i < 16 ? low.at[i] : high.at[i - 16]); });
}
#define _mm512_dpbf16_ps(sum, a, b) plumage_emulated::addPairs(sum, a, b)
#define _mm512_cvtne2ps_pbh(upper, lower) plumage_emulated::roundBoth(upper, lower)
#endif

#if defined(EMULATE_AMX_TILE)
#define __AMX_TILE__ 1
#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#undef _tile_dpbusd
#define _tile_loadconfig(p) std::memcpy(&plumage_emulated::tiles.layout, p, sizeof plumage_emulated::tiles.layout)
#define _tile_release() std::memset(&plumage_emulated::tiles, 0, sizeof plumage_emulated::tiles)
#define _tile_loadd(tile, p, stride) plumage_emulated::loadTile(tile, p, stride)
#define _tile_stream_loadd(tile, p, stride) plumage_emulated::loadTile(tile, p, stride)
#define _tile_stored(tile, p, stride) plumage_emulated::storeTile(tile, p, stride)
#define _tile_zero(tile) plumage_emulated::clearTile(tile)
#define _tile_dpbf16ps(to, a, b) plumage_emulated::multiplyBfloat16(to, a, b)
#define _tile_dpbusd(to, a, b) plumage_emulated::multiplyInt8(to, a, b)
#endif

}  // namespace plumage_emulated
