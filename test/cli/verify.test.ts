import { expect, test } from 'vitest'
import type { Comparison } from '../../src/verify/case.js'
import { folderWith, runInTest } from './run-in-test.js'

const good = { id: 'tiny/a', kind: 'vit', tensor: 'embedding', error: 1.25e-6, tolerance: 5e-6, passed: true }
const bad = { ...good, tensor: 'patches', error: Number.POSITIVE_INFINITY, passed: false, note: 'NaN' }

async function verify(results: readonly Comparison[], ...args: string[]) {
  using folder = folderWith(['goldens/index.json'])
  return await runInTest(['verify', 'goldens', ...args], {
    cwd: folder.path,
    verifyGoldens: async function* () {
      yield* results
    },
  })
}

test('prints each error beside its tolerance and the sum in the last line; all passed is 0', async () => {
  expect(await verify([good])).toEqual({
    code: 0,
    stdout: 'ok   tiny/a embedding  error 1.25e-6  tolerance 5e-6\n1 passed, 0 failed\n',
    stderr: '',
  })
})

test('one that falls short makes the exit code 1', async () => {
  const { code, stdout } = await verify([good, bad])
  expect(code).toBe(1)
  expect(stdout.trimEnd().split('\n').slice(1)).toEqual([
    'FAIL tiny/a patches  error Infinity  tolerance 5e-6  (NaN)',
    '1 passed, 1 failed',
  ])
})

test('--json prints one object a line', async () => {
  const { stdout } = await verify([good, bad], '--json')
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0]).toEqual(good)
  expect(lines[1]).toMatchObject({ tensor: 'patches', passed: false })
  expect(lines[2]).toEqual({ passed: 1, failed: 1, notCompared: [] })
})

test('cases that nothing here can run are counted by their kind, and single ones are named', async () => {
  using folder = folderWith(['goldens/index.json'])
  const { code, stdout } = await runInTest(['verify', 'goldens'], {
    cwd: folder.path,
    verifyGoldens: async function* (_, { onLeftOut }) {
      for (const kind of ['rope', 'dpt', 'rope'])
        onLeftOut?.({ id: `x/${kind}`, kind, reason: `no ${kind} here`, isOfKind: true })
      onLeftOut?.({ id: 'x/moe', kind: 'family', reason: 'experts are refused', isOfKind: false })
      for (const [id, tensors] of [
        ['x/a', ['text.0', 'text.1']],
        ['x/b', ['text.0', 'text.2', 'text.3', 'text.4', 'text.5']],
      ] as const)
        onLeftOut?.({ id, kind: 'family', reason: 'of texts', isOfKind: false, tensors })
      yield good
    },
  })
  expect(code).toBe(0)
  expect(stdout.trimEnd().split('\n').slice(1)).toEqual([
    'not compared: 2 of kind rope: no rope here',
    'not compared: 1 of kind dpt: no dpt here',
    'not compared: 1 of kind family: experts are refused (x/moe)',
    'not compared: text.0, text.1, text.2, text.3 and 2 more of 2 of kind family: of texts',
    '1 passed, 0 failed',
  ])
})

test('cases of which none can be run here are counted too, and are not called an empty index', async () => {
  using folder = folderWith(['goldens/index.json'])
  const { code, stdout, stderr } = await runInTest(['verify', 'goldens', '--filter', 'x/'], {
    cwd: folder.path,
    verifyGoldens: async function* (_, { onLeftOut }) {
      for (const kind of ['rope', 'rope'])
        onLeftOut?.({ id: `x/${kind}`, kind, reason: 'no rope here', isOfKind: true })
      yield* []
    },
  })
  expect(code).toBe(2)
  expect(stderr).toContain('that has x/ in its name can be compared here')
  expect(stdout).toContain('2 of kind rope')
})

test('no case at all is wrong usage, not success', async () => {
  const { code, stderr } = await verify([], '--filter', 'nothing')
  expect(code).toBe(2)
  expect(stderr).toContain('has nothing in its name')
})

test('an index that is no JSON is named', async () => {
  using folder = folderWith({ 'bad/index.json': '{' })
  const verifyGoldens = async function* () {
    yield await Promise.reject(new SyntaxError('Unexpected end of JSON input'))
  }
  const { code, stderr } = await runInTest(['verify', 'bad'], { cwd: folder.path, verifyGoldens })
  expect(code).toBe(2)
  expect(stderr).toContain('bad/index.json is no JSON')
})
