/** Proposes labels for photos that have none, and says which of them would teach most. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { fitTemperature } from '../../numerics/labelled/calibration.js'
import { chooseNext, type Unsureness, unsureness } from '../../numerics/labelled/choose-next.js'
import { crossValidate } from '../../numerics/labelled/cross-validate.js'
import { stratifiedFolds } from '../../numerics/labelled/folds.js'
import { classCounts, largestAt } from '../../numerics/labelled/labelled-rows.js'
import { fitProbe, probabilitiesOf, scoresOf } from '../../numerics/labelled/linear-probe.js'
import type { Products } from '../../numerics/products.js'
import type { Collection } from '../collection.js'
import { photoVectors } from '../photo-vectors.js'
import {
  embeddedPhotos,
  floatsOf,
  type LabelledPhotos,
  readLabelled,
  type SetPhoto,
} from './labelled-photos.js'

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
/** So many times as many photos as are asked for, the least sure ones, are looked through. */
const POOL = 20
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
  const labelled = await readLabelled(collection, { column, signal })
  const { c, temperature } = await settingsFor(labelled, products, signal)
  const probe = await fitProbe(labelled, { c, products, signal })
  const { width, classes, names } = labelled
  const found: { readonly photo: Suggestion; readonly unsure: number }[] = []
  for await (const { id, name, label, row } of embeddedPhotos(collection, { column, signal })) {
    if (label !== null) continue
    const probabilities = probabilitiesOf(await scoresOf(probe, row, width), classes, temperature ?? 1)
    const best = largestAt(probabilities, 0, classes)
    const photo = { id, name, label: names[best] ?? '', confidence: probabilities[best] ?? 0 }
    found.push({ photo, unsure: unsureness(probabilities, classes, by)[0] ?? 0 })
  }
  const byName = (a: SetPhoto, b: SetPhoto) => (a.name < b.name ? -1 : 1)
  const all = found.map(({ photo }) => photo)
  // Of very many photos the embeddings of those alone are held that may be chosen.
  const pool = found.sort((a, b) => b.unsure - a.unsure || byName(a.photo, b.photo)).slice(0, POOL * next)
  const halves = await photoVectors(
    collection,
    pool.map(({ photo }) => photo.id),
    signal,
  )
  const unsure = Float64Array.from(pool, (one) => one.unsure)
  const chosen =
    pool.length === 0 ? [] : await chooseNext(floatsOf(halves), width, unsure, next, { products, signal })
  return {
    suggestions: all.sort((a, b) => b.confidence - a.confidence || byName(a, b)),
    next: Array.from(chosen).flatMap((at) => pool[at]?.photo ?? []),
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
  const temperature = await fitTemperature(scores, data.labels, data.classes, { smooth: true, signal })
  return { c, temperature }
}
