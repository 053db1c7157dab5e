import { expect, test } from 'vitest'
import type { VerifyModelOptions } from '../../src/platform/node/verify-model.js'
import type { MeasuredRow, VerifiedModel } from '../../src/verify/model/verified-model.js'
import { folderWith, type InTestOptions, runInTest } from './run-in-test.js'

const int8: MeasuredRow = {
  kind: 'measured',
  engine: 'native',
  precision: 'int8',
  description: 'avx2, 2 threads',
  isTruth: false,
  photos: 4,
  embeddingCosine: 0.9999135178,
  tokensCosine: 0.99989179,
  meanPatchCosine: 0.99991109,
  worstPatchCosine: 0.999999999999,
  relativeError: 0.0147,
  seconds: 0.1772,
  memory: { weights: 20 * 2 ** 20, activations: 3.5 * 2 ** 20 },
  promise: 0.995,
  isKept: true,
}
const found: VerifiedModel = {
  model: 'made',
  size: [224, 224],
  photos: 4,
  truth: { engine: 'reference', precision: 'float64', check: null },
  rows: [
    { ...int8, engine: 'reference', precision: 'float64', isTruth: true, seconds: 31.4, promise: 1 },
    int8,
    { ...int8, engine: 'wasm', isKept: false },
    { kind: 'refused', engine: 'webgpu', precision: 'float32', reason: 'No GPU was found.' },
  ],
  recommended: int8,
}

async function verify(args: readonly string[], context: Partial<InTestOptions> = {}) {
  const asked: [string, VerifyModelOptions][] = []
  const outcome = await runInTest(['verify', ...args], {
    cwd: '/photos',
    verifyModel: async (...given) => {
      asked.push(given)
      given[1].onTry?.('native', 'int8')
      return found
    },
    ...context,
  })
  return { asked, ...outcome }
}

test('prints a line for each engine and precision, why others do not run, and how to take the one recommended', async () => {
  const { code, stdout, asked } = await verify([])
  expect(code).toBe(0)
  expect(asked[0]?.[0]).toBe('small')
  expect(stdout.split('\n')).toEqual([
    'made at 224 x 224 on 4 photos: cosines with the reference engine (float32 weights, float64 sums).',
    '',
    'engine     precision    embedding       tokens   mean patch  worst patch   error  a photo    memory         promise',
    'reference  float64          truth        truth        truth        truth   truth   31.4 s  23.5 MiB        kept (1)',
    // A cosine is never rounded up to 1.
    'native     int8       0.999913517  0.999891790  0.999911090  0.999999999  1.5e-2   177 ms  23.5 MiB    kept (0.995)',
    'wasm       int8       0.999913517  0.999891790  0.999911090  0.999999999  1.5e-2   177 ms  23.5 MiB  BROKEN (0.995)',
    '',
    'not run',
    '  webgpu, float32: No GPU was found.',
    '',
    'Take native in int8, the fastest that keeps its promise: --engine native --precision int8',
    '',
  ])
})

test('says plainly where the truth is a fast engine, and how near the reference engine has found it', async () => {
  const check = { size: [56, 56] as const, embeddingCosine: 1, tokensCosine: 0.9999, isKept: false }
  const truth = { engine: 'native', precision: 'float32', check } as const
  const { code, stdout, stderr } = await verify([], {
    verifyModel: async () => ({ ...found, truth, recommended: null }),
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/with native float32, since the reference engine would take too long/)
  expect(stdout).toMatch(/computed 56 x 56 pixels .* 1\.000000000, that of the tokens 0\.999900000/)
  expect(stdout).toMatch(/nothing can be said of the others/)
  expect(stderr).toMatch(/none is recommended/)
})

test('--json prints all of it as one object, and progress as lines on stderr', async () => {
  const { stdout, stderr } = await verify(['--json'])
  expect(JSON.parse(stdout)).toEqual(found)
  expect(stderr).toContain('{"event":"phase","phase":"native, int8"}')
})

test('photos start where the command runs, and what chooses model and engine is handed on', async () => {
  const { asked } = await verify([
    'facebook/dinov2-small',
    ...['--photos', 'a.jpg', 'https://a.example/b.jpg', '--engine', 'wasm', '--size', '224'],
  ])
  expect(asked).toMatchObject([
    [
      'facebook/dinov2-small',
      { photos: ['/photos/a.jpg', 'https://a.example/b.jpg'], load: { engine: 'wasm', size: 224 } },
    ],
  ])
})

test('an option of the other way to verify is refused by name', async () => {
  expect((await verify(['small', '--filter', 'tiny'])).stderr).toMatch(
    /--filter is for golden cases; small has no/,
  )
  using folder = folderWith(['goldens/index.json'])
  const { code, stderr } = await verify(['goldens', '--size', '224'], { cwd: folder.path })
  expect(code).toBe(2)
  expect(stderr).toMatch(/--size is for a model; goldens is a folder of golden cases/)
})

test('Ctrl-C ends it with its own exit code', async () => {
  const interrupt = new AbortController()
  const { code } = await verify([], {
    signal: interrupt.signal,
    verifyModel: async () => {
      interrupt.abort(new Error('SIGINT'))
      throw interrupt.signal.reason
    },
  })
  expect(code).toBe(130)
})
