import { expect, test, vi } from 'vitest'
import { fakeEncoder, fetcherOf, IDENTITY, makeJob, rowHash } from '../../test/jobs/made-job.js'
import { systemClock } from '../clock.js'
import { MemoryStorage } from '../storage/memory-storage.js'
import { openAloneQueue } from './alone-queue.js'
import { cancelJob, pauseJob, planRetry, resumeJob } from './control-job.js'
import type { WorkerEvent } from './events.js'
import type { Job } from './job.js'
import { jobStatusOf } from './job-status.js'
import { TALLY_KEY } from './keys.js'
import { MemoryQueues } from './memory-queue.js'
import { proveResult } from './prove-job.js'
import type { JobQueue } from './queue.js'
import { QueueError } from './queue-error.js'
import { readPlans, resultParts } from './rounds.js'
import { runWorkerLoop, type WorkerParts } from './worker.js'

const clock = { ...systemClock, sleep: (_ms: number, signal: AbortSignal) => systemClock.sleep(1, signal) }

async function work(storage: MemoryStorage, job: Job, parts: Partial<WorkerParts> = {}) {
  await using queue = await openAloneQueue(storage, { clock, holder: { name: 'one' } })
  return await runWorkerLoop({
    job,
    storage,
    queue,
    encoder: fakeEncoder(),
    fetcher: fetcherOf(),
    hash: rowHash,
    clock,
    name: 'one',
    ...parts,
  })
}

async function statesOf(storage: MemoryStorage, job: Job) {
  const plans = await readPlans(storage, rowHash)
  const found: string[] = []
  for await (const { rows } of resultParts({ storage, job, plans, hash: rowHash }))
    for (const { id, code } of rows) found.push(`${id} ${code ?? 'embedded'}`)
  return found
}

test('each row is in the result exactly once, in the order of the source', async () => {
  const storage = new MemoryStorage()
  const { job, plan } = await makeJob(storage, 37)
  expect(plan.parts).toBe(4)
  const events: WorkerEvent[] = []
  const outcome = await work(storage, job, { onEvent: (event) => events.push(event) })
  expect(outcome).toMatchObject({ ended: 'done', parts: 4, rows: 37, failed: {}, dropped: 0, givenBack: 0 })
  expect(await proveResult({ job, storage, hash: rowHash, deep: true })).toMatchObject({
    proven: true,
    rows: 37,
    found: 37,
    failed: {},
  })
  expect(await statesOf(storage, job)).toEqual(
    Array.from({ length: 37 }, (_, at) => `line ${at + 1} embedded`),
  )
  expect(events.filter(({ kind }) => kind === 'rowDone')).toHaveLength(37)
})

test('failed rows are told with their reason, and a retry replaces them', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 40, { maxFailed: 1 })
  const failing = fetcherOf((address) =>
    /[37]\.jpg$/.test(address)
      ? {
          code: address.includes('7') ? 'timeout' : 'not-found',
          reason: 'made up',
          transient: address.includes('7'),
        }
      : null,
  )
  const first = await work(storage, job, { fetcher: failing })
  expect(first).toMatchObject({ ended: 'done', failed: { timeout: 4, 'not-found': 4 } })
  const plan = await planRetry({ job, storage, hash: rowHash })
  expect(plan).toMatchObject({ round: 1, rows: 4, replaces: { timeout: 4 } })
  expect(await proveResult({ job, storage, hash: rowHash })).toMatchObject({ proven: false, problems: 1 })
  expect(await work(storage, job)).toMatchObject({ ended: 'done', rows: 4 })
  expect(await proveResult({ job, storage, hash: rowHash, deep: true })).toMatchObject({
    proven: true,
    rows: 40,
    found: 40,
    failed: { 'not-found': 4 },
  })
  const read = vi.spyOn(storage, 'read')
  const status = await jobStatusOf(storage, job, rowHash, { now: Date.now() })
  expect(status).toMatchObject({
    status: 'done',
    round: 1,
    rows: 4,
    failed: {},
    allFailed: { 'not-found': 4 },
  })
  expect(read.mock.calls.filter(([key]) => key === TALLY_KEY)).toHaveLength(1)
  const states = await statesOf(storage, job)
  expect(states.filter((state) => !state.endsWith('embedded'))).toEqual([
    'line 3 not-found',
    'line 13 not-found',
    'line 23 not-found',
    'line 33 not-found',
  ])
})

