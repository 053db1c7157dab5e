import { expect, test } from 'vitest'
import type { Speed, SpeedOptions } from '../../src/platform/node/bench/measure-speed.js'
import type { Profile, ProfiledOperation } from '../../src/platform/node/bench/profile.js'
import { type InTestOptions, runInTest } from './run-in-test.js'

const speed: Speed = {
  model: 'vit_reg4_l14_nps_ls',
  randomWeights: true,
  size: [518, 518],
  batch: 2,
  engine: { name: 'native', precision: 'float32', description: 'avx512, 2 threads' },
  runs: 5,
  seconds: { min: 0.0987654, median: 12.3456 },
  loadSeconds: 3.2,
  flop: 1.0171e12,
  flopPerSecond: 303.3e9,
  peakFlopPerSecond: 433.3e9,
  profile: null,
  memory: { weights: 2 ** 30, peak: 1.5 * 2 ** 30 },
}

/** Holds what was asked for, and how the command ended. */
async function bench(args: readonly string[], context: Partial<InTestOptions> = {}) {
  const asked: SpeedOptions[] = []
  const outcome = await runInTest(['bench', ...args], {
    cwd: '/',
    measureSpeed: async (options) => {
      asked.push(options)
      options.onStage?.({ stage: 'loading' })
      options.onStage?.({ stage: 'run', number: 1, seconds: 0.25 })
      return speed
    },
    ...context,
  })
  return { asked, ...outcome }
}

test('prints time, rate with its share of what the processor can do, and memory', async () => {
  const { code, stdout, stderr } = await bench(['--network', 'vit_reg4_l14_nps_ls'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trimEnd().split('\n')).toEqual([
    'network  vit_reg4_l14_nps_ls, random weights',
    'input    518 x 518, 2 images a run',
    'engine   native, float32 (avx512, 2 threads)',
    'time     0.0988 s min, 12.3 s median of 5 runs',
    'images   0.162 a second',
    'rate     303 GFLOP/s with 1.017 TFLOP a run; 70 % of the 433 GFLOP/s that this processor can do',
    'memory   1.50 GiB at most, 1.00 GiB of it packed weights',
    'loading  3.20 s',
  ])
})

const linear: ProfiledOperation = {
  kind: 'linear',
  shape: '2748 x 1024 x 4096, gelu',
  precision: 'float32',
  count: 24,
  flop: 3e11,
  bytes: 1e9,
  share: 0.75,
  seconds: 1.5,
  waiting: 0.02,
  peakFlopPerSecond: 4e11,
}
const norm = {
  kind: 'norm',
  shape: '2748 x 1024',
  precision: null,
  flop: 0,
  peakFlopPerSecond: null,
} as const
const profile: Profile = {
  seconds: 2,
  threads: 2,
  operations: [
    linear,
    {
      ...linear,
      kind: 'attention',
      shape: '2 x 1374 x 1374 x 1024',
      precision: 'bfloat16',
      share: 0.2,
      seconds: 0.4,
      peakFlopPerSecond: null,
    },
    { ...linear, ...norm, count: 49, bytes: 5e8, share: 0.02, seconds: 0.04 },
    { ...linear, ...norm, kind: 'copyOut', count: 1, share: 0.0002, seconds: 0.0004 },
    { ...linear, ...norm, kind: 'sliceRows', count: 1, share: 0.0001, seconds: 0.0002 },
  ],
  waiting: 0.0277,
  dispatch: 0.002,
}

/** Gives the table that follows the other lines. */
async function tableOf(profile: Profile): Promise<readonly string[]> {
  const { stdout } = await bench(['--profile'], { measureSpeed: async () => ({ ...speed, profile }) })
  return stdout.trimEnd().split('\n').slice(9)
}

test('--profile prints where the time goes, with the share of what each product could do, in 80 columns', async () => {
  const table = await tableOf(profile)
  expect(table).toEqual([
    'share      time  count         speed  operation',
    ' 75 %    1.50 s     24  50 % of peak  linear 2748 x 1024 x 4096, gelu',
    ' 20 %  400.0 ms     24   750 GFLOP/s  attention 2 x 1374 x 1374 x 1024, bfloat16',
    '2.0 %   40.0 ms     49     12.5 GB/s  norm 2748 x 1024',
    '0.0 %   0.60 ms      2                all others',
    '2.8 %   55.4 ms                       waiting for other threads or a processor',
    '0.2 %   4.00 ms                       handing the run over and back',
    '100 %    2.00 s                       a run on 2 threads',
  ])
  expect(Math.max(...table.map(({ length }) => length))).toBeLessThanOrEqual(80)
})

test('where an engine cannot tell how long threads wait, the profile says so', async () => {
  const operations = profile.operations.map((operation) => ({ ...operation, waiting: null }))
  const table = await tableOf({ ...profile, operations, waiting: null })
  expect(table.join('\n')).not.toContain('waiting for')
  expect(table.at(-1)).toBe('Operations contain waiting, which this engine cannot tell apart.')
})

test('--profile and --instruction-set are asked of the measurement, and --json gives the profile whole', async () => {
  const asked: SpeedOptions[] = []
  const { stdout } = await bench(['--profile', '--instruction-set', 'avx2', '--json'], {
    measureSpeed: async (options) => {
      asked.push(options)
      return { ...speed, profile }
    },
  })
  expect(asked).toMatchObject([{ profile: true, instructionSet: 'avx2' }])
  expect(JSON.parse(stdout)).toMatchObject({ profile })
})

test('a peak that was not measured is said to be missing', async () => {
  const measureSpeed = async () => ({ ...speed, peakFlopPerSecond: null })
  const { stdout } = await bench([], { measureSpeed })
  expect(stdout).toContain('a run; the most that this processor can do was not measured\n')
})

test('--json prints the figures as they are, and how far the work is on stderr', async () => {
  const { stdout, stderr } = await bench(['--json'])
  expect(JSON.parse(stdout)).toEqual(speed)
  expect(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).phase),
  ).toEqual(['loading', 'run 1: 0.250 s'])
})

