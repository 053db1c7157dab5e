/** A collection that a job has made of shards is the source of the next job, as after a change of model: each member is found again where it lies now. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rowsOf } from '../../src/collection/row-block.js'
import { openJobSource } from '../../src/jobs/sources/open-job-source.js'
import type { SourceOptions, SourceTrouble } from '../../src/jobs/sources/source.js'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { nodeSourceWorld } from '../../src/platform/node/jobs/source-world.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { runInTest } from '../cli/run-in-test.js'
import { gathered } from '../support/gathered.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

let folder: string
const shards = { 'a.tar': ['hat-1.jpg', 'hat-2.jpg'], 'b.tar': ['pants-1.jpg'] }
const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-shards-again-'))
  mkdirSync(join(folder, 'shards'))
  for (const [shard, names] of Object.entries(shards)) tar(shard, names)
})
afterAll(() => rmSync(folder, { recursive: true }))

function tar(shard: string, names: readonly string[]): void {
  const photos = join(packageRoot, 'examples/photos')
  execFileSync('tar', ['-cf', join(folder, 'shards', shard), '-C', photos, ...names])
}

async function jobOf(source: string, job: string, ...more: string[]): Promise<void> {
  const args = ['--rows-per-part', '2', '-m', MINI, ...more]
  const steps = [
    ['job', 'create', source, '--to', job, ...args],
    ['worker', job],
    ['job', 'finish', job, '-o', `${job}-out`],
  ]
  for (const step of steps) expect(await run(...step)).toMatchObject({ code: 0 })
}

async function rowsIn(job: string) {
  const rows: unknown[] = []
  await using collection = await openCollection(join(folder, `${job}-out/shard-00000.plumage`))
  for await (const block of collection.scan({ columns: ['path', 'state', 'source_row'] }))
    rows.push(...rowsOf(block).map(({ path, state, source_row }) => [path, state, source_row]))
  return rows
}

async function planOf(source: string, options: SourceOptions = {}) {
  const world = nodeSourceWorld({ base: folder, storages: new Map() })
  return (await gathered((await openJobSource(source, world, options)).rows())).flat()
}

test('a job of a job of shards embeds the same members, and so does the next', async () => {
  const direct = await planOf('shards/{a,b}.tar')
  await jobOf('shards/{a,b}.tar', 'one')
  const again = await planOf('one-out/shard-00000.plumage')
  expect(again.map(({ place }) => place)).toEqual(direct.map(({ place }) => place))
  expect(again.map(({ name }) => name)).toEqual(direct.map(({ name }) => join(folder, name)))
  await jobOf('one-out', 'two', '--size', '56')
  expect(await rowsIn('two')).toEqual(
    [
      ['a.tar/hat-1.jpg', 0],
      ['a.tar/hat-2.jpg', 1],
      ['b.tar/pants-1.jpg', 0],
    ].map(([member, number]) => {
      const path = join(folder, 'shards', String(member)).slice(1)
      return [path, 'embedded', `/${path.replace(/\/[^/]*$/, '')}#${number}`]
    }),
  )
  expect(await planOf('two-out')).toEqual(again)
})

test('shards that lie elsewhere are found below their root, and one that was written anew is told', async () => {
  renameSync(join(folder, 'shards'), join(folder, 'moved'))
  mkdirSync(join(folder, 'elsewhere'))
  renameSync(join(folder, 'moved'), join(folder, 'elsewhere/shards'))
  await expect(planOf('one-out')).rejects.toMatchObject({ code: 'damaged' })
  const moved = await run(
    'collection',
    'root',
    'source',
    'elsewhere',
    '--force',
    '--in',
    'one-out/shard-00000.plumage',
  )
  expect(moved.code).toBe(0)
  expect((await planOf('one-out')).map(({ place }) => place.address)).toEqual(
    ['a', 'a', 'b'].map((name) => join(folder, `elsewhere/shards/${name}.tar`)),
  )
  mkdirSync(join(folder, 'shards'))
  tar('a.tar', ['shoes-1.jpg', 'hat-2.jpg'])
  copyFileSync(join(folder, 'shards/a.tar'), join(folder, 'elsewhere/shards/a.tar'))
  const troubles: SourceTrouble[] = []
  const rows = await planOf('one-out', { onTrouble: (trouble) => troubles.push(trouble) })
  expect(rows.map(({ name }) => name)).toEqual([
    join(folder, 'elsewhere/shards/a.tar/hat-2.jpg'),
    join(folder, 'elsewhere/shards/b.tar/pants-1.jpg'),
  ])
  expect(troubles).toEqual([
    {
      label: join(folder, 'elsewhere/shards/a.tar'),
      reason: expect.stringMatching(
        /its member 0 is "shoes-1.jpg" and not "hat-1.jpg".*make a job of the shards/,
      ),
    },
  ])
})
