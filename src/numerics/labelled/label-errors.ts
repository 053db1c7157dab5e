/**
 * Finds labels that are likely wrong by confident learning (Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021),
 * in all its steps as cleanlab 2.9 has it: `find_label_issues` with its default, pruning by noise rate. Probabilities must be of rows that were held out.
 * Only a count that is half-way between two whole numbers may be rounded otherwise: there cleanlab's own rounding errors decide.
 */
import { checkLabels, classCounts, largestAt } from './labelled-rows.js'

/** Holds what is estimated of the labels of rows. */
export interface LabelErrors {
  /** [N] Has 1 for each row whose label is likely wrong. */
  readonly wrong: Uint8Array
  /** [K] Is the mean probability of its class among the rows of its label: what is at least as likely is confident. */
  readonly thresholds: Float64Array
  /** [K, K] Estimates how many rows have the label of the row of it and are of the class of the column. */
  readonly joint: Int32Array
}

/** Is how cleanlab compares with a threshold, and how it breaks ties in favour of the label. */
const AT_THRESHOLD = 1e-6
const IN_FAVOUR = 1e-6
/** Is the threshold of a class that no row has: none reaches it. */
const UNREACHED = 2
const LOWEST_THRESHOLD = 2 * Number.EPSILON
/** So many rows of a class are kept. */
const KEPT_OF_CLASS = 1

/** Finds the rows whose labels [N] are likely wrong, by probabilities [N, K]. Throws RangeError for labels that do not belong to them. */
export function findLabelErrors(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): LabelErrors {
  checkLabels(labels, classes)
  if (probabilities.length !== labels.length * classes)
    throw new RangeError(
      `${labels.length} rows of ${classes} probabilities are not ${probabilities.length} numbers.`,
    )
  const counts = classCounts(labels, classes)
  const thresholds = confidentThresholds(probabilities, labels, counts)
  const joint = calibrated(confidentJoint(probabilities, labels, thresholds), counts)
  const wrong = prunedByNoiseRate(probabilities, labels, counts, pruneCounts(joint, classes))
  for (let row = 0; row < labels.length; row++)
    if (isLabelLikeliest(probabilities, labels, classes, row)) wrong[row] = 0
  return { wrong, thresholds, joint }
}

function confidentThresholds(
  probabilities: Float64Array,
  labels: Int32Array,
  counts: Int32Array,
): Float64Array {
  const classes = counts.length
  const sums = new Float64Array(classes)
  for (let row = 0; row < labels.length; row++)
    sums[labels[row]] += probabilities[row * classes + labels[row]]
  return sums.map((sum, label) =>
    counts[label] === 0 ? UNREACHED : Math.max(LOWEST_THRESHOLD, sum / counts[label]),
  )
}

/** Counts the rows that are confident of a class; of several classes it is the likeliest. */
function confidentJoint(
  probabilities: Float64Array,
  labels: Int32Array,
  thresholds: Float64Array,
): Float64Array {
  const classes = thresholds.length
  const joint = new Float64Array(classes * classes)
  for (let row = 0; row < labels.length; row++) {
    let [confident, guess] = [0, -1]
    for (let k = 0; k < classes; k++) {
      if (!(probabilities[row * classes + k] >= thresholds[k] - AT_THRESHOLD)) continue
      if (confident++ === 0) guess = k
    }
    if (confident > 1) guess = largestAt(probabilities, row * classes, classes)
    if (guess >= 0) joint[labels[row] * classes + guess]++
  }
  for (let k = 0; k < classes; k++) joint[k * classes + k] = Math.max(1, joint[k * classes + k])
  return joint
}

