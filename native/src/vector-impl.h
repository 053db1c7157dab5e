// Makes a vector of floats, by the compilers' vector extensions, for whichever instruction set the including file is compiled for.
//
// The includer defines VECTOR_WIDTH (floats), TILE_ROWS, TILE_VECTORS, KEY_BLOCK, DEPTH_BLOCK; DOT_TILE_ROWS and DOT_TILE_VECTORS where there are
// dot products of narrow numbers. Everything sits in an anonymous namespace, so that each instruction set has its own copy and nothing can
// leak into another.
#pragma once

#if defined(PLUMAGE_X86)
#include <immintrin.h>
#endif

#include "kernels.h"

namespace plumage {
namespace {

constexpr long W = VECTOR_WIDTH;
// A float32 tile has MR rows and NV vectors side by side, which are NR columns.
constexpr int MR = TILE_ROWS, NV = TILE_VECTORS;
constexpr long NR = NV * W;

typedef float V __attribute__((vector_size(VECTOR_WIDTH * 4)));
typedef int I __attribute__((vector_size(VECTOR_WIDTH * 4)));
typedef float UnalignedV __attribute__((vector_size(VECTOR_WIDTH * 4), aligned(4), may_alias));

// Lets assembly that does nothing hold a vector, so that the compiler knows nothing of it any more.
#if !defined(PLUMAGE_ANY_REGISTER)
#if defined(PLUMAGE_X86)
#define PLUMAGE_ANY_REGISTER "+v"
#elif defined(__aarch64__)
#define PLUMAGE_ANY_REGISTER "+w"
#else
#define PLUMAGE_ANY_REGISTER "+m"
#endif
#endif

#define INLINE inline __attribute__((always_inline))

INLINE V load(const float* p) { return *reinterpret_cast<const UnalignedV*>(p); }
INLINE void store(float* p, V v) { *reinterpret_cast<UnalignedV*>(p) = v; }
// x - 0 is x for every x, NaN and -0 included, so this is a bare broadcast.
INLINE V splat(float x) { return x - V{}; }
INLINE I isplat(int x) { return x - I{}; }
// NaN in `a` stays NaN. GCC makes a comparison and a choice of what is one instruction on x86, which gives its second operand where one is NaN.
#if defined(__AVX512F__) && VECTOR_WIDTH == 16
INLINE V atLeast(V a, float low) { return (V)_mm512_max_ps((__m512)splat(low), (__m512)a); }
INLINE V atMost(V a, float high) { return (V)_mm512_min_ps((__m512)splat(high), (__m512)a); }
#elif defined(__AVX__) && VECTOR_WIDTH == 8
INLINE V atLeast(V a, float low) { return (V)_mm256_max_ps((__m256)splat(low), (__m256)a); }
INLINE V atMost(V a, float high) { return (V)_mm256_min_ps((__m256)splat(high), (__m256)a); }
#else
INLINE V atLeast(V a, float low) { return a < splat(low) ? splat(low) : a; }
INLINE V atMost(V a, float high) { return a > splat(high) ? splat(high) : a; }
#endif
INLINE V absolute(V a) { return (V)((I)a & isplat(0x7fffffff)); }
INLINE I larger(I a, I b) { return a > b ? a : b; }
// Gives the float whose bits are the largest as an integer: of floats that are not below zero the largest, or NaN where there is one.
INLINE float largestOf(I bits) {
  int most = 0;
  for (long i = 0; i < W; i++) most = bits[i] > most ? bits[i] : most;
  float value;
  __builtin_memcpy(&value, &most, sizeof value);
  return value;
}
INLINE float sum(V v) {
  float total = 0;
  for (long i = 0; i < W; i++) total += v[i];
  return total;
}
INLINE I laneNumbers() {
  I lanes;
  for (long i = 0; i < W; i++) lanes[i] = static_cast<int>(i);
  return lanes;
}
// Lanes from `count` on become zero.
INLINE V firstLanes(V v, long count) { return laneNumbers() < isplat(static_cast<int>(count)) ? v : V{}; }

}  // namespace
}  // namespace plumage
