/** Looks at what no library says: laws of folds, votes, intervals and choices. What the libraries say is in test/labels. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../seeded-random.js'
import { calibrationOf, fitTemperature, logLoss, TEMPERATURES } from './calibration.js'
import { chooseNext, unsureness } from './choose-next.js'
import { bootstrapMean, bootstrapMeasures, confusionOf, measuresOf, topHits } from './class-metrics.js'
import { crossValidate, fewShotCurve } from './cross-validate.js'
import { stratifiedFolds } from './folds.js'
import { findLabelErrors } from './label-errors.js'
import { likeliest } from './labelled-rows.js'
import { fitProbe, probabilitiesOf, scoresOf } from './linear-probe.js'
import { nearestLabelled, voteShares } from './nearest-labelled.js'
import { comparePaired, mcNemar } from './paired-tests.js'

const labelLists = fc
  .tuple(
    fc.integer({ min: 2, max: 5 }),
    fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 }),
  )
  .map(([folds, some]) => ({
    folds,
    // Each class has as many rows as folds, at least.
    labels: Int32Array.from([
      ...some,
      ...[0, 1, 2, 3].flatMap((label) => new Array<number>(folds).fill(label)),
    ]),
  }))

test('each fold has its share of each class, to one row, shuffled or not, and a seed gives the same again', () => {
  fc.assert(
    fc.property(labelLists, fc.option(fc.integer(), { nil: undefined }), ({ folds, labels }, seed) => {
      const found = stratifiedFolds(labels, 4, folds, { seed })
      expect(stratifiedFolds(labels, 4, folds, { seed })).toEqual(found)
      for (let label = 0; label < 4; label++) {
        const counts = Array.from({ length: folds }, (_, fold) =>
          labels.reduce((sum, one, row) => sum + (one === label && found[row] === fold ? 1 : 0), 0),
        )
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        expect(Math.min(...counts)).toBeGreaterThanOrEqual(1)
      }
    }),
  )
  expect(() => stratifiedFolds(Int32Array.of(0, 0, 1), 2, 2)).toThrow(/Class 1 has 1 rows.*2 folds/)
  expect(() => stratifiedFolds(Int32Array.of(0, 0), 1, 1)).toThrow(/at least two.*got 1/)
})

test('of rows equally near the earlier one is a neighbour, and it is counted that order decided', async () => {
  const rows = Float32Array.of(1, 0, 1, 0, 1, 0, 0, 1)
  const found = await nearestLabelled(Float32Array.of(1, 0), rows, 2, 2)
  expect([...found.rows]).toEqual([0, 1])
  expect(found.ties).toBe(1)
  const labels = Int32Array.of(1, 0, 0, 0)
  for (const weights of ['uniform', 'distance', 'softmax'] as const) {
    const shares = voteShares(found, labels, 2, { weights })
    expect([...shares]).toEqual([0.5, 0.5])
    expect([...likeliest(shares, 2)]).toEqual([0])
  }
})

test('rows of the own group do not vote, and where none are left nobody does', async () => {
  const rows = Float32Array.of(1, 0, 0.6, 0.8, 0, 1)
  const groups = { queries: Int32Array.of(0, 1, 1), rows: Int32Array.of(0, 1, 1) }
  const found = await nearestLabelled(rows, rows, 2, 2, { groups })
  expect([...found.rows]).toEqual([1, 2, 0, -1, 0, -1])
  const alone = await nearestLabelled(rows, rows, 2, 1, {
    groups: { queries: new Int32Array(3), rows: new Int32Array(3) },
  })
  expect([...alone.rows]).toEqual([-1, -1, -1])
  expect([...voteShares(alone, Int32Array.of(0, 1, 1), 2)]).toEqual([0, 0, 0, 0, 0, 0])
})

test('products that are wrong in their sixth digit choose the same neighbours', async () => {
  const random = seededRandom(1)
  const rows = new Float32Array(60 * 3).map(() => random() - 0.5)
  for (let at = 0; at < rows.length; at += 3) {
    const length = Math.hypot(...rows.subarray(at, at + 3))
    for (let i = at; i < at + 3; i++) rows[i] /= length
  }
  const groups = {
    queries: Int32Array.from({ length: 60 }, (_, i) => i),
    rows: Int32Array.from({ length: 60 }, (_, i) => i),
  }
  const exact = await nearestLabelled(rows, rows, 3, 7, { groups })
  const { plainProducts } = await import('../products.js')
  const coarse = {
    ...plainProducts,
    similarity: async (...args: Parameters<typeof plainProducts.similarity>) =>
      (await plainProducts.similarity(...args)).map((value) => value + 1.8e-5 * (random() - 0.5)),
  }
  expect((await nearestLabelled(rows, rows, 3, 7, { groups, products: coarse })).rows).toEqual(exact.rows)
})

test('two classes on a line are told apart where they should be, and mistakes are told', async () => {
  const rows = Float32Array.of(-2, -1, 1, 2)
  const data = { rows, width: 1, labels: Int32Array.of(0, 0, 1, 1), classes: 2 }
  const probe = await fitProbe(data, { c: 1 })
  const probabilities = probabilitiesOf(await scoresOf(probe, Float32Array.of(0), 1), 2)
  expect(probabilities[0]).toBeCloseTo(0.5, 6)
  await expect(fitProbe(data, { c: 0 })).rejects.toThrow(/C is above 0/)
  await expect(fitProbe({ ...data, labels: new Int32Array(4) }, { c: 1 })).rejects.toThrow(/only one/)
  await expect(fitProbe({ ...data, labels: Int32Array.of(0, 1, 2, 0) }, { c: 1 })).rejects.toThrow(
    /no class 2/,
  )
  await expect(fitProbe({ ...data, width: 3 }, { c: 1 })).rejects.toThrow(/no 4 rows of 3/)
})

test('labels that say nothing are not learnt: the smallest C does best, and the search ends early', async () => {
  const random = seededRandom(3)
  const rows = new Float32Array(40 * 4).map(() => random() - 0.5)
  const data = { rows, width: 4, labels: Int32Array.from({ length: 40 }, (_, i) => i % 2), classes: 2 }
  const { c, tried } = await crossValidate(data, stratifiedFolds(data.labels, 2, 4))
  expect(c).toBeLessThan(1)
  expect(tried.length).toBeLessThan(15)
})

test('more of each class do no worse on rows far apart', async () => {
  const random = seededRandom(4)
  const labels = Int32Array.from({ length: 30 }, (_, i) => i % 3)
  const rows = Float32Array.from(
    { length: 90 },
    (_, at) => (at % 3 === labels[Math.floor(at / 3)] ? 1 : 0) + 0.1 * random(),
  )
  const curve = await fewShotCurve({ rows, width: 3, labels, classes: 3 }, { c: 100 })
  expect(curve.map(({ shots }) => shots)).toEqual([1, 2, 4, 8])
  for (const { accuracy, deviation } of curve) expect([accuracy, deviation]).toEqual([1, 0])
})

test('intervals hold the measure, and are those of the normal distribution where there are many rows', async () => {
  const random = seededRandom(5)
  const right = Uint8Array.from({ length: 2000 }, () => (random() < 0.8 ? 1 : 0))
  const share = right.reduce((sum, one) => sum + one, 0) / right.length
  const [low, high] = await bootstrapMean(right)
  const half = 1.96 * Math.sqrt((share * (1 - share)) / right.length)
  expect(low).toBeCloseTo(share - half, 2)
  expect(high).toBeCloseTo(share + half, 2)
  const labels = right.map((_, row) => row % 2)
  const truth = Int32Array.from(labels)
  const predicted = truth.map((label, row) => (right[row] === 1 ? label : 1 - label))
  const measures = measuresOf(confusionOf(truth, predicted, 2), 2)
  const intervals = await bootstrapMeasures(truth, predicted, 2)
  expect(await bootstrapMeasures(truth, predicted, 2)).toEqual(intervals)
  for (const name of ['accuracy', 'macroF1', 'balancedAccuracy'] as const) {
    expect(intervals[name][0]).toBeLessThan(measures[name])
    expect(intervals[name][1]).toBeGreaterThan(measures[name])
  }
})

test('equal scores are in the order of the classes', () => {
  const scores = Float64Array.of(1, 1, 0)
  expect([...topHits(scores, Int32Array.of(0), 3, 1)]).toEqual([1])
  expect([...topHits(scores, Int32Array.of(1), 3, 1)]).toEqual([0])
  expect([...topHits(scores, Int32Array.of(1), 3, 2)]).toEqual([1])
})

test('scores that were multiplied have the temperature that divides them again', async () => {
  const random = seededRandom(6)
  const scores = new Float64Array(400 * 3).map(() => 4 * (random() - 0.5))
  const probabilities = probabilitiesOf(scores, 3)
  const labels = Int32Array.from({ length: 400 }, (_, row) => {
    const at = random()
    const [first, second] = probabilities.subarray(row * 3)
    return at < first ? 0 : at < first + second ? 1 : 2
  })
  const temperature = await fitTemperature(scores, labels, 3)
  expect(temperature).toBeGreaterThan(0.7)
  expect(temperature).toBeLessThan(1.4)
  const loud = scores.map((score) => 5 * score)
  expect(await fitTemperature(loud, labels, 3)).toBeCloseTo(5 * temperature, 8)
  expect(calibrationOf(probabilitiesOf(loud, 3), labels, 3).error).toBeGreaterThan(
    calibrationOf(probabilitiesOf(loud, 3, 5 * temperature), labels, 3).error,
  )
  expect(logLoss(loud, labels, 3, 5 * temperature)).toBeCloseTo(logLoss(scores, labels, 3, temperature), 12)
  // What is always right has no lowest point, unless it counts that few rows are few.
  const sure = [Float64Array.of(2, 0, 0, 2), Int32Array.of(0, 1), 2] as const
  expect(await fitTemperature(...sure)).toBeCloseTo(TEMPERATURES[0], 8)
  expect(probabilitiesOf(sure[0], 2, await fitTemperature(...sure, { smooth: true }))[0]).toBeCloseTo(
    5 / 6,
    8,
  )
})

test('bins have their upper ends: by hand', () => {
  const { bins, error } = calibrationOf(
    Float64Array.of(1, 0, 0.5, 0.5, 0.4, 0.6),
    Int32Array.of(0, 1, 1),
    2,
    2,
  )
  expect(bins).toEqual([
    { count: 1, confidence: 0.5, accuracy: 0 },
    { count: 2, confidence: 0.8, accuracy: 1 },
  ])
  expect(error).toBeCloseTo((0.5 + 0.4) / 3, 12)
})

test('a swapped label among sure ones is the error', () => {
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1)
  const probabilities = Float64Array.from({ length: 16 }, (_, at) =>
    at % 2 === labels[at >> 1] ? 0.95 : 0.05,
  )
  labels[1] = 1
  const { wrong } = findLabelErrors(probabilities, labels, 2)
  expect([...wrong]).toEqual([0, 1, 0, 0, 0, 0, 0, 0])
  expect(() => findLabelErrors(new Float64Array(3), labels, 2)).toThrow(/8 rows of 2/)
})

test("McNemar's chance is that of a coin: by hand, and for many", () => {
  expect(mcNemar(0, 0)).toBe(1)
  expect(mcNemar(3, 3)).toBe(1)
  expect(mcNemar(0, 5)).toBeCloseTo(2 / 32, 14)
  expect(mcNemar(5, 0)).toBeCloseTo(2 / 32, 14)
  expect(mcNemar(1, 4)).toBeCloseTo((2 * 6) / 32, 14)
  // The normal distribution with its correction for steps.
  expect(mcNemar(4900, 5100)).toBeCloseTo(0.0466, 3)
})

test('which of two ways is better is counted in pairs', async () => {
  const first = Uint8Array.of(1, 1, 0, 0, 1)
  const second = Uint8Array.of(1, 0, 1, 1, 1)
  expect(await comparePaired(first, second)).toMatchObject({
    onlyFirst: 1,
    onlySecond: 2,
    difference: 0.2,
    p: 1,
  })
  await expect(comparePaired(first, new Uint8Array())).rejects.toThrow(/5 and 0/)
})

test('the least sure rows are chosen, and no two that are the same', async () => {
  const rows = Float32Array.of(1, 0, 1, 0, 0, 1, -1, 0)
  const probabilities = Float64Array.of(0.5, 0.5, 0.51, 0.49, 0.6, 0.4, 0.99, 0.01)
  for (const by of ['margin', 'entropy'] as const) {
    const unsure = unsureness(probabilities, 2, by)
    expect(unsure[0]).toBeCloseTo(1, 12)
    expect([...(await chooseNext(rows, 2, unsure, 2))]).toEqual([0, 2])
    expect((await chooseNext(rows, 2, unsure, 9)).length).toBe(4)
  }
})
