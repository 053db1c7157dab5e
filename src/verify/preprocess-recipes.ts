/** Turns the recipes of the goldens, which each library's own arguments describe, into this library's. */
import { given } from '../encoder/choose-recipe.js'
import { DINOV2_EVALUATION } from '../image/preparation.js'
import { birderRecipe, namedRecipe, type PassOrder, type Recipe } from '../image/recipe.js'
import { IMAGENET_STATS } from '../model/vit-config.js'
import { type GoldenCase, required } from './case.js'
import { GoldenError } from './golden-error.js'

/** A library was told this, in its own words. */
export interface GoldenRecipe {
  readonly recipe: string
  readonly size?: readonly [height: number, width: number] | number
  readonly center_crop?: number
  readonly simple_crop?: boolean
  readonly shortest_edge?: number
  readonly crop?: number
  readonly crop_pct?: number
  readonly dtype?: string
}

type MakeRecipe = (golden: GoldenRecipe, passOrder: PassOrder, of: GoldenCase) => Recipe | null

const rgbStats = IMAGENET_STATS

const RECIPES: ReadonlyMap<string, MakeRecipe> = new Map<string, MakeRecipe>([
  [
    'birder',
    ({ size, center_crop = 1, simple_crop = false }, passOrder, of) =>
      birderRecipe(sides(size, of), rgbStats, {
        centerCrop: center_crop,
        simpleCrop: simple_crop,
        simpleCropRule: 'short-side',
        passOrder,
      }),
  ],
  [
    'birder-tv',
    // torchvision's loader makes 16-bit tensors of 16-bit files, and everything here is 8-bit.
    ({ size, dtype }, _, of) =>
      dtype === undefined ? birderRecipe(sides(size, of), rgbStats, { resampler: 'torch-uint8' }) : null,
  ],
  ['hugging-face-torchvision', (golden, passOrder) => huggingFace(golden, passOrder, 'torch-uint8')],
  ['hugging-face-pil', (golden, passOrder) => huggingFace(golden, passOrder, 'pillow')],
  [
    'facebook',
    ({ shortest_edge, crop }, passOrder, of) => ({
      ...namedRecipe('facebook', { modelSize: square(224), patchSize: 14, rgbStats, passOrder }),
      resize: { kind: 'short-side', side: required(shortest_edge, 'shortest_edge', of) },
      size: square(required(crop, 'crop', of)),
    }),
  ],
  [
    'timm',
    ({ size, crop_pct = 1 }, passOrder, of) =>
      namedRecipe('timm', {
        modelSize: sides(size, of),
        patchSize: 14,
        rgbStats,
        passOrder,
        cropFraction: crop_pct,
      }),
  ],
])

/** Gives null for 16-bit results. Throws `GoldenError` by name for a recipe that is not known, or lacks an argument. */
export function recipeOrNull(golden: GoldenRecipe, passOrder: PassOrder, of: GoldenCase): Recipe | null {
  const make = RECIPES.get(golden.recipe)
  if (make !== undefined) return make(golden, passOrder, of)
  throw new GoldenError(
    'unsupported',
    `The golden case ${of.id} has a result of the recipe ${golden.recipe}; known are ${[...RECIPES.keys()].join(', ')}.`,
  )
}

function huggingFace(
  { shortest_edge, crop }: GoldenRecipe,
  passOrder: PassOrder,
  resampler: 'pillow' | 'torch-uint8',
): Recipe {
  const edges = { ...DINOV2_EVALUATION, ...given({ resize: shortest_edge }) }
  const preparation = crop === undefined ? edges : { ...edges, crop: square(crop) }
  return namedRecipe('hugging-face', {
    modelSize: square(224),
    patchSize: 14,
    rgbStats,
    passOrder,
    resampler,
    preparation,
  })
}

function sides(size: GoldenRecipe['size'], of: GoldenCase): readonly [height: number, width: number] {
  const known = required(size, 'size in one of its results', of)
  return typeof known === 'number' ? square(known) : known
}

function square(side: number): readonly [height: number, width: number] {
  return [side, side]
}
