// Transposes small matrices in AVX-512 registers.
#pragma once

#include "formats-impl.h"

namespace plumage {
namespace {

// Transposes 16 x 16 units of 4 bytes in place.
INLINE void transpose16(__m512i* r) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // These are quarters of four rows each: r[q * 4 + i] holds columns i, i + 4, i + 8, i + 12 of rows q * 4 to q * 4 + 3.
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512i even01 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88), odd01 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    const __m512i even23 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88), odd23 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    t[i] = _mm512_shuffle_i32x4(even01, even23, 0x88);
    t[i + 8] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
    t[i + 4] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) r[i] = t[i];
}

}  // namespace
}  // namespace plumage
