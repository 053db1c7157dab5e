/** Films in collections: each frame has a row, and all of a film's frames come, move and go together. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Row, rowsOf } from '../../src/collection/row-block.js'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { runInTest } from '../cli/run-in-test.js'
import { clip, ffmpegPath } from '../support/clips.js'
import { MINI } from '../support/mini.js'

describe.skipIf(ffmpegPath === null)('films in a collection', () => {
  let folder = ''
  const photos = join(import.meta.dirname, '../../examples/photos')
  const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })
  const place = (path: string) => join(folder, 'library', path)
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plumage-films-'))
    mkdirSync(place('.'))
    const [name = ''] = readdirSync(photos).filter((one) => one.endsWith('.jpg'))
    cpSync(join(photos, name), place('IMG_1.jpg'))
    const film = await clip(
      'collection.mp4',
      '-f lavfi -i testsrc=s=64x48:r=4:d=3 -c:v libx264 -pix_fmt yuv420p',
    )
    copyFileSync(film, place('clip.mp4'))
    // The moving part of a Live Photo is no film of its own.
    copyFileSync(film, place('IMG_1.mov'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function rows() {
    await using collection = await openCollection(join(folder, 'photos.plumage'))
    const found: Row[] = []
    for await (const block of collection.scan({
      columns: ['id', 'path', 'state', 'content', 'pixels', 'reason'],
    }))
      found.push(...rowsOf(block))
    return found.sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1))
  }
  const paths = async () => (await rows()).map(({ path }) => path)
  const FRAMES = ['0.000', '1.000', '2.000']
  const frames = (name: string) => FRAMES.map((time) => `${name}#t=${time}`)

  test('frames are rows that are kept, move and go with the film', async () => {
    expect((await run('index', 'library', '-m', MINI)).code).toBe(0)
    expect(await paths()).toEqual(['IMG_1.jpg'])
    const made = await run('index', 'library', '--video', '--json')
    expect(made.stderr).toContain('"added":3')
    expect(await paths()).toEqual(['IMG_1.jpg', ...frames('clip.mp4')])
    const before = await rows()
    expect(new Set(before.map(({ content }) => content)).size).toBe(4)
    expect(new Set(before.map(({ pixels }) => pixels)).size).toBe(4)
    expect((await run('collection', 'check', '--deep')).stdout).toBe('4 rows are as they should be.\n')
    expect((await run('index', 'library', '--video', '--json')).stderr).toContain('"unchanged":4')
    expect((await run('index', 'library', '--json')).stderr).toContain('"gone":0')
    renameSync(place('clip.mp4'), place('other.mp4'))
    expect((await run('index', 'library', '--video', '--json')).stderr).toContain('"moved":3')
    expect((await rows()).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect(await paths()).toEqual(['IMG_1.jpg', ...frames('other.mp4')])
    const otherwise = await run('index', 'library', '--video', '--every', '500ms')
    expect(otherwise).toMatchObject({ code: 2, stderr: expect.stringContaining('in the same way') })
  })

  test('a film that cannot be read is a row with its reason, until it can', async () => {
    writeFileSync(place('bad.mp4'), 'no film')
    const failed = await run('index', 'library', '--video')
    expect(failed.code).toBe(1)
    expect((await rows()).find(({ path }) => path === 'bad.mp4')).toMatchObject({
      state: 'failed',
      reason: expect.any(String),
    })
    copyFileSync(place('IMG_1.mov'), place('bad.mp4'))
    expect((await run('index', 'library', '--video')).code).toBe(0)
    expect(await paths()).toEqual(['IMG_1.jpg', ...frames('bad.mp4'), ...frames('other.mp4')])
    rmSync(place('bad.mp4'))
    expect((await run('index', 'library', '--video', '--prune')).code).toBe(0)
    expect(await paths()).toEqual(['IMG_1.jpg', ...frames('other.mp4')])
    expect((await run('collection', 'check')).code).toBe(0)
  })
})
