/** Is what all that learns from labels starts from: rows of features, and the number of each row's class. */

/** Holds rows of which each has a class. */
export interface LabelledRows {
  /** [N, D] */
  readonly rows: Float32Array
  /** Counts the numbers of a row, D. */
  readonly width: number
  /** [N] Numbers the class of each row, from 0. */
  readonly labels: Int32Array
  /** Counts the classes, K. */
  readonly classes: number
}

/** Throws RangeError for rows and labels that do not belong together. Gives the number of rows. */
export function checkLabelled({ rows, width, labels, classes }: LabelledRows): number {
  if (!(Number.isInteger(width) && width > 0 && rows.length === labels.length * width))
    throw new RangeError(`${rows.length} numbers are no ${labels.length} rows of ${width}.`)
  checkLabels(labels, classes)
  return labels.length
}

/** Throws RangeError for labels that are no numbers of classes, and where there are none. */
export function checkLabels(labels: Int32Array, classes: number): void {
  if (labels.length === 0) throw new RangeError('There are no labels.')
  const wrong = labels.find((label) => !(label >= 0 && label < classes))
  if (wrong !== undefined) throw new RangeError(`There is no class ${wrong} among ${classes}.`)
}

/** Counts the rows of each class, [K]. */
export function classCounts(labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes)
  for (const label of labels) counts[label]++
  return counts
}

/** Takes the rows of these numbers, as copies. */
export function takeRows(
  { rows, width, labels, classes }: LabelledRows,
  numbers: ArrayLike<number>,
): LabelledRows {
  const taken = new Float32Array(numbers.length * width)
  const their = new Int32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    taken.set(rows.subarray(numbers[i] * width, (numbers[i] + 1) * width), i * width)
    their[i] = labels[numbers[i]]
  }
  return { rows: taken, width, labels: their, classes }
}

/** Gives the place of the largest of `count` values from `at` on; of equal ones the first. */
export function largestAt(values: ArrayLike<number>, at: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (values[at + i] > values[at + best]) best = i
  return best
}

/** Names the likeliest class of each row of probabilities [N, K]; of equally likely ones the first. */
export function likeliest(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) =>
    largestAt(probabilities, row * classes, classes),
  )
}
