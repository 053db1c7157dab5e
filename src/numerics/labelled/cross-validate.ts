/** Judges classifiers by rows that they were not fitted to: fold by fold, and from a few rows of each class. */
import { seededRandom } from '../seeded-random.js'
import { logLoss } from './calibration.js'
import { shuffle, splitAt } from './folds.js'
import { checkLabelled, type LabelledRows, likeliest, takeRows } from './labelled-rows.js'
import { fitProbe, type LinearClassifier, type ProbeOptions, scoresOf } from './linear-probe.js'

/** Is the grid that C is chosen from: 10^-2 to 10^5 in half powers, since rows of length 1 want larger ones than features of variance 1. */
const C_GRID: readonly number[] = Array.from({ length: 15 }, (_, i) => 10 ** (-2 + i / 2))

/** Is a C with how well it does on rows held out. */
export interface TriedC {
  /** Weighs errors against squared weights. */
  readonly c: number
  /** Is the mean log loss of rows held out. */
  readonly loss: number
}

/** Holds what is known of a probe by its folds. */
export interface CrossValidated {
  /** Is the C whose log loss is least; of equal ones the smallest. */
  readonly c: number
  /** Lists what was tried, rising. */
  readonly tried: readonly TriedC[]
  /** [N, K] Holds the scores of each row by the probe that was fitted without its fold, with that C. */
  readonly scores: Float64Array
}

/** Says how a probe is judged. */
export interface CrossValidateOptions extends Omit<ProbeOptions, 'c' | 'start'> {
  /** Lists the C that are tried; default: 10^-2 to 10^5 in half powers. It ends early where three in a row have made the loss larger. */
  readonly grid?: readonly number[] | undefined
  /** Is told after each fit how many of at most how many are done. */
  readonly onFit?: ((done: number, most: number) => void) | undefined
}

/** Past the lowest point the loss rises along C: so many steps of it end the search. */
const RISING = 3

/**
 * Fits a probe without each fold in turn, for each C, and scores the fold by it. `folds` [N] numbers each row's fold. Each C begins where the one before ended.
 * Throws as `fitProbe`.
 */
export async function crossValidate(
  data: LabelledRows,
  folds: Int32Array,
  { grid = C_GRID, onFit, ...options }: CrossValidateOptions = {},
): Promise<CrossValidated> {
  checkLabelled(data)
  const splits = [...new Set(folds)].sort((a, b) => a - b).map((fold) => splitAt(folds, fold))
  const parts = splits.map(({ held, rest }) => ({
    held: takeRows(data, held),
    rest: takeRows(data, rest),
    rows: held,
  }))
  const starts: (LinearClassifier | undefined)[] = parts.map(() => undefined)
  const tried: TriedC[] = []
  let best: { readonly c: number; readonly loss: number; readonly scores: Float64Array } | null = null
  let done = 0
  for (const c of [...grid].sort((a, b) => a - b)) {
    const scores = new Float64Array(data.labels.length * data.classes)
    for (const [at, { held, rest, rows }] of parts.entries()) {
      const probe = await fitProbe(rest, { ...options, c, start: starts[at] })
      starts[at] = probe
      const own = scoresOf(probe, held.rows, data.width)
      for (let i = 0; i < rows.length; i++)
        scores.set(own.subarray(i * data.classes, (i + 1) * data.classes), rows[i] * data.classes)
      onFit?.(++done, grid.length * parts.length)
    }
    const loss = logLoss(scores, data.labels, data.classes)
    tried.push({ c, loss })
    if (best === null || loss < best.loss) best = { c, loss, scores }
    else if (tried.length - tried.findIndex((one) => one.c === best?.c) > RISING) break
  }
  if (best === null) throw new RangeError('No C is given to choose from.')
  return { c: best.c, tried, scores: best.scores }
}

/** Says how well a probe does that was fitted to a few rows of each class. */
export interface FewShotPoint {
  /** Counts the rows of each class that it was fitted to. */
  readonly shots: number
  /** Is the mean accuracy over draws, on all rows that were not drawn. */
  readonly accuracy: number
  /** Is the standard deviation over draws. */
  readonly deviation: number
}

/** Says how rows are drawn for it. */
export interface FewShotOptions extends ProbeOptions {
  /** Lists how many rows of each class are drawn; those that would leave a class without a row to judge by are left out. Default: 1, 2, 4, 8, … */
  readonly shots?: readonly number[] | undefined
  /** Counts the draws; default 5. */
  readonly draws?: number | undefined
  /** Chooses the rows; default 0. */
  readonly seed?: number | undefined
}

/** Fits probes to a few rows of each class, and judges them by all others. Throws as `fitProbe`. */
export async function fewShotCurve(
  data: LabelledRows,
  { shots, draws = 5, seed = 0, ...options }: FewShotOptions,
): Promise<readonly FewShotPoint[]> {
  const total = checkLabelled(data)
  const random = seededRandom(seed)
  const order = Int32Array.from({ length: total }, (_, row) => row)
  const counts = new Int32Array(data.classes)
  for (const label of data.labels) counts[label]++
  const fewest = Math.min(...counts)
  const wanted = (shots ?? Array.from({ length: 31 }, (_, i) => 2 ** i)).filter((count) => count < fewest)
  const points: FewShotPoint[] = []
  for (const count of wanted) {
    const found: number[] = []
    for (let draw = 0; draw < draws; draw++) {
      shuffle(order, random)
      const { taken, others } = firstOfEach(order, data, count)
      const probe = await fitProbe(takeRows(data, taken), options)
      const rest = takeRows(data, others)
      const predicted = likeliest(scoresOf(probe, rest.rows, rest.width), rest.classes)
      found.push(predicted.filter((label, row) => label === rest.labels[row]).length / predicted.length)
    }
    const accuracy = found.reduce((sum, value) => sum + value, 0) / draws
    const squares = found.reduce((sum, value) => sum + (value - accuracy) ** 2, 0)
    points.push({ shots: count, accuracy, deviation: Math.sqrt(squares / draws) })
  }
  return points
}

function firstOfEach(order: Int32Array, { labels, classes }: LabelledRows, count: number) {
  const seen = new Int32Array(classes)
  const taken: number[] = []
  const others: number[] = []
  for (const row of order) (seen[labels[row]]++ < count ? taken : others).push(row)
  return { taken, others }
}
