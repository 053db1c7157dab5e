/**
 * Works on whole jobs with workers that are killed at any moment, a queue that forgets, storage that does not answer (before or after a write took effect), images that
 * kill, and rows that fail for a time: in the end each row is in the result exactly once, by the proof and by reading everything.
 */
import { type asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import type { Job } from '../../src/jobs/job.js'
import { MemoryQueues } from '../../src/jobs/memory-queue.js'
import { proveResult } from '../../src/jobs/prove-job.js'
import { runWorkerLoop, type WorkerOutcome } from '../../src/jobs/worker.js'
import { MemoryStorage } from '../../src/storage/memory-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { StorageError } from '../../src/storage/storage-error.js'
import { float16ToFloat32 } from '../../src/tensor/float16.js'
import { embeddingOf, fakeEncoder, fetcherOf, makeJob, rowHash, WIDTH } from './made-job.js'

const clock = {
  ...systemClock,
  sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(Math.min(ms, 2), signal),
}
const ROWS = 400
const WORKERS = 4
const POISON = '/photos/137.jpg'

/** Stands for kill -9: nothing of the worker's goes on. */
class Killed extends Error {}

/** Gives the same numbers, 0 to 1, for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface World {
  readonly storage: Storage
  readonly queues: MemoryQueues
  readonly job: Job
  readonly random: () => number
  readonly attempts: Map<string, number>
}

interface Life {
  dead: boolean
  /** Neither the storage nor the queue hears of the worker any more. */
  end(): void
}

/** Is a worker's way to the storage, on which anything may happen. */
function shaky(inner: Storage, random: () => number, life: Life): Storage {
  const shake = async <Found>(act: () => Promise<Found>): Promise<Found> => {
    if (life.dead) throw new Killed()
    const what = random()
    if (what < 0.01) life.end()
    if (what < 0.005) throw new Killed()
    if (what > 0.99) throw new StorageError('unavailable', 'the storage did not answer')
    const found = await act()
    if (life.dead) throw new Killed()
    if (what > 0.98) throw new StorageError('unavailable', 'the storage did it and did not answer')
    return found
  }
  return {
    label: inner.label,
    isWritable: true,
    look: (key, options) => shake(() => inner.look(key, options)),
    read: (key, options) => shake(() => inner.read(key, options)),
    write: (key, content, options) => shake(() => inner.write(key, content, options)),
    list: (options) => inner.list(options),
    remove: (key, options) => shake(() => inner.remove(key, options)),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Starts a worker again whenever it is killed, as a supervisor does. */
async function supervise(
  { storage, queues, job, random, attempts }: World,
  name: string,
): Promise<WorkerOutcome> {
  for (;;) {
    const queue = queues.open(job.id)
    const life: Life = {
      dead: false,
      end() {
        life.dead = true
        queue.kill()
      },
    }
    try {
      return await runWorkerLoop({
        job,
        storage: shaky(storage, random, life),
        queue,
        encoder: fakeEncoder((address) => {
          if (life.dead || address === POISON || random() < 0.001) {
            life.end()
            throw new Killed()
          }
        }),
        fetcher: fetcherOf((address) => {
          const tries = (attempts.get(address) ?? 0) + 1
          attempts.set(address, tries)
          if (/9\.jpg$/.test(address)) return { code: 'not-found', reason: 'made up', transient: false }
          return /[246]\d\.jpg$/.test(address) && tries < 2
            ? { code: 'timeout', reason: 'made up', transient: true }
            : null
        }),
        hash: rowHash,
        clock,
        name,
        limits: { idleMs: 1, retryDelayMs: 1, tellMs: 0, lowParts: 4, chunkParts: 6, troubleMs: 60_000 },
      })
    } catch (error) {
      if (!life.dead) throw error
    }
  }
}

async function readIndependently(
  storage: Storage,
): Promise<Map<string, { state: string; embedding: Uint8Array | null }>> {
  const found = new Map<string, { state: string; embedding: Uint8Array | null }>()
  for await (const { key, size } of storage.list({ prefix: 'parts/' })) {
    const read = await storage.read(key)
    const bytes = read?.bytes ?? new Uint8Array()
    expect(bytes.length).toBe(size)
    const file = {
      byteLength: bytes.length,
      slice: (start: number, end?: number) => bytes.slice(start, end).buffer,
    } satisfies Partial<Awaited<ReturnType<typeof asyncBufferFromFile>>>
    const metadata = await parquetMetadataAsync(file)
    for (const row of await parquetReadObjects({ file, metadata })) {
      const id = String(row.id)
      expect(found.has(id), `${id} is there twice`).toBe(false)
      found.set(id, {
        state: String(row.code ?? row.state),
        embedding: (row.embedding ?? null) as Uint8Array | null,
      })
    }
  }
  return found
}

function wantedState(line: number): string {
  if (`/photos/${line}.jpg` === POISON) return 'killed'
  return line % 10 === 9 ? 'not-found' : 'embedded'
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  'whatever dies, each row is there exactly once (seed %i)',
  async (seed) => {
    const random = randomOf(seed)
    const storage = new MemoryStorage()
    const { job, plan } = await makeJob(storage, ROWS, { rowsPerPart: 16, maxFailed: 1 })
    const queues = new MemoryQueues({ lockMs: 5, waitMs: 3 })
    const world = { storage, queues, job, random, attempts: new Map<string, number>() }
    let flushes = 0
    const flushing = setInterval(() => {
      if (flushes < 5 && random() < 0.2) {
        flushes++
        queues.flush()
      }
    }, 20)
    const outcomes = await Promise.all(
      Array.from({ length: WORKERS }, (_, worker) => supervise(world, `worker ${worker}`)),
    )
    clearInterval(flushing)
    for (const { ended } of outcomes) expect(ended).toBe('done')
    const proof = await proveResult({ job, storage, hash: rowHash, deep: true })
    expect(proof).toMatchObject({ proven: true, rows: ROWS, found: ROWS, parts: plan.parts, missing: [] })

    const found = await readIndependently(storage)
    expect(found.size).toBe(ROWS)
    for (let line = 1; line <= ROWS; line++) {
      const { state, embedding } = found.get(`line ${line}`) ?? { state: 'missing', embedding: null }
      // A timeout may be left where a part was tried often enough.
      if (state !== 'timeout') expect(`${line} ${state}`).toBe(`${line} ${wantedState(line)}`)
      if (embedding === null) continue
      const numbers = new Float32Array(WIDTH)
      float16ToFloat32(new Uint16Array(embedding.slice().buffer), numbers)
      const wanted = embeddingOf(`/photos/${line}.jpg`)
      const length = Math.hypot(...wanted)
      for (const [at, value] of numbers.entries()) expect(value).toBeCloseTo((wanted[at] ?? 0) / length, 3)
    }
  },
  30_000,
)
