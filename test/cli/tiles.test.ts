/** Tiles on the command line: the numbers of an untiled map where a tile holds the photo, maps of two types, pictures, and what is not had of tiles. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { type Folder, folderWith, runInTest } from './run-in-test.js'

const HAT = resolve('examples/photos/hat-1.jpg')

function run(args: readonly string[], folder: Folder) {
  return runInTest([...args, '-m', MINI, '--engine', 'native', '--precision', 'float32'], {
    cwd: folder.path,
    loadEncoder: (model, choice) => loadEncoder(model, choice),
  })
}

function npyIn(folder: Folder, output: string) {
  const { file, rows, columns } = JSON.parse(readFileSync(join(folder.path, output, 'index.jsonl'), 'utf8'))
  const bytes = readFileSync(join(folder.path, output, file))
  const end = 10 + bytes.readUInt16LE(8)
  const header = bytes.subarray(10, end).toString()
  return { header, rows, columns, data: new Uint8Array(bytes.subarray(end)).buffer }
}

test('a tile that holds the photo gives the numbers of the untiled map, in work of its own', async () => {
  using folder = folderWith([])
  const scaled = ['--longest', '140']
  expect((await run(['features', HAT, '-o', 'one', ...scaled, '--tiles', '700'], folder)).code).toBe(0)
  expect((await run(['features', HAT, '-o', 'whole', ...scaled], folder)).code).toBe(0)
  const [one, whole] = [npyIn(folder, 'one'), npyIn(folder, 'whole')]
  expect(one).toEqual(whole)
  const again = await run(['features', HAT, '-o', 'whole', ...scaled, '--tiles', '700'], folder)
  expect(again.code).not.toBe(0)
  expect(again.stderr).toMatch(/--restart/)
})

test('a photo keeps its own size, and its map can be kept in halves', async () => {
  using folder = folderWith([])
  const args = ['features', HAT, '--tiles', '112', '--tiles-overlap', '28']
  expect((await run([...args, '-o', 'full'], folder)).code).toBe(0)
  expect((await run([...args, '-o', 'half', '--tiles-keep', 'float16'], folder)).code).toBe(0)
  const [full, half] = [npyIn(folder, 'full'), npyIn(folder, 'half')]
  const { height, width } = await decodeImage(HAT)
  expect([full.rows, full.columns]).toEqual([Math.round(height / 14), Math.round(width / 14)])
  expect(full.header).toContain("'<f4'")
  expect(half.header).toContain("'<f2'")
  expect(half.data.byteLength * 2).toBe(full.data.byteLength)
})

test.each(['pca', 'norms', 'clusters', 'similar'])('the picture %s is made of tiles', async (kind) => {
  using folder = folderWith([])
  const place = kind === 'similar' ? ['--point', '50%,50%'] : []
  const args = ['picture', kind, HAT, ...place, '--longest', '200', '--tiles', '112', '-o', 'p.png']
  expect((await run(args, folder)).code).toBe(0)
  const whole = ['picture', kind, HAT, ...place, '--longest', '200', '-o', 'q.png']
  expect((await run(whole, folder)).code).toBe(0)
  const [tiled, untiled] = ['p.png', 'q.png'].map((name) => readFileSync(join(folder.path, name)))
  expect(tiled?.equals(untiled ?? Buffer.alloc(0))).toBe(false)
})

test('pictures of tiles are made of a map in halves, which needs half the memory, unless they are to be of the whole numbers', async () => {
  using folder = folderWith([])
  // 38 x 29 patches of 192 numbers are 423,168 bytes in halves.
  const args = ['picture', 'pca', HAT, '--tiles', '112', '--tiles-bytes', '500000', '--side', '200']
  expect(await run([...args, '--foreground', '50%,50%', '-o', 'half.png'], folder)).toMatchObject({ code: 0 })
  const full = await run([...args, '--tiles-keep', 'float32', '-o', 'full.png'], folder)
  expect(full.code).toBe(1)
  const room = ['--tiles-keep', 'float32', '--tiles-bytes', '1000000', '--foreground', '50%,50%']
  expect(await run([...args, ...room, '-o', 'full.png'], folder)).toMatchObject({ code: 0 })
  const [half, whole] = await Promise.all(
    ['half.png', 'full.png'].map((name) => decodeImage(join(folder.path, name))),
  )
  const off = half?.data.filter((level, i) => Math.abs(level - (whole?.data[i] ?? 0)) > 8).length ?? 0
  expect(off / (half?.data.length ?? 1)).toBeLessThan(0.01)
})

test.each([
  ['features', ['--tiles', '100', '-o', 'out'], /tiles.size is 100.*whole patches of 14/],
  ['features', ['--tiles', '112', '--tiles-overlap', '112', '-o', 'out'], /must be less than 112/],
  ['features', ['--tiles-overlap', '28', '-o', 'out'], /--tiles-overlap says something about tiles/],
  ['features', ['--tiles', '--attention', 'last', '-o', 'out'], /--attention is not had with --tiles/],
  ['features', ['--tiles', '--layers', '0', '-o', 'out'], /--layers is not had with --tiles/],
  ['features', ['--tiles', '--what', 'embedding', '-o', 'out'], /--what embedding/],
  ['features', ['--tiles', '-o', 'out.npy'], /Name a folder/],
  ['features', ['--tiles', '112', '--tiles-bytes', '1000', '-o', 'out'], /1 of 1 images failed/],
  ['picture objects', ['--tiles', '-o', 'out.png'], /pca, similar, clusters and norms/],
  ['picture attention', ['--tiles', '-o', 'out.png'], /pca, similar, clusters and norms/],
  ['picture pca', ['--tiles', '-o', 'out.mp4'], /films are encoded frame by frame/],
] as const)('%s %j is refused by name', async (command, args, said) => {
  using folder = folderWith([])
  const { code, stderr } = await run([...command.split(' '), HAT, ...args], folder)
  expect(code).not.toBe(0)
  expect(stderr).toMatch(said)
  for (const name of ['out.npy', 'out.png', 'out.mp4'])
    expect(existsSync(join(folder.path, name))).toBe(false)
})

test('info tells what an image takes in tiles before there is one, and asks for its size', async () => {
  using folder = folderWith([])
  const { describeModel } = await import('../../src/platform/node/describe-model.js')
  const info = (args: readonly string[]) =>
    runInTest(['info', MINI, '--engine', 'reference', ...args], { cwd: folder.path, describeModel })
  const told = await info([
    '--tiles',
    '112',
    '--tiles-overlap',
    '28',
    '--tiles-keep',
    'float16',
    '--size',
    '420x700',
    '--json',
  ])
  const { tiled, config } = JSON.parse(told.stdout)
  // 30 x 50 patches in tiles of 8 that overlap by 2: 1 + 22 / 6 and 1 + 42 / 6 of them.
  expect(tiled).toMatchObject({ tiles: [5, 8], patches: [30, 50], map: 30 * 50 * config.width * 2 })
  expect(tiled.memory).toBeGreaterThan(tiled.map + tiled.working)
  const asked = await info(['--tiles', '112'])
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--size')])
})
