// Holds everything that works row by row: norms, element-wise steps, means, probe attention.
#pragma once

#include "gemm-impl.h"

namespace plumage {
namespace {

INLINE float sumOf(const float* x, long width) {
  V a{}, b{};
  long c = 0;
  for (; c + 2 * W <= width; c += 2 * W) {
    a += load(x + c);
    b += load(x + c + W);
  }
  for (; c + W <= width; c += W) a += load(x + c);
  if (c < width) b += firstLanes(load(x + c), width - c);
  return sum(a + b);
}

INLINE float sumOfSquares(const float* x, long width, float centre) {
  V a{}, b{};
  long c = 0;
  for (; c + 2 * W <= width; c += 2 * W) {
    V p = load(x + c) - centre, q = load(x + c + W) - centre;
    a += p * p;
    b += q * q;
  }
  for (; c + W <= width; c += W) {
    V p = load(x + c) - centre;
    a += p * p;
  }
  if (c < width) {
    V p = firstLanes(load(x + c) - centre, width - c);
    b += p * p;
  }
  return sum(a + b);
}

// Groups need not end at a vector's edge, and the next group may not be written: the last lanes go one by one.
INLINE void normaliseGroup(const float* x, float* out, long width, const NormWeights& w) {
  const float mean = w.kind == NormKind::layerNorm ? sumOf(x, width) / width : 0.0f;
  const float scale = 1.0f / __builtin_sqrtf(sumOfSquares(x, width, mean) / width + w.epsilon);
  long c = 0;
  for (; c + W <= width; c += W) {
    V v = (load(x + c) - mean) * scale * load(w.weight + c);
    if (w.bias != nullptr) v += load(w.bias + c);
    store(out + c, v);
  }
  for (; c < width; c++) {
    out[c] = (x[c] - mean) * scale * w.weight[c] + (w.bias == nullptr ? 0.0f : w.bias[c]);
  }
}

void norm(const NormArgs& args, long from, long to, float* scratch) {
  const bool narrow = args.out.format != Format::float32;
  for (long r = from; r < to; r++) {
    float* out = narrow ? scratch : args.out.data + r * args.out.stride;
    for (long g = 0; g < args.groups; g++) {
      normaliseGroup(args.in + r * args.inStride + g * args.width, out + g * args.width, args.width, args.weights);
    }
    if (narrow) storeNarrow(args.out, r, scratch, args.groups * args.width);
  }
}

void elementwise(const ElementwiseArgs& args, long from, long to) {
  const Epilogue& e = args.epilogue;
  withActivation(e.activation, [&](auto f) {
    for (long r = from; r < to; r++) {
      const float* in = args.in + r * args.inStride;
      const float* other = e.other + r * e.otherStride;
      float* out = args.out + r * args.outStride;
      for (long c = 0; c < args.width; c += W) {
        V v = load(in + c);
        if (e.combine == Combine::gate) {
          v = f.apply(load(other + c)) * v;
        } else {
          v = f.apply(v);
          if (e.gamma != nullptr) v *= load(e.gamma + c);
          if (e.combine == Combine::add) v += load(other + c);
        }
        store(out + c, v);
      }
    }
  });
}

// Blocks of 32 rows are summed on their own first, so that rounding grows slowly with the number of rows.
void meanRows(const float* in, long stride, long rows, float* out, long from, long to) {
  for (long c = from; c < to; c += W) {
    V total{};
    for (long r = 0; r < rows; r += 32) {
      V part{};
      for (long i = r; i < smaller(r + 32, rows); i++) part += load(in + i * stride + c);
      total += part;
    }
    store(out + c, total / static_cast<float>(rows));
  }
}

// A NaN stays: it is taken where it comes, and nothing is larger than it.
void maxRows(const float* in, long stride, long rows, float* out, long from, long to) {
  for (long c = from; c < to; c += W) {
    V largest = load(in + c);
    for (long i = 1; i < rows; i++) {
      const V value = load(in + i * stride + c);
      largest = (value > largest) | (value != value) ? value : largest;
    }
    store(out + c, largest);
  }
}

INLINE float dot(const float* a, const float* b, long width) {
  V total{};
  long c = 0;
  for (; c + W <= width; c += W) total += load(a + c) * load(b + c);
  float rest = 0;
  for (; c < width; c++) rest += a[c] * b[c];
  return sum(total) + rest;
}

INLINE void softmaxRow(float* scores, long count) {
  float largest = -__builtin_inff();
  for (long i = 0; i < count; i++) largest = scores[i] > largest ? scores[i] : largest;
  float total = 0;
  for (long i = 0; i < count; i += W) {
    V e = exp2((load(scores + i) - largest) * 1.44269504088896341f);
    store(scores + i, e);
    total += sum(firstLanes(e, count - i));
  }
  for (long i = 0; i < count; i++) scores[i] /= total;
}

void probe(const ProbeArgs& args, long task, float* scratch) {
  const long image = task / args.latentCount, latent = task % args.latentCount;
  const long rows = args.rows, headWidth = args.width / args.heads, share = args.width / args.latentCount;
  float* map = scratch;
  float* scores = scratch + ceilDivide(rows, 16) * 16;
  const float* keys = args.keys + image * args.imageStride;
  const float* query = args.latents + latent * args.width;
  for (long n = 0; n < rows; n++) map[n] = 0;
  for (long h = 0; h < args.heads; h++) {
    for (long n = 0; n < rows; n++) {
      scores[n] = dot(query + h * headWidth, keys + n * args.stride + h * headWidth, headWidth) * args.scale;
    }
    softmaxRow(scores, rows);
    for (long n = 0; n < rows; n++) map[n] += scores[n] / static_cast<float>(args.heads);
  }
  float* out = args.out + image * args.outImageStride + latent * share;
  for (long j = 0; j < share; j++) out[j] = 0;
  for (long n = 0; n < rows; n++) {
    const float* value = args.values + image * args.valueImageStride + n * args.valueStride + latent * share;
    for (long j = 0; j < share; j++) out[j] += map[n] * value[j];
  }
}

}  // namespace
}  // namespace plumage
