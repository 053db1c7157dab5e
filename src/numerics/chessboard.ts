/** Shows two pictures laid over each other by squares of the one and the other in turn, so that the eye sees whether they go on across the seams. */
import { composeMaps, invertMap, type PlaneMap } from './plane-map.js'
import { type RgbPixels, reducePixels } from './reduce-pixels.js'

const SQUARES = 8

/**
 * Gives the kept picture with a longer side of at most `side`, every second square of which is the other's, where that has one. `map` takes pixels of the first to pixels of the second
 * (a pixel's middle at its number plus a half), and `kept` says which of these the kept one is. Gives the kept one alone for a map that cannot be inverted.
 */
export function chessboard(
  kept: RgbPixels,
  other: RgbPixels,
  map: PlaneMap,
  keptIs: 'first' | 'second',
  side: number,
): RgbPixels {
  const { height, width, data } = reducePixels(kept, side)
  const small = reducePixels(other, side)
  const there = keptIs === 'first' ? map : invertMap(map)
  const out = data.slice()
  if (there === null) return { height, width, data: out }
  const toSmall = Float64Array.of(small.width / other.width, 0, 0, 0, small.height / other.height, 0, 0, 0, 1)
  const toKept = Float64Array.of(kept.width / width, 0, 0, 0, kept.height / height, 0, 0, 0, 1)
  const [a, b, c, d, e, f] = composeMaps(toSmall, composeMaps(there, toKept))
  const square = Math.max(8, Math.ceil(Math.max(height, width) / SQUARES))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if ((Math.floor(y / square) + Math.floor(x / square)) % 2 === 0) continue
      const u = Math.floor(a * (x + 0.5) + b * (y + 0.5) + c)
      const v = Math.floor(d * (x + 0.5) + e * (y + 0.5) + f)
      if (u < 0 || v < 0 || u >= small.width || v >= small.height) continue
      for (let i = 0; i < 3; i++) out[(y * width + x) * 3 + i] = small.data[(v * small.width + u) * 3 + i]
    }
  return { height, width, data: out }
}
