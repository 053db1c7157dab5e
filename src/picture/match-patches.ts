/**
 * Matches the patches of two images: two belong together where each is the other's nearest by cosine similarity. Counts and numbers are those of Birder's
 * `feature_matching` on the same features (it takes those before the final norm); the ratio test is Lowe's (2004, "Distinctive Image Features from
 * Scale-Invariant Keypoints").
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { fitRobustly } from '../numerics/fit-robustly.js'
import { unitRows } from '../numerics/lengths.js'
import { MutualNearest, type Nearest } from '../numerics/mutual-nearest.js'
import { composeMaps, invertMap, type PlaneMap, type PlaneMapKind } from '../numerics/plane-map.js'
import { type Products, plainProducts } from '../numerics/products.js'
import { commonOf, type PatchMap } from './patch-map.js'
import type { Placed } from './patches-at.js'

/** Says which pairs of patches are kept. */
export interface MatchOptions {
  /** Keeps pairs of at least this cosine similarity, from -1 to 1; default 0.7. */
  readonly threshold?: number
  /** Keeps pairs that are better by so much than the second best, both of the one patch and of the other, from 0 to 2; default 0, which keeps all. */
  readonly margin?: number
  /**
   * Keeps pairs whose distance is at most this part of the distance to the second best, both of the one patch and of the other, above 0 and to 1; default 1, which
   * keeps all. Distances are those of features of length 1.
   */
  readonly ratio?: number
  /** Keeps the best so many; default: all. */
  readonly limit?: number
  /** Computes the products; default: plain loops. */
  readonly products?: Pick<Products, 'similarity'>
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Is a pair of patches that belong together. */
export interface PatchMatch {
  /** Numbers the patch of the first image, row by row from the top left. */
  readonly from: number
  /** Numbers the patch of the second image. */
  readonly to: number
  /** Is their cosine similarity. */
  readonly score: number
}

/** Holds what belongs together in two images. */
export interface PatchMatches {
  /** Lists the pairs, the most similar first. */
  readonly matches: readonly PatchMatch[]
  /** Is the largest similarity before the threshold, which says how far it would have to go down; null where no two patches are each other's nearest. */
  readonly closest: number | null
}

/** Says which pairs agree with each other. */
export interface AgreeOptions {
  /** Names what takes one photo to the other: `affine` for things that are far away or turned in the plane, `homography` (default) for flat ones. */
  readonly kind?: PlaneMapKind
  /** Is the largest distance from where the map takes a patch, in patches of either photo; default 1, since a place is only known to a patch. */
  readonly tolerance?: number
  /** Chooses the random samples; default 0. The same seed gives the same answer. */
  readonly seed?: number
}

/** Tells for each pair whether it agrees with most others. */
export interface AgreedMatches {
  /** Lists the pairs in the order in which they were given. */
  readonly matches: readonly (PatchMatch & {
    /** Tells whether the map takes one patch to the other. */
    readonly isInlier: boolean
  })[]
  /** Takes pixels of the first photo to pixels of the second, [3, 3]; null where no map has pairs enough that agree. */
  readonly map: PlaneMap | null
}

const MATCH_OPTIONS = {
  threshold: true,
  margin: true,
  ratio: true,
  limit: true,
  products: true,
  signal: true,
} satisfies OptionNames<MatchOptions>
const AGREE_OPTIONS = { kind: true, tolerance: true, seed: true } satisfies OptionNames<AgreeOptions>

/** Is how many rows of similarities are there at a time, so that memory stays flat. */
const ROWS_AT_A_TIME = 256

/**
 * Finds the pairs. Throws `PictureError` `nothing-there` for images without patches, `mixed-models` for patches of two models; RangeError for options that make no sense; the
 * signal's reason.
 */
export async function matchPatches(
  first: PatchMap,
  second: PatchMap,
  options: MatchOptions = {},
): Promise<PatchMatches> {
  checkOptionNames(options, MATCH_OPTIONS)
  const { threshold = 0.7, margin = 0, ratio = 1, limit, products = plainProducts, signal } = options
  within('threshold', threshold, -1, 1)
  within('margin', margin, 0, 2)
  within('ratio', ratio, Number.MIN_VALUE, 1)
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
    throw new RangeError(`The limit counts matches, and is 1 or more: got ${limit}.`)
  const { width } = commonOf([first, second])
  const [rows, columns] = [unitRows(first.patches, width), unitRows(second.patches, width)]
  const nearest = new MutualNearest(rows.length / width, columns.length / width)
  for (let row = 0; row < rows.length / width; row += ROWS_AT_A_TIME) {
    signal?.throwIfAborted()
    const block = rows.subarray(row * width, (row + ROWS_AT_A_TIME) * width)
    nearest.add(await products.similarity(block, columns, width, { signal }), row)
  }
  signal?.throwIfAborted()
  const mutual = mutualPairs(nearest).filter(
    ({ from, to }) =>
      isClear(nearest.rows, from, margin, ratio) && isClear(nearest.columns, to, margin, ratio),
  )
  const closest = mutual.reduce<number | null>((best, { score }) => Math.max(best ?? score, score), null)
  const matches = mutual.filter(({ score }) => score >= threshold).sort((a, b) => b.score - a.score)
  return { matches: matches.slice(0, limit), closest }
}

/**
 * Looks for a map of the plane that as many pairs as possible agree with (RANSAC), and tells these from the others. Throws RangeError for a patch that is not
 * in its grid, or options that make no sense.
 */
export function agreeingMatches(
  matches: readonly PatchMatch[],
  first: Pick<Placed, 'grid' | 'patchBox'>,
  second: Pick<Placed, 'grid' | 'patchBox'>,
  options: AgreeOptions = {},
): AgreedMatches {
  checkOptionNames(options, AGREE_OPTIONS)
  const { kind = 'homography', tolerance = 1, seed = 0 } = options
  // In patches, a tolerance means the same in photos of all sizes.
  const from = cellCentres(matches, ({ from }) => from, first)
  const to = cellCentres(matches, ({ to }) => to, second)
  const fit = fitRobustly(from, to, { kind, tolerance, seed })
  const found = matches.map((match, at) => ({ ...match, isInlier: fit?.inliers[at] === 1 }))
  if (fit === null) return { matches: found, map: null }
  const back = invertMap(pixelsOfCells(first))
  const map = back === null ? null : composeMaps(pixelsOfCells(second), composeMaps(fit.map, back))
  return { matches: found, map }
}

function mutualPairs({ rows, columns }: MutualNearest): readonly PatchMatch[] {
  const pairs: PatchMatch[] = []
  for (const [from, to] of rows.index.entries()) {
    const score = rows.best[from]
    if (columns.index[to] === from && score !== undefined) pairs.push({ from, to, score })
  }
  return pairs
}

/** Tells whether the best is by far better than the second best. */
function isClear({ best, second }: Nearest, at: number, margin: number, ratio: number): boolean {
  const [first, next] = [best[at], second[at]]
  if (first === undefined || next === undefined) return false
  // In float32, as the library subtracts.
  const isAhead = margin === 0 || Math.fround(first - next) >= margin
  return isAhead && (ratio === 1 || distance(first) <= ratio * distance(next))
}

/** Gives the distance of two vectors of length 1 by their cosine. */
function distance(cosine: number): number {
  return Math.sqrt(Math.max(0, 2 - 2 * cosine))
}

function cellCentres(
  matches: readonly PatchMatch[],
  patchOf: (match: PatchMatch) => number,
  { grid: { rows, columns } }: Pick<Placed, 'grid'>,
): Float64Array {
  return Float64Array.from(
    matches.flatMap((match) => {
      const patch = patchOf(match)
      if (!(patch >= 0 && patch < rows * columns))
        throw new RangeError(`There is no patch ${patch} in a grid of ${rows} x ${columns}.`)
      return [(patch % columns) + 0.5, Math.floor(patch / columns) + 0.5]
    }),
  )
}

/** Takes places in the grid (column, row) to pixels. */
function pixelsOfCells({ grid: { rows, columns }, patchBox }: Pick<Placed, 'grid' | 'patchBox'>): PlaneMap {
  const [{ left, top }, { right, bottom }] = [patchBox(0, 0), patchBox(rows - 1, columns - 1)]
  return Float64Array.of((right - left) / columns, 0, left, 0, (bottom - top) / rows, top, 0, 0, 1)
}

function within(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    throw new RangeError(`The ${name} of a match is from ${low} to ${high}: got ${value}.`)
}
