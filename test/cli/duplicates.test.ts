/** Runs `plumage duplicates`, `leakage`, `outliers` and `quality` on a collection of real photos and planted copies, as a person would. */
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { COPIES, drawingFrom } from '../support/plant-copies.mjs'
import { runInTest } from './run-in-test.js'

const EXAMPLES = join(import.meta.dirname, '../../examples/photos')
const NAMES = ['hat-2', 'shoes-1', 't-shirt-3', 'pants-1']
let folder: string
const at = (...names: string[]) => join(folder, ...names)
const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

interface Group {
  readonly kind: string
  readonly kept: { readonly path: string }
  readonly members: readonly {
    readonly path: string
    readonly kind: string
    readonly words: string
    readonly proposed: boolean
  }[]
  readonly lowest: number
  readonly lacking: Readonly<Record<string, unknown>>
}

async function groupsOf(...args: string[]): Promise<readonly Group[]> {
  const { code, stdout, stderr } = await run('duplicates', '--json', ...args)
  expect([code, stderr.includes('rror')]).toEqual([0, false])
  return stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Group)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-duplicates-'))
  mkdirSync(at('photos', 'copies'), { recursive: true })
  for (const name of NAMES) cpSync(join(EXAMPLES, `${name}.jpg`), at('photos', `${name}.jpg`))
  const random = drawingFrom(301)
  const photo = readFileSync(at('photos', 'hat-2.jpg'))
  const shoes = readFileSync(at('photos', 'shoes-1.jpg'))
  writeFileSync(at('photos', 'copies', 'hat-2-again.jpg'), photo)
  const position = {
    IFD3: {
      GPSLatitudeRef: 'N',
      GPSLatitude: '52/1 30/1 0/1',
      GPSLongitudeRef: 'E',
      GPSLongitude: '13/1 0/1 0/1',
    },
  }
  writeFileSync(
    at('photos', 'copies', 'hat <b>&.jpg'),
    await sharp(await COPIES.crop(photo, random, photo))
      .withExif(position)
      .jpeg()
      .toBuffer(),
  )
  writeFileSync(at('photos', 'copies', 'hat <b>&.jpg.xmp'), 'about the copy')
  writeFileSync(at('photos', 'copies', 'shoes-grey.jpg'), await COPIES.grey(shoes, random, shoes))
  linkSync(at('photos', 'shoes-1.jpg'), at('photos', 'copies', 'linked.jpg'))
  symlinkSync(at('photos', 'shoes-1.jpg'), at('photos', 'copies', 'pointed.jpg'))
  writeFileSync(
    at('photos', 'black.jpg'),
    await sharp({ create: { width: 300, height: 100, channels: 3, background: '#050505' } })
      .jpeg()
      .toBuffer(),
  )
  expect((await run('index', 'photos', '-m', MINI)).stderr).toBe('')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('copies are grouped around what is kept, links are one photo, and nothing moves unless told', async () => {
  const before = readdirSync(at('photos', 'copies'))
  const groups = await groupsOf()
  expect(
    groups.map(({ kind, kept, members }) => [kind, kept.path, ...members.map((one) => one.path).sort()]),
  ).toEqual([
    ['copies', 'hat-2.jpg', 'copies/hat <b>&.jpg', 'copies/hat-2-again.jpg'],
    ['copies', expect.stringMatching(/shoes-1|linked|pointed/), 'copies/shoes-grey.jpg'],
  ])
  const words = Object.fromEntries(
    groups.flatMap(({ members }) => members.map((one) => [one.path, one.words])),
  )
  expect(words['copies/hat-2-again.jpg']).toBe('the same bytes')
  expect(words['copies/hat <b>&.jpg']).toMatch(/^the same picture, cropped to \d\d %/)
  expect(words['copies/shoes-grey.jpg']).toBe('the same picture, grey')
  expect(groups[0]?.lacking).toEqual({ position: { latitude: 52.5, longitude: 13 }, folder: 'copies' })
  const text = await run('duplicates')
  expect(text.stdout).toContain('what is kept lacks position, folder "copies"')
  expect(text.stderr).toContain('2 groups with 5 of 8 photos; 3 may go')
  expect(readdirSync(at('photos', 'copies'))).toEqual(before)
})

