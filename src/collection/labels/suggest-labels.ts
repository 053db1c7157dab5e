/** Proposes labels for photos that have none, and says which of them would teach most. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { given } from '../../encoder/choose-recipe.js'
import { fitTemperature } from '../../numerics/labelled/calibration.js'
import { chooseNext, type Unsureness, unsureness } from '../../numerics/labelled/choose-next.js'
import { crossValidate } from '../../numerics/labelled/cross-validate.js'
import { stratifiedFolds } from '../../numerics/labelled/folds.js'
import { classCounts, likeliest } from '../../numerics/labelled/labelled-rows.js'
import { fitProbe, probabilitiesOf, scoresOf } from '../../numerics/labelled/linear-probe.js'
import type { Products } from '../../numerics/products.js'
import type { Collection } from '../collection.js'
import { type LabelledPhotos, readLabelled, type SetPhoto } from './labelled-photos.js'

/** Says what is proposed. */
export interface SuggestOptions {
  /** Names the column that labels are in; default `label`. */
  readonly column?: string | undefined
  /** Counts the photos that are asked for next; default 10. */
  readonly next?: number | undefined
  /** Says what makes a photo worth asking for; default `margin`. */
  readonly by?: Unsureness | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const OPTIONS = { column: true, next: true, by: true, signal: true } satisfies OptionNames<SuggestOptions>

/** Is a label that is proposed. */
export interface Suggestion extends SetPhoto {
  /** Is the likeliest class. */
  readonly label: string
  /** Is its probability. */
  readonly confidence: number
}

/** Holds what is proposed. */
export interface Suggestions {
  /** Lists all photos without a label, the surest first. */
  readonly suggestions: readonly Suggestion[]
  /** Lists those to label next, the most useful first: the classifier is unsure of them, and they are not like each other. */
  readonly next: readonly Suggestion[]
  /** Says whether probabilities were fitted to be as often right as they say: not where a class has but one photo. */
  readonly isCalibrated: boolean
}

const FOLDS = 5
/** Is taken where there are too few labels to find out what does best. */
const PLAIN_C = 10

/**
 * Proposes labels by a linear probe on those that are there. Throws `CollectionError` `unlabelled` without two classes, `unknown-column`; RangeError for an unknown
 * option; the signal's reason.
 */
export async function suggestLabels(
  collection: Collection,
  options: SuggestOptions = {},
): Promise<Suggestions> {
  checkOptionNames(options, OPTIONS)
  const { column, next = 10, by = 'margin', signal } = options
  const { products } = collection
  const { labelled, unlabelled } = await readLabelled(collection, { column, signal })
  const { c, temperature } = await settingsFor(labelled, products, signal)
  const probe = await fitProbe(labelled, { c, products, signal })
  const { width, classes, names } = labelled
  const scores = scoresOf(probe, unlabelled.rows, width)
  const probabilities = probabilitiesOf(scores, classes, temperature ?? 1)
  const best = likeliest(probabilities, classes)
  const all = unlabelled.photos.map((photo, row) => ({
    ...photo,
    label: names[best[row] ?? 0] ?? '',
    confidence: probabilities[row * classes + (best[row] ?? 0)] ?? 0,
  }))
  const unsure = unsureness(probabilities, classes, by)
  const chosen =
    all.length === 0 || next === 0
      ? new Int32Array()
      : await chooseNext(unlabelled.rows, width, unsure, next, { products, ...given({ signal }) })
  return {
    suggestions: [...all].sort((a, b) => b.confidence - a.confidence),
    next: Array.from(chosen).flatMap((row) => all[row] ?? []),
    isCalibrated: temperature !== null,
  }
}

/** Chooses C and temperature by as many folds as the labels are enough for. */
async function settingsFor(
  data: LabelledPhotos,
  products: Products,
  signal: AbortSignal | undefined,
): Promise<{ readonly c: number; readonly temperature: number | null }> {
  const count = Math.min(FOLDS, ...classCounts(data.labels, data.classes))
  if (count < 2) return { c: PLAIN_C, temperature: null }
  const folds = stratifiedFolds(data.labels, data.classes, count)
  const { c, scores } = await crossValidate(data, folds, { products, signal })
  return { c, temperature: fitTemperature(scores, data.labels, data.classes, { smooth: true }) }
}
