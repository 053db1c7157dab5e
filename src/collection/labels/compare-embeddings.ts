/** Compares the embeddings of two models by how well they tell the same labelled photos apart. */
import { checkOptionNames } from '../../check-option-names.js'
import { comparePaired, type PairedTest } from '../../numerics/labelled/paired-tests.js'
import { unitRows } from '../../numerics/lengths.js'
import { type ClassReport, JUDGE_OPTIONS, type JudgeOptions, judgeClasses } from './judge-classes.js'
import { assertEnough, type LabelledPhotos } from './labelled-photos.js'

/** Holds the embeddings that one model makes of the photos. */
export interface ModelRows {
  /** [N, D] in the order of the labels; lengths do not matter. */
  readonly rows: Float32Array
  /** Counts the numbers of a row, D: another for each model. */
  readonly width: number
}

/** Says which model is better on these photos, and how sure that is. */
export interface ModelComparison {
  /** Is of the first model. */
  readonly first: ClassReport
  /** Is of the second. */
  readonly second: ClassReport
  /** Compares the votes of neighbours, photo by photo. */
  readonly votes: PairedTest
  /** Compares the linear probes, photo by photo. */
  readonly probe: PairedTest
}

/**
 * Judges both models on the same folds, and compares them photo by photo. Throws `CollectionError` `too-few` for a class with fewer photos than folds; RangeError for
 * rows that are not as many as the labels, and for an unknown option; the signal's reason.
 */
export async function compareEmbeddings(
  { labels, names }: Pick<LabelledPhotos, 'labels' | 'names'>,
  first: ModelRows,
  second: ModelRows,
  options: JudgeOptions = {},
): Promise<ModelComparison> {
  checkOptionNames(options, JUDGE_OPTIONS)
  const classes = names.length
  assertEnough({ labels, names, classes }, options.folds ?? 5)
  const judge = ({ rows, width }: ModelRows) =>
    judgeClasses({ rows: unitRows(rows, width), width, labels, classes }, { fewShot: false, ...options })
  const [one, other] = [await judge(first), await judge(second)]
  const paired = (by: 'votes' | 'probe') =>
    comparePaired(isRight(one[by].predicted, labels), isRight(other[by].predicted, labels), options.bootstrap)
  return { first: one, second: other, votes: paired('votes'), probe: paired('probe') }
}

function isRight(predicted: Int32Array, labels: Int32Array): Uint8Array {
  return Uint8Array.from(labels, (label, row) => (predicted[row] === label ? 1 : 0))
}
