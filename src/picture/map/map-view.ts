/** Says what a map shows: points of photos, each perhaps of a group, and what the groups are called. */
import type { Rgb } from '../draw/canvas.js'
import { categoryColors } from '../draw/categories.js'

/** Is what is drawn. */
export interface MapView {
  /** [N, 2] Across, then up. */
  readonly points: Float32Array
  /** [N] Counts the groups in front of that of each point; -1 is none. */
  readonly groups: Int32Array
  /** Names the groups; text of anybody. */
  readonly groupNames: readonly string[]
}

/** Points of no group are grey, on light paper and on dark. */
export const NO_GROUP: Rgb = [136, 142, 152]

/** Gives the colour of each group. */
export function groupColors({ groupNames }: MapView): readonly Rgb[] {
  return groupNames.length === 0 ? [] : categoryColors(groupNames.length)
}

/** Counts the points of each group. */
export function groupCounts({ groups, groupNames }: MapView): readonly number[] {
  const counts = groupNames.map(() => 0)
  for (const group of groups) if (group >= 0) counts[group] = (counts[group] ?? 0) + 1
  return counts
}

/** Gives the places of points within a box, [N, 2], across and down: as large as fits, with distances in proportion. */
export function placesWithin(points: Float32Array, height: number, width: number): Float32Array {
  const [left, right] = rangeOf(points, 0)
  const [bottom, top] = rangeOf(points, 1)
  const across = right > left ? width / (right - left) : Number.POSITIVE_INFINITY
  const up = top > bottom ? height / (top - bottom) : Number.POSITIVE_INFINITY
  const scale = Math.min(across, up)
  const factor = Number.isFinite(scale) ? scale : 0
  return points.map((value, at) =>
    at % 2 === 0
      ? width / 2 + (value - (left + right) / 2) * factor
      : height / 2 - (value - (bottom + top) / 2) * factor,
  )
}

function rangeOf(points: Float32Array, axis: number): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let at = axis; at < points.length; at += 2) {
    const value = points[at] ?? 0
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return [low, high]
}

/** Says how large a dot is drawn, in pixels of its radius, where so many lie in a square of this side: many overlap less when they are small. */
export function dotRadius(count: number, side: number): number {
  return Math.max(1, Math.min(side / 100, (0.35 * side) / Math.sqrt(Math.max(1, count))))
}
