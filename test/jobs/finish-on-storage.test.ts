/** The collections of a job lie on S3 as in a folder, and are searched together there, by copies and by mirrors. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { searchPhotos } from '../../src/collection/search/search-photos.js'
import { openAloneQueue } from '../../src/jobs/alone-queue.js'
import { runWorkerLoop } from '../../src/jobs/worker.js'
import { openCollections } from '../../src/platform/node/collection/open-collections.js'
import { finishJob } from '../../src/platform/node/jobs/finish-job.js'
import { MemoryStorage } from '../../src/storage/memory-storage.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { fakeEncoder, fetcherOf, makeJob, rowHash } from './made-job.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-finish-'))
let server: S3Server | undefined
beforeAll(async () => {
  if (versitygw === undefined) return
  server = await startS3Server()
  await server.makeBucket('bucket')
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe.skipIf(versitygw === undefined)('on S3', () => {
  test('the same photos are found in a folder, on object storage and in mirrors', async () => {
    const storage = new MemoryStorage()
    const { job } = await makeJob(storage, 30)
    await using queue = await openAloneQueue(storage, { clock: systemClock, holder: { name: 'one' } })
    const parts = {
      job,
      storage,
      queue,
      fetcher: fetcherOf(),
      hash: rowHash,
      clock: systemClock,
      name: 'one',
    }
    await runWorkerLoop({ ...parts, encoder: fakeEncoder() })
    const there = 's3://bucket/made'
    const made = await finishJob(storage, there, { rowsPerCollection: 20 })
    expect(made.folders).toEqual([`${there}/shard-00000.plumage`, `${there}/shard-00001.plumage`])
    const here = await finishJob(storage, join(folder, 'made'), { rowsPerCollection: 20 })
    expect(here.near).toEqual(made.near)
    expect(await finishJob(storage, there, { rowsPerCollection: 20 })).toEqual(made)

    const like = [{ embedding: Float32Array.of(1, 2, 3, 4) }]
    const found: unknown[] = []
    for (const [place, mirror] of [
      [join(folder, 'made')],
      [there],
      [`${there}/`],
      [there, join(folder, 'mirrors')],
    ] as const) {
      await using set = await openCollections(place ?? '', mirror === undefined ? {} : { mirror })
      const { photos, next } = await searchPhotos(set, { like }, { count: 7, columns: ['id', 'path'] })
      found.push({ photos, next: next?.split('-').slice(1), near: set.near })
    }
    expect(found).toEqual([found[0], found[0], found[0], found[0]])
    expect(readdirSync(join(folder, 'mirrors')).sort()).toEqual([
      'shard-00000.plumage',
      'shard-00001.plumage',
    ])
    await expect(openCollections([there, `${there}/shard-00001.plumage`])).rejects.toThrow('is named twice')
    await expect(finishJob(storage, 'postgres://me@host/db?collection=c')).rejects.toThrow(
      's3://bucket/prefix',
    )
  })
})
