/** Follows Birder's common/masking.py: masks of patches, [B, G] with 1 for what is masked, and the numbers of patches that are kept, [B, K]. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { type NdArray, ndArray } from './nd-array.js'

/** Says how a mask is drawn. */
export interface UniformMaskOptions {
  /** Is the part of the patches that is masked in the mask itself; what is between it and the ratio is neither masked nor kept. Default: all that are not kept. */
  readonly keptMaskRatio?: number
  /** Masks squares of so many patches a side, which must divide the grid; default 1. */
  readonly minMaskSize?: number
  /** Draws a number from 0 to below 1, once for each square of each image; default `Math.random`. */
  readonly random?: () => number
}

const UNIFORM_MASK_OPTIONS = {
  keptMaskRatio: true,
  minMaskSize: true,
  random: true,
} satisfies OptionNames<UniformMaskOptions>

/**
 * Draws a mask for each image, as `uniform_mask` does: patches are shuffled, and the first are kept. Gives the mask [B, G], the numbers of those that are kept
 * [B, K], and the numbers by which what was shuffled comes to its place again [B, G]. Throws RangeError for numbers that make no mask.
 */
export function uniformMask(
  batchSize: number,
  h: number,
  w: number,
  maskRatio: number,
  options: UniformMaskOptions = {},
): readonly [mask: NdArray, idsKeep: NdArray, idsRestore: NdArray] {
  checkOptionNames(options, UNIFORM_MASK_OPTIONS)
  const { keptMaskRatio = maskRatio, minMaskSize: side = 1, random = Math.random } = options
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new RangeError(`A mask is drawn for as many images as there are, at least one, got ${batchSize}.`)
  assertMask(h, w, maskRatio, keptMaskRatio, side)
  const [rows, columns] = [h / side, w / side]
  const squares = rows * columns
  const keep = Math.trunc(squares * (1 - maskRatio))
  const unmasked = keep + Math.trunc(squares * (maskRatio - keptMaskRatio))
  const images = Array.from({ length: batchSize }, () => {
    const noise = Array.from({ length: squares }, random)
    const rank = argsort(argsort(noise))
    const squareOf = (patch: number) =>
      Math.floor(Math.floor(patch / w) / side) * columns + Math.floor((patch % w) / side)
    const patches = Array.from({ length: h * w }, (_, patch) => squareOf(patch))
    const mask = patches.map((square) => ((rank[square] ?? 0) < unmasked ? 0 : 1))
    const shuffled =
      side === 1
        ? argsort(noise)
        : argsort(patches.map((square, patch) => 2 * (mask[patch] ?? 0) + (noise[square] ?? 0)))
    return { mask, keep: shuffled.slice(0, keep * side ** 2), restore: argsort(shuffled) }
  })
  return [
    rowsOf(images.map(({ mask }) => mask)),
    rowsOf(images.map((image) => image.keep)),
    rowsOf(images.map(({ restore }) => restore)),
  ]
}

/** Gives the numbers of the patches that a mask [B, G] does not mask, [B, K], as `get_ids_keep` does. Throws RangeError where images keep different counts. */
export function getIdsKeep(mask: NdArray): NdArray {
  return rowsOf(masksOf(mask).map((masked) => masked.flatMap((isMasked, patch) => (isMasked ? [] : [patch]))))
}

/** Tells of each patch of each image whether it is masked. Throws RangeError for what is no mask [B, G] of 0 and 1. */
export function masksOf({ data, shape }: NdArray): readonly (readonly boolean[])[] {
  const [batch, patches] = shape
  if (batch === undefined || patches === undefined || shape.length !== 2)
    throw new RangeError(`A mask is [B, G], one number for each patch of each image, got [${shape}].`)
  const odd = data.find((value) => value !== 0 && value !== 1)
  if (odd !== undefined)
    throw new RangeError(`A mask has 1 for a patch that is masked and 0 for any other, got ${odd}.`)
  return Array.from({ length: batch }, (_, image) =>
    Array.from(data.subarray(image * patches, (image + 1) * patches), (value) => value === 1),
  )
}

/** Gives the numbers of patches of each image. Throws RangeError for what numbers no patches of the grid. */
export function idsOf({ data, shape }: NdArray, patches: number): readonly (readonly number[])[] {
  const [batch, kept] = shape
  if (batch === undefined || kept === undefined || shape.length !== 2 || kept === 0)
    throw new RangeError(
      `The patches that are kept are numbered as [B, K], at least one of each image, got [${shape}].`,
    )
  const wrong = data.find((id) => !Number.isInteger(id) || id < 0 || id >= patches)
  if (wrong !== undefined)
    throw new RangeError(`Patches are numbered from 0 to ${patches - 1} here, and ${wrong} is none of them.`)
  return Array.from({ length: batch }, (_, image) => [...data.subarray(image * kept, (image + 1) * kept)])
}

function assertMask(h: number, w: number, ratio: number, kept: number, side: number): void {
  const whole = [h, w, side].every((count) => Number.isInteger(count) && count >= 1)
  if (!whole || h % side !== 0 || w % side !== 0)
    throw new RangeError(
      `A grid of ${h} x ${w} patches has no whole squares of ${side} x ${side} (minMaskSize).`,
    )
  if (!(ratio >= 0 && ratio <= 1 && kept >= 0 && kept <= ratio)) {
    throw new RangeError(
      `A mask ratio is from 0 to 1, and keptMaskRatio from 0 to it, got ${ratio} and ${kept}.`,
    )
  }
}

/** Gives the numbers of the values in their order; equal ones stay in theirs. */
function argsort(values: readonly number[]): readonly number[] {
  return values
    .map((value, at) => [value, at] as const)
    .sort(([a], [b]) => a - b)
    .map(([, at]) => at)
}

function rowsOf(rows: readonly (readonly number[])[]): NdArray {
  const [first = []] = rows
  const other = rows.find(({ length }) => length !== first.length)
  if (other !== undefined)
    throw new RangeError(
      `Each image must keep as many patches, and one keeps ${first.length} and another ${other.length}.`,
    )
  return ndArray(Float32Array.from(rows.flat()), [rows.length, first.length])
}
