import { expect, test } from 'vitest'
import type { OpTime, Precision } from '../../../engine/engine.js'
import { profileOf } from './profile.js'

const product: OpTime = {
  kind: 'linear',
  shape: '4 x 8 x 8',
  precision: 'float32',
  flop: 100,
  bytes: 10,
  seconds: 0.2,
  busySeconds: 0.3,
}
const operations: readonly OpTime[] = [
  { ...product, kind: 'norm', shape: '4 x 8', precision: null, flop: 0, seconds: 0.1, busySeconds: 0.1 },
  product,
  { ...product, seconds: 0.3, busySeconds: 0.5 },
  { ...product, precision: 'bfloat16', seconds: 0.2, busySeconds: 0.4 },
]
const peakOf = async () => 1000

test('operations that are alike are one, and shares of work, waiting and handing over are of all threads and make one', async () => {
  const profile = await profileOf({ times: { threads: 2, operations }, seconds: 1 }, peakOf)
  // The shares are parts of two thread-seconds.
  const told = profile.operations.map(({ count, share, flop, bytes }) => [count, share, flop, bytes])
  expect(told).toEqual([
    [2, 0.4, 200, 20],
    [1, 0.2, 100, 10],
    [1, 0.05, 0, 10],
  ])
  expect(profile.waiting).toBeCloseTo((0.1 + 0.1 + 0.1) / 2, 12)
  expect(profile.dispatch).toBeCloseTo(0.2, 12)
  const worked = profile.operations.reduce((sum, { share }) => sum + share, 0)
  expect(worked + (profile.waiting ?? 0) + profile.dispatch).toBeCloseTo(1, 12)
})

test('an engine that cannot tell waiting apart leaves it in the operations, and shares still make one', async () => {
  const untold = operations.map((operation) => ({ ...operation, busySeconds: null }))
  const profile = await profileOf({ times: { threads: 2, operations: untold }, seconds: 1 }, peakOf)
  expect(profile.waiting).toBeNull()
  expect(profile.operations.map(({ share }) => share)).toEqual([0.5, 0.2, 0.1])
  expect(profile.dispatch).toBeCloseTo(0.2, 12)
})

test.each([
  ['is kept where nothing was faster', [600], 600],
  ['that was disturbed is measured again', [300, 600], 600],
  ['that is still too low is none', [300, 400, 600], null],
  ['that cannot be measured is none', [null], null],
] as const)('a peak %s', async (_claim, measured, expected) => {
  const left = [...measured]
  const precisions: Precision[] = []
  // It does 100 operations in 0.2 s of two threads at work.
  const busy = [{ ...product, busySeconds: 0.4 }]
  const profile = await profileOf(
    { times: { threads: 2, operations: busy }, seconds: 1 },
    async (precision) => {
      precisions.push(precision)
      return left.shift() ?? null
    },
  )
  expect(profile.operations.map(({ peakFlopPerSecond }) => peakFlopPerSecond)).toEqual([expected])
  expect(new Set(precisions)).toEqual(new Set(['float32']))
})

test('a product that takes less time than clocks can tell has no peak, and leaves those of others as they are', async () => {
  const short = { ...product, shape: '1 x 8 x 8', flop: 1e9, seconds: 1e-6, busySeconds: 0 }
  const times = { threads: 2, operations: [product, short] }
  const { operations } = await profileOf({ times, seconds: 1 }, peakOf)
  expect(operations.map(({ peakFlopPerSecond }) => peakFlopPerSecond)).toEqual([1000, null])
})
