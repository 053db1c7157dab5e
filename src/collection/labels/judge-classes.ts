/** Judges how well embeddings tell classes apart: by votes of neighbours and by a linear probe, each on photos that it was not given. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import {
  type Calibration,
  calibrationOf,
  fitTemperature,
  logLoss,
} from '../../numerics/labelled/calibration.js'
import {
  type BootstrapOptions,
  bootstrapMean,
  bootstrapMeasures,
  type ClassMeasures,
  classMeasures,
  confusionOf,
  type Interval,
  type MeasureIntervals,
  type Measures,
  measuresOf,
  topHits,
} from '../../numerics/labelled/class-metrics.js'
import {
  crossValidate,
  type FewShotPoint,
  fewShotCurve,
  type TriedC,
} from '../../numerics/labelled/cross-validate.js'
import { splitAt, stratifiedFolds } from '../../numerics/labelled/folds.js'
import { type LabelledRows, likeliest } from '../../numerics/labelled/labelled-rows.js'
import { probabilitiesOf } from '../../numerics/labelled/linear-probe.js'
import {
  nearestLabelled,
  VOTE_NEIGHBOURS,
  VOTE_TEMPERATURE,
  type VoteWeights,
  voteShares,
} from '../../numerics/labelled/nearest-labelled.js'
import type { Products } from '../../numerics/products.js'

/** Says how classes are judged. */
export interface JudgeOptions {
  /** Counts the folds; default 5. */
  readonly folds?: number | undefined
  /** Shuffles the photos of each class before they are dealt out; default: their order, which keeps series together. */
  readonly seed?: number | undefined
  /** Counts the neighbours that vote; default 20, as in DINO. */
  readonly neighbours?: number | undefined
  /** Is the temperature of their votes; default 0.07, as in DINO. */
  readonly voteTemperature?: number | undefined
  /** Says how votes are weighed; default `softmax`, as in DINO. */
  readonly weights?: VoteWeights | undefined
  /** Lists the C of the probe that are tried; default 10^-2 to 10^5 in half powers. */
  readonly grid?: readonly number[] | undefined
  /** Leaves the few-shot curve out where it is `false`; default `true`. */
  readonly fewShot?: boolean | undefined
  /** Says how intervals are drawn. */
  readonly bootstrap?: BootstrapOptions | undefined
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
  /** Is told what is computed, and how far it is. */
  readonly onProgress?: ((what: string, done: number, most: number) => void) | undefined
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export const JUDGE_OPTIONS = {
  folds: true,
  seed: true,
  neighbours: true,
  voteTemperature: true,
  weights: true,
  grid: true,
  fewShot: true,
  bootstrap: true,
  products: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<JudgeOptions>

/** Says how well predictions agree with labels. */
export interface Judged {
  /** [N] Numbers the class that each photo was taken for. */
  readonly predicted: Int32Array
  /** Are of all photos together. */
  readonly measures: Measures
  /** Says where the measures would lie for other photos. */
  readonly intervals: MeasureIntervals
  /** [K] Are of each class. */
  readonly classes: readonly ClassMeasures[]
  /** [K, K] Counts photos by their label, the row, and by what they were taken for. */
  readonly confusion: Float64Array
}

/** Says how well neighbours tell the classes. */
export interface JudgedVotes extends Judged {
  /** Counts the neighbours that vote. */
  readonly neighbours: number
  /** Counts the photos whose last neighbour is as near as the next, which has no vote. */
  readonly ties: number
}

/** Says how well a linear probe tells the classes. */
export interface JudgedProbe extends Judged {
  /** Is the C with the least log loss on photos held out. */
  readonly c: number
  /** Lists the C that were tried. */
  readonly tried: readonly TriedC[]
  /** [N, K] Are the scores of photos held out. */
  readonly scores: Float64Array
  /** Is the share of photos whose label is among the two likeliest classes, with its interval. */
  readonly top2: {
    /** Lies between 0 and 1. */
    readonly share: number
    /** Says where it would lie for other photos. */
    readonly interval: Interval
  }
  /** Is the mean log loss of photos held out. */
  readonly loss: number
  /** Compares how sure the probe is with how often it is right: as it is, and after division by a temperature that was fitted to the other folds. */
  readonly calibration: {
    /** Is of the softmax of the scores. */
    readonly plain: Calibration
    /** Is of the softmax of the scores by a temperature. */
    readonly scaled: Calibration
  }
  /** Is the temperature that fits all photos held out; of few photos that are all right it makes no certainty. */
  readonly temperature: number
}

/** Is all that is found of how well embeddings tell classes apart. */
export interface ClassReport {
  /** [N] Numbers the fold of each photo. */
  readonly folds: Int32Array
  /** Is of the neighbours' votes. */
  readonly votes: JudgedVotes
  /** Is of the linear probe. */
  readonly probe: JudgedProbe
  /** Is empty where it was not asked for, or a class has too few photos. */
  readonly fewShot: readonly FewShotPoint[]
}

const FOLDS = 5

/** Judges classes by their rows, which have length 1. Throws RangeError for a class with fewer rows than folds, and for an option that there is not or that makes no sense; the signal's reason. */
export async function judgeClasses(data: LabelledRows, options: JudgeOptions = {}): Promise<ClassReport> {
  checkOptionNames(options, JUDGE_OPTIONS)
  const { folds: count = FOLDS, seed, products, signal, fewShot = true, onProgress } = options
  const folds = stratifiedFolds(data.labels, data.classes, count, { seed })
  const votes = await judgeVotes(data, folds, options)
  const probe = await judgeProbe(data, folds, options)
  onProgress?.('few-shot', 0, 1)
  const curve = fewShot ? await fewShotCurve(data, { c: probe.c, products, signal, seed }) : []
  return { folds, votes, probe, fewShot: curve }
}

async function judgeVotes(
  data: LabelledRows,
  folds: Int32Array,
  options: JudgeOptions,
): Promise<JudgedVotes> {
  const { rows, width, labels, classes } = data
  const {
    neighbours = VOTE_NEIGHBOURS,
    voteTemperature = VOTE_TEMPERATURE,
    weights,
    products,
    signal,
  } = options
  options.onProgress?.('neighbours', 0, 1)
  const groups = { queries: folds, rows: folds }
  const found = await nearestLabelled(rows, rows, width, neighbours, { products, signal, groups })
  const shares = voteShares(found, labels, classes, {
    temperature: voteTemperature,
    ...(weights ? { weights } : {}),
  })
  return { ...judged(data, likeliest(shares, classes), options), neighbours, ties: found.ties }
}

async function judgeProbe(
  data: LabelledRows,
  folds: Int32Array,
  options: JudgeOptions,
): Promise<JudgedProbe> {
  const { labels, classes } = data
  const { grid, products, signal, onProgress } = options
  const onFit = (done: number, most: number) => onProgress?.('probe', done, most)
  const { c, tried, scores } = await crossValidate(data, folds, { grid, products, signal, onFit })
  const hits = topHits(scores, labels, classes, 2)
  return {
    ...judged(data, likeliest(scores, classes), options),
    c,
    tried,
    scores,
    top2: {
      share: hits.reduce((sum, hit) => sum + hit, 0) / hits.length,
      interval: bootstrapMean(hits, options.bootstrap),
    },
    loss: logLoss(scores, labels, classes),
    calibration: {
      plain: calibrationOf(probabilitiesOf(scores, classes), labels, classes),
      scaled: calibrationOf(scaledByOthers(scores, data, folds), labels, classes),
    },
    temperature: fitTemperature(scores, labels, classes, { smooth: true }),
  }
}

function judged(
  { labels, classes }: LabelledRows,
  predicted: Int32Array,
  { bootstrap }: JudgeOptions,
): Judged {
  const confusion = confusionOf(labels, predicted, classes)
  return {
    predicted,
    measures: measuresOf(confusion, classes),
    intervals: bootstrapMeasures(labels, predicted, classes, bootstrap),
    classes: classMeasures(confusion, classes),
    confusion,
  }
}

/** Divides the scores of each fold by the temperature that fits the others: fitted to itself it would look better than it is. */
function scaledByOthers(
  scores: Float64Array,
  { labels, classes }: LabelledRows,
  folds: Int32Array,
): Float64Array {
  const out = new Float64Array(scores.length)
  const scoresAt = (rows: Int32Array) =>
    Float64Array.from({ length: rows.length * classes }, (_, at) => {
      const row = rows[Math.floor(at / classes)] ?? 0
      return scores[row * classes + (at % classes)] ?? Number.NaN
    })
  for (const fold of new Set(folds)) {
    const { held, rest } = splitAt(folds, fold)
    const theirs = Int32Array.from(rest, (row) => labels[row] ?? -1)
    const temperature = fitTemperature(scoresAt(rest), theirs, classes, { smooth: true })
    const own = probabilitiesOf(scoresAt(held), classes, temperature)
    for (const [at, row] of held.entries())
      out.set(own.subarray(at * classes, (at + 1) * classes), row * classes)
  }
  return out
}
