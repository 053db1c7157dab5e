/**
 * Is a worker of the soak: it is real but for its encoder, whose numbers tell which image they are of, unless it is given a model. It reads what it is to do from its arguments, and
 * writes how it ended as its last line.
 *
 *     node soak-worker.mjs '{"to":"s3://…","queue":"redis://…","name":"w1","rowMs":0.2,"poison":["/photos/7.jpg"],"flaky":0.001}'
 */
import { hash } from 'node:crypto'

const dist = new URL('../../dist/', import.meta.url)
const load = (path) => import(new URL(path, dist).href)
const [{ runWorkerLoop }, { readJob }, { systemClock }, { openStorage }, { openJobQueue }] =
  await Promise.all([
    load('jobs/worker.js'),
    load('jobs/job.js'),
    load('clock.js'),
    load('platform/node/storage/open-storage.js'),
    load('platform/node/jobs/open-job-queue.js'),
  ])

const {
  to,
  queue: queueAddress,
  name,
  rowMs = 0,
  poison = [],
  fails = [],
  model,
} = JSON.parse(process.argv[2])
const rowHash = (text) => hash('sha256', text, 'buffer')
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort(new Error('told to stop')))

const storage = await openStorage(to, { patienceMs: 20_000, stallMs: 2000 })
const job = await readJob(storage)
const queue = await openJobQueue(queueAddress, job.id, {
  lockMs: 2000,
  checkMs: 1000,
  waitMs: 500,
  unavailableMs: 60_000,
})

const madeUp = {
  identity: job.identity,
  embeddingWidth: job.width,
  async *encodeAll(sources, { signal }) {
    let index = 0
    for await (const bytes of sources) {
      signal.throwIfAborted()
      const address = new TextDecoder().decode(bytes)
      // An image that ends whoever decodes it.
      if (poison.includes(address)) process.kill(process.pid, 'SIGKILL')
      if (rowMs > 0 && index % 50 === 49) await new Promise((resolve) => setTimeout(resolve, rowMs * 50))
      const digest = rowHash(address)
      const embedding = Float32Array.from({ length: job.width }, (_, at) => 1 + digest[at])
      yield { index: index++, features: { embedding, imageSize: [3, 4] } }
    }
  },
}
const ofAddresses = {
  async fetch({ address }, signal) {
    signal.throwIfAborted()
    return fails.includes(address)
      ? { code: 'not-found', reason: 'made up', transient: false }
      : new TextEncoder().encode(address)
  },
}
const encoder =
  model === undefined
    ? madeUp
    : await (await load('platform/node/load-encoder.js')).loadEncoder(model, { threads: 1 })
const fetcher =
  model === undefined ? ofAddresses : new (await load('platform/node/jobs/job-fetcher.js')).JobFetcher()
const counts = {}
const outcome = await runWorkerLoop({
  job,
  storage,
  queue,
  encoder,
  fetcher,
  hash: rowHash,
  clock: systemClock,
  name,
  signal: stop.signal,
  limits: { idleMs: 200, tellMs: 1000, retryDelayMs: 500, troubleMs: 120_000 },
  onEvent: ({ kind }) => {
    counts[kind] = (counts[kind] ?? 0) + 1
  },
})
console.log(JSON.stringify({ ...outcome, counts }))
await queue[Symbol.asyncDispose]()
await storage[Symbol.asyncDispose]()
