/**
 * Kills `plumage job finish` at random moments, again and again: while it makes the collections of a job, and while it brings in what a retry has changed. Whenever it has ended by itself,
 * every row must be there exactly once, with what its image gives, by `job prove`, by `collection check` and by reading all of them; and the folder may not be much larger than one
 * that was made at once.
 *
 *     node test/support/kill-finish.mjs [--kills 40]
 *
 * It needs the built code, and ends with 1 where anything is wrong.
 */
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../../dist/clock.js'
import { rowsOf, wideHalvesOf } from '../../dist/collection/row-block.js'
import { openAloneQueue } from '../../dist/jobs/alone-queue.js'
import { planRetry } from '../../dist/jobs/control-job.js'
import { planJob } from '../../dist/jobs/create-job.js'
import { runWorkerLoop } from '../../dist/jobs/worker.js'
import { openCollections } from '../../dist/platform/node/collection/open-collections.js'
import { rowHash } from '../../dist/platform/node/jobs/row-hash.js'
import { openStorage } from '../../dist/platform/node/storage/open-storage.js'

const CLI = fileURLToPath(new URL('../../dist/bundle/node/cli.js', import.meta.url))
const WIDTH = 64
const identity = {
  digest: 'd'.repeat(64),
  weights: 'w'.repeat(64),
  settings: '{}',
  precision: 'float32',
  recipe: 'made',
  model: 'made',
  engine: 'none',
}