test('the report shows each copy laid over the kept photo, and no name ends its place', async () => {
  expect((await run('duplicates', '--report', 'page.html')).code).toBe(0)
  const page = readFileSync(at('page.html'), 'utf8')
  expect(page).toContain('hat &lt;b&gt;&amp;.jpg')
  expect(page).not.toContain('<b>&.jpg')
  expect(page.match(/laid over the kept photo/g)).toHaveLength(2)
})

test('what was moved, with its sidecar, comes back', async () => {
  const before = readdirSync(at('photos', 'copies')).sort()
  expect((await run('duplicates', '--move-to', join('photos', 'gone'))).stderr).toContain(
    'what is moved there is found again',
  )
  const moved = await run('duplicates', '--move-to', 'gone')
  expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining('3 photos moved')])
  expect(readdirSync(at('gone', 'photos', 'copies')).sort()).toEqual([
    'hat <b>&.jpg',
    'hat <b>&.jpg.xmp',
    'hat-2-again.jpg',
    'shoes-grey.jpg',
  ])
  expect(await groupsOf()).toEqual([])
  const back = await run('duplicates', '--undo')
  expect([back.code, back.stderr]).toEqual([0, 'Brought back: 4 files.\n'])
  expect(readdirSync(at('photos', 'copies')).sort()).toEqual(before)
  expect(await groupsOf()).toHaveLength(2)
  expect((await run('duplicates', '--undo')).stderr).toContain('Nothing that was moved')
})

test('the last copy stays: where the kept one has changed since, nothing of its group moves', async () => {
  const bytes = readFileSync(at('photos', 'hat-2.jpg'))
  writeFileSync(at('photos', 'hat-2.jpg'), 'another')
  const { code, stderr } = await run('duplicates', '--move-to', 'gone')
  writeFileSync(at('photos', 'hat-2.jpg'), bytes)
  expect(code).toBe(1)
  expect(stderr).toContain('stays: the kept copy photos/hat-2.jpg has changed since it was indexed')
  expect(existsSync(at('photos', 'copies', 'hat-2-again.jpg'))).toBe(true)
  await run('duplicates', '--undo')
})

test('what a kept photo lacks is written beside it', async () => {
  expect((await run('duplicates', '--merge-metadata')).code).toBe(0)
  const xmp = readFileSync(at('photos', 'hat-2.jpg.xmp'), 'utf8')
  expect(xmp).toContain('<exif:GPSLatitude>52,30.000000N</exif:GPSLatitude>')
  expect(xmp).toContain('<rdf:li>copies</rdf:li>')
  const [hats] = await groupsOf()
  expect(hats?.lacking).not.toHaveProperty('position')
})

test('rules say what is kept, a copy that was made of another never is, and photos that are called different part for good', async () => {
  const [hats, shoes] = (await groupsOf('--keep', 'folder:copies')).map(({ kept }) => kept.path).sort()
  expect([hats, shoes]).toEqual(['copies/hat-2-again.jpg', expect.stringMatching(/shoes-1|linked|pointed/)])
  expect((await run('duplicates', '--keep', 'lagest')).stderr).toContain('Did you mean largest?')
  const pair = [join('photos', 'shoes-1.jpg'), join('photos', 'copies', 'shoes-grey.jpg')]
  expect((await run('duplicates', '--different', ...pair)).code).toBe(0)
  expect((await groupsOf()).map(({ kept }) => kept.path)).toEqual(['hat-2.jpg'])
})

