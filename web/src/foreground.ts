/**
 * Tells things from what is behind them: DINOv2's first principal component separates the two (Oquab et al., DINOv2, figure 1), and Otsu's threshold
 * (1979) finds where. What lies at the edges of photos is taken for the background.
 */

import { isAtEdge } from './at-edge.js'

interface LevelGrid {
  readonly rows: number
  readonly columns: number
}

/** Holds the first principal component of each patch of a photo, as a level from 0 to 255. */
export interface LevelMap {
  readonly levels: Uint8Array
  readonly grid: LevelGrid
}

/** Below this share of the spread that two groups explain, there are no two groups. */
const LEAST_SEPARABILITY = 0.6
/** Something is cut off only where both groups have so many of all patches. */
const LEAST_SHARE = 0.05
/** Between background and things lie so many levels, over which one fades into the other. */
const FADE = 28

/** Gives for each level how much a patch of it belongs to things, 0 to 1, [256]; all are 1 where nothing tells things from their background. */
export function foregroundShares(maps: readonly LevelMap[]): Float32Array {
  const counts = new Float64Array(256)
  const atEdges = new Float64Array(256)
  for (const { levels, grid } of maps) {
    for (const [patch, level] of levels.entries()) {
      counts[level] = (counts[level] ?? 0) + 1
      if (isAtEdge(patch, grid)) atEdges[level] = (atEdges[level] ?? 0) + 1
    }
  }
  const { threshold, separability } = otsu(counts)
  const above = shareAbove(counts, threshold)
  if (separability < LEAST_SEPARABILITY || above < LEAST_SHARE || above > 1 - LEAST_SHARE)
    return new Float32Array(256).fill(1)
  const isBelow = shareAbove(atEdges, threshold) > above
  return Float32Array.from({ length: 256 }, (_, level) => {
    const distance = isBelow ? threshold - level : level - threshold
    return smooth(0.5 + distance / FADE)
  })
}

/** Finds the threshold that makes two groups as unlike as can be; separability is the share of the variance that lies between them, 0 to 1. */
function otsu(counts: Float64Array): { readonly threshold: number; readonly separability: number } {
  let total = 0
  let sum = 0
  let squares = 0
  for (const [level, count] of counts.entries()) {
    total += count
    sum += count * level
    squares += count * level * level
  }
  const variance = squares / total - (sum / total) ** 2
  let best = { first: 0, last: 0, between: 0 }
  let below = 0
  let sumBelow = 0
  for (const [level, count] of counts.entries()) {
    below += count
    sumBelow += count * level
    const above = total - below
    if (below === 0 || above === 0) continue
    const between = ((below * above) / total ** 2) * (sumBelow / below - (sum - sumBelow) / above) ** 2
    // Where no patch has a level between the groups, every threshold there is as good, and the middle is as far as can be from both.
    if (between > best.between) best = { first: level, last: level, between }
    else if (between === best.between) best = { ...best, last: level }
  }
  const threshold = (best.first + best.last + 1) / 2
  return { threshold, separability: variance > 0 ? best.between / variance : 0 }
}

function shareAbove(counts: Float64Array, threshold: number): number {
  let total = 0
  let above = 0
  for (const [level, count] of counts.entries()) {
    total += count
    if (level > threshold) above += count
  }
  return total === 0 ? 0 : above / total
}

function smooth(value: number): number {
  const x = Math.min(1, Math.max(0, value))
  return x * x * (3 - 2 * x)
}
