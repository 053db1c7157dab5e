import { expect, test } from 'vitest'
import { MINI } from '../../../../test/support/mini.js'
import { countFlop } from '../../../engine/count-flop.js'
import { planVit } from '../../../model/plan-vit.js'
import { readVit } from '../../../model/read-vit.js'
import { hashedCheckpoint } from '../../../verify/hashed-checkpoint.js'
import { nativeAvailability, nativePrecisions } from '../native/index.js'
import { measurePeak } from './measure-peak.js'
import { measureSpeed, type Stage } from './measure-speed.js'

test('a bare network is timed at the size asked for, with the work that its plan is', async () => {
  const stages: Stage[] = []
  const network = 'vit_reg4_s14_nps_ls'
  const speed = await measureSpeed({
    subject: { network },
    size: [28, 42],
    batch: 2,
    runs: 4,
    onStage: (stage) => stages.push(stage),
  })
  const { config } = readVit(hashedCheckpoint(network, [224, 224], 'speed'), { network })
  const { plan, slots } = planVit(config, { rows: 2, columns: 3 }, null)
  expect(speed).toMatchObject({ model: network, randomWeights: true, size: [28, 42], batch: 2, runs: 4 })
  expect(speed.flop).toBe(2 * countFlop(plan, [slots.tokens]))
  expect(speed.flopPerSecond).toBe(speed.flop / speed.seconds.median)
  expect(speed.seconds.min).toBeGreaterThan(0)
  expect(speed.seconds.median).toBeGreaterThanOrEqual(speed.seconds.min)
  expect(speed.memory.peak).toBeGreaterThan(speed.memory.weights)
  expect(stages.filter(({ stage }) => stage === 'run')).toHaveLength(4)
})

const ENGINES = [
  ['native', nativePrecisions().includes('bfloat16') ? 'bfloat16' : 'float32'],
  ['wasm', 'float32'],
] as const

test.skipIf(!nativeAvailability().available).each(ENGINES)(
  'a profile of %s holds all the work of a run, with operations that are alike added up, and all the time of its threads',
  async (engine, precision) => {
    const speed = await measureSpeed({
      subject: { network: 'vit_reg4_s14_nps_ls' },
      engine,
      precision,
      threads: 2,
      size: [56, 70],
      batch: 2,
      runs: 1,
      profile: true,
    })
    const { profile } = speed
    if (profile === null) throw new Error('There is no profile.')
    const { operations, seconds, threads, waiting, dispatch } = profile
    expect(threads).toBe(2)
    expect(operations.reduce((sum, { flop }) => sum + flop, 0)).toBe(speed.flop)
    const worked = operations.reduce((sum, { share }) => sum + share, 0)
    expect(worked + (waiting ?? 0) + dispatch).toBeCloseTo(1, 9)
    expect(worked).toBeGreaterThan(0)
    expect(dispatch).toBeGreaterThan(0)
    // 20 patches and five tokens in each of two images.
    const product = operations.find(({ shape }) => shape === '50 x 384 x 1536, gelu')
    expect(product).toMatchObject({ kind: 'linear', count: 12, precision, flop: 12 * 2 * 50 * 384 * 1536 })
    expect(product?.peakFlopPerSecond).toBeGreaterThan(1e9)
    expect(operations.find(({ kind }) => kind === 'attention')?.shape).toBe('2 x 25 x 25 x 384')
    for (const { share, flop, peakFlopPerSecond } of operations) {
      expect(share).toBeGreaterThanOrEqual(0)
      if (peakFlopPerSecond !== null)
        expect(flop / (share * seconds) / peakFlopPerSecond).toBeLessThanOrEqual(1)
    }
    expect(waiting === null).toBe(engine === 'wasm')
    // Two clocks are read one after the other, for each operation.
    if (waiting !== null) expect(waiting).toBeGreaterThan(-1e-3)
  },
)

test('a profile that an engine cannot give is refused before anything is timed', async () => {
  const stages: Stage[] = []
  const asked = measureSpeed({
    subject: { model: MINI },
    engine: 'reference',
    size: 28,
    runs: 1,
    profile: true,
    onStage: (stage) => stages.push(stage),
  })
  await expect(asked).rejects.toMatchObject({ name: 'EngineError', code: 'unsupported' })
  expect(stages.map(({ stage }) => stage)).toEqual(['loading', 'timing operations'])
})

test('a precision that no instruction set has, has no peak', async () => {
  expect(await measurePeak('float16')).toBeNull()
  expect(await measurePeak('float64')).toBeNull()
})

test('a model is timed at the size it was trained at, for at least three runs', async () => {
  const speed = await measureSpeed({ subject: { model: MINI }, engine: 'reference', seconds: 0.001 })
  expect(speed).toMatchObject({
    model: 'deit3_reg4_t14_tiny-imagenet',
    randomWeights: false,
    size: [112, 112],
    runs: 3,
    engine: { name: 'reference', precision: 'float64' },
    peakFlopPerSecond: null,
  })
})

test('a bare network has 518 pixels a side, or what is near in whole patches', async () => {
  const timed = (network: string) =>
    measureSpeed({ subject: { network }, runs: 1, signal: AbortSignal.timeout(60_000) })
  const { size, runs } = await timed('vit_t16')
  expect({ size, runs }).toEqual({ size: [512, 512], runs: 1 })
})

test('a size that is no whole number of patches, an unknown network and an abort end it by name', async () => {
  const subject = { model: MINI }
  await expect(measureSpeed({ subject, size: 113 })).rejects.toMatchObject({ code: 'wrong-size' })
  await expect(measureSpeed({ subject, batch: 0 })).rejects.toThrow(RangeError)
  await expect(measureSpeed({ subject: { network: 'vit_x' } })).rejects.toMatchObject({
    code: 'unsupported-network',
  })
  await expect(measureSpeed({ subject, signal: AbortSignal.abort() })).rejects.toThrow('abort')
})

test('the peak is a number of this processor where there is a native engine, and null for what has no loop', async () => {
  const peak = await measurePeak('float32', { threads: 1 })
  if (nativeAvailability().available) expect(peak).toBeGreaterThan(1e9)
  else expect(peak).toBeNull()
  expect(await measurePeak('float64')).toBeNull()
})
