/** Holds what this library makes of labelled features against what scikit-learn, cleanlab, SciPy and statsmodels make of them (make-expected.py). */
import { expect } from 'vitest'
import { calibrationOf, fitTemperature } from '../../src/numerics/labelled/calibration.js'
import { classMeasures, confusionOf, measuresOf, topHits } from '../../src/numerics/labelled/class-metrics.js'
import { crossValidate } from '../../src/numerics/labelled/cross-validate.js'
import { stratifiedFolds } from '../../src/numerics/labelled/folds.js'
import {
  findLabelErrors,
  normalizedMargin,
  selfConfidence,
} from '../../src/numerics/labelled/label-errors.js'
import { type LabelledRows, likeliest } from '../../src/numerics/labelled/labelled-rows.js'
import { fitProbe, PROBE_TOLERANCE, probabilitiesOf } from '../../src/numerics/labelled/linear-probe.js'
import {
  nearestLabelled,
  type VoteWeights,
  voteShares,
} from '../../src/numerics/labelled/nearest-labelled.js'
import { comparePaired } from '../../src/numerics/labelled/paired-tests.js'
import type { Products } from '../../src/numerics/products.js'

/** Is what the answers are made of. */
export interface LabelCase {
  readonly features: readonly (readonly number[])[]
  readonly labels: readonly number[]
  readonly classes: number
  readonly folds: number
  readonly c: number
}

/** Holds the answers of the libraries. */
export interface LabelAnswers {
  readonly folds: readonly number[]
  readonly knn: Readonly<
    Record<VoteWeights, { readonly predicted: readonly number[]; readonly accuracy: number }>
  >
  readonly weight: readonly number[]
  readonly bias: readonly number[]
  readonly losses: readonly number[]
  readonly scores: readonly number[]
  readonly metrics: Readonly<Record<'accuracy' | 'balancedAccuracy' | 'macroF1' | 'top2', number>> &
    Readonly<Record<'confusion' | 'precision' | 'recall' | 'f1' | 'support', readonly number[]>>
  readonly calibrationError: number
  readonly temperature: number
  readonly errors: Readonly<
    Record<'thresholds' | 'joint' | 'wrong' | 'selfConfidence' | 'normalizedMargin', readonly number[]>
  >
  readonly mcnemar: number
}

const GRID = [0.1, 1, 10, 100]
const NEIGHBOURS = 20

/** Learns as the libraries did, and expects their numbers. */
export async function expectAgreement(
  given: LabelCase,
  expected: LabelAnswers,
  products: Products,
): Promise<void> {
  const { classes, c } = given
  const width = given.features[0]?.length ?? 0
  const labels = Int32Array.from(given.labels)
  const data: LabelledRows = { rows: Float32Array.from(given.features.flat()), width, labels, classes }
  const folds = stratifiedFolds(labels, classes, given.folds)
  expect([...folds]).toEqual(expected.folds)

  const neighbours = await nearestLabelled(data.rows, data.rows, width, NEIGHBOURS, {
    products,
    groups: { queries: folds, rows: folds },
  })
  const votes = (weights: VoteWeights) =>
    likeliest(voteShares(neighbours, labels, classes, { weights }), classes)
  for (const weights of ['uniform', 'distance', 'softmax'] as const)
    expect([...votes(weights)], weights).toEqual(expected.knn[weights].predicted)

  const probe = await fitProbe(data, { c, products })
  const near = (found: ArrayLike<number>, wanted: readonly number[], atMost: number, what: string) => {
    expect(found.length, what).toBe(wanted.length)
    const off = wanted.map((value, at) => Math.abs(value - (found[at] ?? Number.NaN)))
    for (const [at, difference] of off.entries())
      expect(difference, `${what} ${at}`).toBeLessThanOrEqual(atMost)
  }
  // The objective is so convex that the slope at the end bounds how far the best is.
  const loose = c * labels.length * PROBE_TOLERANCE
  near(oneOfTwo(probe.weight, classes), expected.weight, loose, 'weight')
  near(oneOfTwo(probe.bias, classes), expected.bias, loose, 'bias')

  const { tried, scores } = await crossValidate(data, folds, { grid: GRID, products })
  for (const [at, { loss }] of tried.entries()) expect(loss).toBeCloseTo(expected.losses[at] ?? Number.NaN, 4)
  const own = await crossValidate(data, folds, { grid: [c], products })
  near(own.scores, expected.scores, loose, 'score')
  expect(scores.length).toBe(expected.scores.length)

  // What follows is computed of the libraries' own scores, so that it is exact.
  const theirs = Float64Array.from(expected.scores)
  const predicted = likeliest(theirs, classes)
  const confusion = confusionOf(labels, predicted, classes)
  expect([...confusion]).toEqual(expected.metrics.confusion)
  const measures = measuresOf(confusion, classes)
  for (const name of ['accuracy', 'balancedAccuracy', 'macroF1'] as const)
    expect(measures[name], name).toBeCloseTo(expected.metrics[name], 12)
  const each = classMeasures(confusion, classes)
  for (const name of ['precision', 'recall', 'f1', 'support'] as const)
    near(
      each.map((one) => one[name]),
      expected.metrics[name],
      1e-11,
      name,
    )
  const top = topHits(theirs, labels, classes, 2).reduce((sum, hit) => sum + hit, 0) / labels.length
  expect(top).toBeCloseTo(expected.metrics.top2, 12)

  const probabilities = probabilitiesOf(theirs, classes)
  expect(calibrationOf(probabilities, labels, classes).error).toBeCloseTo(expected.calibrationError, 10)
  expect(await fitTemperature(theirs, labels, classes)).toBeCloseTo(expected.temperature, 5)
  const errors = findLabelErrors(probabilities, labels, classes)
  near(errors.thresholds, expected.errors.thresholds, 1e-10, 'threshold')
  expect([...errors.joint]).toEqual(expected.errors.joint)
  expect([...errors.wrong]).toEqual(expected.errors.wrong)
  near(
    selfConfidence(probabilities, labels, classes),
    expected.errors.selfConfidence,
    1e-10,
    'self-confidence',
  )
  near(normalizedMargin(probabilities, labels, classes), expected.errors.normalizedMargin, 1e-10, 'margin')

  const isRight = (guesses: Int32Array) =>
    Uint8Array.from(guesses, (guess, row) => (guess === labels[row] ? 1 : 0))
  const { p } = await comparePaired(isRight(predicted), isRight(votes('uniform')))
  expect(p).toBeCloseTo(expected.mcnemar, 10)
}

/** scikit-learn keeps of two classes the difference alone. */
function oneOfTwo(values: Float32Array, classes: number): Float32Array {
  if (classes !== 2) return values
  const half = values.length / 2
  return values.slice(half).map((value, at) => value - (values[at] ?? Number.NaN))
}
