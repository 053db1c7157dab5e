/**
 * Compares how sure predictions are with how often they are right, and fits the temperature that makes the two agree (Guo, Pleiss, Sun and Weinberger, "On
 * calibration of modern neural networks", 2017).
 */
import { checkLabels, largestAt } from './labelled-rows.js'
import { probabilitiesOf } from './linear-probe.js'

/** Holds the predictions that are about as sure. */
export interface ReliabilityBin {
  /** Counts them. */
  readonly count: number
  /** Is their mean probability; 0 where there are none. */
  readonly confidence: number
  /** Is the share of them that is right; 0 where there are none. */
  readonly accuracy: number
}

/** Says how well probabilities agree with what happens. */
export interface Calibration {
  /** Cuts the probabilities of the likeliest class, from 0 to 1, into equal ranges; each has its upper end and not its lower. */
  readonly bins: readonly ReliabilityBin[]
  /** Is the mean difference of confidence and accuracy in the bins, weighed by their counts: the expected calibration error, ECE. */
  readonly error: number
}

/** Is how many bins Guo and others take. */
const BINS = 15

/** Compares probabilities [N, K] with labels [N]. Throws RangeError for labels that do not belong to them. */
export function calibrationOf(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
  count = BINS,
): Calibration {
  checkLabels(labels, classes)
  const counts = new Float64Array(count)
  const sure = new Float64Array(count)
  const right = new Float64Array(count)
  for (let row = 0; row < labels.length; row++) {
    const best = largestAt(probabilities, row * classes, classes)
    const confidence = probabilities[row * classes + best]
    const bin = Math.min(count - 1, Math.max(0, Math.ceil(confidence * count) - 1))
    counts[bin]++
    sure[bin] += confidence
    if (best === labels[row]) right[bin]++
  }
  let error = 0
  const bins = Array.from(counts, (inBin, bin) => {
    if (inBin === 0) return { count: 0, confidence: 0, accuracy: 0 }
    error += Math.abs(sure[bin] - right[bin]) / labels.length
    return { count: inBin, confidence: sure[bin] / inBin, accuracy: right[bin] / inBin }
  })
  return { bins, error }
}

/** Gives the mean of -log of what was given to the true class, for scores [N, K] whose softmax is taken at a temperature. */
export function logLoss(scores: Float64Array, labels: Int32Array, classes: number, temperature = 1): number {
  const probabilities = probabilitiesOf(scores, classes, temperature)
  let sum = 0
  for (let row = 0; row < labels.length; row++)
    sum -= Math.log(Math.max(probabilities[row * classes + labels[row]], Number.MIN_VALUE))
  return sum / labels.length
}

/** Temperatures lie between these: beyond, scores that are always right would be made surer without end. */
export const TEMPERATURES = [1 / 64, 64] as const

/** Says how a temperature is fitted. */
export interface TemperatureOptions {
  /**
   * Takes each row for its class by (N + 1) / (N + K) alone and for each other by 1 / (N + K), as Platt ("Probabilistic outputs for support vector machines", 1999)
   * does and Laplace's rule says: of few rows that all are right it does not follow that the next is as well. Default `false`.
   */
  readonly smooth?: boolean
}

/**
 * Gives the temperature at which the softmax of scores [N, K] has the least log loss, by halving: the loss has one lowest point along 1/T. Where every prediction
 * is right, and nothing is smoothed, the lowest is at T = 0, and the smallest temperature is given. Scores must be of rows that the classifier was not fitted to.
 */
export function fitTemperature(
  scores: Float64Array,
  labels: Int32Array,
  classes: number,
  { smooth = false }: TemperatureOptions = {},
): number {
  checkLabels(labels, classes)
  const spread = smooth ? 1 / (labels.length + classes) : 0
  let [low, high] = TEMPERATURES.map((temperature) => Math.log(temperature))
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2
    if (isTooHot(scores, labels, classes, Math.exp(middle), spread)) high = middle
    else low = middle
  }
  return Math.exp((low + high) / 2)
}

/** Tells whether the loss does not rise along 1/T: its slope there is the mean of the expected score less that of the true class. */
function isTooHot(
  scores: Float64Array,
  labels: Int32Array,
  classes: number,
  temperature: number,
  spread: number,
): boolean {
  const probabilities = probabilitiesOf(scores, classes, temperature)
  let slope = 0
  for (let row = 0; row < labels.length; row++) {
    const at = row * classes
    for (let k = 0; k < classes; k++) slope += (probabilities[at + k] - spread) * scores[at + k]
    slope -= (1 - spread * classes) * scores[at + labels[row]]
  }
  return slope <= 0
}
