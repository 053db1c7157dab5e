/**
 * Tells things from what is behind them: the first principal component of patches separates the two (Oquab et al., DINOv2, figure 1), and Otsu's
 * threshold (1979) finds where. What lies at the edges of photos is taken for the background, unless somebody says which patches are things.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { otsuThreshold } from '../numerics/otsu.js'
import { principalComponents } from '../numerics/principal-components.js'
import { type ProductOptions, type Products, plainProducts } from '../numerics/products.js'
import { type Directions, projectBlocks, projectRows } from '../numerics/projections.js'
import { concatenate } from '../tensor/concatenate.js'
import { chosenRows, commonOf, type PatchMap } from './patch-map.js'
import { PictureError } from './picture-error.js'

/** Below this share of the variance that two groups explain, nothing is cut off. */
export const LEAST_SEPARABILITY = 0.6

/** Is where background ends, for patches of one model. */
export interface ForegroundCut extends Directions {
  /** What lies further along the direction than this is a thing. */
  readonly threshold: number
}

/** Says what tells things from their background. */
export interface Foreground {
  /** Is the share of the variance along the direction that lies between things and background, 0 to 1 (Otsu's eta). */
  readonly separability: number
  /** Says which patches are things; null where too little tells them apart: then all are. */
  readonly cut: ForegroundCut | null
}

/** Names a patch of one of several photos. */
export interface PatchClick {
  /** Is the place of the photo among those that are given. */
  readonly map: number
  /** Is the number of the patch in its grid, row by row. */
  readonly patch: number
}

/** Says what is known of the foreground, and who computes. */
export interface ForegroundOptions extends ProductOptions {
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
  /** Are things, whatever else tells: the cut is then made along what they have in common, however little separates it, and none of them is cut off. */
  readonly clicks?: readonly PatchClick[] | undefined
}

const FOREGROUND_OPTIONS = {
  products: true,
  clicks: true,
  signal: true,
} satisfies OptionNames<ForegroundOptions>

/**
 * Finds what tells things from their background in all photos together. Throws `PictureError`: `nothing-there`, `mixed-models`, `outside` for a click on no
 * patch; the signal's reason.
 */
export async function fitForeground(
  maps: readonly PatchMap[],
  options: ForegroundOptions = {},
): Promise<Foreground> {
  checkOptionNames(options, FOREGROUND_OPTIONS)
  const { products = plainProducts, signal, clicks = [] } = options
  const { width } = commonOf(maps)
  const blocks = maps.map(({ patches }) => patches)
  if (clicks.length === 0) {
    const { mean, components } = await principalComponents(blocks, width, 1, { products, signal })
    const directions = { mean, components }
    return cutByEdges(maps, directions, await projectBlocks(blocks, directions, { products, signal }))
  }
  const rows = clicks.map((click) => clickedRow(maps, click, width))
  const mean = await products.mean(blocks, width, { signal })
  const directions = { mean, components: towards(rows, mean) }
  return cutByClicks(rows, directions, await projectBlocks(blocks, directions, { products, signal }))
}

/** Tells things, 1, from background, 0, into [rows * columns]. */
export function foregroundMask({ patches }: Pick<PatchMap, 'patches'>, cut: ForegroundCut): Uint8Array {
  return Uint8Array.from(projectRows(patches, cut), (along) => (along > cut.threshold ? 1 : 0))
}

function cutByEdges(
  maps: readonly PatchMap[],
  directions: Directions,
  alongs: readonly Float32Array[],
): Foreground {
  const { threshold, separability } = otsuThreshold(concatenate(alongs))
  if (separability < LEAST_SEPARABILITY) return { separability, cut: null }
  const cut = liesMoreAtEdges(maps, alongs, threshold)
    ? { ...directions, components: directions.components.map((value) => 0 - value), threshold: -threshold }
    : { ...directions, threshold }
  return { separability, cut }
}

function cutByClicks(
  rows: readonly Float32Array[],
  directions: Directions,
  alongs: readonly Float32Array[],
): Foreground {
  const { threshold, separability } = otsuThreshold(concatenate(alongs))
  let least = threshold
  for (const row of rows) {
    const [own = threshold] = projectRows(row, directions)
    // What is clicked lies above the threshold, by the least that numbers can say.
    if (own <= least) least = own - Math.abs(own) * Number.EPSILON - Number.MIN_VALUE
  }
  return { separability, cut: { ...directions, threshold: least } }
}

function clickedRow(maps: readonly PatchMap[], { map, patch }: PatchClick, width: number): Float32Array {
  const row = patch >= 0 ? maps[map]?.patches.subarray(patch * width, (patch + 1) * width) : undefined
  if (row?.length !== width)
    throw new PictureError('outside', `There is no patch ${patch} in photo ${map} of ${maps.length}.`)
  return row
}

/** Gives the direction from the mean of all to the sum of the rows, of length 1. */
function towards(rows: readonly Float32Array[], mean: Float64Array): Float64Array {
  const sum = new Float64Array(mean.length)
  for (const row of rows)
    for (const [i, value] of row.entries()) sum[i] = (sum[i] ?? 0) + value - (mean[i] ?? 0)
  const length = Math.hypot(...sum)
  return length > 0 ? sum.map((value) => value / length) : sum
}

/** Tells whether a greater share of the patches at the edges than of all lies above the threshold. */
function liesMoreAtEdges(
  maps: readonly PatchMap[],
  alongs: readonly Float32Array[],
  threshold: number,
): boolean {
  const counts = { all: 0, allAbove: 0, edge: 0, edgeAbove: 0 }
  for (const [map, { grid }] of maps.entries()) {
    for (const [patch, value] of (alongs[map] ?? []).entries()) {
      const above = value > threshold ? 1 : 0
      const row = Math.floor(patch / grid.columns)
      const column = patch % grid.columns
      const isEdge = row === 0 || column === 0 || row === grid.rows - 1 || column === grid.columns - 1
      counts.all++
      counts.allAbove += above
      counts.edge += isEdge ? 1 : 0
      counts.edgeAbove += isEdge ? above : 0
    }
  }
  return counts.edgeAbove * counts.all > counts.allAbove * counts.edge
}

/** Copies the patches of all maps that are things, one block for each map; all of them where there is no cut. */
export function foregroundRows(
  maps: readonly PatchMap[],
  width: number,
  cut: ForegroundCut | null,
): readonly Float32Array[] {
  if (cut === null) return maps.map(({ patches }) => patches)
  return maps.map((map) => chosenRows(map, width, foregroundMask(map, cut)))
}
