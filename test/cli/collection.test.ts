/** Runs `plumage index` and `plumage search` on real photos with the model that ships, as a person would. */
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
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
