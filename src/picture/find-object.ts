/**
 * Finds the main object of a photo without labels: TokenCut (Wang et al. 2022, "Self-Supervised Transformers for Unsupervised Object Discovery using
 * Normalized Cut"). Patches that look alike are joined, and the graph is cut in two where that costs least. Four things are not as in the paper, since they were
 * measured to find more (bench/find-object.mjs): it takes keys of DINO's last layer, here are the output patches of any network, whose mean is subtracted
 * first, or keys of the last layer but one; what parts alike from unlike is found in each photo; the object is the side with less of the photo's edge, and not the
 * one of the largest entry; and of that side the largest part that hangs together.
 */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { FacetChoice } from '../encoder/types.js'
import { unitRows } from '../numerics/lengths.js'
import { joinSimilar, normalisedCut } from '../numerics/normalised-cut.js'
import { otsuThreshold } from '../numerics/otsu.js'
import { type ProductOptions, type Products, plainProducts } from '../numerics/products.js'
import { largestPart, type MaskPart } from './largest-part.js'
import type { PatchMap } from './patch-map.js'

/** Says what patches are joined; `OBJECT_SETTINGS` has what was measured. */
export interface ObjectSetting {
  /**
   * Joins patches of a larger cosine similarity than this, from -1 to 1, or than what parts the similarities of the photo's own patches best in two: `otsu`. Default 0.2,
   * as in the paper.
   */
  readonly tau?: number | 'otsu'
  /** Is the weight of pairs that are not joined, above 0 and below 1; default 1e-5, as in the paper. */
  readonly epsilon?: number
  /** Subtracts the mean of the patches first, so that what all have in common joins nobody; default `true`. */
  readonly centred?: boolean
}

/** Names what objects are looked for in: the patches of `Features`, or the keys of a network's last block but one, `OBJECT_KEYS`. */
export type ObjectFacet = 'patches' | 'keys'

/** Asks an encoder for the keys in which objects are looked for (`facets`); the `patches` of that facet then stand in the place of the features'. */
export const OBJECT_KEYS = { layer: -2, of: 'k' } as const satisfies FacetChoice

/**
 * Names what finds most objects, by what is looked at. Chosen on things pasted on textures and on photos with known boxes, with the two models that come with this
 * library: bench/find-object.mjs prints how many are found.
 */
export const OBJECT_SETTINGS: Readonly<Record<ObjectFacet, Required<ObjectSetting>>> = {
  patches: { tau: 0.2, epsilon: 1e-5, centred: true },
  keys: { tau: 'otsu', epsilon: 1e-5, centred: false },
}

/** Matches the names of models of whose family more objects were found in patches than in keys. */
const FOUND_IN_PATCHES = /(^|\/)deit3_/

/**
 * Says in what most objects are found, for a model of this name. Families that could not be measured, for want of weights, are taken for what plain vision
 * transformers are.
 */
export function objectFacetOf(model: string): ObjectFacet {
  return FOUND_IN_PATCHES.test(model) ? 'patches' : 'keys'
}

/** Says how an object is found. */
export interface FindObjectOptions extends ObjectSetting, ProductOptions {
  /** Computes the products; default: plain loops. */
  readonly products?: Pick<Products, 'similarity'>
}

/** Is what stands out of a photo. */
export interface FoundObject extends MaskPart {
  /** Says how well the object parts from the rest, from 0 to 1: 1 where no patch of it is joined with any of the rest (1 less the normalised cut's half). */
  readonly score: number
}

const FIND_OBJECT_OPTIONS = {
  tau: true,
  epsilon: true,
  centred: true,
  products: true,
  signal: true,
} satisfies OptionNames<FindObjectOptions>

/** The graph has a byte for each pair: 256 MB at so many. */
const MOST_PATCHES = 16_384

/**
 * Finds the object. Gives null where all patches look alike or each is on its own, so that nothing stands out. It takes a byte for each pair of patches. Throws
 * RangeError for fewer than 2 patches, more than 16,384, or options that make no sense; the signal's reason.
 */
export async function findObject(
  map: PatchMap,
  options: FindObjectOptions = {},
): Promise<FoundObject | null> {
  checkOptionNames(options, FIND_OBJECT_OPTIONS)
  const { tau, epsilon, centred, products, signal } = { ...OBJECT_SETTINGS.patches, ...options }
  if (tau !== 'otsu' && !(tau >= -1 && tau <= 1))
    throw new RangeError(`A cosine similarity is from -1 to 1: tau cannot be ${tau}.`)
  if (!(epsilon > 0 && epsilon < 1)) {
    throw new RangeError(
      `The weight of pairs that are not joined is above 0 and below 1: epsilon cannot be ${epsilon}.`,
    )
  }
  const { rows, columns } = map.grid
  const count = rows * columns
  if (!(count >= 2 && count <= MOST_PATCHES)) {
    throw new RangeError(
      `An object is looked for among 2 to ${MOST_PATCHES} patches, got ${rows} x ${columns}: encode the photo at another size.`,
    )
  }
  const width = map.patches.length / count
  const patches = centred ? lessMean(map.patches, width) : map.patches
  const units = unitRows(patches, width)
  const bound = tau === 'otsu' ? await partingBound(units, width, products ?? plainProducts, signal) : tau
  const joined = await joinSimilar(units, width, bound, { products, signal })
  // Where all patches are joined, or none is with another, there is no place to cut.
  const pairs = joined.reduce((sum, one) => sum + one, 0)
  if (pairs === count * count || pairs === count) return null
  const { vector, value } = normalisedCut({ joined, weak: epsilon }, count)
  const mean = vector.reduce((sum, one) => sum + one, 0) / count
  const above = Uint8Array.from(vector, (one) => (one > mean ? 1 : 0))
  const below = above.map((one) => 1 - one)
  const side = edgeOf(above, map.grid) <= edgeOf(below, map.grid) ? above : below
  const part = largestPart(side, columns)
  return part && { ...part, score: 1 - value / 2 }
}

/** So many patches, spread evenly, tell how alike patches of a photo are. */
const COMPARED = 512

/** Finds the similarity that parts those of all pairs best in two (Otsu, 1979). */
async function partingBound(
  units: Float32Array,
  width: number,
  products: Pick<Products, 'similarity'>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const count = units.length / width
  const step = Math.ceil(count / COMPARED)
  const some = new Float32Array(Math.ceil(count / step) * width)
  for (let row = 0, to = 0; row < count; row += step, to += width)
    some.set(units.subarray(row * width, (row + 1) * width), to)
  return otsuThreshold(await products.similarity(some, some, width, { signal })).threshold
}

/** Counts the cells of a mask that lie at the edge of the grid. */
function edgeOf(mask: Uint8Array, { rows, columns }: PatchMap['grid']): number {
  return mask.filter((isIn, cell) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns]
    return isIn === 1 && (row === 0 || column === 0 || row === rows - 1 || column === columns - 1)
  }).length
}

function lessMean(patches: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width)
  const count = patches.length / width
  for (const [at, value] of patches.entries()) mean[at % width] = (mean[at % width] ?? 0) + value / count
  return patches.map((value, at) => value - (mean[at % width] ?? 0))
}
