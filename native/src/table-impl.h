// Fills the table of kernels of one instruction set. The includer defines KERNELS (its variable) and KERNELS_NAME too.
#pragma once

#if defined(__AMX_TILE__)
#include "amx-attention-impl.h"
#elif defined(__AVX512BF16__)
#include "dot-attention-impl.h"
#elif defined(__AVX2__)
#include "int16-attention-impl.h"
#else
#include "attention-impl.h"
#endif
#include "attention-weights-impl.h"
#include "digest-impl.h"
#include "features-impl.h"
#include "measure-impl.h"
#include "widen-impl.h"
#include "resample-impl.h"
#include "rows-impl.h"
#include "turn-impl.h"

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

constexpr Product float32 = productOf<VectorProduct<Float32Product>>();
#if defined(__AMX_TILE__)
constexpr Product high = productOf<TileProduct<TilesSplit>>();
constexpr Product bfloat16 = productOf<TileProduct<TilesBfloat16>>();
constexpr Product int8 = productOf<TileProduct<TilesInt8>>();
#else
#if defined(__AVX512BF16__)
constexpr Product bfloat16 = productOf<VectorProduct<Bfloat16Product>>();
#else
constexpr Product bfloat16 = productOf<VectorProduct<Bfloat16WeightsProduct>>();
#endif
#if defined(DOT_TILE_ROWS)
constexpr Product int8 = productOf<VectorProduct<Int8Product>>();
#elif defined(__AVX2__)
constexpr Product int8 = productOf<VectorProduct<Int16RowsProduct>>();
#else
constexpr Product int8 = productOf<VectorProduct<Int8WeightsProduct>>();
#endif
#endif

}  // namespace

const Kernels KERNELS = {
    KERNELS_NAME,
#if defined(__AMX_TILE__)
    {&float32, &high, &bfloat16, &int8},
#else
    {&float32, nullptr, &bfloat16, &int8},
#endif
    NR,
    KEY_BLOCK,
#if defined(__AMX_TILE__)
    {Format::float32, Format::split, Format::bfloat16, Format::bfloat16},
#elif defined(__AVX512BF16__)
    {Format::float32, Format::float32, Format::bfloat16, Format::bfloat16},
#elif defined(__AVX2__)
    {Format::float32, Format::float32, Format::float32, Format::bfloat16},
#else
    {Format::float32, Format::float32, Format::float32, Format::float32},
#endif
#if defined(__AVX2__)
    true,
#else
    false,
#endif
    norm,
    convert,
    turn,
    elementwise,
    attention,
#if defined(__AVX512BF16__)
    QUERIES,
    narrowAttention,
    narrowAttentionFloats,
#elif defined(__AVX2__)
    Int16Attention::QUERIES,
    narrowAttention,
    narrowAttentionFloats,
#else
    0,
    nullptr,
    nullptr,
#endif
    attentionWeights,
    attentionWeightsFloats,
    probe,
    meanRows,
    maxRows,
    resample,
    resampleScratchBytes,
    digest,
    measureRows,
    finishMeasures,
    widen,
    scaleBytes,
    evaluate,
    NR,
    addRows,
    centreRows,
    gramPanel,
    gramTimes,
    scoreHalves,
    dotHalves,
    widenRows,
    findLarge,
    scoreBytes,
    sumBytes,
};

}  // namespace plumage
