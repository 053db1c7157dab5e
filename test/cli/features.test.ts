import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { memorySource } from '../support/memory-source.js'
import { folderWith, runInTest } from './run-in-test.js'
import { COLUMNS, embeddingOf, ROWS, WIDTH } from './stand-in-encoder.mjs'

function readNpy(path: string): { header: string; values: Float32Array } {
  const bytes = readFileSync(path)
  const end = 10 + bytes.readUInt16LE(8)
  return {
    header: bytes.subarray(10, end).toString().trim(),
    values: new Float32Array(new Uint8Array(bytes.subarray(end)).buffer),
  }
}

test('a folder gets one npy patch map [rows, columns, D] per image, at the path of the image, and an index', async () => {
  using folder = folderWith(['p/a.jpg', 'p/q/b.jpg'])
  expect((await runInTest(['features', 'p', '-o', 'maps'], { cwd: folder.path })).code).toBe(0)
  const { header, values } = readNpy(join(folder.path, 'maps/p/q/b.jpg.npy'))
  expect(header).toContain(`'shape': (${ROWS}, ${COLUMNS}, ${WIDTH})`)
  expect(values).toHaveLength(ROWS * COLUMNS * WIDTH)
  const index = readFileSync(join(folder.path, 'maps/index.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(index.map(({ path, file, rows, columns }) => [path, file, rows, columns])).toEqual([
    ['p/a.jpg', 'p/a.jpg.npy', ROWS, COLUMNS],
    ['p/q/b.jpg', 'p/q/b.jpg.npy', ROWS, COLUMNS],
  ])
})

test('safetensors holds embedding, patches, registers and what else was asked for, with the identity', async () => {
  using folder = folderWith(['a.jpg'])
  const args = [
    'features',
    'a.jpg',
    '-o',
    'maps',
    '--format',
    'safetensors',
    '--pre-norm',
    '--layers',
    '0,-1',
  ]
  expect((await runInTest(args, { cwd: folder.path })).code).toBe(0)
  const checkpoint = await openCheckpoint(
    memorySource(readFileSync(join(folder.path, 'maps/a.jpg.safetensors'))),
  )
  expect([...checkpoint.tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ['embedding', [WIDTH]],
    ['patches', [ROWS, COLUMNS, WIDTH]],
    ['registers', [1, WIDTH]],
    ['patches_pre_norm', [ROWS, COLUMNS, WIDTH]],
    ['layers.0', [ROWS * COLUMNS + 2, WIDTH]],
    ['layers.-1', [ROWS * COLUMNS + 2, WIDTH]],
  ])
  expect(toFloat32(await checkpoint.read('embedding'))).toEqual(embeddingOf(Buffer.from('a.jpg')))
  expect(checkpoint.metadata).toMatchObject({ weights: 'aaaabbbbcccc'.padEnd(64, '0'), image: 'a.jpg' })
})

test('an output ending in .npy is one array [N, rows, columns, D] with names beside it', async () => {
  using folder = folderWith(['b.jpg', 'a.jpg'])
  expect((await runInTest(['features', 'b.jpg', 'a.jpg', '-o', 'maps.npy'], { cwd: folder.path })).code).toBe(
    0,
  )
  expect(readNpy(join(folder.path, 'maps.npy')).header).toContain(
    `'shape': (2, ${ROWS}, ${COLUMNS}, ${WIDTH})`,
  )
  expect(readFileSync(join(folder.path, 'maps.names.txt'), 'utf8')).toBe('b.jpg\na.jpg\n')
})

test('a rerun adds what is missing and what changed, and nothing else', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken', 'c.jpg': 'c' })
  const options = { cwd: folder.path, encoder: { log: join(folder.path, 'log') } }
  const log = () =>
    readFileSync(join(folder.path, 'log'), 'utf8')
      .trim()
      .split('\n')
      .map((path) => path.slice(-5))
  const first = await runInTest(['features', '.', '-o', 'maps'], options)
  expect(first.code).toBe(1)
  expect(first.stderr).toContain('1 of 3 images failed')
  writeFileSync(join(folder.path, 'b.jpg'), 'mended')
  writeFileSync(join(folder.path, 'c.jpg'), 'changed')
  expect((await runInTest(['features', '.', '-o', 'maps'], options)).code).toBe(0)
  expect(log()).toEqual(['a.jpg', 'c.jpg', 'b.jpg', 'c.jpg'])
})

test('features of another model or other options are not mixed into a folder', async () => {
  using folder = folderWith(['a.jpg'])
  await runInTest(['features', 'a.jpg', '-o', 'maps'], { cwd: folder.path })
  const { code, stderr } = await runInTest(['features', 'a.jpg', '-o', 'maps', '--what', 'registers'], {
    cwd: folder.path,
  })
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /maps holds features made with output patches; this run has output registers.*--restart/,
  )
})

test('a path that leads upwards or from the root stays inside the output folder', async () => {
  using folder = folderWith(['in/a.jpg', 'b.jpg'])
  const cwd = join(folder.path, 'in')
  expect((await runInTest(['features', '../b.jpg', join(cwd, 'a.jpg'), '-o', 'maps'], { cwd })).code).toBe(0)
  expect(existsSync(join(cwd, 'maps/b.jpg.npy'))).toBe(true)
  expect(existsSync(join(cwd, 'maps', `${cwd}/a.jpg.npy`))).toBe(true)
  expect(readdirSync(folder.path).sort()).toEqual(['b.jpg', 'in'])
})

test.each([
  [
    ['--what', 'embedding,patches', '--format', 'npy'],
    'An npy file holds one array, and embedding, patches are 2',
  ],
  [['--what', 'nonsense'], 'found nonsense'],
  [['--layers', '2'], '2 layers, numbered 0 to 1 or -2 to -1'],
  [['--layers', 'x'], 'found x'],
  [['-o', '-'], 'is stdout, which takes no files'],
  [['--prune'], '--prune is for one array'],
])('%j is wrong usage: %s', async (args, text) => {
  using folder = folderWith(['a.jpg'])
  const { code, stderr } = await runInTest(['features', 'a.jpg', '-o', 'maps', ...args], { cwd: folder.path })
  expect(code).toBe(2)
  expect(stderr).toContain(text)
})
