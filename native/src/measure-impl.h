// Measures an image while its rows come and lie in the cache: to the bit as src/kernels/digest-words.ts and src/numerics/reduce-pixels.ts do.
#pragma once

#include "digest-impl.h"

namespace plumage {
namespace {

constexpr long STRIPES_OF_BLOCK = DIGEST_BLOCK / DIGEST_LANES;

INLINE int* statesOfBlock(const PixelMeasures& measures) { return measures.states + measures.stripes / STRIPES_OF_BLOCK * 2 * DIGEST_LANES; }

INLINE void digestWholeStripes(PixelMeasures& measures, const unsigned char* bytes, long stripes) {
  while (stripes > 0) {
    const long inBlock = measures.stripes % STRIPES_OF_BLOCK;
    const long now = stripes < STRIPES_OF_BLOCK - inBlock ? stripes : STRIPES_OF_BLOCK - inBlock;
    int* states = statesOfBlock(measures);
    if (inBlock == 0) beginDigest(states);
    digestStripes(bytes, now, states);
    measures.stripes += now;
    stripes -= now;
    bytes += now * DIGEST_STRIPE;
  }
}

INLINE void carry(PixelMeasures& measures, const unsigned char* bytes, long count) {
  __builtin_memcpy(measures.carried + measures.carriedBytes, bytes, static_cast<size_t>(count));
  measures.carriedBytes += count;
}

INLINE void digestLevels(PixelMeasures& measures, const unsigned char* bytes, long count) {
  if (measures.carriedBytes > 0) {
    const long room = DIGEST_STRIPE - measures.carriedBytes, taken = count < room ? count : room;
    carry(measures, bytes, taken);
    bytes += taken;
    count -= taken;
    if (measures.carriedBytes < DIGEST_STRIPE) return;
    digestWholeStripes(measures, measures.carried, 1);
    measures.carriedBytes = 0;
  }
  const long stripes = count / DIGEST_STRIPE;
  digestWholeStripes(measures, bytes, stripes);
  carry(measures, bytes + stripes * DIGEST_STRIPE, count - stripes * DIGEST_STRIPE);
}

// Divides by the count of a square's pixels, rounding to the nearest. A sum is below 2^25 and a count at most 2^16: 44 bits after the point make no mistake.
INLINE void averageSums(const unsigned short* sums, long factor, long outputs, unsigned char* out) {
  const unsigned long long count = static_cast<unsigned long long>(factor * factor), inverse = ((1ULL << 44) + count - 1) / count;
  const unsigned half = static_cast<unsigned>(count >> 1);
  for (long i = 0; i < outputs; i++, out += 3) {
    unsigned red = half, green = half, blue = half;
    for (long j = 0; j < factor; j++, sums += 3) {
      red += sums[0];
      green += sums[1];
      blue += sums[2];
    }
    out[0] = static_cast<unsigned char>(red * inverse >> 44);
    out[1] = static_cast<unsigned char>(green * inverse >> 44);
    out[2] = static_cast<unsigned char>(blue * inverse >> 44);
  }
}

INLINE void averageRow(PixelMeasures& measures, const unsigned char* row) {
  const long factor = measures.factor, place = measures.row / factor, inSquare = measures.row % factor;
  measures.row++;
  // Less than a square below belongs to none.
  if (place >= measures.height / factor) return;
  const long outputs = measures.width / factor, length = outputs * factor * 3;
  unsigned char* out = measures.averages + place * outputs * 3;
  if (factor == 1) {
    __builtin_memcpy(out, row, static_cast<size_t>(length));
    return;
  }
  unsigned short* sums = measures.sums;
  if (inSquare == 0) {
    for (long i = 0; i < length; i++) sums[i] = row[i];
  } else {
    for (long i = 0; i < length; i++) sums[i] = static_cast<unsigned short>(sums[i] + row[i]);
  }
  if (inSquare == factor - 1) averageSums(sums, factor, outputs, out);
}

void measureRows(PixelMeasures& measures, const unsigned char* rows, long count) {
  const long length = measures.width * 3;
  digestLevels(measures, rows, count * length);
  for (long i = 0; i < count; i++) averageRow(measures, rows + i * length);
}

void finishMeasures(PixelMeasures& measures) {
  const long words = measures.carriedBytes / 4;
  if (words == 0) return;
  int* states = statesOfBlock(measures);
  if (measures.stripes % STRIPES_OF_BLOCK == 0) beginDigest(states);
  endDigest(measures.carried, words * 4, states);
}

}  // namespace
}  // namespace plumage
