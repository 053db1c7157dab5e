/** Finds photos of a collection whose labels are likely wrong. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { crossValidate } from '../../numerics/labelled/cross-validate.js'
import { stratifiedFolds } from '../../numerics/labelled/folds.js'
import { findLabelErrors, normalizedMargin, selfConfidence } from '../../numerics/labelled/label-errors.js'
import { likeliest } from '../../numerics/labelled/labelled-rows.js'
import { probabilitiesOf } from '../../numerics/labelled/linear-probe.js'
import type { Collection } from '../collection.js'
import { assertEnough, readLabelled, type SetPhoto } from './labelled-photos.js'

/** Says how labels are judged. */
export interface MislabelledOptions {
  /** Names the column that labels are in; default `label`. */
  readonly column?: string | undefined
  /** Counts the folds: each label is judged by a probe that has not seen it; default 5. */
  readonly folds?: number | undefined
  /** Ranks by the probability of the own label less that of the likeliest other (`margin`, the default), or by the former alone (`confidence`), as cleanlab does. */
  readonly by?: 'margin' | 'confidence' | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const OPTIONS = {
  column: true,
  folds: true,
  by: true,
  signal: true,
} satisfies OptionNames<MislabelledOptions>

/** Is a photo whose label is likely wrong. */
export interface MislabelledPhoto extends SetPhoto {
  /** Is the label that it has. */
  readonly label: string
  /** Is the likeliest class by all other folds. */
  readonly suggestion: string
  /** Says how good the label is, from 0 to 1: the lower, the likelier it is wrong. */
  readonly quality: number
}

/** Holds what is found of the labels. */
export interface Mislabelled {
  /** Lists the photos, the likeliest to be wrong first. */
  readonly photos: readonly MislabelledPhoto[]
  /** [K] Names the classes. */
  readonly names: readonly string[]
  /** Counts the photos that have a label. */
  readonly labelled: number
  /** [K, K] Estimates how many photos have the label of the row and are of the class of the column. */
  readonly joint: Int32Array
}

/**
 * Finds label errors by confident learning, on the probabilities of a linear probe that was fitted without each photo's fold. Throws `CollectionError`:
 * `unlabelled`, `too-few` for a class with fewer photos than folds, `unknown-column`; RangeError for an unknown option; the signal's reason.
 */
export async function findMislabelled(
  collection: Collection,
  options: MislabelledOptions = {},
): Promise<Mislabelled> {
  checkOptionNames(options, OPTIONS)
  const { column, folds: count = 5, by = 'margin', signal } = options
  const labelled = await readLabelled(collection, { column, signal })
  assertEnough(labelled, count)
  const { labels, classes, names, photos } = labelled
  const folds = stratifiedFolds(labels, classes, count)
  const { scores } = await crossValidate(labelled, folds, { products: collection.products, signal })
  const probabilities = probabilitiesOf(scores, classes)
  const { wrong, joint } = findLabelErrors(probabilities, labels, classes)
  const quality = (by === 'margin' ? normalizedMargin : selfConfidence)(probabilities, labels, classes)
  const best = likeliest(probabilities, classes)
  const found = photos.flatMap((photo, row) =>
    wrong[row] === 1
      ? [
          {
            ...photo,
            label: names[labels[row] ?? 0] ?? '',
            suggestion: names[best[row] ?? 0] ?? '',
            quality: quality[row] ?? 0,
          },
        ]
      : [],
  )
  return {
    photos: found.sort((a, b) => a.quality - b.quality),
    names,
    labelled: photos.length,
    joint,
  }
}
