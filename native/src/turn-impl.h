// Normalises queries and keys head by head, and turns them by a table of angles (rotary positions, Su et al. 2021).
#pragma once

#include "rows-impl.h"

namespace plumage {
namespace {

typedef unsigned long long Twos __attribute__((vector_size(VECTOR_WIDTH * 4)));

// Gives each lane of a pair of neighbours the other one's value.
INLINE V swapNeighbours(V v) {
  const Twos pairs = (Twos)v;
  return (V)((pairs << 32) | (pairs >> 32));
}

// Turns one pair: what stands first takes minus the second for its partner. `first` and `second` count columns.
INLINE void turnPair(const float* x, float* out, const float* cosine, const float* sine, long first, long second) {
  const float a = x[first], b = x[second];
  out[first] = a * cosine[first] - b * sine[first];
  out[second] = b * cosine[second] + a * sine[second];
}

INLINE void turnHalves(const float* x, float* out, const float* cosine, const float* sine, long width) {
  const long half = width / 2;
  long c = 0;
  for (; c + W <= half; c += W) {
    const V a = load(x + c), b = load(x + half + c);
    store(out + c, a * load(cosine + c) - b * load(sine + c));
    store(out + half + c, b * load(cosine + half + c) + a * load(sine + half + c));
  }
  for (; c < half; c++) turnPair(x, out, cosine, sine, c, half + c);
}

INLINE void turnNeighbours(const float* x, float* out, const float* cosine, const float* sine, long width) {
  // The first of a pair takes its partner with the other sign.
  const V signs = __builtin_convertvector((laneNumbers() & 1) * 2 - 1, V);
  long c = 0;
  for (; c + W <= width; c += W) {
    const V v = load(x + c);
    store(out + c, v * load(cosine + c) + swapNeighbours(v) * (signs * load(sine + c)));
  }
  for (; c < width; c += 2) turnPair(x, out, cosine, sine, c, c + 1);
}

// `table` is that of the row, and null where nothing is turned. What is copied is moved, since slots of a plan that means harm may overlap. Heads need not end at a vector's edge, and the next head may not be written.
INLINE void turnPart(const TurnArgs& args, const NormWeights& norm, const float* in, const float* table, float* out) {
  const long width = args.headWidth, tableStep = args.tables == 1 ? 0 : 2 * width;
  for (long h = 0; h < args.heads; h++, in += width, out += width) {
    const float* x = in;
    if (norm.kind != NormKind::none) {
      normaliseGroup(in, out, width, norm);
      x = out;
    }
    if (table == nullptr) {
      if (x != out) __builtin_memmove(out, x, sizeof(float) * static_cast<size_t>(width));
      continue;
    }
    const float* own = table + h * tableStep;
    if (args.pairsNeighbours) {
      turnNeighbours(x, out, own, own + width, width);
    } else {
      turnHalves(x, out, own, own + width, width);
    }
  }
}

void turn(const TurnArgs& args, long from, long to, float* scratch) {
  const bool narrow = args.out.format != Format::float32;
  const long width = args.heads * args.headWidth, tableStride = args.tables * 2 * args.headWidth;
  for (long r = from; r < to; r++) {
    const float* in = args.in + r * args.inStride;
    float* out = narrow ? scratch : args.out.data + r * args.out.stride;
    const float* table = args.table == nullptr ? nullptr : args.table + r % args.rows * tableStride;
    turnPart(args, args.norms[0], in, table, out);
    turnPart(args, args.norms[1], in + width, table, out + width);
    if (out != in) __builtin_memmove(out + 2 * width, in + 2 * width, sizeof(float) * static_cast<size_t>(width));
    if (narrow) storeNarrow(args.out, r, scratch, 3 * width);
  }
}

}  // namespace
}  // namespace plumage
