/** Searches real photos on the command line: what is asked, how it is shown, and that no name does more than be shown. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { npyArray } from '../../src/formats/npy.js'
import type { RgbImage } from '../../src/image/image.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { encodePicture } from '../../src/platform/node/picture/picture-file.js'
import { reducedWithin } from '../../src/platform/node/picture/reduce-picture.js'
import { reducePhoto } from '../../src/platform/node/reduce-photo.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { type InTestOptions, runInTest } from './run-in-test.js'

/** Tries to end a line, to be obeyed by a terminal, and to be markup. */
const HOSTILE = 'a\n\u001b[31m\u009b2J"><img src=x onerror=alert(1)>\' or true --.jpg'
const NAMES = ['hat-1.jpg', 'hat-2.jpg', 'pants-1.jpg', 'shoes-1.jpg']
let folder: string
const run = (args: readonly string[], more: Partial<InTestOptions> = {}) =>
  runInTest(args, { cwd: folder, loadEncoder, reducePhoto, ...more })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-search-'))
  mkdirSync(join(folder, 'photos'))
  for (const name of NAMES)
    copyFileSync(join(packageRoot, 'examples/photos', name), join(folder, 'photos', name))
  copyFileSync(join(packageRoot, 'examples/photos/pants-2.jpg'), join(folder, 'photos', HOSTILE))
  // The hat lies in a corner of a photo that shows something else.
  const large = await decodeImage(join(packageRoot, 'examples/photos/shoes-2.jpg'), {})
  const hat = await reducedWithin(await decodeImage(join(folder, 'photos/hat-1.jpg'), {}), {
    height: large.height / 2,
    width: large.width / 2,
  })
  const data = large.data.slice()
  for (let y = 0; y < hat.height; y++)
    data.set(hat.data.subarray(y * hat.width * 3, (y + 1) * hat.width * 3), y * large.width * 3)
  writeFileSync(join(folder, 'photos/corner.png'), await encodePicture({ ...large, data }, 'png'))
  const { code, stderr } = await run(['index', 'photos', '-m', MINI, '--size', '224', '--json'])
  expect([code, stderr]).toEqual([0, expect.stringContaining('"added":6')])
})
afterAll(() => rmSync(folder, { recursive: true }))

const lines = (text: string) => text.trim().split('\n')

test('a photo, its path and its id in the collection ask the same', async () => {
  const byFile = await run(['search', 'photos/hat-1.jpg', '-n', '3', '--json'])
  expect(byFile.code).toBe(0)
  const self = await run(['search', 'photos/hat-1.jpg', '-n', '1', '--json', '--with-self'])
  const { id } = JSON.parse(lines(self.stdout)[0] ?? '')
  const byId = await run(['search', '--id', id, '-n', '3', '--json'])
  const byPath = await runInTest(
    ['search', 'photos/hat-1.jpg', '-n', '3', '--json', '--in', join(folder, 'photos.plumage')],
    { cwd: tmpdir(), loadEncoder },
  )
  const byPathWithin = await runInTest(
    ['search', 'hat-1.jpg', '-n', '3', '--json', '--in', join(folder, 'photos.plumage')],
    { cwd: tmpdir(), loadEncoder },
  )
  const idsOf = (text: string) =>
    lines(text)
      .slice(0, 3)
      .map((line) => JSON.parse(line).id)
  expect(idsOf(byPathWithin.stdout)).toEqual(idsOf(byFile.stdout))
  expect(idsOf(byId.stdout)).toEqual(idsOf(byFile.stdout))
  expect(idsOf(byPath.stdout)).toEqual(idsOf(byFile.stdout))
  expect(idsOf(byFile.stdout)).not.toContain(id)
})

test('conditions, pages, vectors and unlike examples reach the search', async () => {
  const where = await run(['search', 'photos/hat-1.jpg', '--where', "path like 'pants%'", '--paths'])
  expect(where.stdout).toBe(`${join(folder, 'photos/pants-1.jpg')}\n`)
  const wrong = await run(['search', 'photos/hat-1.jpg', '--where', 'widht > 3'])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean width?')])
  const first = await run(['search', 'photos/hat-1.jpg', '-n', '2', '--json'])
  const { next } = JSON.parse(lines(first.stdout).at(-1) ?? '')
  const second = await run(['search', 'photos/hat-1.jpg', '-n', '9', '--json', '--after', next])
  expect([...lines(first.stdout).slice(0, 2), ...lines(second.stdout)]).toHaveLength(6)
  expect(JSON.parse(lines(second.stdout).at(-1) ?? '')).toEqual({ next: null, versionIsGone: false })
  const turned = await run([
    'search',
    'photos/hat-1.jpg',
    '--unlike',
    'photos/hat-2.jpg',
    '--unlike-weight',
    '1',
  ])
  expect(turned.code).toBe(0)
  writeFileSync(join(folder, 'v.json'), JSON.stringify([1, 2, 3]))
  const vector = await run(['search', '--vector', 'v.json'])
  expect([vector.code, vector.stderr]).toEqual([2, expect.stringMatching(/have \d+ numbers.* has 3/)])
  writeFileSync(
    join(folder, 'v.npy'),
    Buffer.concat(
      npyArray(new Float32Array(192).fill(1), [192]).map((part) => Buffer.from(part as Uint8Array)),
    ),
  )
  expect((await run(['search', '--vector', 'v.npy', '-n', '2'])).code).toBe(0)
})

