/** Makes collections of a job that is interrupted at each step and tried again in between: each row is in them once, as the last round has it. */
import { beforeAll, expect, test } from 'vitest'
import { fakeEncoder, fetcherOf, makeJob, rowHash } from '../../test/jobs/made-job.js'
import { systemClock } from '../clock.js'
import { MemoryStorage } from '../storage/memory-storage.js'
import { openAloneQueue } from './alone-queue.js'
import { planRetry } from './control-job.js'
import { finishJobWith, type MadeCollection, type Origin } from './finish-job.js'
import type { Job } from './job.js'
import type { ResultRow } from './part-rows.js'
import { runWorkerLoop } from './worker.js'

const clock = { ...systemClock, sleep: (_ms: number, signal: AbortSignal) => systemClock.sleep(1, signal) }
const ROWS = 8
/** A collection of two parts, and one of a part that is not full. */
const ROWS_EACH = 6
const isBad = (address: string) => [2, 5, 8].some((line) => address === `/photos/${line}.jpg`)

async function work(storage: MemoryStorage, job: Job, fails: boolean): Promise<void> {
  await using queue = await openAloneQueue(storage, { clock, holder: { name: 'one' } })
  const fetcher = fetcherOf((address) =>
    fails && isBad(address) ? { code: 'not-found', reason: 'it is not there', transient: false } : null,
  )
  const parts = { job, storage, queue, fetcher, hash: rowHash, clock, name: 'one' }
  await runWorkerLoop({ ...parts, encoder: fakeEncoder() })
}

/** Keeps collections in memory, and dies at the step that it is told, before it is done or behind it. */
class Collections {
  readonly rows = new Map<number, ResultRow[]>()
  readonly origins = new Map<number, Origin>()
  steps = 0
  dies: { readonly at: number; readonly done: boolean } | null = null

  async #step(work: () => void): Promise<void> {
    const isLast = this.dies !== null && this.steps++ === this.dies.at
    if (isLast && this.dies?.done === false) throw new Error('killed')
    work()
    if (isLast) throw new Error('killed')
  }

  readonly make = async (shard: number): Promise<MadeCollection> => {
    const own = this.rows.get(shard) ?? []
    this.rows.set(shard, own)
    return {
      label: `shard ${shard}`,
      rows: own.length,
      origin: this.origins.get(shard) ?? null,
      setOrigin: (origin) => this.#step(() => void this.origins.set(shard, origin)),
      add: (rows) => this.#step(() => void own.push(...rows)),
      replace: async (rows) => {
        await this.#step(() => {
          for (const row of rows) {
            const at = own.findIndex(({ id }) => id === row.id)
            if (at >= 0) own[at] = row
          }
        })
        return rows.filter((row) => own.every(({ id }) => id !== row.id))
      },
      async *ids() {
        yield own.map(({ id }) => id)
      },
      finish: () => this.#step(() => {}),
      close: async () => {},
    }
  }

  copy(): Collections {
    const copy = new Collections()
    for (const [shard, rows] of this.rows) copy.rows.set(shard, [...rows])
    for (const [shard, origin] of this.origins) copy.origins.set(shard, origin)
    return copy
  }

  all(): readonly string[] {
    return [...this.rows.values()].flat().map(({ id, state }) => `${id} ${state}`)
  }
}

/** @param round is the last one whose rows are there */
const finish = (round: number, { make }: Collections, rowsPerCollection = ROWS_EACH) =>
  finishJobWith({
    job,
    storage: rounds[round] as MemoryStorage,
    hash: rowHash,
    rowsPerCollection,
    makeCollection: make,
  })

/** Are the results of a job: of its first round, with a retry that fails again, and with another that does not. Finishing changes none of them. */
const rounds: MemoryStorage[] = []
let job: Job
beforeAll(async () => {
  let storage = new MemoryStorage()
  job = (await makeJob(storage, ROWS, { rowsPerPart: 3, maxFailed: 1 })).job
  for (const fails of [true, true, false]) {
    if (rounds.length > 0) await planRetry({ job, storage, hash: rowHash, all: true })
    await work(storage, job, fails)
    rounds.push(storage)
    storage = await copyOf(storage)
  }
})

async function copyOf(storage: MemoryStorage): Promise<MemoryStorage> {
  const copy = new MemoryStorage()
  for await (const { key } of storage.list())
    await copy.write(key, (await storage.read(key))?.bytes ?? new Uint8Array())
  return copy
}

const states = (failed: readonly number[]) =>
  Array.from({ length: ROWS }, (_, at) => `line ${at + 1} ${failed.includes(at + 1) ? 'failed' : 'embedded'}`)

test('whenever it dies, before a retry and after it, each row is there once, as the last round has it', async () => {
  const whole = new Collections()
  await finish(0, whole)
  let deaths = 0
  for (let at = 0, isOver = false; !isOver; at++) {
    isOver = true
    for (const done of [false, true])
      for (const [collections, round] of [[new Collections(), 0] as const, [whole.copy(), 2] as const]) {
        collections.dies = { at, done }
        const error = await finish(round, collections).catch((found: Error) => found)
        if (!(error instanceof Error)) continue
        expect(error.message).toBe('killed')
        deaths++
        isOver = false
        collections.dies = null
        await finish(2, collections)
        expect(collections.all()).toEqual(states([]))
      }
  }
  // Two collections, of four steps each the first time and three with the retries.
  expect(deaths).toBe(2 * 2 * (4 + 3))
})

test('a second call does what a retry has changed, and then nothing', async () => {
  const collections = new Collections()
  expect(await finish(0, collections)).toMatchObject({ rows: ROWS, replaced: 0 })
  // Both retries have the three rows.
  expect(await finish(2, collections)).toMatchObject({ rows: ROWS, replaced: 6 })
  collections.dies = { at: 0, done: false }
  expect(await finish(2, collections)).toMatchObject({ rows: ROWS, replaced: 0 })
})

test('goes on in the middle of a part, and takes the last of several rounds', async () => {
  const whole = new Collections()
  await finish(0, whole)
  expect(whole.all()).toEqual(states([2, 5, 8]))
  const part = new Collections()
  part.rows.set(0, (whole.rows.get(0) ?? []).slice(0, 4))
  part.origins.set(0, { ...(whole.origins.get(0) as Origin), isWhole: false })
  await finish(1, part)
  expect(part.all()).toEqual(states([2, 5, 8]))
  expect(await finish(2, part)).toMatchObject({ collections: 2, rows: ROWS })
  expect(part.all()).toEqual(states([]))
})

test('refuses what is of another job or another size, and what others have changed', async () => {
  const collections = new Collections()
  await finish(0, collections)
  let round = 0
  const refused = (words: string, rowsPerCollection?: number) =>
    expect(finish(round, collections, rowsPerCollection)).rejects.toThrow(words)
  await refused('made with other --rows-per-collection', 9)
  const origin = collections.origins.get(0) as Origin
  collections.origins.set(0, { ...origin, id: '0'.repeat(16) })
  await refused('was made of another job')
  collections.origins.delete(0)
  await refused('has 6 rows, and was not made of this job')
  collections.origins.set(0, origin)
  round = 2
  const removed = collections.rows.get(0)?.splice(1, 1) ?? []
  await refused('has 5 rows where the job has 6: rows were added or removed')
  collections.rows.get(0)?.push({ ...(removed[0] as ResultRow), id: 'line 77' })
  await refused('has no row line 2, which a retry has changed')
  collections.origins.set(0, { ...origin, isWhole: false, rounds: 3 })
  await refused('something else has written to it')
})
