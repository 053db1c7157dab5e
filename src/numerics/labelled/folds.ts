/** Deals labelled rows out to folds that all have nearly the same share of each class, and draws a few rows of each class. */
import { seededRandom } from '../seeded-random.js'
import { checkLabels, classCounts } from './labelled-rows.js'

/** Says how rows are dealt out. */
export interface FoldOptions {
  /** Shuffles the rows of each class before they are dealt out; without it they go to the folds in their order, as scikit-learn's StratifiedKFold has them. */
  readonly seed?: number | undefined
}

/**
 * Numbers the fold of each row, [N], from 0: the very assignment of scikit-learn's StratifiedKFold without a shuffle, and with as many of each class in each
 * fold with one. Throws RangeError for fewer than two folds, and for a class that has rows but fewer than folds.
 */
export function stratifiedFolds(
  labels: Int32Array,
  classes: number,
  folds: number,
  { seed }: FoldOptions = {},
): Int32Array {
  checkLabels(labels, classes)
  if (!(Number.isInteger(folds) && folds >= 2))
    throw new RangeError(`Folds are at least two, of which each is held out once: got ${folds}.`)
  const counts = classCounts(labels, classes)
  const scarce = counts.findIndex((count) => count > 0 && count < folds)
  if (scarce >= 0)
    throw new RangeError(`Class ${scarce} has ${counts[scarce]} rows, which are fewer than ${folds} folds.`)
  const random = seed === undefined ? null : seededRandom(seed)
  const out = new Int32Array(labels.length)
  let before = 0
  for (const label of byAppearance(labels, classes)) {
    const own = foldsOfClass(before, counts[label], folds)
    if (random !== null) shuffle(own, random)
    let next = 0
    for (let row = 0; row < labels.length; row++) if (labels[row] === label) out[row] = own[next++]
    before += counts[label]
  }
  return out
}

/** Lists the classes that have rows in the order in which they come first. */
function byAppearance(labels: Int32Array, classes: number): readonly number[] {
  const first = new Int32Array(classes).fill(-1)
  for (let row = labels.length - 1; row >= 0; row--) first[labels[row]] = row
  const order = Array.from(first.keys()).filter((label) => first[label] >= 0)
  return order.sort((a, b) => first[a] - first[b])
}

/** Of all rows in the order of their classes, every so many-th goes to one fold: that tells how many of a class each has. They then come in rising order. */
function foldsOfClass(before: number, count: number, folds: number): Int32Array {
  const out = new Int32Array(count)
  let at = 0
  for (let fold = 0; fold < folds; fold++) {
    const upTo = (end: number) => Math.floor((end - fold + folds - 1) / folds)
    const dealt = upTo(before + count) - upTo(before)
    out.fill(fold, at, at + dealt)
    at += dealt
  }
  return out
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle(values: Int32Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = values[i]
    values[i] = values[j]
    values[j] = kept
  }
}

/** Lists the rows that are in a fold, and those that are not. */
export function splitAt(
  folds: Int32Array,
  fold: number,
): { readonly held: Int32Array; readonly rest: Int32Array } {
  const rows = Int32Array.from(folds.keys())
  return { held: rows.filter((row) => folds[row] === fold), rest: rows.filter((row) => folds[row] !== fold) }
}
