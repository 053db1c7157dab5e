// Elementwise functions, by the numbers of `Activation`; their meaning is that of src/kernels/activation.ts.
#pragma once
#include "kernels.h"
#include "vector.h"

namespace {

using plumage::Activation;

inline Vec expm1Of(Vec x) { return exponential(x) - 1.0f; }

template <Activation kind>
inline Vec apply(Vec x) {
  const Vec zero = {};
  switch (kind) {
    case Activation::relu:
      return choose(x < zero, zero, x);
    case Activation::relu6:
      return atLeast(atMost(x, 6), 0);
    case Activation::leaky_relu:
      return choose(x < zero, 0.01f * x, x);
    case Activation::elu:
    case Activation::celu:
      return choose(x < zero, expm1Of(x), x);
    case Activation::selu:
      return 1.0507009873554805f * choose(x < zero, 1.6732632423543772f * expm1Of(x), x);
    case Activation::gelu:
      return 0.5f * x * (1.0f + errorFunction(x * 0.70710678118654752f));
    case Activation::gelu_tanh:
      return 0.5f * x * (1.0f + tanhOf(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    case Activation::quick_gelu:
      return x * sigmoidOf(1.702f * x);
    case Activation::silu:
      return x * sigmoidOf(x);
    case Activation::mish: {
      // tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2); beyond 20 it is 1, and the square would overflow later on.
      const Vec e = exponential(atMost(x, 20));
      const Vec n = e * (e + 2.0f);
      return x * n / (n + 2.0f);
    }
    case Activation::sigmoid:
      return sigmoidOf(x);
    case Activation::tanh:
      return tanhOf(x);
    case Activation::hard_sigmoid:
      return atLeast(atMost(x + 3.0f, 6), 0) / 6.0f;
    case Activation::hard_swish:
      return x * atLeast(atMost(x + 3.0f, 6), 0) / 6.0f;
    case Activation::hard_tanh:
      return atLeast(atMost(x, 1), -1);
    default:
      return x;
  }
}

// Calls body with a function object for the kind, so that the choice is made once and not per number.
template <typename Body>
inline void withActivation(Activation kind, Body body) {
#define PLUMAGE_CASE(name)  \
  case Activation::name:    \
    return body([](Vec x) { return apply<Activation::name>(x); });
  switch (kind) {
    PLUMAGE_CASE(relu)
    PLUMAGE_CASE(relu6)
    PLUMAGE_CASE(leaky_relu)
    PLUMAGE_CASE(elu)
    PLUMAGE_CASE(celu)
    PLUMAGE_CASE(selu)
    PLUMAGE_CASE(gelu)
    PLUMAGE_CASE(gelu_tanh)
    PLUMAGE_CASE(quick_gelu)
    PLUMAGE_CASE(silu)
    PLUMAGE_CASE(mish)
    PLUMAGE_CASE(sigmoid)
    PLUMAGE_CASE(tanh)
    PLUMAGE_CASE(hard_sigmoid)
    PLUMAGE_CASE(hard_swish)
    PLUMAGE_CASE(hard_tanh)
    default:
      return body([](Vec x) { return x; });
  }
#undef PLUMAGE_CASE
}

// out[i] = f(i-th register of input); the last one may be a part.
template <typename Load, typename F>
inline void mapRegisters(size_t count, float* out, Load value, F f) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, f(value(i, kLanes)));
  if (i < count) storePart(out + i, f(value(i, static_cast<int>(count - i))), static_cast<int>(count - i));
}

inline Vec loadUpTo(const float* from, int count) { return count == kLanes ? load(from) : loadPart(from, count); }

void activate(Activation kind, const float* x, size_t count, float* out) {
  withActivation(kind, [&](auto f) {
    mapRegisters(count, out, [&](size_t i, int n) { return loadUpTo(x + i, n); }, f);
  });
}

void gate(Activation kind, const float* gates, const float* values, size_t count, float* out) {
  withActivation(kind, [&](auto f) {
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(out + i, f(load(gates + i)) * load(values + i));
    const int rest = static_cast<int>(count - i);
    if (rest > 0) storePart(out + i, f(loadPart(gates + i, rest)) * loadPart(values + i, rest), rest);
  });
}

}  // namespace