test('more failures than allowed stop the job, and say why', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 100)
  const fetcher = fetcherOf(() => ({ code: 'not-found', reason: 'made up', transient: false }))
  const outcome = await work(storage, job, { fetcher })
  expect(outcome).toMatchObject({ ended: 'stopped', rows: 10 })
  expect(outcome.reason).toContain('10 of the first 10 rows failed (10 not-found), more than 1 %')
})

test('an encoder of another identity takes nothing', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 10)
  const other = fakeEncoder(() => {}, { ...IDENTITY, digest: '12'.repeat(32), weights: '34'.repeat(32) })
  await expect(work(storage, job, { encoder: other })).rejects.toMatchObject({ code: 'other-identity' })
  expect(await storage.look('queue/cursor.json')).toBeNull()
})

test('a part whose rows mostly fail for a time is given back, and committed after its last try', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 20, { maxFailed: 1 })
  const events: WorkerEvent[] = []
  const fetcher = fetcherOf((address) =>
    /\/\d\.jpg$/.test(address) ? { code: 'timeout', reason: 'made up', transient: true } : null,
  )
  const outcome = await work(storage, job, {
    fetcher,
    onEvent: (event) => events.push(event),
    limits: { retryDelayMs: 1 },
  })
  expect(outcome).toMatchObject({ ended: 'done', failed: { timeout: 9 }, givenBack: 4 })
  const delays = events.flatMap((event) => (event.kind === 'partGivenBack' ? [event.delayMs] : []))
  expect(delays).toEqual([1, 4, 16, 64])
})

test('who waits for a part that is kept back is told so, and is not told of others that there are not', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 10, { maxFailed: 1 })
  const reasons = new Set<string>()
  let tries = 0
  const fetcher = fetcherOf(() =>
    tries++ < 10 ? { code: 'timeout', reason: 'made up', transient: true } : null,
  )
  const outcome = await work(storage, job, {
    fetcher,
    onEvent: (event) => event.kind === 'waiting' && reasons.add(event.reason),
    limits: { retryDelayMs: 100 },
  })
  expect(outcome).toMatchObject({ ended: 'done', failed: {}, givenBack: 1 })
  expect([...reasons]).toEqual(['1 part is kept back until the next try, since too much failed'])
})

test('an image that ends workers by errors becomes a failed row, and the others are embedded', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 60, { rowsPerPart: 30, maxFailed: 1 })
  const encoder = fakeEncoder((address) => {
    if (address === '/photos/17.jpg') throw new TypeError('made up')
  })
  let ends = 0
  for (;;) {
    const outcome = await work(storage, job, { encoder }).catch((error: unknown) => error)
    if (!(outcome instanceof TypeError)) {
      expect(outcome).toMatchObject({ ended: 'done' })
      break
    }
    if (++ends > 20) throw new Error('it never ends')
  }
  expect(ends).toBeLessThan(10)
  expect(await proveResult({ job, storage, hash: rowHash, deep: true })).toMatchObject({
    proven: true,
    failed: { killed: 1 },
  })
  expect(await statesOf(storage, job)).toContain('line 17 killed')
  const left: string[] = []
  for await (const { key } of storage.list({ prefix: 'careful/' })) left.push(key)
  expect(left).toEqual([])
})

test('a worker that is told to stop gives its part back, and another does it', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 30)
  const stop = new AbortController()
  const encoder = fakeEncoder((address) => {
    if (address === '/photos/15.jpg') stop.abort(new Error('enough'))
  })
  const outcome = await work(storage, job, { encoder, signal: stop.signal })
  expect(outcome).toMatchObject({ ended: 'told-to-stop', rows: 10, givenBack: 1 })
  expect(await work(storage, job)).toMatchObject({ ended: 'done', rows: 20 })
})