test('a terminal sees the stage, and nothing is left of it', async () => {
  const { stderr } = await bench([], { isTTY: true })
  expect(stderr).toContain('run 1: 0.250 s')
  expect(stderr.endsWith('\r\u001b[2K')).toBe(true)
})

test('the options arrive as numbers; the shipped model is the default', async () => {
  const { asked } = await bench(['--size', '224x336', '--batch', '8', '--runs', '4', '--threads', '1'])
  expect(asked[0]).toMatchObject({
    subject: { model: 'small' },
    size: [224, 336],
    batch: 8,
    runs: 4,
    threads: 1,
  })
  const { asked: bare } = await bench(['--network', 'vit_b16', '--seconds', '0.5', '--engine', 'native'])
  expect(bare[0]).toMatchObject({ subject: { network: 'vit_b16' }, seconds: 0.5, engine: 'native' })
})

test.each([
  [['small', '--network', 'vit_b16'], 'name one of the two'],
  [['--runs', '3', '--seconds', '3'], 'cannot be used with'],
  [['--seconds', '0'], 'found 0'],
  [['--batch', '1.5'], 'found 1.5'],
  [['--precision', 'float8'], 'float8'],
])('%j is wrong usage', async (args, reason) => {
  const { code, stdout, stderr, asked } = await bench(args)
  expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: [] })
  expect(stderr).toContain(reason)
})

test('a value that makes no sense to the engine is wrong usage, and an interrupt is 130', async () => {
  const refused = await bench([], { measureSpeed: () => Promise.reject(new RangeError('no such thing')) })
  expect(refused).toMatchObject({ code: 2, stderr: 'plumage: no such thing\n' })
  const signal = AbortSignal.abort()
  const stopped = await bench([], { signal, measureSpeed: () => Promise.reject(signal.reason) })
  expect(stopped).toMatchObject({ code: 130, stderr: 'plumage: Interrupted before all runs were done.\n' })
})
