/** Kills workers and their queue while they embed photos with a real network: each photo must be in the result once, with the numbers that the encoder gives without all that. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { proveResult } from '../../src/jobs/prove-job.js'
import { readPlans, resultParts } from '../../src/jobs/rounds.js'
import { createJob } from '../../src/platform/node/jobs/create-job.js'
import { rowHash } from '../../src/platform/node/jobs/row-hash.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { MINI } from '../support/mini.js'
import { RedisServer, redisIsMissing } from '../support/redis-server.js'
import { packageRoot } from '../support/repository.js'

const PHOTOS = join(packageRoot, 'examples/photos')
const ROWS = Number(process.env.PLUMAGE_SOAK_PHOTOS ?? 48)
const KILLS = 2 + Math.round(ROWS / 100)
const WORKERS = 2

test.skipIf(redisIsMissing !== null)(
  'photos are embedded once, as without a job, whatever is killed meanwhile',
  { timeout: 120_000 + 4000 * ROWS },
  async () => {
    await using queue = await RedisServer.start()
    await using encoder = await loadEncoder(MINI, { threads: 1 })
    const folder = await mkdtemp(join(tmpdir(), 'plumage-encoder-soak-'))
    try {
      const names = (await readdir(PHOTOS)).filter((name) => name.endsWith('.jpg')).sort()
      const photoOf = (row: number) => join(PHOTOS, names[row % names.length] ?? '')
      const source = {
        label: 'photos',
        base: PHOTOS,
        rows: async function* () {
          for (let row = 0; row < ROWS; row++)
            yield { id: `line ${row + 1}`, name: photoOf(row), place: { address: photoOf(row) } }
        },
      }
      const model = { source: MINI, options: {} }
      const { job } = await createJob(source, {
        to: folder,
        encoder,
        model,
        dtype: 'float32',
        rowsPerPart: 6,
      })
      await workUnderFaults(folder, queue)
      await using storage = await openStorage(folder)
      const proof = await proveResult({ job, storage, hash: rowHash, deep: true })
      expect(proof).toMatchObject({ proven: true, rows: ROWS, found: ROWS, failed: {}, problems: 0 })
      const expected = new Map<string, readonly number[]>()
      for (const name of names) {
        const { embedding } = await encoder.encode(join(PHOTOS, name))
        const length = Math.hypot(...embedding)
        expected.set(
          join(PHOTOS, name),
          Array.from(embedding, (value) => value / length),
        )
      }
      for await (const { rows } of resultParts({
        storage,
        job,
        plans: await readPlans(storage, rowHash),
        hash: rowHash,
      }))
        for (const { name, embedding } of rows) {
          const wanted = expected.get(name) ?? []
          // Sums of a batch are taken in another order than those of one image.
          const apart = wanted.map((value, at) => Math.abs(value - (embedding?.[at] ?? Number.NaN)))
          expect(Math.max(...apart), name).toBeLessThan(1e-5)
        }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)

async function workUnderFaults(to: string, queue: RedisServer): Promise<void> {
  const workers: ChildProcess[] = []
  let hasEnded = false
  const run = async (place: number) => {
    for (let times = 0; times < 20; times++) {
      const work = JSON.stringify({ to, queue: queue.address, name: `w${place}-${times}`, model: MINI })
      const child = spawn(process.execPath, [join(import.meta.dirname, 'soak-worker.mjs'), work], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      workers[place] = child
      let said = ''
      child.stdout?.on('data', (data) => (said += String(data)))
      const [code] = (await once(child, 'close')) as [number | null]
      if (code === 0) return expect(JSON.parse(said.trim().split('\n').at(-1) ?? '').ended).toBe('done')
    }
    throw new Error('A worker ends again and again.')
  }
  const all = Promise.all(Array.from({ length: WORKERS }, (_, place) => run(place))).finally(() => {
    hasEnded = true
  })
  all.catch(() => {})
  for (let kill = 0; kill < KILLS && !hasEnded; kill++) {
    // A model is loaded within a second or two, and parts follow.
    await sleep(1500 + 1500 * Math.random())
    workers[kill % WORKERS]?.kill('SIGKILL')
    if (kill % 4 === 1) {
      await queue.kill()
      await queue.start()
    }
  }
  await all
}
