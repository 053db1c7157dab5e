/** Shows patches as colours, with three principal components as red, green and blue (Oquab et al., DINOv2, figure 1). Like things look alike. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { RgbImage } from '../image/image.js'
import { type PrincipalComponents, principalComponents } from '../numerics/principal-components.js'
import { type ProductOptions, type Products, plainProducts } from '../numerics/products.js'
import { projectBlocks, projectedRange, projectRows } from '../numerics/projections.js'
import { type Foreground, fitForeground, foregroundMask, foregroundRows } from './foreground.js'
import { assertModel, commonOf, type ModelIdentity, type PatchMap, widthOf } from './patch-map.js'
import { PictureError } from './picture-error.js'

/** Lists the ways in which components become colours. */
export const PATCH_COLOR_METHODS = ['plumage', 'dinov2', 'dinov3', 'birder'] as const
/**
 * Names a way in which components become colours.
 *
 * - `plumage`: three components of all patches, from the first to the last hundredth of each: single odd patches would leave little contrast to the others.
 * - `dinov2`: the background is cut off along the first component, then three components of what is left, from the least to the largest of each (Oquab et al.,
 *   DINOv2, figure 1; the recipe of facebookresearch/dinov2#23). Background is black.
 * - `dinov3`: three components of the foreground, whitened, each through a sigmoid of twice its value; background is black (facebookresearch/dinov3,
 *   notebooks/pca.ipynb). There a classifier tells the foreground, here it is found as for `dinov2`.
 * - `birder`: three components of all patches, from the least to the largest of each, rounded down (birder 0.8.4, introspection/feature_pca.py). Birder takes
 *   patches before the final norm, and fits each photo by itself.
 */
export type PatchColorMethod = (typeof PATCH_COLOR_METHODS)[number]

/** Says how patches become colours; fitted to several images, a colour means the same in all of them. */
export interface PatchColors extends PrincipalComponents {
  /** Names the way. */
  readonly method: PatchColorMethod
  /** [3]. This becomes 0; for `dinov3` it is the middle. */
  readonly low: Float64Array
  /** [3]. This becomes 255; for `dinov3` it is one deviation from the middle. */
  readonly high: Float64Array
  /** Says what was cut off as background, and how well that can be told; null where the way cuts nothing. */
  readonly foreground: Foreground | null
  /** Names the model whose patches it was fitted to; null where they did not say. */
  readonly fittedOn: ModelIdentity | null
}

/** Says how colours are fitted. */
export interface FitPatchColorsOptions extends ProductOptions {
  /** Names the way; default `plumage`. */
  readonly method?: PatchColorMethod | undefined
  /** Says what is background, as `fitForeground` finds it (from clicks, say); null: nothing. Default: `dinov2` and `dinov3` find it, the others cut nothing. */
  readonly foreground?: Foreground | null | undefined
  /** Computes products; default: in plain loops, which take seconds for many photos. */
  readonly products?: Products | undefined
}

/** A hundredth at each end is cut off. */
const CUT = 0.01

const FIT_OPTIONS = {
  method: true,
  foreground: true,
  products: true,
  signal: true,
} satisfies OptionNames<FitPatchColorsOptions>

/**
 * Fits colours to all patches of some images. The same patches give the same colours, with the same signs: the entry of largest magnitude of each component is
 * positive. Throws `PictureError`: `nothing-there`, `mixed-models`, `unknown-setting` for a method that there is not; the signal's reason.
 */
export async function fitPatchColors(
  maps: readonly PatchMap[],
  options: FitPatchColorsOptions = {},
): Promise<PatchColors> {
  checkOptionNames(options, FIT_OPTIONS)
  const { method = 'plumage', products = plainProducts, signal } = options
  assertMethod(method)
  const { width, identity } = commonOf(maps)
  const cuts = method === 'dinov2' || method === 'dinov3'
  const { foreground = cuts ? await fitForeground(maps, { products, signal }) : null } = options
  const blocks = foregroundRows(maps, width, foreground?.cut ?? null)
  if (blocks.every(({ length }) => length === 0))
    throw new PictureError(
      'nothing-there',
      'All patches are background: there is nothing to give colours to.',
    )
  const found = await principalComponents(blocks, width, 3, { products, signal })
  const count = blocks.reduce((sum, { length }) => sum + length, 0) / width
  const range =
    method === 'dinov3'
      ? whiteningOf(found, count)
      : projectedRange(
          await projectBlocks(blocks, found, { products, signal }),
          3,
          method === 'plumage' ? CUT : 0,
        )
  return { ...found, method, ...range, foreground, fittedOn: identity }
}

/** Makes the deviation along each component the unit. Scikit-learn divides by one less than there are rows. */
function whiteningOf({ variances }: PrincipalComponents, count: number): Pick<PatchColors, 'low' | 'high'> {
  const unbiased = count > 1 ? count / (count - 1) : 1
  return { low: new Float64Array(3), high: variances.map((variance) => Math.sqrt(variance * unbiased)) }
}

/**
 * Makes a picture with one pixel per patch. Throws `PictureError` `mixed-models` for patches of another width or model than the colours are for.
 */
export function colorPatches(map: PatchMap, colors: PatchColors): RgbImage {
  const { rows, columns } = map.grid
  const values = patchColorValues(map, colors)
  const level = colors.method === 'birder' ? Math.floor : Math.round
  // A value is rounded to float32 as its own library has it before it becomes a level.
  return {
    height: rows,
    width: columns,
    data: Uint8Array.from(values, (value) => level(Math.fround(value * 255))),
  }
}

/** Gives the same colours as numbers from 0 to 1, float32 [rows * columns, 3]; background is 0. Throws as `colorPatches`. */
export function patchColorValues(map: PatchMap, colors: PatchColors): Float32Array {
  const width = widthOf(map)
  if (width !== colors.mean.length)
    throw new PictureError(
      'mixed-models',
      `The colours are for patches of ${colors.mean.length} numbers, not of ${width}.`,
    )
  assertModel(map.identity, colors.fittedOn)
  const projected = projectRows(map.patches, colors)
  const share = SHARES[colors.method]
  const values = Float32Array.from(projected, (value, i) =>
    share(value, colors.low[i % 3] ?? 0, colors.high[i % 3] ?? 0),
  )
  const cut = colors.foreground?.cut ?? null
  if (cut === null) return values
  for (const [patch, isThing] of foregroundMask(map, cut).entries())
    if (isThing === 0) values.fill(0, 3 * patch, 3 * patch + 3)
  return values
}

/** Places a value in its range, 0 to 1. Where a range is empty it is the middle; in Birder's way it is 0. */
const SHARES: Readonly<Record<PatchColorMethod, (value: number, low: number, high: number) => number>> = {
  plumage: shareBetween,
  dinov2: shareBetween,
  dinov3: (value, low, high) => (high > low ? 1 / (1 + Math.exp((-2 * (value - low)) / (high - low))) : 0.5),
  birder: (value, low, high) => Math.min(1, Math.max(0, (value - low) / (high - low + 1e-7))),
}

function shareBetween(value: number, low: number, high: number): number {
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5
}

function assertMethod(method: PatchColorMethod): void {
  if (!PATCH_COLOR_METHODS.includes(method))
    throw new PictureError(
      'unknown-setting',
      `There are no colours in the way of ${method}: there are ${PATCH_COLOR_METHODS.join(', ')}.`,
    )
}