test('leakage between two collections is told photo by photo', async () => {
  mkdirSync(at('test'))
  writeFileSync(
    at('test', 'seen.jpg'),
    await COPIES.resize(readFileSync(at('photos', 'pants-1.jpg')), drawingFrom(5), Buffer.of()),
  )
  cpSync(join(EXAMPLES, 't-shirt-1.jpg'), at('test', 'new.jpg'))
  await run('index', 'test', '-m', MINI, '--to', 'test.plumage')
  const { code, stdout } = await run('leakage', '--in', 'test.plumage', '--with', 'photos.plumage', '--json')
  const leaks = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toBe(0)
  expect(leaks[0]).toMatchObject({
    copy: { path: 'seen.jpg' },
    other: { path: 'pants-1.jpg' },
    kind: 'same-picture',
  })
  expect(leaks.filter(({ kind }) => kind === 'same-picture')).toHaveLength(1)
  expect((await run('leakage')).stderr).toContain('--split <column>, or --with <collection>')
  expect((await run('leakage', '--split', 'pth')).stderr).toContain('Did you mean path?')
})

test('leakage between the values of a column is told, the surest first', async () => {
  {
    await using collection = await openCollection(at('photos.plumage'), { write: true })
    await collection.addColumns([{ name: 'split', type: 'text' }])
    for await (const { values } of collection.scan({ columns: ['id', 'path'] }))
      await collection.change(
        (values.id ?? []).map((id, row) => {
          const isCopy = String(values.path?.[row]).startsWith('copies/')
          return { id: String(id), values: { split: isCopy ? 'test' : 'train' } }
        }),
      )
    await collection.fold()
  }
  const { stdout, stderr } = await run('leakage', '--split', 'split', '--json')
  const leaks = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind !== 'near' && kind !== 'alike')
  expect(leaks.map(({ copy, other, kind }) => [copy.path, other.path, kind])).toEqual([
    ['copies/hat-2-again.jpg', 'hat-2.jpg', 'identical'],
    ['copies/hat <b>&.jpg', 'hat-2.jpg', 'same-picture'],
  ])
  expect(stderr).toContain('test: 2 of 4 photos are in another split')
})

test('outliers and flaws are listed with what was measured', async () => {
  const outliers = await run('outliers', '-n', '1', '--neighbours', '3', '--json')
  expect(JSON.parse(outliers.stdout)).toMatchObject({ path: 'black.jpg' })
  const flaws = await run('quality', '--json')
  const found = flaws.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ path }) => path === 'black.jpg')
  expect(found.map(({ flaw }) => flaw)).toEqual(['blurred', 'dark', 'empty', 'tiny', 'odd-aspect'])
  expect(flaws.stderr).toContain('1 dark (brightness_99 below 0.32)')
})

test('a file that holds more than the pixels which are compared goes for the same file alone: shapes of transparency, frames, 16 bits', async () => {
  mkdirSync(at('more'))
  const hat = readFileSync(at('photos', 'hat-2.jpg'))
  const shape = (inner: string) =>
    sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">${inner}</svg>`))
      .png()
      .toBuffer()
  const round = await shape('<circle cx="100" cy="100" r="80"/>')
  writeFileSync(at('more', 'round.png'), round)
  writeFileSync(at('more', 'round-again.png'), round)
  writeFileSync(at('more', 'square.png'), await shape('<rect x="40" y="40" width="120" height="120"/>'))
  const still = await sharp(hat).png().toBuffer()
  const turned = await sharp(hat).flip().png().toBuffer()
  writeFileSync(at('more', 'still.png'), still)
  writeFileSync(at('more', 'opaque.png'), await sharp(hat).ensureAlpha().png().toBuffer())
  const film = sharp([still, turned], { join: { animated: true } }).webp({ lossless: true })
  writeFileSync(at('more', 'film.webp'), await film.toBuffer())
  const deep = await sharp(hat).toColourspace('rgb16').png().toBuffer()
  writeFileSync(at('more', 'deep.png'), deep)
  await run('index', 'more', '-m', MINI, '--to', 'more.plumage')
  const groups = await groupsOf('--in', 'more.plumage', '--keep', 'path')
  const told = groups.map(({ kept, members }) => [
    kept.path,
    Object.fromEntries(members.map(({ path, kind, proposed }) => [path, `${kind} ${proposed}`])),
  ])
  expect(Object.fromEntries(told)).toEqual({
    'deep.png': {
      'film.webp': 'same-picture false',
      'opaque.png': 'same-picture true',
      'still.png': 'same-picture true',
    },
    'round.png': { 'round-again.png': 'identical true' },
  })
})
