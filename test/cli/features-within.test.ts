/** Takes attention, facets and overlapping patches out of the quick model by `plumage features`, and compares them with what its encoder gives. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { encodeLike, sizeLike } from '../../src/encoder/like.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { memorySource } from '../support/memory-source.js'
import { MINI } from '../support/mini.js'
import { folderWith, runInTest } from './run-in-test.js'

const HAT = resolve('examples/photos/hat-1.jpg')
const ENGINE = { engine: 'native', precision: 'float32' } as const

function features(args: readonly string[], cwd: string) {
  const model = ['-m', MINI, '--engine', 'native', '--precision', 'float32']
  return runInTest(['features', HAT, '-o', 'out', ...model, ...args], {
    cwd,
    loadEncoder: (name, choice) => loadEncoder(name, choice),
  })
}

async function written(args: readonly string[]) {
  using folder = folderWith()
  const { code, stderr } = await features(['--format', 'safetensors', ...args], folder.path)
  expect(code, stderr).toBe(0)
  const [line = ''] = readFileSync(join(folder.path, 'out/index.jsonl'), 'utf8').split('\n')
  const { file: name } = JSON.parse(line) as { readonly file: string }
  return openCheckpoint(memorySource(readFileSync(join(folder.path, 'out', name))))
}

type Written = Awaited<ReturnType<typeof written>>

function shapesOf({ tensors }: Written) {
  return Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))
}

async function valuesOf(checkpoint: Written, name: string) {
  return toFloat32(await checkpoint.read(name))
}

test('attention is written with what class token and registers get, and rows sum to 1', async () => {
  const found = await written(['--what', 'embedding', '--attention', '0,-1', '--attention-heads', '1,0'])
  await using encoder = await loadEncoder(MINI, ENGINE)
  const { depth, registers, size, patchSize } = encoder
  const patches = (size[0] / patchSize) * (size[1] / patchSize)
  const last = `attention.${depth - 1}`
  expect(shapesOf(found)).toMatchObject({
    'attention.0': [2, 1, patches],
    [last]: [2, 1, patches],
    [`${last}.to_class`]: [2, 1, 1],
    [`${last}.to_registers`]: [2, 1, registers],
  })
  const { attention = [] } = await encoder.encode(HAT, { attention: { layers: [0, -1], heads: [1, 0] } })
  expect(await valuesOf(found, last)).toEqual(attention[1]?.toPatches)
  const parts = await Promise.all(
    ['', '.to_class', '.to_registers'].map((part) => valuesOf(found, `${last}${part}`)),
  )
  const firstRow = parts.flatMap((values) => [...values.subarray(0, values.length / 2)])
  expect(firstRow.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
})

test('facets are written under the numbers of their blocks, one that is named twice once', async () => {
  await using encoder = await loadEncoder(MINI, ENGINE)
  const last = encoder.depth - 1
  const list = `q:0,k:-1,k:${last},k:-1:by-channel,token:1:normed`
  const found = await written(['--what', 'embedding', '--facets', list])
  const { facets = [] } = await encoder.encode(HAT, {
    facets: [
      { of: 'q', layer: 0 },
      { of: 'k', layer: -1 },
      { of: 'k', layer: -1, columns: 'by-channel' },
      { of: 'token', layer: 1, normed: true },
    ],
  })
  const names = ['q.0', `k.${last}`, `k.${last}.by-channel`, 'token.1.normed']
  const all = names.flatMap((name) => [name, `${name}.class`, `${name}.registers`])
  expect(Object.keys(shapesOf(found)).sort()).toEqual(['embedding', ...all].sort())
  for (const [at, name] of names.entries()) {
    expect(await valuesOf(found, name)).toEqual(facets[at]?.patches)
    expect(await valuesOf(found, `${name}.class`)).toEqual(facets[at]?.classToken)
  }
})

test('overlapping patches carry the identity that the encoder gives them', async () => {
  const found = await written(['--stride', '7'])
  await using encoder = await loadEncoder(MINI, ENGINE)
  const { grid, identity, patches } = await encoder.encode(HAT, { stride: 7 })
  expect(shapesOf(found).patches).toEqual([grid.rows, grid.columns, encoder.width])
  expect(await valuesOf(found, 'patches')).toEqual(patches)
  expect(found.metadata).toMatchObject({
    identity: identity.digest,
    settings: JSON.parse(identity.settings) as object,
  })
})

test.each([
  ['birder', 'patches'],
  ['dinov3', 'patches'],
  ['dino-vit-features', 'patches'],
  ['birder', 'attention'],
  ['dinov3', 'attention'],
] as const)('--like %s gives the %s that the method has', async (name, show) => {
  const found = await written(['--what', 'embedding', '--like', `${name}:${show}`])
  await using encoder = await loadEncoder(MINI, { ...ENGINE, ...sizeLike(name) })
  const seen = await encoder.encode(HAT, encodeLike(name, show, encoder))
  if (name === 'dinov3') expect(Math.min(seen.grid.rows, seen.grid.columns)).toBe(55)
  const wanted = show === 'patches' ? seen.facets?.[0]?.patches : seen.attention?.[0]?.toPatches
  const main = Object.keys(shapesOf(found)).filter((key) => key !== 'embedding')[0] ?? ''
  expect(await valuesOf(found, main)).toEqual(wanted)
})

test('a size that was chosen goes before that of the tool', async () => {
  const found = await written(['--what', 'patches', '--like', 'dinov3', '--size', '56'])
  expect(shapesOf(found).patches).toEqual([4, 4, 192])
})

test('attention that is too large for images of a size of their own fails image by image', async () => {
  using folder = folderWith()
  const args = [
    '--recipe',
    'native',
    '--attention',
    'last',
    '--attention-from',
    'all',
    '--attention-bytes',
    '1000',
  ]
  const { code, stderr } = await features(args, folder.path)
  expect(code).toBe(1)
  expect(stderr).toContain('are allowed')
})

test('an array of maps has the grid of overlapping patches', async () => {
  using folder = folderWith()
  expect((await features(['--stride', '7', '-o', 'maps.npy'], folder.path)).code).toBe(0)
  expect(readFileSync(join(folder.path, 'maps.npy')).subarray(0, 128).toString('latin1')).toContain(
    '(1, 15, 15, 192)',
  )
})

test('what was made of other heads, rows or stride is not mixed into a folder', async () => {
  using folder = folderWith()
  const first = await features(['--attention', '-1'], folder.path)
  expect(first.code, first.stderr).toBe(0)
  const cases = [
    ['--attention', 'last', '--attention-heads', 'mean'],
    ['--attention', 'last', '--attention-from', 'registers'],
    ['--attention', 'last', '--stride', '7'],
    ['--attention', '0'],
  ]
  for (const args of cases) {
    const { code, stderr } = await features(args, folder.path)
    expect(code, args.join(' ')).toBe(2)
    expect(stderr).toContain('out holds features made with')
  }
  const again = await features(['--attention', '-1', '--attention-from', 'class', '--json'], folder.path)
  expect(again.code).toBe(0)
  expect(again.stderr).toContain('"written":0')
})

test.each([
  [['--attention', '99'], 'There is no hidden layer 99'],
  [['--attention', 'lst'], 'found lst'],
  [['--attention', 'last', '--attention-heads', '99'], 'There is no attention head 99'],
  [['--attention', 'last', '--attention-heads', 'meen'], 'Did you mean mean?'],
  [['--attention', 'last', '--attention-from', 'regsters'], 'Did you mean registers?'],
  [['--attention', 'last', '--attention-from', 'probe'], 'no pooling head'],
  [['--attention', 'last', '--attention-from', 'all', '--attention-bytes', '1000'], '--attention-bytes'],
  [['--attention-heads', 'mean'], 'add --attention'],
  [['--attention', '0,1'], 'are 2: add --format safetensors'],
  [['--attention', 'all'], 'add --format safetensors'],
  [['--facets', 'kk:1'], 'Did you mean k?'],
  [['--facets', 'k'], 'such as k:-1'],
  [['--facets', 'k:1:norm'], 'Did you mean normed?'],
  [['--facets', 'k:99'], 'There is no hidden layer 99'],
  [['--facets', 'v:1:normed'], 'No network has a norm on values'],
  [['--stride', '15'], 'it must be at most 14'],
  [['--like', 'dino3'], 'Did you mean dinov3?'],
  [['--like', 'dinov3', '--stride', '4'], '--like dinov3 sets what --stride sets'],
  [['--like', 'dinov3', '--attention', '0'], 'sets what --attention sets'],
  [['--like', 'dinov3:atention'], 'Did you mean attention?'],
  [['--like', 'dinov3', '--attention-bytes', '9'], 'add --attention'],
  [['--what', 'pathces'], 'Did you mean patches?'],
  [['--like', 'dinov3', '--attention-from', 'all'], 'sets what --attention-from sets'],
  [['--facets', 'k:1', '-o', 'k.npy'], 'cannot be stacked'],
])('%j is wrong usage: %s', async (args, text) => {
  using folder = folderWith()
  const { code, stderr } = await features(args, folder.path)
  expect(stderr).toContain(text)
  expect(code).toBe(2)
})
