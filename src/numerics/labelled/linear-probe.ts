/**
 * Learns to tell classes apart by a linear map of the features: multinomial logistic regression with scikit-learn's objective. It is 1/2 of all squared weights
 * + C times the sum of the cross-entropies; biases cost nothing. Of two classes scikit-learn has but one vector of weights, which is the difference of the two
 * here: their squares count twice, and C means the same.
 */
import { minimise } from '../minimise.js'
import { pausesFor } from '../pauses.js'
import { type ProductOptions, type Products, plainProducts } from '../products.js'
import { checkLabelled, classCounts, type LabelledRows } from './labelled-rows.js'

/** Is a linear map from features to the scores of classes. */
export interface LinearClassifier {
  /** [K, D] */
  readonly weight: Float32Array
  /** [K] */
  readonly bias: Float32Array
}

/** Says how a linear map is learnt. */
export interface ProbeOptions extends ProductOptions {
  /** Weighs the errors against the squared weights, as scikit-learn's C: the larger, the nearer the labels are followed. */
  readonly c: number
  /** Computes products; default: in plain loops. */
  readonly products?: Products | undefined
  /** Begins here rather than at zeros: what another C gave, say. */
  readonly start?: LinearClassifier | undefined
}

/** Is a map that was learnt, and how near the lowest point of its objective it is. */
export interface FittedProbe extends LinearClassifier {
  /** Is the largest entry of the gradient of the mean objective. */
  readonly slope: number
  /** Counts the steps. */
  readonly rounds: number
}

/** No entry of the mean objective's gradient is larger at the end; scikit-learn ends at 1e-4. Weights are then no further from the best than C times N times this. */
export const PROBE_TOLERANCE = 1e-6
const ROUNDS = 1000

/**
 * Learns the classes of labelled rows. Throws RangeError for labels that do not belong to the rows, for fewer than two classes that have rows, and for a C that is
 * not above 0; the signal's reason.
 */
export async function fitProbe(data: LabelledRows, options: ProbeOptions): Promise<FittedProbe> {
  const { c, products = plainProducts, start, signal } = options
  const total = checkLabelled(data)
  const { rows, width, labels, classes } = data
  if (!(c > 0 && Number.isFinite(c))) throw new RangeError(`C is above 0, such as 1; found ${c}.`)
  const present = classCounts(labels, classes).filter((count) => count > 0).length
  if (present < 2)
    throw new RangeError(`A probe tells classes apart, and there is ${present === 1 ? 'only one' : 'none'}.`)
  const columns = transposed(rows, total, width)
  const penalty = (present === 2 ? 2 : 1) / (c * total)
  const size = classes * width
  const narrow = new Float32Array(size)
  const wrong = new Float32Array(classes * total)
  const objective = async (point: Float64Array, gradient: Float64Array) => {
    narrow.set(point.subarray(0, size))
    const scores = await products.similarity(narrow, rows, width, { signal })
    let value = errorsOf(scores, point.subarray(size), labels, wrong, gradient.subarray(size)) / total
    const sums = await products.similarity(wrong, columns, total, { signal })
    for (let i = 0; i < size; i++) {
      value += (penalty / 2) * point[i] ** 2
      gradient[i] = sums[i] / total + penalty * point[i]
    }
    for (let k = 0; k < classes; k++) gradient[size + k] /= total
    return value
  }
  const first = new Float64Array(size + classes)
  if (start !== undefined) {
    first.set(start.weight)
    first.set(start.bias, size)
  }
  const { point, slope, rounds } = await minimise(objective, first, {
    tolerance: PROBE_TOLERANCE,
    rounds: ROUNDS,
    signal,
  })
  return {
    weight: Float32Array.from(point.subarray(0, size)),
    bias: Float32Array.from(point.subarray(size)),
    slope,
    rounds,
  }
}

/** Gives the sum of cross-entropies of scores [K, N] without their biases; writes the probabilities less what they should be [K, N], and their sums [K]. */
function errorsOf(
  scores: Float32Array,
  bias: Float64Array,
  labels: Int32Array,
  wrong: Float32Array,
  sums: Float64Array,
): number {
  const total = labels.length
  const classes = bias.length
  const parts = new Float64Array(classes)
  let value = 0
  sums.fill(0)
  for (let row = 0; row < total; row++) {
    let largest = Number.NEGATIVE_INFINITY
    for (let k = 0; k < classes; k++) {
      parts[k] = scores[k * total + row] + bias[k]
      if (parts[k] > largest) largest = parts[k]
    }
    const own = parts[labels[row]] - largest
    let sum = 0
    for (let k = 0; k < classes; k++) {
      parts[k] = Math.exp(parts[k] - largest)
      sum += parts[k]
    }
    value += Math.log(sum) - own
    for (let k = 0; k < classes; k++) {
      const error = parts[k] / sum - (k === labels[row] ? 1 : 0)
      wrong[k * total + row] = error
      sums[k] += error
    }
  }
  return value
}

function transposed(rows: Float32Array, total: number, width: number): Float32Array {
  const columns = new Float32Array(rows.length)
  for (let row = 0; row < total; row++)
    for (let i = 0; i < width; i++) columns[i * total + row] = rows[row * width + i]
  return columns
}

/** Gives the scores of rows [N, D], [N, K], with float64 sums. Rejects with the signal's reason. */
export async function scoresOf(
  { weight, bias }: LinearClassifier,
  rows: Float32Array,
  width: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const classes = bias.length
  const total = rows.length / width
  const scores = new Float64Array(total * classes)
  const pause = pausesFor(signal)
  for (let row = 0; row < total; row++) {
    for (let k = 0; k < classes; k++) {
      let sum = bias[k]
      for (let i = 0; i < width; i++) sum += rows[row * width + i] * weight[k * width + i]
      scores[row * classes + k] = sum
    }
    if (row % 64 === 0) await pause()
  }
  return scores
}

/** Makes probabilities of scores [N, K]: the softmax of each row after its scores were divided by the temperature. */
export function probabilitiesOf(scores: Float64Array, classes: number, temperature = 1): Float64Array {
  const out = scores.map((score) => score / temperature)
  for (let at = 0; at < out.length; at += classes) {
    let largest = Number.NEGATIVE_INFINITY
    for (let i = at; i < at + classes; i++) largest = Math.max(largest, out[i])
    let sum = 0
    for (let i = at; i < at + classes; i++) {
      out[i] = Math.exp(out[i] - largest)
      sum += out[i]
    }
    for (let i = at; i < at + classes; i++) out[i] /= sum
  }
  return out
}
