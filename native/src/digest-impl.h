// Digests the words of weights, to the bit as src/kernels/digest-words.ts does, which says why it is done so.
#pragma once

#include "vector-impl.h"

namespace plumage {
namespace {

typedef unsigned U __attribute__((vector_size(VECTOR_WIDTH * 4)));
typedef U UnalignedU __attribute__((aligned(4), may_alias));

INLINE U rotateLeft(U x, int by) { return x << by | x >> (32 - by); }

INLINE void digestStripe(const unsigned* words, U* first, U* second) {
  for (long v = 0; v < DIGEST_LANES / W; v++) {
    const U word = *reinterpret_cast<const UnalignedU*>(words + v * W);
    first[v] = rotateLeft(first[v] + word * 0x85ebca77u, 13) * 0x9e3779b1u;
    second[v] = rotateLeft(second[v], 11) + first[v];
  }
}

void digest(const float* values, long count, int* states) {
  // Floats are read as what their bits are; the type of a vector's memory may alias any other.
  const unsigned* words = reinterpret_cast<const unsigned*>(values);
  U first[DIGEST_LANES / W], second[DIGEST_LANES / W];
  for (long v = 0; v < DIGEST_LANES / W; v++) {
    const U number = (U)laneNumbers() + static_cast<unsigned>(v * W + 1);
    first[v] = number * 0xc2b2ae3du;
    second[v] = number * 0x27d4eb2fu;
  }
  long done = 0;
  for (; done + DIGEST_LANES <= count; done += DIGEST_LANES) digestStripe(words + done, first, second);
  if (done < count) {
    unsigned last[DIGEST_LANES] = {};
    __builtin_memcpy(last, words + done, sizeof(unsigned) * static_cast<size_t>(count - done));
    digestStripe(last, first, second);
  }
  __builtin_memcpy(states, first, sizeof(first));
  __builtin_memcpy(states + DIGEST_LANES, second, sizeof(second));
}

}  // namespace
}  // namespace plumage