/** Brings each row's sum to the count of its label. */
function calibrated(joint: Float64Array, counts: Int32Array): Int32Array {
  const classes = counts.length
  const scaled = new Float64Array(joint.length)
  let [sum, total] = [0, 0]
  for (let label = 0; label < classes; label++) {
    total += counts[label]
    let row = 0
    for (let k = 0; k < classes; k++) row += joint[label * classes + k]
    for (let k = 0; k < classes; k++) {
      scaled[label * classes + k] = (joint[label * classes + k] / row) * counts[label]
      sum += scaled[label * classes + k]
    }
  }
  return roundRows(
    scaled.map((value) => (value / sum) * total),
    classes,
  )
}

/** Says how many rows of each label, the column, are of each other class, the row; at least one of each label is right. */
function pruneCounts(joint: Int32Array, classes: number): Int32Array {
  const counts = new Float64Array(joint.length)
  for (let label = 0; label < classes; label++) {
    const own = joint[label * classes + label]
    const more = Math.max(own, KEPT_OF_CLASS) - own
    let others = -1
    for (let k = 0; k < classes; k++) if (joint[label * classes + k] !== 0) others++
    for (let k = 0; k < classes; k++)
      counts[k * classes + label] = Math.max(0, joint[label * classes + k] - more / Math.max(1, others))
    counts[label * classes + label] = own + more
  }
  return roundRows(counts.map(Math.trunc), classes)
}

/** Rounds to whole numbers whose sum in each row is that of the row, rounded: the nearest are changed first. */
function roundRows(values: Float64Array, classes: number): Int32Array {
  const out = new Int32Array(values.length)
  for (let at = 0; at < values.length; at += classes) {
    const row = values.subarray(at, at + classes)
    const whole = row.map(roundHalfEven)
    const sum = (all: Float64Array) => roundHalfEven(all.reduce((before, value) => before + value, 0))
    let left = sum(row) - sum(whole)
    while (left !== 0) {
      const step = Math.sign(left)
      const order = Array.from(row.keys()).sort((a, b) => row[a] - whole[a] - (row[b] - whole[b]) || a - b)
      if (step > 0) order.reverse()
      for (const i of order.slice(0, Math.abs(left))) whole[i] += step
      left = sum(row) - sum(whole)
    }
    out.set(whole, at)
  }
  return out
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value)
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

/** Of the rows of a label, those with the largest margin of another class are taken, as many as that class is estimated to have. */
function prunedByNoiseRate(
  probabilities: Float64Array,
  labels: Int32Array,
  counts: Int32Array,
  prune: Int32Array,
): Uint8Array {
  const classes = counts.length
  const wrong = new Uint8Array(labels.length)
  for (let label = 0; label < classes; label++) {
    if (counts[label] <= KEPT_OF_CLASS) continue
    const own = Int32Array.from(labels.keys()).filter((row) => labels[row] === label)
    for (let k = 0; k < classes; k++) {
      const count = prune[k * classes + label]
      if (k === label || count <= 0) continue
      const margin = (row: number) => probabilities[row * classes + k] - probabilities[row * classes + label]
      const order = Array.from(own).sort((a, b) => margin(b) - margin(a) || a - b)
      for (const row of order.slice(0, count)) wrong[row] = 1
    }
  }
  return wrong
}

function isLabelLikeliest(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
  row: number,
): boolean {
  const at = row * classes
  const own = probabilities[at + labels[row]] + IN_FAVOUR
  for (let k = 0; k < classes; k++) {
    const other = probabilities[at + k]
    if (k !== labels[row] && (other > own || (other === own && k < labels[row]))) return false
  }
  return true
}

/** Gives the probability of each row's own label, [N]: its self-confidence. */
export function selfConfidence(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): Float64Array {
  return Float64Array.from(labels, (label, row) => probabilities[row * classes + label])
}

/** Gives the probability of each row's own label less that of the likeliest other, brought from -1…1 to 0…1, [N]. */
export function normalizedMargin(
  probabilities: Float64Array,
  labels: Int32Array,
  classes: number,
): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    let other = 0
    for (let k = 0; k < classes; k++)
      if (k !== label) other = Math.max(other, probabilities[row * classes + k])
    return (probabilities[row * classes + label] - other + 1) / 2
  })
}
