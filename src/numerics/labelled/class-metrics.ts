/** Measures how well classes were told: by the definitions of scikit-learn, where what would be a division by 0 counts as 0. */
import { pausesFor } from '../pauses.js'
import { seededRandom } from '../seeded-random.js'
import { checkLabels } from './labelled-rows.js'

/** Counts rows by their class and by what they were taken for, [K, K]: a row of it for each true class. */
export type Confusion = Float64Array

/** Measures one class. */
export interface ClassMeasures {
  /** Is the share of those taken for this class that are of it. */
  readonly precision: number
  /** Is the share of this class that was taken for it. */
  readonly recall: number
  /** Is the harmonic mean of the two. */
  readonly f1: number
  /** Counts the rows of this class. */
  readonly support: number
}

/** Holds the measures that are one number. */
export interface Measures {
  /** Is the share of rows that were taken for what they are. */
  readonly accuracy: number
  /** Is the mean of the classes' F1, over those that a row is of or was taken for. */
  readonly macroF1: number
  /** Is the mean of the recall of the classes that have rows. */
  readonly balancedAccuracy: number
}

/** Counts what was taken for what. Throws RangeError for lists of different lengths and for what is no class. */
export function confusionOf(labels: Int32Array, predicted: Int32Array, classes: number): Confusion {
  checkLabels(labels, classes)
  checkLabels(predicted, classes)
  if (labels.length !== predicted.length)
    throw new RangeError(`${labels.length} rows have ${labels.length} predictions, not ${predicted.length}.`)
  const counts = new Float64Array(classes * classes)
  for (let row = 0; row < labels.length; row++) counts[labels[row] * classes + predicted[row]]++
  return counts
}

/** Measures each class. */
export function classMeasures(confusion: Confusion, classes: number): readonly ClassMeasures[] {
  return Array.from({ length: classes }, (_, label) => {
    const own = confusion[label * classes + label]
    let [support, taken] = [0, 0]
    for (let k = 0; k < classes; k++) {
      support += confusion[label * classes + k]
      taken += confusion[k * classes + label]
    }
    return {
      precision: shareOf(own, taken),
      recall: shareOf(own, support),
      f1: shareOf(2 * own, support + taken),
      support,
    }
  })
}

/** Measures all classes together. */
export function measuresOf(confusion: Confusion, classes: number): Measures {
  let [right, total, f1, known, recall, owners] = [0, 0, 0, 0, 0, 0]
  for (let label = 0; label < classes; label++) {
    const own = confusion[label * classes + label]
    let [support, taken] = [0, 0]
    for (let k = 0; k < classes; k++) {
      support += confusion[label * classes + k]
      taken += confusion[k * classes + label]
    }
    right += own
    total += support
    if (support + taken > 0) {
      f1 += (2 * own) / (support + taken)
      known++
    }
    if (support > 0) {
      recall += own / support
      owners++
    }
  }
  return {
    accuracy: shareOf(right, total),
    macroF1: shareOf(f1, known),
    balancedAccuracy: shareOf(recall, owners),
  }
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

/** Tells of each row, with 1, whether its class is among the `count` likeliest of scores [N, K]; of equal scores the class of the lower number is the likelier. */
export function topHits(
  scores: Float64Array,
  labels: Int32Array,
  classes: number,
  count: number,
): Uint8Array {
  return Uint8Array.from(labels, (label, row) => {
    const own = scores[row * classes + label]
    let before = 0
    for (let k = 0; k < classes; k++) {
      const score = scores[row * classes + k]
      if (score > own || (score === own && k < label)) before++
    }
    return before < count ? 1 : 0
  })
}

/** Is where a number would lie in 95 of 100 other samples of rows, as far as these rows tell. */
export type Interval = readonly [low: number, high: number]

/** Says how samples are drawn. */
export interface BootstrapOptions {
  /** Counts the samples; default 1000. */
  readonly samples?: number
  /** Chooses them; default 0. */
  readonly seed?: number
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Holds the intervals of measures. */
export type MeasureIntervals = { readonly [Name in keyof Measures]: Interval }

/** Gives the intervals of the measures by drawing as many rows anew, with repeats (Efron 1979; percentiles). Rejects with the signal's reason. */
export async function bootstrapMeasures(
  labels: Int32Array,
  predicted: Int32Array,
  classes: number,
  options: BootstrapOptions = {},
): Promise<MeasureIntervals> {
  const counts = new Float64Array(classes * classes)
  const drawn: Measures[] = []
  await eachSample(labels.length, options, (rows) => {
    counts.fill(0)
    for (const row of rows) counts[labels[row] * classes + predicted[row]]++
    drawn.push(measuresOf(counts, classes))
  })
  return {
    accuracy: middle95(drawn.map(({ accuracy }) => accuracy)),
    macroF1: middle95(drawn.map(({ macroF1 }) => macroF1)),
    balancedAccuracy: middle95(drawn.map(({ balancedAccuracy }) => balancedAccuracy)),
  }
}

/** Gives the interval of the mean of values [N]. Rejects with the signal's reason. */
export async function bootstrapMean(
  values: ArrayLike<number>,
  options: BootstrapOptions = {},
): Promise<Interval> {
  const means: number[] = []
  await eachSample(values.length, options, (rows) => {
    let sum = 0
    for (const row of rows) sum += values[row]
    means.push(sum / values.length)
  })
  return middle95(means)
}

async function eachSample(
  total: number,
  { samples = 1000, seed = 0, signal }: BootstrapOptions,
  visit: (rows: Int32Array) => void,
): Promise<void> {
  const random = seededRandom(seed)
  const rows = new Int32Array(total)
  const pause = pausesFor(signal)
  for (let sample = 0; sample < samples; sample++) {
    for (let i = 0; i < total; i++) rows[i] = Math.floor(random() * total)
    visit(rows)
    await pause()
  }
}

function middle95(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort()
  return [quantile(sorted, 0.025), quantile(sorted, 0.975)]
}

/** Interpolates between the two nearest of sorted values, as numpy does. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}