test('what is no photo is told apart: a mistyped name, and words', async () => {
  const typed = await run(['search', 'photos/hat-11.jpg'])
  expect([typed.code, typed.stderr]).toEqual([2, expect.stringContaining('Did you mean hat-1.jpg?')])
  const words = await run(['search', 'a red shoe'])
  expect(words.code).toBe(2)
  expect(lines(words.stderr)).toEqual([
    expect.stringMatching(/^plumage: There is no file "a red shoe", and the model \S+ has no words/),
  ])
  expect((await run(['search'])).stderr).toContain('Nothing was named to search by')
})

test('hostile names reach neither a terminal nor markup', async () => {
  const args = ['search', 'photos/hat-1.jpg', '-n', '6']
  for (const how of [[], ['--json'], ['--paths']]) {
    const { stdout } = await run([...args, ...how])
    expect(stdout).toContain('onerror')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    expect(lines(stdout)).toHaveLength(how[0] === '--json' ? 6 : 5)
  }
  const raw = await run([...args, '-0'])
  expect(raw.stdout.split('\0')).toContain(join(folder, 'photos', HOSTILE))
  const { code } = await run([...args, '-o', 'found.html'])
  expect(code).toBe(0)
  const page = readFileSync(join(folder, 'found.html'), 'utf8')
  expect(page).toContain('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')
  for (const text of ['<img src=x', '<script', '\u001b', '\u009b']) expect(page).not.toContain(text)
  const id = "'; drop table photos --"
  expect((await run(['search', '--id', id])).stderr).toContain(
    ' has no photo "\'; drop table photos --": name it by',
  )
})

test('a contact sheet replaces its like, and nothing else', async () => {
  writeFileSync(join(folder, 'mine.html'), 'my own page')
  const refused = await run(['search', 'photos/hat-1.jpg', '-o', 'mine.html'])
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is no contact sheet')])
  expect(readFileSync(join(folder, 'mine.html'), 'utf8')).toBe('my own page')
  for (let times = 0; times < 2; times++)
    expect((await run(['search', 'photos/hat-1.jpg', '-o', 'sheet.html'])).code).toBe(0)
})

test('thumbnails are shown where there is a terminal, and refused elsewhere', async () => {
  const refused = await run(['search', 'photos/hat-1.jpg', '--show'])
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--output')])
  const shown: RgbImage[] = []
  const pictures = {
    decode: (source: never, options: never) => decodeImage(source, options),
    reduce: (image: RgbImage, side: number) => reducedWithin(image, { height: side, width: side }),
    screen: { show: async (image: RgbImage) => void shown.push(image) },
  }
  const { code } = await run(['search', 'photos/hat-1.jpg', '-n', '3', '--show'], {
    pictures: pictures as never,
  })
  expect([code, shown.length]).toEqual([0, 1])
  expect(shown[0]?.width).toBeGreaterThan(400)
})

/** Tells how much of a box lies in the upper left quarter. */
function inCorner(line: string): number {
  const { box, width, height } = JSON.parse(line)
  const area = (right: number, bottom: number) =>
    Math.max(0, right - box.left) * Math.max(0, bottom - box.top)
  return area(Math.min(box.right, width / 2), Math.min(box.bottom, height / 2)) / area(box.right, box.bottom)
}

test('a place is found in other photos: first among the most alike, then by regions in all of them', async () => {
  const args = ['search', 'photos/hat-1.jpg', '--box', '20%,20%,80%,80%', '--json', '-n', '5']
  const anew = await run(args)
  expect([anew.code, anew.stderr]).toEqual([0, expect.stringContaining('plumage index --regions')])
  const corner = (text: string) => lines(text).find((line) => line.includes('corner.png')) ?? ''
  expect(inCorner(corner(anew.stdout))).toBeGreaterThan(0.9)
  const indexed = await run(['index', 'photos', '--regions', '--json'])
  expect([indexed.code, indexed.stderr]).toEqual([0, expect.stringContaining('"unchanged":6')])
  const found = await run(args)
  expect([found.code, found.stderr]).toEqual([0, ''])
  // The photo that the hat was laid into comes first. Regions are coarse: with so small a model the best one may be what lies beside it.
  expect(lines(found.stdout)[0]).toBe(corner(found.stdout))
  const { box, width, height } = JSON.parse(corner(found.stdout))
  expect([box.left >= 0, box.top >= 0, box.right <= width, box.bottom <= height]).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(lines(found.stdout)).toHaveLength(6)
  const some = await run([...args, '--where', "path = 'corner.png'"])
  expect(lines(some.stdout)).toHaveLength(2)
  const sheet = await run([...args.filter((word) => word !== '--json'), '-o', 'places.html'])
  expect([sheet.code, lines(sheet.stdout)[0]]).toEqual([0, expect.stringMatching(/ at \d+,\d+,\d+,\d+$/)])
  expect(readFileSync(join(folder, 'places.html'), 'utf8').match(/<rect /g)).toHaveLength(5)
  expect((await run([...args, '--unique'])).stderr).toContain('does not go with --unique')
  expect((await run(['search', 'photos/hat-1.jpg', '--point', '90000,1'])).stderr).toContain('lies outside')
})

