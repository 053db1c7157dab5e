/** Names the means and deviations that networks are trained with, for files that do not tell theirs. */
import type { RgbStats } from './vit-config.js'
import { IMAGENET_STATS } from './vit-config.js'

/**
 * Holds means and deviations by name, for levels from 0 to 1. `half` is what timm calls Inception's and Google's ViTs have; `none` leaves levels from
 * 0 to 1 as they are.
 */
export const NORMALISATIONS = {
  imagenet: IMAGENET_STATS,
  half: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  clip: {
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
  none: { mean: [0, 0, 0], std: [1, 1, 1] },
} as const satisfies Record<string, RgbStats>

/** Names a mean and deviation. */
export type NormalisationName = keyof typeof NORMALISATIONS
/** Lists the names that the option `normalisation` takes. */
export const NORMALISATION_NAMES = Object.keys(NORMALISATIONS) as readonly NormalisationName[]

/** Gives null for what is no name of a normalisation and no mean and deviation of three channels. */
export function normalisationOrNull(choice: unknown): RgbStats | null {
  if (typeof choice === 'string') {
    return Object.hasOwn(NORMALISATIONS, choice) ? NORMALISATIONS[choice as NormalisationName] : null
  }
  if (typeof choice !== 'object' || choice === null) return null
  const { mean, std } = choice as { readonly mean?: unknown; readonly std?: unknown }
  return areLevels(mean, false) && areLevels(std, true) ? { mean, std } : null
}

function areLevels(values: unknown, positive: boolean): values is readonly number[] {
  return (
    Array.isArray(values) &&
    values.length === 3 &&
    values.every((value) => Number.isFinite(value) && (value > 0 || !positive))
  )
}
