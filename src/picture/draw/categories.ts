/**
 * Holds colours for things that have no order. They are those of Okabe and Ito ("Color Universal Design", 2008, https://jfly.uni-koeln.de/color/), which
 * people who see two of three colours tell apart, without black, which is lost on photos.
 */
import type { Rgb } from './canvas.js'
import { colorAt, colorTable } from './color-maps.js'

const OKABE_ITO: readonly Rgb[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
]

/** Gives so many colours; where there are more than can be told apart, they are steps of a map. */
export function categoryColors(count: number): readonly Rgb[] {
  if (count <= OKABE_ITO.length) return OKABE_ITO.slice(0, count)
  const table = colorTable('viridis')
  return Array.from({ length: count }, (_, index) => colorAt(table, index / (count - 1)))
}
