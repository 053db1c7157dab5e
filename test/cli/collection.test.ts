/** Runs `plumage index` and `plumage search` on real photos with the model that ships, as a person would. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Row, rowsOf } from '../../src/collection/row-block.js'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { tiffPhoto } from '../support/raw-photos.js'
import { runInTest } from './run-in-test.js'

const photos = join(import.meta.dirname, '../../examples/photos')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-collection-'))
  cpSync(photos, join(folder, 'photos'), { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

test('a folder becomes a collection that is searched, and kept up to date', async () => {
  const names = readdirSync(join(folder, 'photos')).filter((name) => /\.(jpg|png)$/.test(name))
  const first = names[0] ?? ''
  const made = await run('index', 'photos', '-m', MINI, '--json')
  expect(made).toMatchObject({ code: 0, stdout: '' })
  expect(made.stderr).toContain(`"added":${names.length}`)
  const searched = await run('search', join('photos', first), '-n', '3')
  expect(searched.code).toBe(0)
  // The photo that is asked for is no answer.
  expect(searched.stdout).not.toContain(first)
  expect(searched.stdout.split('\n')[0]).toMatch(/^0\.\d{4} +\d+\.\d\d % {2}photos\/\S+$/)
  expect(searched.stdout.trim().split('\n')).toHaveLength(3)
  renameSync(join(folder, 'photos', first), join(folder, 'photos', 'other.jpg'))
  writeFileSync(join(folder, 'photos', 'bad.jpg'), 'no image')
  const again = await run('index', 'photos', '--json')
  expect(again.code).toBe(1)
  expect(again.stderr).toContain('"moved":1')
  expect(again.stderr).toContain('"failed":1')
  expect(again.stderr).toContain('bad.jpg')
  const json = await run('search', 'photos/other.jpg', '-n', '1', '--json', '--with-self')
  expect(JSON.parse(json.stdout.split('\n')[0] ?? '')).toMatchObject({
    path: 'other.jpg',
    root: 'photos',
    state: 'embedded',
  })
})

test('another model is refused, in words that say what differs', async () => {
  const { code, stderr } = await run('index', 'photos', '-m', MINI, '--size', '56')
  expect(code).toBe(2)
  expect(stderr).toMatch(/was made with .*recipe.*size/)
})

test('says what to do where there is no collection, or no folder', async () => {
  expect((await run('search', 'a.jpg', '--in', 'none.plumage')).stderr).toContain(
    'plumage index <folder of photos> --to',
  )
  expect((await run('index', 'nowhere')).stderr).toContain('There is no folder nowhere.')
})

test('a raw photo is known by the preview in it, upright, and is a row with its reason where it has none', async () => {
  const [name = ''] = readdirSync(photos).filter((one) => one.endsWith('.jpg'))
  const jpeg = await sharp(join(photos, name)).resize(400, 300, { fit: 'fill' }).jpeg().toBuffer()
  const made = join(folder, 'kinds')
  mkdirSync(made)
  writeFileSync(
    join(made, 'a.dng'),
    tiffPhoto({ isDng: true, orientation: 6, images: [{ jpeg, photometric: 6 }] }),
  )
  writeFileSync(
    join(made, 'b.nef'),
    tiffPhoto({
      isDng: false,
      orientation: 1,
      images: [{ jpeg: jpeg.subarray(0, 300), photometric: 32803 }],
    }),
  )
  writeFileSync(join(made, 'c.jxl'), Buffer.of(0xff, 0x0a))
  writeFileSync(join(made, 'e.txt'), 'no photo')
  writeFileSync(join(made, '.hidden.jpg'), jpeg)
  const { code, stderr } = await run('index', 'kinds', '--to', 'kinds.plumage', '-m', MINI)
  expect(code).toBe(1)
  expect(stderr).toMatch(/b\.nef.*without a preview/)
  expect(stderr).toContain('1 could not be read')
  expect(stderr).toContain('left out: 1 JPEG XL, 1 hidden')
  await using collection = await openCollection(join(folder, 'kinds.plumage'))
  const rows: Row[] = []
  const columns = ['path', 'state', 'preview', 'height', 'width', 'reason']
  for await (const block of collection.scan({ columns })) rows.push(...rowsOf(block))
  const byPath = Object.fromEntries(rows.map((row) => [row.path, row]))
  expect(byPath['a.dng']).toMatchObject({ state: 'embedded', preview: true, height: 400, width: 300 })
  expect(Object.keys(byPath).sort()).toEqual(['a.dng', 'b.nef'])
  expect(byPath['b.nef']).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('without a preview'),
  })
})

test('a collection says what it holds, is checked, compacted, moved and removed', async () => {
  const made = (path: string) => join(folder, path)
  cpSync(photos, made('library/2020'), { recursive: true })
  await run('index', 'library', '--to', 'care.plumage', '-m', MINI)
  const on = ['--in', 'care.plumage']
  const info = await run('collection', 'info', ...on, '--json')
  const told = JSON.parse(info.stdout)
  expect(told).toMatchObject({
    states: { embedded: told.photos },
    roots: { library: told.photos },
    readers: 0,
  })
  expect((await run('collection', 'info', ...on)).stdout).toMatch(/root +library, \d+ photos: .*library/)
  expect(await run('collection', 'check', '--deep', ...on)).toMatchObject({
    code: 0,
    stdout: `${told.photos} rows are as they should be.\n`,
  })
  expect(await run('collection', 'check', 'care.plumage')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('The collection is named by --in: --in care.plumage'),
  })
  renameSync(made('library'), made('elsewhere'))
  const check = await run('collection', 'check', ...on)
  expect(check).toMatchObject({ code: 1, stdout: expect.stringContaining('plumage collection root library') })
  expect((await run('index', 'library', '--to', 'care.plumage')).stderr).toContain('collection root')
  mkdirSync(made('library'))
  const empty = await run('index', 'library', '--to', 'care.plumage')
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('is empty, where') })
  const moved = await run('collection', 'root', 'library', 'elsewhere', ...on)
  expect(moved.stdout).toContain(
    `Of ${told.photos} photos that were looked for ${told.photos} are there as they were.`,
  )
  expect((await run('collection', 'check', ...on)).code).toBe(0)
  const [first = ''] = readdirSync(made('elsewhere/2020')).filter((name) => name.endsWith('.jpg'))
  rmSync(made(`elsewhere/2020/${first}`))
  expect((await run('collection', 'check', ...on)).stdout).toContain(
    `library/2020/${first}: its file is not there`,
  )
  for (const more of [[], ['--rewrite']]) {
    expect((await run('collection', 'compact', ...on, ...more)).code).toBe(0)
    expect(JSON.parse((await run('collection', 'info', ...on, '--json')).stdout)).toMatchObject({
      photos: told.photos,
      versions: expect.any(Number),
    })
  }
  expect(readdirSync(made('care.plumage')).filter((name) => name.endsWith('.lance'))).toEqual([
    'photos-2.lance',
  ])
  writeFileSync(made('care.plumage/mine.jpg'), 'a photo that somebody put there')
  expect((await run('collection', 'remove', 'care.plumage')).stderr).toContain('Add --yes')
  expect((await run('collection', 'remove', 'photos', '--yes')).stderr).toContain('is no collection')
  expect((await run('collection', 'remove', 'care.plumage', '--yes')).stdout).toContain('mine.jpg')
  expect(readdirSync(made('care.plumage'))).toEqual(['mine.jpg'])
})

test('a table gives photos what people know of them, and says which lines fit none', async () => {
  const [first = '', second = ''] = readdirSync(join(folder, 'kinds')).filter((name) => name === 'a.dng')
  expect(second).toBe('')
  writeFileSync(
    join(folder, 'known.csv'),
    `path,My Label,<b>\nkinds/${first},"it's ""x""",1\nnone.jpg,\u001b[31m,2\n`,
  )
  const { stderr } = await run('index', 'kinds', '--to', 'kinds.plumage', '--columns', 'known.csv')
  expect(stderr).toContain('1 photo with my_label (text, of "My Label"), b (integer, of "<b>")')
  expect(stderr).toContain('1 lines fit no photo, or several: "none.jpg"')
  expect((await run('index', 'kinds', '--to', 'kinds.plumage', '--columns', 'no.csv')).stderr).toContain(
    'There is no file no.csv',
  )
  writeFileSync(join(folder, 'wrong.csv'), 'name,label\na,b\n')
  // It is told before any photo is read.
  const wrong = await run('index', 'kinds', '--to', 'never.plumage', '--columns', 'wrong.csv', '-m', MINI)
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('no column path or content') })
  expect(existsSync(join(folder, 'never.plumage'))).toBe(false)
  await using collection = await openCollection(join(folder, 'kinds.plumage'))
  const rows: Row[] = []
  for await (const block of collection.scan({ columns: ['path', 'my_label', 'b'] }))
    rows.push(...rowsOf(block))
  expect(rows.find(({ path }) => path === 'a.dng')).toEqual({ path: 'a.dng', my_label: 'it\'s "x"', b: 1 })
})

test('watching takes what comes, and ends when it is told to', async () => {
  const stop = new AbortController()
  const stderr = new PassThrough()
  let said = ''
  stderr.on('data', (chunk) => {
    said += chunk
  })
  const until = async (text: string) => {
    while (!said.includes(text)) await new Promise((resolve) => setTimeout(resolve, 50))
    said = said.slice(said.indexOf(text) + text.length)
  }
  cpSync(photos, join(folder, 'watched'), { recursive: true })
  const args = ['index', 'watched', '--to', 'watched/own.plumage', '-m', MINI, '--watch', '--json']
  const ended = runInTest(args, { cwd: folder, loadEncoder, signal: stop.signal, stderr })
  await until('watching')
  mkdirSync(join(folder, 'watched/new'))
  const [name = ''] = readdirSync(photos).filter((one) => one.endsWith('.jpg'))
  cpSync(join(photos, name), join(folder, 'watched/new/copy.jpg'))
  await until('"added":1')
  await until('watching')
  await until('\n')
  // What it writes itself is no change.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(said).toBe('')
  stop.abort(new Error('enough'))
  expect(await ended).toMatchObject({ code: 0 })
}, 30_000)

test('names of files reach no terminal as they are, and harm nothing', async () => {
  const name = "\u001b[31m'; DROP TABLE photos; --\n<b>.jpg"
  mkdirSync(join(folder, 'hostile'))
  writeFileSync(join(folder, 'hostile', name), 'no image')
  const made = await run('index', 'hostile', '--to', 'hostile.plumage', '-m', MINI)
  expect(made).toMatchObject({ code: 1, stderr: expect.stringContaining('DROP TABLE') })
  rmSync(join(folder, 'hostile', name))
  writeFileSync(join(folder, 'hostile/other.jpg'), 'no image either')
  const checked = await run('collection', 'check', '--in', 'hostile.plumage')
  expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining('its file is not there') })
  const again = await run('index', 'hostile', '--to', 'hostile.plumage')
  const told = await run('collection', 'info', '--in', 'hostile.plumage')
  expect(told.stdout).toContain('2: 1 failed, 1 gone')
  for (const { stdout, stderr } of [made, checked, again, told])
    expect(stdout + stderr).not.toContain('\u001b')
})
