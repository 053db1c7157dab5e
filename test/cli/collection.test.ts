/** Runs `plumage index` and `plumage search` on real photos with the model that ships, as a person would. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  expect(searched.stdout.split('\n')[0]).toBe(`1.0000  photos/${first}`)
  expect(searched.stdout.trim().split('\n')).toHaveLength(3)
  renameSync(join(folder, 'photos', first), join(folder, 'photos', 'other.jpg'))
  writeFileSync(join(folder, 'photos', 'bad.jpg'), 'no image')
  const again = await run('index', 'photos', '--json')
  expect(again.code).toBe(1)
  expect(again.stderr).toContain('"moved":1')
  expect(again.stderr).toContain('"failed":1')
  expect(again.stderr).toContain('bad.jpg')
  const json = await run('search', 'photos/other.jpg', '-n', '1', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ path: 'other.jpg', root: 'photos', state: 'embedded' })
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
  expect((await run('index', 'nowhere')).stderr).toContain('nowhere is no folder')
})

test('a raw photo is known by the preview in it, upright, and what nothing decodes is a row with its reason', async () => {
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
  writeFileSync(join(made, 'c.bmp'), 'BM\0\0\0\0\0\0\0\0')
  writeFileSync(join(made, 'd.heic'), '\0\0\0\x18ftypheic\0\0\0\0heicmif1')
  writeFileSync(join(made, 'e.txt'), 'no photo')
  writeFileSync(join(made, '.hidden.jpg'), jpeg)
  const { code, stderr } = await run('index', 'kinds', '--to', 'kinds.plumage', '-m', MINI)
  expect(code).toBe(1)
  expect(stderr).toMatch(/b\.nef.*without a preview/)
  expect(stderr).toContain('3 could not be read')
  await using collection = await openCollection(join(folder, 'kinds.plumage'))
  const rows: Row[] = []
  const columns = ['path', 'state', 'preview', 'height', 'width', 'reason']
  for await (const block of collection.scan({ columns })) rows.push(...rowsOf(block))
  const byPath = Object.fromEntries(rows.map((row) => [row.path, row]))
  expect(byPath['a.dng']).toMatchObject({ state: 'embedded', preview: true, height: 400, width: 300 })
  expect(Object.keys(byPath).sort()).toEqual(['a.dng', 'b.nef', 'c.bmp', 'd.heic'])
  expect(byPath['c.bmp']).toMatchObject({ state: 'failed', reason: expect.stringContaining('BMP') })
  expect(byPath['d.heic']).toMatchObject({ state: 'failed', reason: expect.stringContaining('HEIC') })
})
