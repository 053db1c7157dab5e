// Digests the words of weights, to the bit as src/kernels/digest-words.ts does, which says why it is done so.
#pragma once

#include "vector-impl.h"

namespace plumage {
namespace {

typedef unsigned U __attribute__((vector_size(VECTOR_WIDTH * 4)));
// Levels of an image begin at any byte.
typedef U UnalignedU __attribute__((aligned(1), may_alias));

constexpr long DIGEST_STRIPE = DIGEST_LANES * 4;  // bytes

INLINE U rotateLeft(U x, int by) { return x << by | x >> (32 - by); }

// Gives a block the states that it begins with.
INLINE void beginDigest(int* states) {
  for (long lane = 0; lane < DIGEST_LANES; lane++) {
    states[lane] = static_cast<int>(static_cast<unsigned>(lane + 1) * 0xc2b2ae3du);
    states[DIGEST_LANES + lane] = static_cast<int>(static_cast<unsigned>(lane + 1) * 0x27d4eb2fu);
  }
}

// Goes on with a block by whole stripes.
INLINE void digestStripes(const void* bytes, long stripes, int* states) {
  const unsigned char* at = static_cast<const unsigned char*>(bytes);
  U first[DIGEST_LANES / W], second[DIGEST_LANES / W];
  __builtin_memcpy(first, states, sizeof(first));
  __builtin_memcpy(second, states + DIGEST_LANES, sizeof(second));
  for (long stripe = 0; stripe < stripes; stripe++, at += DIGEST_STRIPE) {
    for (long v = 0; v < DIGEST_LANES / W; v++) {
      const U word = *reinterpret_cast<const UnalignedU*>(at + v * W * 4);
      first[v] = rotateLeft(first[v] + word * 0x85ebca77u, 13) * 0x9e3779b1u;
      second[v] = rotateLeft(second[v], 11) + first[v];
    }
  }
  __builtin_memcpy(states, first, sizeof(first));
  __builtin_memcpy(states + DIGEST_LANES, second, sizeof(second));
}

// Ends a block with less than a stripe, of which zeros make a whole one.
INLINE void endDigest(const void* bytes, long count, int* states) {
  if (count == 0) return;
  unsigned char last[DIGEST_STRIPE] = {};
  __builtin_memcpy(last, bytes, static_cast<size_t>(count));
  digestStripes(last, 1, states);
}

void digest(const float* values, long count, int* states) {
  const long stripes = count / DIGEST_LANES;
  beginDigest(states);
  digestStripes(values, stripes, states);
  endDigest(values + stripes * DIGEST_LANES, (count - stripes * DIGEST_LANES) * 4, states);
}

}  // namespace
}  // namespace plumage
