// The table of kernels of one instruction set. The includer defines KERNELS (its variable) and KERNELS_NAME too.
#pragma once

#include "attention-impl.h"
#include "rows-impl.h"

namespace plumage {
namespace {

void evaluate(Activation function, const float* in, float* out, long count) {
  withActivation(function, [&](auto f) {
    for (long i = 0; i < count; i += W) {
      V v{};
      for (long j = 0; j < smaller(W, count - i); j++) v[j] = in[i + j];
      v = f.apply(v);
      for (long j = 0; j < smaller(W, count - i); j++) out[i + j] = v[j];
    }
  });
}

double multiplyAdd(long repetitions, float* sink) {
  constexpr int CHAINS = 12;
  V acc[CHAINS];
  const V x = splat(sink[0]), y = splat(sink[1]);
#pragma GCC unroll 12
  for (int i = 0; i < CHAINS; i++) acc[i] = splat(0.1f * static_cast<float>(i));
  for (long k = 0; k < repetitions; k++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) acc[i] = acc[i] * x + y;
  }
  V total{};
#pragma GCC unroll 12
  for (int i = 0; i < CHAINS; i++) total += acc[i];
  sink[2] = sum(total);
  return 2.0 * CHAINS * W * static_cast<double>(repetitions);
}

}  // namespace

const Kernels KERNELS = {
    KERNELS_NAME, MR,      NR,       KEY_BLOCK, packPanels, gemm,       norm,
    elementwise,  attention, probe, meanRows,  evaluate,   multiplyAdd,
};

}  // namespace plumage