test('patches that are kept say where the place is, as encoding anew does', async () => {
  const full = await run(['index', '--regions', 'full', 'photos'])
  expect([full.code, full.stderr]).toEqual([0, expect.stringMatching(/as \d+ components, which hold \d+ %/)])
  const args = ['search', 'photos/hat-1.jpg', '--box', '20%,20%,80%,80%', '--json', '-n', '5']
  const { stdout } = await run(args)
  const [first = '{}'] = lines(stdout)
  expect(first).toContain('corner.png')
  expect(inCorner(first)).toBeGreaterThan(0.9)
  expect(JSON.parse(first).share).toBeNull()
  const similarities = lines(stdout).flatMap((line) => JSON.parse(line).similarity ?? [])
  expect(similarities).toHaveLength(5)
  expect(similarities).toEqual(similarities.toSorted((a: number, b: number) => b - a))
  expect((await run(['index', '--regions'])).stderr).toContain('missing folders')
})

test('a place is searched in several collections, all of which have regions', async () => {
  mkdirSync(join(folder, 'more'))
  copyFileSync(join(folder, 'photos/corner.png'), join(folder, 'more/corner.png'))
  copyFileSync(join(packageRoot, 'examples/photos/shoes-2.jpg'), join(folder, 'more/shoes.jpg'))
  const index = (...more: string[]) =>
    run(['index', 'more', '--to', 'more.plumage', '-m', MINI, '--size', '224', ...more])
  const both = ['--in', 'photos.plumage', '--in', 'more.plumage']
  const args = ['search', 'photos/hat-1.jpg', '--box', '20%,20%,80%,80%', '-n', '9', ...both]
  expect((await index()).code).toBe(0)
  const mixed = await run(args)
  expect([mixed.code, mixed.stderr]).toEqual([
    2,
    expect.stringContaining(
      'more has no regions, where photos have some: make them (plumage index --regions',
    ),
  ])
  expect((await index('--regions')).code).toBe(0)
  const found = await run(args)
  expect([found.code, found.stderr]).toEqual([0, ''])
  const paths = lines(found.stdout).map((line) => line.split('  ').at(-2)?.trim())
  expect(paths).toHaveLength(7)
  // One keeps patches and the other does not: both are ordered by regions, and the same photo is as alike in both.
  expect(paths).toContain('photos/photos/corner.png')
  expect(Math.abs(paths.indexOf('more/more/corner.png') - paths.indexOf('photos/photos/corner.png'))).toBe(1)
})

test('regions are kept up to date with the photos', async () => {
  copyFileSync(join(packageRoot, 'examples/photos/shoes-2.jpg'), join(folder, 'photos/new.jpg'))
  rmSync(join(folder, 'photos/pants-1.jpg'))
  expect((await run(['index', 'photos', '--prune', '--json'])).code).toBe(0)
  const { stdout } = await run(['search', 'photos/hat-1.jpg', '--point', '50%,50%', '--json', '-n', '9'])
  const paths = lines(stdout)
    .slice(0, -1)
    .map((line) => JSON.parse(line).path)
  expect([...paths].sort()).toEqual([HOSTILE, 'corner.png', 'hat-2.jpg', 'new.jpg', 'shoes-1.jpg'].sort())
  // What looks after a collection looks after its regions.
  expect((await run(['collection', 'compact'])).code).toBe(0)
  const again = await run(['search', 'photos/hat-1.jpg', '--point', '50%,50%', '--json', '-n', '9'])
  expect(again.stdout).toBe(stdout)
  expect((await run(['collection', 'remove', 'photos.plumage', '--yes'])).code).toBe(0)
  expect(existsSync(join(folder, 'photos.plumage'))).toBe(false)
})

test('a copy of the photo that is searched by is found, and the photo itself is not; a log hears what was done', async () => {
  const other = mkdtempSync(join(tmpdir(), 'plumage-copies-'))
  try {
    mkdirSync(join(other, 'photos'))
    for (const name of ['a.jpg', 'copy\u202egpj.jpg'])
      copyFileSync(join(packageRoot, 'examples/photos/hat-1.jpg'), join(other, 'photos', name))
    const there = (...args: string[]) => runInTest(args, { cwd: other, loadEncoder })
    expect((await there('index', 'photos', '-m', MINI)).stdout).toBe('photos.plumage has 2 photos: 2 added\n')
    // A letter that turns the direction of a line is shown as what it is.
    expect((await there('search', 'photos/a.jpg')).stdout).toMatch(/^1\.0000.*photos\/copy\ufffdgpj\.jpg\n$/)
    expect((await there('search', 'photos/a.jpg', '--paths')).stdout).toMatch(/^".*copy\\u202egpj\.jpg"\n$/)
  } finally {
    rmSync(other, { recursive: true })
  }
})
