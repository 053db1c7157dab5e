/** Gives colours to things that have no order. */
import { OKABE_ITO } from '../okabe-ito.js'
import type { Rgb } from './canvas.js'
import { colorAt, colorTable } from './color-maps.js'

/** Gives so many colours; where there are more than can be told apart, they are steps of a map. */
export function categoryColors(count: number): readonly Rgb[] {
  if (count <= OKABE_ITO.length) return OKABE_ITO.slice(0, count)
  const table = colorTable('viridis')
  return Array.from({ length: count }, (_, index) => colorAt(table, index / (count - 1)))
}
