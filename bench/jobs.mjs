/**
 * Measures what a job takes beside its encoder: the real planner, queue in memory, parts, commits and proof, in a folder, with an encoder that only makes numbers up.
 *
 *     node bench/jobs.mjs [rows]      # 1,000,000 by default; its figures are in docs/scale.md
 */
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dist } from './dist.mjs'
import { MADE_PLAN, WIDTH } from './made-plan.mjs'
import { inWords, recordJobs, watchLoad, watchMemory } from './record-jobs.mjs'

const ROWS = Number(process.argv[2] ?? 1_000_000)
/** A part of so many rows aims at two minutes: coordination is set against that. */
const PART_SECONDS = 120

const stage = process.argv[3]
const folder = process.argv[4] ?? mkdtempSync(join(tmpdir(), 'plumage-jobs-'))
if (stage === undefined) await measureAll()
else await measure(stage)

/** Each stage is a process of its own, so that its memory is its own. */
async function measureAll() {
  const load = watchLoad()
  const run = async (name) => {
    const command = [fileURLToPath(import.meta.url), String(ROWS), name, folder]
    const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 26 })
    return JSON.parse(stdout.trim().split('\n').at(-1))
  }
  // One after the other: each has the machine for itself.
  const plan = await run('plan')
  const work = await run('work')
  const prove = await run('prove')
  const deep = await run('deep')
  rmSync(folder, { recursive: true, force: true })
  const perPart = work.cpu / work.parts
  const { count, seconds, memory } = inWords
  const rows = [
    {
      what: `plan of ${count(ROWS)} rows`,
      figure: `${count(ROWS / plan.cpu)} rows a second of processor; ${memory(plan)}`,
    },
    {
      what: `a worker, ${count(ROWS)} made-up embeddings of ${WIDTH} numbers in ${work.parts} parts`,
      figure: `${seconds(work.seconds)}, ${((1e6 * work.cpu) / ROWS).toFixed(0)} µs of processor a row; ${memory(work)}`,
    },
    {
      what: 'of the processor time of a part that takes two minutes on two cores',
      figure: `${((100 * perPart) / (2 * PART_SECONDS)).toFixed(2)} %`,
    },
    {
      what: `proof of ${work.parts} parts by their footers`,
      figure: `${seconds(prove.seconds)}, peak ${count(prove.peakMB)} MB`,
    },
    {
      what: 'proof that reads all rows',
      figure: `${count(ROWS / deep.cpu)} rows a second of processor; ${memory(deep)}`,
    },
  ]
  recordJobs('a worker', rows, load())
}

async function measure(name) {
  const [
    { planJob },
    { readJob },
    { runWorkerLoop },
    { systemClock },
    { openAloneQueue },
    { proveResult },
    { openStorage },
  ] = await Promise.all([
    dist('jobs/create-job.js'),
    dist('jobs/job.js'),
    dist('jobs/worker.js'),
    dist('clock.js'),
    dist('jobs/alone-queue.js'),
    dist('jobs/prove-job.js'),
    dist('platform/node/storage/open-storage.js'),
  ])
  const rowHash = (text) => hash('sha256', text, 'buffer')
  const storage = await openStorage(folder)
  const memory = watchMemory()
  const started = performance.now()
  const before = process.cpuUsage()
  let told = {}
  if (name === 'plan')
    await planJob({
      source: { label: 'made up', base: '/photos', rows: () => rowsOf(ROWS) },
      storage,
      ...MADE_PLAN,
      hash: rowHash,
    })
  else {
    const job = await readJob(storage)
    if (name === 'work') {
      const queue = await openAloneQueue(storage, { clock: systemClock, holder: { name: 'bench' } })
      const fetcher = { fetch: async ({ address }) => new TextEncoder().encode(address) }
      const { ended, parts } = await runWorkerLoop({
        job,
        storage,
        queue,
        encoder: encoderOf(job),
        fetcher,
        hash: rowHash,
        clock: systemClock,
        name: 'bench',
      })
      if (ended !== 'done') throw new Error(`the job ended as ${ended}`)
      told = { parts }
      await queue[Symbol.asyncDispose]()
    } else {
      const { proven, found } = await proveResult({ job, storage, hash: rowHash, deep: name === 'deep' })
      if (!proven || found !== ROWS) throw new Error(`${found} of ${ROWS} rows are proven`)
    }
  }
  const { user, system } = process.cpuUsage(before)
  await storage[Symbol.asyncDispose]()
  const seconds = (performance.now() - started) / 1000
  console.log(
    JSON.stringify({
      seconds,
      cpu: (user + system) / 1e6,
      ...memory(),
      ...told,
    }),
  )
}

async function* rowsOf(count) {
  for (let line = 1; line <= count; line++)
    yield { id: `line ${line}`, name: `photo-${line}.jpg`, place: { address: `/photos/${line}.jpg` } }
}

function encoderOf({ identity, width }) {
  return {
    identity,
    embeddingWidth: width,
    async *encodeAll(sources) {
      let index = 0
      for await (const bytes of sources) {
        const embedding = new Float32Array(width)
        for (let at = 0; at < width; at++) embedding[at] = ((index * 31 + at * 17 + bytes.length) % 101) - 50
        yield { index: index++, features: { embedding, imageSize: [3, 4] } }
      }
    },
  }
}