/** See kill-finish.d.mts. */
export async function killFinish({ kills, rows = 1500 }) {
  const root = mkdtempSync(join(tmpdir(), 'plumage-kill-finish-'))
  const report = { kills: 0, runs: 0, folders: 0, ratio: 0, problems: [] }
  try {
    const jobs = await makeJobs(root, rows)
    // A run that is left alone takes so long, and what it leaves is compared with.
    const spans = []
    for (const job of jobs) {
      const begun = performance.now()
      await finish(root, job, 'alone', null, report)
      spans.push((performance.now() - begun) * 1.1)
    }
    const size = sizeOf(join(root, 'alone'))
    while (report.problems.length < 4 && (report.kills < kills || report.folders === 0)) {
      const out = `out-${report.folders}`
      for (const [at, job] of jobs.entries()) {
        for (let isDone = false; !isDone && report.problems.length < 4; ) {
          // Later kills find more of it done: a moment within the rest of the work as well as one at its begin.
          const moment = report.kills < kills ? Math.random() * spans[at] : null
          isDone = await finish(root, job, out, moment, report)
        }
        if (report.problems.length === 0) await compare(root, job, out, report)
      }
      report.ratio = Math.max(report.ratio, sizeOf(join(root, out)) / size)
      report.folders++
    }
    if (report.ratio > 1.5)
      report.problems.push(`a folder has ${report.ratio} times the bytes of one that was made at once`)
    return report
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Makes a job a seventh of whose rows fail, and the same job after they were tried again. */
async function makeJobs(root, count) {
  mkdirSync(join(root, 'photos'))
  const addresses = Array.from({ length: count }, (_, at) => join(root, `photos/${at}.jpg`))
  for (const address of addresses) writeFileSync(address, '')
  const fails = (address) => Number(/(\d+)\.jpg$/.exec(address)?.[1]) % 7 === 3
  const [first, second] = ['first', 'second'].map((name) => join(root, name))
  const job = await using(openStorage(first), async (storage) => {
    const made = await planJob({
      source: {
        label: 'made',
        base: root,
        rows: async function* () {
          yield addresses.map((address, at) => ({ id: `line ${at + 1}`, name: address, place: { address } }))
        },
      },
      storage,
      identity,
      width: WIDTH,
      model: { source: 'made', options: {} },
      settings: { dtype: 'float16', rowsPerPart: 50, maxFailed: 1, unique: false },
      queue: null,
      hash: rowHash,
      tryConditionalWrites: async () => {},
    })
    await work(made.job, storage, fails)
    return made.job
  })
  cpSync(first, second, { recursive: true })
  await using(openStorage(second), async (storage) => {
    await planRetry({ job, storage, hash: rowHash, all: true })
    await work(job, storage, () => false)
  })
  return [
    { name: 'first', addresses, fails },
    { name: 'second', addresses, fails: () => false },
  ]
}

/** Node 20 does not know `await using` in plain JavaScript. */
async function using(opening, act) {
  const opened = await opening
  try {
    return await act(opened)
  } finally {
    await opened[Symbol.asyncDispose]()
  }
}

async function work(job, storage, fails) {
  const opening = openAloneQueue(storage, { clock: systemClock, holder: { name: 'one' } })
  await using(opening, (queue) => workOn(job, storage, queue, fails))
}

async function workOn(job, storage, queue, fails) {
  const failure = { code: 'unreadable', reason: 'made up', transient: false }
  await runWorkerLoop({
    job,
    storage,
    queue,
    fetcher: { fetch: async ({ address }) => (fails(address) ? failure : new TextEncoder().encode(address)) },
    hash: rowHash,
    clock: systemClock,
    name: 'one',
    encoder: {
      identity,
      embeddingWidth: WIDTH,
      async *encodeAll(sources) {
        let index = 0
        for await (const bytes of sources) {
          const embedding = embeddingOf(new TextDecoder().decode(bytes))
          yield { index: index++, features: { embedding, imageSize: [3, 4] } }
        }
      },
    },
  })
}

function embeddingOf(address) {
  const bytes = hash('sha256', address, 'buffer')
  return Float32Array.from({ length: WIDTH }, (_, at) => bytes[at % 32] - 127.5)
}

/** Says whether it ended by itself. A moment is in milliseconds; null leaves it alone. */
async function finish(root, { name, fails, addresses }, out, moment, report) {
  const args = ['job', 'finish', name, '-o', out, '--rows-per-collection', String(addresses.length / 3)]
  const { code, stdout, stderr } = await run(root, args, moment)
  report.runs++
  const wanted = addresses.some(fails) ? 1 : 0
  if (code === null) report.kills++
  // A job with failures ends with 1 as well, once it has said where its rows are.
  else if (code !== wanted || !stdout.includes('each exactly once'))
    report.problems.push(`a run ended with ${code}: ${stderr}`)
  return code !== null
}

async function run(root, args, moment = null) {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].on('data', (chunk) => {
      texts[stream] += chunk
    })
  const end = once(child, 'close')
  const timer = moment === null ? null : sleep(moment).then(() => child.kill('SIGKILL'))
  const [code] = await end
  await timer
  return { code, ...texts }
}

async function compare(root, { name, addresses, fails }, out, report) {
  const proof = await run(root, ['job', 'prove', name, '--deep'])
  if (proof.code !== 0) report.problems.push(`prove: ${proof.stdout}${proof.stderr}`)
  const folder = join(root, out)
  const shards = existsSync(folder) ? readdirSync(folder).filter((entry) => entry.endsWith('.plumage')) : []
  if (shards.length !== 3) report.problems.push(`${out} has ${shards.join(', ')}`)
  for (const shard of shards) {
    const check = await run(root, ['collection', 'check', '--deep', '--in', join(out, shard)])
    if (check.code !== 0) report.problems.push(`check: ${check.stdout}${check.stderr}`)
  }
  const wanted = new Map(addresses.map((address) => [address.slice(1), address]))
  await using(openCollections(folder), (set) => compareRows(set, wanted, fails, report))
  if (wanted.size > 0) report.problems.push(`${wanted.size} of ${addresses.length} rows are missing`)
}

/** Takes the addresses of the rows that there are out of what is wanted. */
async function compareRows(set, wanted, fails, report) {
  for (const { collection } of set.members)
    for await (const block of collection.scan({ columns: ['path', 'state', 'norm'], embeddings: true })) {
      const halves = wideHalvesOf(block.embeddings)
      for (const [at, { path, state, norm }] of rowsOf(block).entries()) {
        const address = wanted.get(path)
        if (address === undefined) report.problems.push(`${path} is there twice, or nobody asked for it`)
        else if (fails(address) !== (state === 'failed')) report.problems.push(`${path} is ${state}`)
        else if (state === 'embedded' && !isOf(address, halves.subarray(at * WIDTH, (at + 1) * WIDTH), norm))
          report.problems.push(`${path} has another embedding`)
        wanted.delete(path)
      }
    }
}

/** Halves of numbers up to 1 are off by a 4096th at most. */
function isOf(address, unit, norm) {
  const embedding = embeddingOf(address)
  return embedding.every((value, at) => Math.abs(value / norm - unit[at]) < 1 / 4096)
}

function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '40' } } })
  const report = await killFinish({ kills: Number(values.kills) })
  console.log(JSON.stringify(report))
  if (report.problems.length > 0) process.exitCode = 1
}
