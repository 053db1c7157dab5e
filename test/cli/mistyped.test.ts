/** Names that are mistyped are answered with the nearest that there is, in the words of whoever reads it, before anything is computed. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { runInTest } from './run-in-test.js'

let folder: string
const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-mistyped-'))
  mkdirSync(join(folder, 'pictures'))
  for (const name of ['hat-1.jpg', 'hat-2.jpg'])
    copyFileSync(join(packageRoot, 'examples/photos', name), join(folder, 'pictures', name))
  writeFileSync(join(folder, 'list.txt'), 'pictures/hat-1.jpg\nmissing.jpg\n')
  for (const args of [
    ['index', 'pictures', '--to', 'mine.plumage', '-m', MINI],
    ['index', 'pictures', '--to', 'yours.plumage', '-m', MINI],
    ['job', 'create', 'list.txt', '--to', 'work', '-m', MINI, '--rows-per-part', '2', '--max-failed', '1'],
  ])
    expect(await run(...args)).toMatchObject({ code: 0 })
  expect(await run('worker', 'work')).toMatchObject({ code: 1 })
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  [['index', 'picture'], 'There is no folder picture. Did you mean pictures?'],
  [['index', './PICTURES'], 'There is no folder ./PICTURES. Did you mean ./pictures?'],
  [['index', 'pictures/hat-1.jpg'], 'is a file: a collection is made of folders'],
  [['index', 'pictures', '--to', 'work'], 'work holds'],
  [['search', 'x', '--in', 'min.plumage'], 'mine.plumage? Make it: plumage index'],
  [['search', 'x', '--in', 'work'], 'It is a job: make collections of it (plumage job finish'],
  [['search', 'x', '--in', 'pictures'], 'it has no collection.json. Name another folder.'],
  [['search', '--vector', 'lits.txt', '--in', 'mine.plumage'], 'no such file. Did you mean list.txt?'],
  [['duplicates', '--kind', 'copy'], 'Did you mean copies?'],
  [['duplicates', '--in', 'mine.plumage', '--keep', 'folder:picture'], 'Did you mean folder:pictures?'],
  [['duplicates', '--in', 'mine.plumage', '--report', 'x.txt'], 'name a file ending in .html'],
  [['job', 'create', 'lists.txt', '--to', 'j'], 'There is nothing at lists.txt'],
  [['job', 'create', 'lists.txt', '--to', 'j'], 'Did you mean list.txt?'],
  [['job', 'create', 'list.txt', '--to', 'j', '--source-kind', 'lst'], 'Did you mean list?'],
  [['job', 'status', 'wrok'], 'There is no job in wrok: it has no job.json. Did you mean work?'],
  [['worker', 'works'], 'Did you mean work?'],
  [['job', 'finish', 'pictures', '-o', 'out'], 'There is no job in pictures: it has no job.json. Make one'],
  [['job', 'list', 'wrok'], 'There is no folder wrok. Did you mean work?'],
  [['job', 'export', 'work', '-o', 'x.csv'], 'name a file ending in .parquet'],
  [['job', 'retry', 'work', '--reason', 'not-fond'], 'failed with not-fond. Others failed with not-found.'],
] as const)('%j', async (args, message) => {
  const { code, stdout, stderr } = await run(...args)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)])
})

test('a rule that names a folder with photos holds, whether its root stands before it or not', async () => {
  for (const rule of ['folder:pictures', 'folder:pictures/'])
    expect((await run('duplicates', '--in', 'mine.plumage', '--keep', rule)).code).toBe(0)
})

test('a queue that nobody runs is told within seconds', async () => {
  const begun = performance.now()
  const { code, stderr } = await run(
    ...['job', 'create', 'list.txt', '--to', 'j', '-m', MINI, '--queue', 'redis://127.0.0.1:1'],
  )
  expect([code, stderr]).toEqual([2, expect.stringContaining('Is its server running?')])
  expect(performance.now() - begun).toBeLessThan(30_000)
}, 60_000)
