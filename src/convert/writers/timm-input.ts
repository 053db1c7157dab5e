/** Says in timm's words how images are made: the part of a PretrainedCfg that is about input. */
import type { Recipe } from '../../image/recipe.js'
import type { PlainRecord } from '../../plain-value.js'

/** Gives the fields of `pretrained_cfg`; of a resize that timm has no words for, its usual one, which a comparison of both recipes tells. */
export function timmInput(recipe: Recipe, channels: number): PlainRecord {
  const { size, filter, rgbStats, resize } = recipe
  const [height, width] = size
  const grown = grownOf(recipe)
  return {
    input_size: [channels, height, width],
    fixed_input_size: true,
    interpolation: filter,
    crop_pct: grown === null ? 1 : fractionOf(Math.min(height, width), grown),
    crop_mode: resize.kind === 'squash' ? 'squash' : 'center',
    mean: rgbStats.mean,
    std: rgbStats.std,
  }
}

/** Gives the shorter side of what is cropped from. */
function grownOf({ resize }: Recipe): number | null {
  if (resize.kind === 'short-side') return resize.side
  return resize.kind === 'squash' || resize.kind === 'cover' ? Math.min(...resize.size) : null
}

/** timm divides by the fraction and rounds down, so that one that falls short of the side by a bit would make it one less. */
function fractionOf(side: number, grown: number): number {
  const fraction = side / grown
  return Math.floor(side / fraction) === grown ? fraction : side / (grown + 0.5)
}