test('a worker whose clock goes wrong gives its part back, says why and ends, and another does the part', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 20)
  const queues = new MemoryQueues({ waitMs: 10 })
  const queue = queues.open(job.id)
  const wrong = new QueueError('clock', 'The clock of this machine is 3600.0 s ahead of that of the queue.')
  const lost = new AbortController()
  let hasJumped = false
  // As a queue on PostgreSQL does once it has compared the clocks: it gives back what is here, and takes nothing any more.
  const jumping: JobQueue = {
    label: queue.label,
    add: (tasks) => queue.add(tasks),
    counts: () => queue.counts(),
    clear: () => queue.clear(),
    take: async () => {
      if (hasJumped) throw wrong
      const claim = await queue.take()
      return claim && { ...claim, lost: lost.signal }
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  }
  const encoder = fakeEncoder(async () => {
    if (hasJumped) return
    hasJumped = true
    await queue[Symbol.asyncDispose]()
    lost.abort(wrong)
  })
  const events: WorkerEvent[] = []
  const working = work(storage, job, { queue: jumping, encoder, onEvent: (event) => events.push(event) })
  await expect(working).rejects.toBe(wrong)
  expect(events).toContainEqual({
    kind: 'claimLost',
    task: { round: 0, part: 0, pass: 0 },
    reason: wrong.message,
  })
  expect(events.filter(({ kind }) => kind === 'partCommitted')).toEqual([])
  await using other = queues.open(job.id)
  expect(await work(storage, job, { queue: other })).toMatchObject({ ended: 'done', rows: 20 })
  expect(await proveResult({ job, storage, hash: rowHash, deep: true })).toMatchObject({ proven: true })
})

test('a cancelled job ends its workers, and resumed it goes on', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 30)
  await cancelJob(storage)
  expect(await work(storage, job)).toMatchObject({ ended: 'cancelled', rows: 0 })
  await expect(pauseJob(storage)).rejects.toMatchObject({ code: 'stopped' })
  await resumeJob(storage)
  expect(await work(storage, job)).toMatchObject({ ended: 'done', rows: 30 })
})

test('a second worker without a queue is kept out, and one that died leaves its place after a minute', async () => {
  const storage = new MemoryStorage()
  let now = 0
  const slow = {
    monotonic: () => now,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      now += ms
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  const first = await openAloneQueue(storage, { clock: slow, holder: { name: 'one' } })
  await expect(openAloneQueue(storage, { clock: slow, holder: { name: 'two' } })).rejects.toMatchObject({
    code: 'needs-queue',
  })
  await first.add([{ round: 0, part: 3, pass: 0 }])
  const claim = await first.take()
  expect(claim).toMatchObject({ task: { part: 3 }, deaths: 0 })
  await first[Symbol.asyncDispose]()
  const again = await openAloneQueue(storage, { clock: slow, holder: { name: 'two' } })
  await again.add([{ round: 0, part: 3, pass: 1 }])
  expect(await again.take()).toMatchObject({ deaths: 1 })
  await again[Symbol.asyncDispose]()
  await storage.write('queue/lease.json', new TextEncoder().encode('{"holder":{"name":"dead"},"count":7}'))
  const before = now
  const last = await openAloneQueue(storage, { clock: slow, holder: { name: 'three' } })
  expect(now - before).toBeGreaterThanOrEqual(60_000)
  await last[Symbol.asyncDispose]()
})

test('a proof names what is missing and what is another part', async () => {
  const storage = new MemoryStorage()
  const { job } = await makeJob(storage, 30)
  await work(storage, job)
  const key = (part: number) => `parts/0/0000000${part}-abababababab.parquet`
  const other = await storage.read(key(2))
  await storage.write(key(1), other?.bytes ?? new Uint8Array())
  await storage.remove(key(0))
  const problems: string[] = []
  const proof = await proveResult({
    job,
    storage,
    hash: rowHash,
    onProblem: (problem) => problems.push(problem),
  })
  expect(proof).toMatchObject({
    proven: false,
    rows: 30,
    found: 10,
    missing: ['round 0 part 0'],
    problems: 2,
  })
  expect(problems.sort()).toEqual([
    'round 0 part 0 is missing (parts/0/00000000-abababababab.parquet)',
    'round 0 part 1 is of another part: 2, expected 1',
  ])
})
