/**
 * Measures the plan of a long list and of a long Parquet table, and the proof of as many rows: by the clock and by processor, with the memory that they take. Each runs in a
 * process of its own. Of the parts that are proven only the footers are real, which is all that a proof reads.
 *
 *     node bench/job-plans.mjs [rows] [list|parquet ...]      # 100,000,000 by default, of which each source takes some 20 GB below the folder of temporary files
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { dist } from './dist.mjs'
import { MADE_PLAN, ROWS_PER_PART, WIDTH } from './made-plan.mjs'
import { inWords, recordJobs, watchLoad, watchMemory } from './record-jobs.mjs'

const GROUP_ROWS = 2 ** 20

const STAGES = { make, plan, parts, prove }
const [first, ...rest] = process.argv.slice(2)
if (first in STAGES) console.log(JSON.stringify((await STAGES[first](...rest)) ?? null))
else await measureAll(Number(first ?? 1e8), rest.length > 0 ? rest : ['list', 'parquet'])

async function measureAll(rows, kinds) {
  for (const kind of kinds) {
    const folder = await mkdtemp(join(tmpdir(), 'plumage-plans-'))
    try {
      const stage = async (name, ...args) => {
        const command = [fileURLToPath(import.meta.url), name, ...args.map(String)]
        const { stdout } = await promisify(execFile)(process.execPath, command)
        return JSON.parse(stdout.trim())
      }
      await stage('make', kind, rows, folder)
      const load = watchLoad()
      const planned = await stage('plan', kind, folder)
      const whilePlanning = load()
      await stage('parts', folder)
      const proofLoad = watchLoad()
      const proven = await stage('prove', rows, folder)
      const { count, seconds, memory } = inWords
      const rate = ({ seconds: clock, cpu }) =>
        `${seconds(clock)} by the clock (${count(rows / clock)} rows a second), ${seconds(cpu)} of processor (${count(rows / cpu)})`
      recordJobs(
        `plan and proof, ${kind}`,
        [
          {
            what: `plan of ${count(rows)} rows of a ${kind === 'list' ? 'list' : 'Parquet table'}`,
            figure: rate(planned),
          },
          { what: 'its memory', figure: memory(planned) },
          { what: `proof of ${count(planned.parts)} parts of it by their footers`, figure: rate(proven) },
          { what: 'its memory', figure: memory(proven) },
        ],
        [...whilePlanning, ...proofLoad()],
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function sourceOf(kind, folder) {
  return join(folder, kind === 'list' ? 'photos.txt' : 'photos.parquet')
}

function addressOf(row) {
  const month = String(1 + (row % 12)).padStart(2, '0')
  return `s3://photos/2024/${month}/IMG_${String(row).padStart(9, '0')}.jpg`
}

async function make(kind, count, folder) {
  const rows = Number(count)
  const block = (from, size) =>
    Array.from({ length: Math.min(size, rows - from) }, (_, at) => addressOf(from + at))
  if (kind === 'list') {
    const file = createWriteStream(sourceOf(kind, folder))
    for (let from = 0; from < rows; from += 2 ** 15)
      if (!file.write(`${block(from, 2 ** 15).join('\n')}\n`)) await once(file, 'drain')
    file.end()
    await once(file, 'finish')
    return
  }
  const writer = new ParquetWriter({
    writer: fileWriter(sourceOf(kind, folder)),
    schema: [
      { name: 'schema', num_children: 1 },
      { name: 'url', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
  })
  for (let from = 0; from < rows; from += GROUP_ROWS)
    await writer.write({
      rowGroupSize: GROUP_ROWS,
      columnData: [{ name: 'url', data: block(from, GROUP_ROWS) }],
    })
  await writer.finish()
}

async function plan(kind, folder) {
  const [{ planJob }, { openJobSource }, { nodeSourceWorld }, { openStorage }, { rowHash }] =
    await Promise.all([
      dist('jobs/create-job.js'),
      dist('jobs/sources/open-job-source.js'),
      dist('platform/node/jobs/source-world.js'),
      dist('platform/node/storage/open-storage.js'),
      dist('platform/node/jobs/row-hash.js'),
    ])
  const storage = await openStorage(join(folder, 'job'))
  return await timed(async () => {
    const { plan: written } = await planJob({
      source: await openJobSource(
        sourceOf(kind, folder),
        nodeSourceWorld({ base: folder, storages: new Map() }),
      ),
      storage,
      ...MADE_PLAN,
      hash: rowHash,
    })
    return { parts: written.parts }
  })
}

/** Writes parts as a worker names them: with all that they say of themselves, and without values. */
async function parts(folder) {
  const [
    { plainParquet },
    { readJob },
    { partKey },
    { PlanReader, readPlanOrNull },
    { openStorage },
    { rowHash },
  ] = await Promise.all([
    dist('formats/plain-parquet.js'),
    dist('jobs/job.js'),
    dist('jobs/keys.js'),
    dist('jobs/plan.js'),
    dist('platform/node/storage/open-storage.js'),
    dist('platform/node/jobs/row-hash.js'),
  ])
  const place = join(folder, 'job')
  const storage = await openStorage(place)
  const job = await readJob(storage)
  const written = await readPlanOrNull(storage, 0, rowHash)
  const reader = new PlanReader(storage, written, rowHash)
  const { digest, ...telling } = job.identity
  const columns = (rows) => {
    const values = new Array(rows).fill(null)
    const column = (kind) => (name) => ({ name, kind, values })
    return [
      ...['id', 'name', 'state', 'code', 'reason'].map(column('text')),
      ...['transient', 'height', 'width'].map(column('int32')),
      { name: 'norm', kind: 'float64', values },
      { name: 'embedding', kind: 'bytes', size: 2 * WIDTH, values },
    ]
  }
  const full = columns(ROWS_PER_PART)
  for (let part = 0; part < written.parts; part++) {
    const { rows, rowSum } = await reader.part(part)
    const bytes = plainParquet(rows === ROWS_PER_PART ? full : columns(rows), {
      identity: digest,
      ...telling,
      job: job.id,
      plan: written.id,
      round: '0',
      part: String(part),
      rows: String(rows),
      failed: '{}',
      rowSum,
      embeddings: JSON.stringify({ dtype: 'float16', width: WIDTH, length: 'unit' }),
      writer: 'bench',
    })
    const path = join(place, partKey(0, part, digest))
    if (part === 0) await storage.write(partKey(0, part, digest), bytes)
    // Nothing is measured here, and a write that survives a cut of the power takes a thousand times as long.
    else await writeFile(path, bytes)
  }
}

async function prove(rows, folder) {
  const [{ proveResult }, { readJob }, { openStorage }, { rowHash }] = await Promise.all([
    dist('jobs/prove-job.js'),
    dist('jobs/job.js'),
    dist('platform/node/storage/open-storage.js'),
    dist('platform/node/jobs/row-hash.js'),
  ])
  const storage = await openStorage(join(folder, 'job'))
  const job = await readJob(storage)
  return await timed(async () => {
    const { proven, found } = await proveResult({ job, storage, hash: rowHash })
    if (!proven || found !== Number(rows)) throw new Error(`${found} of ${rows} rows are proven`)
  })
}

async function timed(work) {
  const memory = watchMemory()
  const before = process.cpuUsage()
  const started = performance.now()
  const told = await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, ...memory(), ...told }
}
