/** Makes a job of real photos, works on it, proves it, and searches what comes of it: it is what `plumage index` would have found. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { type InTestOptions, runInTest } from './run-in-test.js'

const NAMES = ['hat-1.jpg', 'hat-2.jpg', 'pants-1.jpg', 'pants-2.jpg', 'shoes-1.jpg', 'shoes-2.jpg']
/** It is in neither collection, so that it is embedded anew for both. */
const QUERY = join(packageRoot, 'examples/photos/shoes-1.jpg')
let folder: string
const run = (args: readonly string[], more: Partial<InTestOptions> = {}) =>
  runInTest(args, { cwd: folder, loadEncoder, ...more })
const lines = (text: string) => text.trim().split('\n')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-job-'))
  mkdirSync(join(folder, 'photos'))
  for (const name of NAMES)
    copyFileSync(join(packageRoot, 'examples/photos', name), join(folder, 'photos', name))
  const listed = [...NAMES, 'missing.jpg', 'hat-1.jpg'].map((name) => `photos/${name}\n`)
  writeFileSync(join(folder, 'list.txt'), listed.join(''))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a list becomes a job, parts, a proof and a collection that is searched as one that was indexed', async () => {
  const created = await run([
    'job',
    'create',
    'list.txt',
    '--to',
    'job',
    '-m',
    MINI,
    '--rows-per-part',
    '3',
    '--max-failed',
    '1',
    '--json',
  ])
  expect([created.code, created.stderr]).toEqual([0, '{"event":"phase","phase":"8 images planned"}\n'])
  expect(JSON.parse(created.stdout)).toMatchObject({
    rows: 8,
    parts: 3,
    rowsPerPart: 3,
    precision: 'float32',
  })

  // A job that is there is told before its source or a model is opened.
  const twice = await run(['job', 'create', 'nowhere.txt', '--to', 'job', '-m', 'no-such-model'])
  expect([twice.code, twice.stderr]).toEqual([
    2,
    expect.stringMatching(
      /There is a job in .*job already \([0-9a-f]{16}, of .*list.txt\): go on with it by plumage worker/,
    ),
  ])

  const before = await run(['job', 'prove', 'job'])
  expect([before.code, before.stderr]).toEqual([1, expect.stringContaining('Not proven: 0 of 8 rows')])

  const worked = await run(['worker', 'job'])
  expect([worked.code, worked.stdout]).toEqual([
    1,
    '8 images in 3 parts are committed by this worker; 1 failed (1 not-found).\n',
  ])
  expect(worked.stderr).toContain('with failures; 1 failed (1 not-found): plumage job retry')

  const proof = await run(['job', 'prove', 'job', '--deep'])
  expect([proof.code, proof.stdout]).toEqual([
    0,
    'Proven: each of the 8 rows is in the 3 parts exactly once; 1 failed (1 not-found).\n',
  ])
  const status = await run(['job', 'status', 'job', '--json'])
  expect(JSON.parse(status.stdout)).toMatchObject({
    status: 'done',
    rows: 8,
    rowsDone: 8,
    failed: { 'not-found': 1 },
  })
  const list = await run(['job', 'list', '.', '--json'])
  expect(JSON.parse(list.stdout)).toMatchObject({ place: './job', status: 'done' })

  // Three collections are made before the retry, one after it: both have to hold the same in the end.
  const several = (...more: string[]) =>
    run(['job', 'finish', 'job', '-o', 'several', '--rows-per-collection', '3', ...more])
  const early = await several('--json')
  expect(early.code).toBe(1)
  expect(JSON.parse(early.stdout)).toMatchObject({ rows: 8, replaced: 0, failed: { 'not-found': 1 } })

  copyFileSync(join(folder, 'photos/hat-2.jpg'), join(folder, 'photos/missing.jpg'))
  const retried = await run(['job', 'retry', 'job', '--reason', 'not-found'])
  expect([retried.code, retried.stdout]).toEqual([
    0,
    expect.stringContaining('1 failed images are planned anew'),
  ])
  expect((await run(['worker', 'job'])).code).toBe(0)
  const nothing = await run(['job', 'retry', 'job', '--all'])
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('No row of the job')])

  const finished = await run(['job', 'finish', 'job', '-o', 'collections'])
  expect([finished.code, finished.stderr]).toEqual([0, ''])
  const again = await run(['job', 'finish', 'job', '-o', 'collections'])
  expect([again.code, again.stdout]).toEqual([0, finished.stdout])

  const late = await several()
  expect([late.code, late.stdout]).toEqual([
    0,
    expect.stringContaining('shard-00002.plumage. 1 that were tried again took the place of what was there.'),
  ])
  for (const shard of ['collections/shard-00000', 'several/shard-00002']) {
    const check = await run(['collection', 'check', '--deep', '--in', `${shard}.plumage`])
    expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('rows are as they should be')])
  }

  rmSync(join(folder, 'photos/missing.jpg'))
  const gone = await run(['collection', 'check', '--in', 'several/shard-00002.plumage'])
  expect([gone.code, gone.stdout]).toEqual([
    1,
    expect.stringMatching(/^file .*missing.jpg: its file is not there any more\n$/),
  ])
  const indexed = await run(['index', 'photos', '-m', MINI, '--precision', 'float32'])
  expect(indexed.code).toBe(0)
  const search = async (collection: string) => {
    const found = await run(['search', QUERY, '-n', '20', '--in', collection, '--with-self', '--json'])
    expect(found.code).toBe(0)
    const rows = lines(found.stdout).map((line) => JSON.parse(line) as { path: string; similarity: number })
    return new Map(
      rows
        .filter(({ path }) => path !== undefined)
        .map(({ path, similarity }) => [path.replace(/^.*\//, ''), similarity]),
    )
  }
  const ofJob = await search('collections/shard-00000.plumage')
  const ofIndex = await search('photos.plumage')
  expect(ofJob.size).toBe(7)
  ofJob.delete('missing.jpg')
  expect(ofJob).toEqual(ofIndex)

  const exported = await run(['job', 'export', 'job', '-o', 'all.parquet'])
  expect([exported.code, exported.stdout]).toEqual([0, '8 images are in all.parquet.\n'])
})

test('several collections of a job are searched as the one that has all', async () => {
  // A photo of the collections is named by its path, and nothing has to be encoded.
  const named = 'source/photos/pants-1.jpg'
  // The same rows in the same order, ties and shares included.
  const told = async (place: string, ...more: string[]) => {
    const found = await run(['search', named, '-n', '3', '--in', place, '--json', ...more])
    const rows = lines(found.stdout).map((line) => JSON.parse(line))
    return {
      rows: rows.slice(0, -1).map(({ collection: _, ...row }) => row),
      next: rows.at(-1).next as string,
    }
  }
  const [first, one] = [await told('several'), await told('collections')]
  expect(first.rows).toHaveLength(3)
  expect(first.rows).toEqual(one.rows)
  expect((await told('several', '--after', first.next)).rows).toEqual(
    (await told('collections', '--after', one.next)).rows,
  )

  const table = await run(['search', named, '-n', '1', '--in', 'several'])
  const [, place = ''] = /(shard-0000\d\/.*)\n/.exec(table.stdout) ?? []
  const byPlace = await run(['search', place, '-n', '1', '--with-self', '--in', 'several'])
  expect(byPlace.stdout).toContain(place)
  const twice = place.replace(/^shard-0000\d/, 'shard-00000').replace(/[^/]*$/, 'hat-1.jpg')
  expect((await run(['search', twice.slice('shard-00000/'.length), '--in', 'several'])).stderr).toContain(
    `Several collections have a photo`,
  )
  expect((await run(['search', twice, '--in', 'several'])).code).toBe(0)
  const near = await run(['search', named, '-n', '1', '--near', '1', '--in', 'several'])
  expect([near.code, near.stderr]).toEqual([
    0,
    expect.stringMatching(
      /^Asked 1 of 3 collections.* of 8 photos of all, so many find 0\.\d{3} of the ten nearest\.\n$/,
    ),
  ])
  // What nobody has put together before is measured for whoever asks, and that is remembered.
  const adHoc = (...near: string[]) =>
    run(['search', named, '-n', '1', ...near, '--in', 'photos.plumage', '--in', 'collections'])
  const unmeasured = await adHoc('--near', '1')
  expect([unmeasured.code, unmeasured.stderr]).toEqual([
    0,
    expect.stringMatching(/^Asked 1 of 2 .*was not measured \(--near without a number measures it\)\.\n$/),
  ])
  const measured = await adHoc('--near', '--json')
  expect([measured.code, JSON.parse(lines(measured.stdout).at(-1) ?? '')]).toEqual([
    0,
    expect.objectContaining({ recall: 1 }),
  ])
  expect(measured.stderr).toContain('2 of 2 collections are measured')
  const known = await adHoc('--near', '1')
  expect(known.stderr).toMatch(
    /^Asked 1 of 2 .*of 14 photos of all, so many find 0\.\d{3} of the ten nearest\.\n$/,
  )
  expect((await adHoc('--near')).stderr).toMatch(
    /^Asked \d of 2 .*of 14 photos of all, so many find \d\.\d{3} of/,
  )
})

test('photos of a job are no copies for lack of a hash, one that its list names twice is one, and none is moved', async () => {
  const copy = join(folder, 'photos/missing.jpg')
  copyFileSync(join(folder, 'photos/hat-2.jpg'), copy)
  const duplicates = async (...more: string[]) =>
    await run(['duplicates', '--in', 'collections/shard-00000.plumage', ...more])
  const found = await duplicates()
  expect([found.code, found.stdout]).toEqual([0, expect.stringMatching(/^copies 1: 2 photos/)])
  expect(found.stderr).toContain('2 of 7 photos')
  expect(found.stdout).not.toContain('the same bytes')
  const moved = await duplicates('--move-to', `${folder}-away`)
  expect(moved.stdout + moved.stderr).toContain('was never hashed')
  expect(existsSync(copy)).toBe(true)
  rmSync(copy)
})

test('another job in the same place, a place without one, and a worker without the queue of its job are refused', async () => {
  const again = await run(['job', 'create', 'list.txt', '--to', 'job', '-m', MINI, '--rows-per-part', '3'])
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('There is a job in')])
  const none = await run(['worker', 'photos'])
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('There is no job in')])
  const share = await run(['job', 'resume', 'job', '--max-failed', '200%'])
  expect([share.code, share.stderr]).toEqual([
    2,
    expect.stringContaining('Expected a share such as 0.01 or 1%'),
  ])
})

test('a place that is never written, a kind of address that nobody reads and a source without images are told at once, and leave no job', async () => {
  const create = (source: string, to: string) =>
    run(['job', 'create', source, '--to', to, '-m', MINI, '--rows-per-part', '3'])
  const begun = performance.now()
  // It is asked for nothing: names in .invalid are never found, which takes two minutes of tries.
  const web = await create('list.txt', 'https://x.invalid/job')
  expect([web.code, web.stderr]).toEqual([2, expect.stringContaining('can only be read')])
  expect(performance.now() - begun).toBeLessThan(10_000)
  const azure = await create('abfs://container/photos', 'other')
  expect([azure.code, azure.stderr]).toEqual([2, expect.stringContaining('AZURE_STORAGE_CONNECTION_STRING')])
  mkdirSync(join(folder, 'bare'))
  const bare = await create('bare', 'other')
  expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('There is no image in bare')])
  expect(existsSync(join(folder, 'other/job.json'))).toBe(false)
  expect((await create('list.txt', 'other')).code).toBe(0)
})
