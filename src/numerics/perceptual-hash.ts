/**
 * Makes a hash of what a photo looks like, which a smaller, recompressed, brighter or grey copy shares but for a few bits: the signs of its lowest frequencies (after the
 * pHash of C. Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"). There the coefficients are held against their median; here
 * against 0, about which those of photos lie anyway. A mirrored photo then has exactly the hash whose odd columns are turned over, and a photo on its side
 * the one whose rows are columns, so that one hash serves all eight ways in which a photo lies.
 */
import { greyOf, type RgbPixels, resizePixels } from './reduce-pixels.js'

/** Is the side of the picture that is transformed, and that of the square of frequencies that is kept. */
const SIDE = 32
const KEPT = 8

const COSINES = Float64Array.from({ length: KEPT * SIDE }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / SIDE) * (2 * (i % SIDE) + 1)) / (2 * SIDE)),
)

/**
 * Gives the hash, 0 to 2^64 - 1. The photo is squashed to 32 x 32 (box filter), its grey values go through a discrete cosine transform of type II, and bit 8u + v is 1
 * where the coefficient of vertical frequency u and horizontal frequency v (0 to 7) is above 0. Bit 0, that of the mean, is always 0.
 */
export function perceptualHash(image: RgbPixels): bigint {
  const { data } = greyOf(resizePixels(image, SIDE, SIDE))
  const rows = new Float64Array(SIDE * KEPT)
  for (let row = 0; row < SIDE; row++)
    for (let v = 0; v < KEPT; v++)
      for (let x = 0; x < SIDE; x++) rows[row * KEPT + v] += data[row * SIDE + x] * COSINES[v * SIDE + x]
  let hash = 0n
  for (let bit = 1; bit < KEPT * KEPT; bit++) {
    const [u, v] = [bit >> 3, bit & 7]
    let sum = 0
    for (let y = 0; y < SIDE; y++) sum += rows[y * KEPT + v] * COSINES[u * SIDE + y]
    // What rounding leaves of a flat picture is no frequency.
    if (sum > FLAT) hash |= 1n << BigInt(bit)
  }
  return hash
}

const FLAT = 1e-3

const ODD_COLUMNS = maskOf((_, v) => v % 2 === 1)
const ODD_ROWS = maskOf((u) => u % 2 === 1)

function maskOf(holds: (u: number, v: number) => boolean): bigint {
  let mask = 0n
  for (let bit = 0; bit < KEPT * KEPT; bit++) if (holds(bit >> 3, bit & 7)) mask |= 1n << BigInt(bit)
  return mask
}

/**
 * Gives the hashes of the photo after each EXIF orientation was applied to it, 1 to 8 at places 0 to 7: as it is, mirrored, turned by 180 degrees, upside down, then the
 * four that lie on their side. They differ from those of the turned pixels only where a coefficient is 0.
 */
export function turnedHashes(hash: bigint): readonly bigint[] {
  const upright = [0n, ODD_COLUMNS, ODD_COLUMNS ^ ODD_ROWS, ODD_ROWS]
  const across = transposed(hash)
  // EXIF 5 transposes, 6 transposes and then mirrors, 7 does both, 8 turns upside down.
  const turned = [0n, ODD_COLUMNS, ODD_COLUMNS ^ ODD_ROWS, ODD_ROWS].map((mask) => across ^ mask)
  return [...upright.map((mask) => hash ^ mask), ...turned]
}

function transposed(hash: bigint): bigint {
  let out = 0n
  for (let bit = 0; bit < KEPT * KEPT; bit++)
    if ((hash >> BigInt(bit)) & 1n) out |= 1n << BigInt((bit & 7) * KEPT + (bit >> 3))
  return out
}

/** Counts the bits in which two hashes differ, 0 to 63. */
export function hashDistance(a: bigint, b: bigint): number {
  const difference = a ^ b
  return onesOf(Number(difference & 0xffffffffn)) + onesOf(Number(difference >> 32n))
}

/** Counts the bits of 32 that are 1. */
export function onesOf(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
