// Widens stored weights to float32, to the bit as src/tensor/tensor.ts and src/tensor/int8.ts do.
#pragma once

#include <cstring>

#include "vector-impl.h"

namespace plumage {
namespace {

INLINE unsigned widenedHalf(unsigned half) {
  const unsigned sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
  // Below the normal halves lie whole multiples of 2^-24, which float32 holds as normal numbers.
  const float small = static_cast<float>(static_cast<int>(fraction)) * 0x1p-24f;
  unsigned smallBits;
  std::memcpy(&smallBits, &small, sizeof small);
  const unsigned special = fraction == 0 ? sign | 0x7f800000 : 0x7fc00000;
  const unsigned normal = sign | (exponent + 112) << 23 | fraction << 13;
  return exponent == 0 ? sign | smallBits : exponent == 31 ? special : normal;
}

void widen(StoredType type, const unsigned short* in, float* out, long count) {
  unsigned* to = reinterpret_cast<unsigned*>(out);
  if (type == StoredType::float16) {
    for (long i = 0; i < count; i++) to[i] = widenedHalf(in[i]);
  } else {
    for (long i = 0; i < count; i++) to[i] = static_cast<unsigned>(in[i]) << 16;
  }
}

void scaleBytes(const signed char* in, float scale, float* out, long count) {
  for (long i = 0; i < count; i++) out[i] = static_cast<float>(in[i]) * scale;
}

}  // namespace
}  // namespace plumage
