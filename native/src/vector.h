// Numbers side by side in a register, by the compiler's vector types: the same code becomes AVX-512, AVX2, SSE2 or NEON by the flags of the
// file that includes it. Everything here has internal linkage, so that no function built for one processor is ever called on another.
#pragma once
#include <cstdint>
#include <cstring>

#ifndef PLUMAGE_LANES
#error "include this from an isa-*.cc file"
#endif

namespace {

constexpr int kLanes = PLUMAGE_LANES;
typedef float Vec __attribute__((vector_size(4 * PLUMAGE_LANES)));
typedef int32_t IntVec __attribute__((vector_size(4 * PLUMAGE_LANES)));

// Memory need not be aligned.
struct __attribute__((packed, may_alias)) Loose {
  Vec value;
};

inline Vec load(const float* from) { return reinterpret_cast<const Loose*>(from)->value; }
inline void store(float* to, Vec value) { reinterpret_cast<Loose*>(to)->value = value; }
inline Vec all(float value) { return value - Vec{}; }
inline IntVec bits(Vec value) { return reinterpret_cast<IntVec>(value); }
inline Vec fromBits(IntVec value) { return reinterpret_cast<Vec>(value); }
inline Vec choose(IntVec mask, Vec yes, Vec no) { return fromBits((mask & bits(yes)) | (~mask & bits(no))); }
// A NaN in x stays one.
inline Vec atMost(Vec x, float limit) { return choose(x > all(limit), all(limit), x); }
inline Vec atLeast(Vec x, float limit) { return choose(x < all(limit), all(limit), x); }

inline float sum(Vec value) {
  float total = 0;
  for (int i = 0; i < kLanes; i++) total += value[i];
  return total;
}

inline float largest(Vec value) {
  float most = value[0];
  for (int i = 1; i < kLanes; i++) most = value[i] > most ? value[i] : most;
  return most;
}

// Part of a register: the rest is zero, or stays as it was.
inline Vec loadPart(const float* from, int count) {
  float lanes[kLanes] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return load(lanes);
}
inline void storePart(float* to, Vec value, int count) {
  float lanes[kLanes];
  store(lanes, value);
  std::memcpy(to, lanes, count * sizeof(float));
}

// e^x to about 1.5 ulp: x = n log 2 + r, and a polynomial for e^r (coefficients of Cephes' expf, S. Moshier). Below -87.3 the result is the
// smallest normal number rather than 0; above 88.3 it stays at the largest finite one of that size.
inline Vec exponential(Vec x) {
  x = atLeast(atMost(x, 88.3762626647949f), -87.3365478515625f);
  // Adding and taking away 1.5 * 2^23 rounds to the nearest integer.
  const Vec n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  Vec r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vec p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return p * fromBits((__builtin_convertvector(n, IntVec) + 127) << 23);
}

// erf to about 2e-7 absolute: a rational function of x^2 (coefficients of Eigen's generic_fast_erf_float), 1 beyond 4.
inline Vec errorFunction(Vec x) {
  x = atLeast(atMost(x, 4.0f), -4.0f);
  const Vec s = x * x;
  Vec p = all(-2.72614225801306e-10f);
  p = p * s + 2.77068142495902e-08f;
  p = p * s + -2.10102402082508e-06f;
  p = p * s + -5.69250639462346e-05f;
  p = p * s + -7.34990630326855e-04f;
  p = p * s + -2.95459980854025e-03f;
  p = p * s + -1.60960333262415e-02f;
  Vec q = all(-1.45660718464996e-05f);
  q = q * s + -2.13374055278905e-04f;
  q = q * s + -1.68282697438203e-03f;
  q = q * s + -7.37332916720468e-03f;
  q = q * s + -1.42647390514189e-02f;
  return x * p / q;
}

inline Vec sigmoidOf(Vec x) { return 1.0f / (1.0f + exponential(-x)); }

inline Vec tanhOf(Vec x) { return 1.0f - 2.0f / (exponential(2.0f * x) + 1.0f); }

}  // namespace
