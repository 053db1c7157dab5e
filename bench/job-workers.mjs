/**
 * Measures what a second worker brings: a job of real photos with a real encoder and a queue on Redis, done by one worker on one core and by two on two cores, in turns. Each worker is
 * a process with one thread that computes, held to a core by `taskset` (util-linux); `redis-server` is looked for on the PATH.
 *
 *     node bench/job-workers.mjs [rounds] [rows for each worker] [model]      # 3, 48, the model that ships
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { dist } from './dist.mjs'
import { inWords, recordJobs, watchLoad } from './record-jobs.mjs'

const ROWS_PER_PART = 4
const PHOTOS = fileURLToPath(new URL('../examples/photos', import.meta.url))

if (process.argv[2] === 'worker') await work(...process.argv.slice(3))
else {
  const [rounds = '3', rows = '48', model = 'small'] = process.argv.slice(2)
  await measureAll(Number(rounds), Number(rows), model)
}

async function measureAll(rounds, rowsEach, model) {
  if (cpus().length < 2) throw new Error('Two workers need two cores, and there is one.')
  const folder = await mkdtemp(join(tmpdir(), 'plumage-workers-'))
  const port = await freePort()
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  })
  const load = watchLoad()
  const best = new Map()
  try {
    for (let round = 0; round < rounds; round++)
      for (const workers of [1, 2]) {
        const place = join(folder, `${round}-${workers}`)
        await plan(place, rowsEach * workers, model)
        const found = await run(place, { workers, model, queue: `redis://127.0.0.1:${port}` })
        console.log(JSON.stringify({ round, workers, ...found }))
        if (found.rate > (best.get(workers)?.rate ?? 0)) best.set(workers, found)
      }
  } finally {
    redis.kill()
    await rm(folder, { recursive: true, force: true })
  }
  const [one, two] = [best.get(1), best.get(2)]
  const { seconds } = inWords
  const told = ({ rate, cpu }) =>
    `${rate.toPrecision(3)} images a second, ${seconds(cpu)} of processor an image`
  recordJobs(
    'two workers',
    [
      { what: `one worker on one core, ${model}, the best of ${rounds} runs`, figure: told(one) },
      {
        what: 'two workers on two cores',
        figure: `${told(two)}: ${(two.rate / one.rate).toFixed(2)} times as many by the clock, and ${((2 * one.cpu) / two.cpu).toFixed(2)} times as many of the same processor time on each core`,
      },
    ],
    load(),
  )
}

async function plan(place, rows, model) {
  const { loadEncoder } = await dist('platform/node/load-encoder.js')
  const { createJob } = await dist('platform/node/jobs/create-job.js')
  const names = (await readdir(PHOTOS)).filter((name) => name.endsWith('.jpg')).sort()
  const encoder = await loadEncoder(model, { threads: 1 })
  const source = {
    label: 'photos',
    base: PHOTOS,
    rows: async function* () {
      for (let row = 1; row <= rows; row++) {
        const name = names[row % names.length]
        yield { id: `line ${row}`, name, place: { address: join(PHOTOS, name) } }
      }
    },
  }
  await createJob(source, {
    to: place,
    encoder,
    model: { source: model, options: {} },
    rowsPerPart: ROWS_PER_PART,
  })
  await encoder[Symbol.asyncDispose]()
}

/** What counts is the time from the first part that is taken to the last that is committed: models are loaded before. */
async function run(place, { workers, model, queue }) {
  const ends = Array.from({ length: workers }, async (_, core) => {
    const command = [
      '-c',
      String(core),
      process.execPath,
      fileURLToPath(import.meta.url),
      'worker',
      place,
      model,
      queue,
    ]
    const child = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (data) => (said += data))
    return {
      child,
      end: once(child, 'close').then(([code]) => ({ code, said })),
      isReady: () => said.includes('ready\n'),
    }
  })
  const children = await Promise.all(ends)
  while (!children.every(({ isReady }) => isReady())) await sleep(50)
  for (const { child } of children) child.stdin.end('go\n')
  const told = await Promise.all(
    children.map(async ({ end }) => {
      const { code, said } = await end
      if (code !== 0) throw new Error('a worker failed')
      return JSON.parse(said.trim().split('\n').at(-1))
    }),
  )
  const rows = told.reduce((sum, one) => sum + one.rows, 0)
  const from = Math.min(...told.map(({ first }) => first))
  const to = Math.max(...told.map(({ last }) => last))
  const cpu = told.reduce((sum, one) => sum + one.cpu, 0)
  return { rate: rows / ((to - from) / 1000), cpu: cpu / rows }
}

async function work(place, model, address) {
  const { loadEncoder } = await dist('platform/node/load-encoder.js')
  const { runWorker } = await dist('platform/node/jobs/run-worker.js')
  const { openJobQueue } = await dist('platform/node/jobs/open-job-queue.js')
  const { openStorage } = await dist('platform/node/storage/open-storage.js')
  const { readJob } = await dist('jobs/job.js')
  const encoder = await loadEncoder(model, { threads: 1 })
  const queue = await openJobQueue(address, (await readJob(await openStorage(place))).id)
  // The first image makes the network's program.
  await encoder.encode(join(PHOTOS, 'hat-1.jpg'))
  console.log('ready')
  await once(process.stdin, 'data')
  const seen = { first: Number.POSITIVE_INFINITY, last: 0, rows: 0 }
  let before = process.cpuUsage()
  let cpu = 0
  await runWorker(place, {
    encoder,
    queue,
    onEvent: ({ kind, rows }) => {
      const now = performance.timeOrigin + performance.now()
      if (kind === 'partTaken' && seen.last === 0) {
        seen.first = Math.min(seen.first, now)
        if (seen.rows === 0) before = process.cpuUsage()
      }
      if (kind !== 'partCommitted') return
      seen.last = now
      seen.rows += rows
      const { user, system } = process.cpuUsage(before)
      cpu = (user + system) / 1e6
    },
  })
  console.log(JSON.stringify({ ...seen, cpu }))
  await queue[Symbol.asyncDispose]()
  await encoder[Symbol.asyncDispose]()
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
