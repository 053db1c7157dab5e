/**
 * Lists the settings in which programs that compute the same network differ, each as data: how an image becomes pixels, what the network is taken for, and
 * how other sizes are placed. Every list is closed, so that all of it can be tried.
 */

import type { ActivationKind } from '../../engine/plan.js'
import type { Recipe, Resize } from '../../image/recipe.js'
import { NORMALISATIONS } from '../../model/normalisation.js'
import { POSITION_RULES, type PositionRule } from '../../model/position-rule.js'
import type { VitConfig } from '../../model/vit-config.js'

/** Is one way in all that a vector depends on, before tokens become a vector. */
export interface Settings {
  readonly recipe: Recipe
  /** Takes red for blue, as pictures that OpenCV has read are when nobody turns them. */
  readonly isBgr: boolean
  readonly activation: ActivationKind
  readonly epsilon: number
  readonly positions: PositionRule
}

/** Is a change of one setting, in words that end the sentence "the vector was made with …". */
export interface Change {
  /** Names the setting. */
  readonly of: SettingName
  readonly what: string
  readonly apply: (settings: Settings) => Settings
}

/** Lists the settings that programs differ in. */
export const SETTING_NAMES = [
  'crop',
  'levels',
  'channels',
  'size',
  'filter',
  'orientation',
  'transparency',
  'positions',
  'activation',
  'epsilon',
] as const
/** Names a setting that programs differ in. */
export type SettingName = (typeof SETTING_NAMES)[number]

type Size = readonly [height: number, width: number]

/** Are the parts of each side that libraries' evaluations keep. */
const CROP_FRACTIONS = [1, 0.96, 0.95, 0.9, 0.875, 0.85] as const
/** Are the sides at which networks are trained and run most. */
const SIDES = [112, 196, 224, 240, 252, 256, 336, 378, 384, 392, 448, 504, 512, 518] as const
const FILTERS = ['bicubic', 'bilinear', 'lanczos', 'nearest', 'box', 'hamming'] as const
const ACTIVATIONS = ['gelu', 'gelu_tanh', 'quick_gelu'] as const
const EPSILONS = [1e-6, 1e-5, 1e-12] as const

/** Gives every change that makes sense for a network, without those that change nothing. */
export function changesFor(own: Settings, config: VitConfig): readonly Change[] {
  const all = [
    ...cropChanges(),
    ...levelChanges(),
    change('channels', 'red and blue exchanged (BGR)', { isBgr: true }),
    ...SIDES.filter((side) => side % config.patchSize === 0).map(sizeChange),
    ...FILTERS.map((filter) => recipeChange('filter', `a ${filter} resize`, { filter, resampler: 'pillow' })),
    recipeChange('filter', 'a resize of torch on bytes', { resampler: 'torch-uint8' }),
    recipeChange('orientation', 'EXIF orientation ignored', { orientation: 'ignore' }),
    recipeChange('orientation', 'EXIF orientation applied', { orientation: 'apply' }),
    recipeChange('transparency', 'transparent pixels laid on white', { transparency: 'white' }),
    recipeChange('transparency', 'transparency dropped', { transparency: 'drop' }),
    ...(config.positions === null ? [] : POSITION_RULES).map((positions) =>
      change('positions', `positions resampled by the rule ${positions}`, { positions }),
    ),
    ...activationChanges(config),
    ...EPSILONS.map((epsilon) => change('epsilon', `an epsilon of ${epsilon} in its norms`, { epsilon })),
  ]
  const before = JSON.stringify(own)
  return all.filter(({ apply }) => JSON.stringify(apply(own)) !== before)
}

/** Only the kinds of GELU are mistaken for each other. */
function activationChanges({ activation }: VitConfig): readonly Change[] {
  if (!ACTIVATIONS.some((kind) => kind === activation)) return []
  return ACTIVATIONS.map((kind) => change('activation', `the activation ${kind}`, { activation: kind }))
}

function change(of: SettingName, what: string, changed: Partial<Settings>): Change {
  return { of, what, apply: (settings) => ({ ...settings, ...changed }) }
}

function recipeChange(of: SettingName, what: string, changed: Partial<Recipe>): Change {
  return { of, what, apply: (settings) => ({ ...settings, recipe: { ...settings.recipe, ...changed } }) }
}

function levelChanges(): readonly Change[] {
  const named = Object.entries(NORMALISATIONS).map(([name, rgbStats]) => {
    const what = name === 'none' ? 'levels from 0 to 1, without mean and deviation' : `the levels of ${name}`
    return recipeChange('levels', what, { rgbStats, rescale: 'divide' })
  })
  const raw = { rgbStats: NORMALISATIONS.none, rescale: 1 } as const
  return [...named, recipeChange('levels', 'levels from 0 to 255', raw)]
}

/** Each crop is of the size that the settings have at that point. */
function cropChanges(): readonly Change[] {
  const resized = (what: string, resizeFor: (size: Size) => Resize): Change => ({
    of: 'crop',
    what,
    apply: ({ recipe, ...rest }) => ({ ...rest, recipe: { ...recipe, resize: resizeFor(recipe.size) } }),
  })
  const shorter = ([height, width]: Size) => Math.min(height, width)
  return [
    resized('the whole image squashed to the size', (size) => ({ kind: 'squash', size })),
    ...CROP_FRACTIONS.map((fraction) =>
      resized(
        fraction === 1
          ? 'the short side resized to the size, then a centre crop'
          : `a centre crop of ${fraction} of the short side`,
        (size) => ({ kind: 'short-side', side: Math.floor(shorter(size) / fraction) }),
      ),
    ),
    ...CROP_FRACTIONS.filter((fraction) => fraction < 1).map((fraction) =>
      resized(
        `the whole image squashed, then a centre crop of ${fraction} of each side`,
        ([height, width]) => ({
          kind: 'squash',
          size: [Math.floor(height / fraction), Math.floor(width / fraction)],
        }),
      ),
    ),
    resized('the short side resized to 8/7 of a centre crop (256 to 224)', (size) => ({
      kind: 'short-side',
      side: Math.round((shorter(size) * 8) / 7),
    })),
    resized('no resize, a centre crop', () => ({ kind: 'none' })),
  ]
}

/** The crop grows along with the size. */
function sizeChange(side: number): Change {
  return {
    of: 'size',
    what: `an input of ${side} x ${side}`,
    apply: ({ recipe, ...rest }) => {
      const [height, width] = recipe.size
      const grown = (length: number, by: number) => Math.round((length * side) / by)
      const { resize } = recipe
      const scaled: Resize =
        resize.kind === 'short-side'
          ? { kind: 'short-side', side: grown(resize.side, Math.min(height, width)) }
          : resize.kind === 'squash' || resize.kind === 'cover' || resize.kind === 'keep-ratio'
            ? { ...resize, size: [grown(resize.size[0], height), grown(resize.size[1], width)] }
            : resize
      return { ...rest, recipe: { ...recipe, size: [side, side], resize: scaled } }
    },
  }
}
