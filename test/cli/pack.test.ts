/** `plumage pack` says what was written, lists and removes, and refuses what makes no sense. */
import { expect, test } from 'vitest'
import type { LoadOptions } from '../../src/encoder/load-options.js'
import type { ListedPacked } from '../../src/platform/node/packed/packed-list.js'
import { runInTest } from './run-in-test.js'

const PACKED = { path: '/cache/a.packed', byteLength: 3 * 2 ** 20, instructionSet: 'avx2', precision: 'int8' }
const listed = (name: string, path: string): ListedPacked => ({
  path: `/cache/${name}.packed`,
  fileBytes: 2 ** 20,
  content: {
    format: 1,
    plumage: '1.2.3',
    versions: [1],
    model: name,
    path,
    files: [],
    network: '',
    instructionSet: 'avx2',
    precision: 'int8',
    packing: '',
    weights: '',
    byteLength: 2 ** 20,
    digest: '',
  },
})
const BROKEN: ListedPacked = { path: '/cache/b.packed', fileBytes: 10, content: 'it is cut off' }
const FILES = [listed('one', '/models/one.pt'), BROKEN, listed('two', '/models/two.safetensors')]

async function pack(...args: string[]) {
  const asked: [string, LoadOptions][] = []
  const removed: string[] = []
  const outcome = await runInTest(['pack', ...args], {
    cwd: process.cwd(),
    packModel: async (model, options) => {
      asked.push([model, options])
      return PACKED
    },
    packedFiles: {
      list: async () => FILES,
      remove: async (files) => void removed.push(...files.map(({ path }) => path)),
    },
  })
  return { ...outcome, asked, removed }
}

test('a model is packed for the native engine, in what was asked for, and the file is told', async () => {
  const { code, stdout, asked } = await pack('some', '--precision', 'int8', '--instruction-set', 'avx2')
  expect(code).toBe(0)
  expect(stdout).toContain('/cache/a.packed\n3.0 MiB of weights for avx2 in int8')
  expect(asked).toEqual([
    ['some', expect.objectContaining({ engine: 'native', precision: 'int8', instructionSet: 'avx2' })],
  ])
  const { stdout: json, asked: byDefault } = await pack('--json', '--heads', '4')
  expect(JSON.parse(json)).toEqual(PACKED)
  expect(byDefault).toMatchObject([['small', { engine: 'native', heads: 4 }]])
  expect(byDefault[0]?.[1]).not.toHaveProperty('precision')
})

test('what is packed is listed, and taken away, all or what is of a model', async () => {
  const { stdout, removed, asked } = await pack('--list')
  expect(stdout.trimEnd().split('\n')).toEqual([
    '/cache/one.packed (1.0 MiB): one, int8 for avx2, of /models/one.pt',
    '/cache/b.packed (0.0 MiB): it is cut off',
    '/cache/two.packed (1.0 MiB): two, int8 for avx2, of /models/two.safetensors',
  ])
  expect([removed, asked]).toEqual([[], []])
  expect((await pack('two', '--list', '--json')).stdout).toBe(`${JSON.stringify(FILES[2])}\n`)
  const one = await pack('/models/one.pt', '--remove')
  expect(one.removed).toEqual(['/cache/one.packed'])
  expect(one.stdout).toMatch(/^removed \/cache\/one.packed /)
  expect((await pack('--remove')).removed).toHaveLength(3)
  expect((await pack('models', '--remove')).removed).toHaveLength(2)
  // A part of a name is no name.
  for (const part of ['on', 'one.p', 'odels']) expect((await pack(part, '--remove')).removed).toEqual([])
  expect((await pack('none', '--remove')).stdout).toBe('There are no packed weights.\n')
})

test('what makes no sense is wrong usage', async () => {
  for (const args of [
    ['--list', '--remove'],
    ['--precision', 'int9'],
    ['--instruction-set', 'sse'],
  ]) {
    const { code, asked, removed } = await pack(...args)
    expect(code, args.join(' ')).toBe(2)
    expect([asked, removed]).toEqual([[], []])
  }
})
