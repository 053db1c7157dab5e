/**
 * Kills what can be killed while four workers do a job: workers, the queue's server, the S3 server; stops workers longer than their locks last, cuts the network of one, shifts the
 * clocks of others by an hour, and stands a lying proxy before the bucket. Whatever dies, each row must be in the result exactly once, by the proof and by reading everything
 * independently.
 *
 *     PLUMAGE_SOAK_SEEDS=100 PLUMAGE_SOAK_ROWS=50000 node scripts/test.mjs test/jobs/soak.test.ts
 *
 * `PLUMAGE_SOAK_FIRST` is the first seed, and `PLUMAGE_SOAK_RESULTS` a file to which a line is added for each seed: docs/scale.md has its figures from bench/soak-results.jsonl.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { partKey } from '../../src/jobs/keys.js'
import { openPartOrNull } from '../../src/jobs/part-file.js'
import { proveResult } from '../../src/jobs/prove-job.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { tryConditionalWrites } from '../../src/storage/try-conditional-writes.js'
import { LONG } from '../support/long.js'
import { type Lie, type LyingProxy, startLyingProxy } from '../support/lying-proxy.js'
import { openPartition, type Partition } from '../support/partition.js'
import { PostgresServer, postgresIsMissing } from '../support/postgres-server.js'
import { RedisServer, redisIsMissing } from '../support/redis-server.js'
import { packageRoot } from '../support/repository.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import type { ServerProcess } from '../support/server-process.js'
import { embeddingOf, IDENTITY, makeJob, rowHash, sourceRow, WIDTH } from './made-job.js'

/** Further ones are further orders of the same faults; each third has its queue on PostgreSQL. */
const SEEDS = Number(process.env.PLUMAGE_SOAK_SEEDS ?? (LONG ? 9 : 2))
const FIRST = Number(process.env.PLUMAGE_SOAK_FIRST ?? 1)
const ROWS = Number(process.env.PLUMAGE_SOAK_ROWS ?? 600)
const RESULTS = process.env.PLUMAGE_SOAK_RESULTS
const WORKERS = 4
const PARTS = Math.min(80, ROWS / 30)
const HOUR = 3600_000
const LIES: readonly Lie[] = [
  'unavailable',
  'reset-before',
  'reset-after',
  'truncated',
  'error-in-200',
  'stale-list',
  'ignore-condition',
  'conflict',
  'wrong-etag',
  'drip',
]
/** After so many faults the rest is left in peace, so that the job ends. */
const FAULTS = Math.round(ROWS / 400) + 4
const WORKER = join(import.meta.dirname, 'soak-worker.mjs')

interface Scene {
  readonly queue: ServerProcess & { readonly address: string }
  readonly flush: (() => Promise<unknown>) | null
  readonly s3: S3Server | null
  readonly proxy: LyingProxy | null
  readonly partition: Partition | null
  /** Counts what was done to it, by its name. */
  readonly faults: Map<string, number>
  readonly to: string
  readonly env: NodeJS.ProcessEnv
}

for (const [kind, missing] of [
  ['redis', redisIsMissing],
  ['postgres', postgresIsMissing],
] as const) {
  const seeds = Array.from({ length: SEEDS }, (_, at) => FIRST + at).filter(
    (seed) => (seed % 3 === 0) === (kind === 'postgres'),
  )
  // Most of it is waiting for locks to expire, which both can do together.
  test
    .skipIf(missing !== null || seeds.length === 0)
    .concurrent(
      `whatever dies, each row is in the result exactly once (${kind}, ${seeds.length} seeds)`,
      { timeout: (120_000 + 20 * ROWS) * seeds.length },
      async () => {
        await using queue = kind === 'redis' ? await RedisServer.start() : await PostgresServer.start()
        await using s3 = versitygw === undefined ? null : await startS3Server()
        await using proxy = s3 === null ? null : await startLyingProxy(s3.endpoint)
        const found = await openPartition()
        if (typeof found === 'string') console.warn(`No worker's network is cut. ${found}`)
        await using partition = typeof found === 'string' ? null : found
        const flush = queue instanceof RedisServer ? () => queue.command('FLUSHALL') : null
        for (const seed of seeds) await soak(seed, { queue, flush, s3, proxy, partition })
      },
    )
}

async function soak(seed: number, parts: Omit<Scene, 'to' | 'env' | 'faults'>): Promise<void> {
  const { s3, proxy, queue } = parts
  const started = performance.now()
  const askedBefore = proxy?.asked.length ?? 0
  const faults = new Map<string, number>()
  const folder = await mkdtemp(join(tmpdir(), 'plumage-soak-'))
  const onS3 = s3 !== null && proxy !== null && seed % 2 === 1
  if (onS3) await s3.makeBucket(`soak-${seed}`)
  const to = onS3 ? `s3://soak-${seed}/job` : folder
  // Workers see the bucket through the proxy, and what is proven is read from the server itself.
  const env = onS3 ? { ...process.env, ...s3.env, AWS_ENDPOINT_URL: proxy.endpoint } : process.env
  try {
    await using storage = await openStorage(to, { env: onS3 ? s3.env : process.env })
    await tryConditionalWrites(storage)
    const { job, plan } = await makeJob(storage, ROWS, {
      dtype: 'float32',
      rowsPerPart: Math.ceil(ROWS / PARTS),
      maxFailed: 0.5,
    })
    const random = randomOf(seed)
    // Each death costs a lock and a look, and it takes nine of them to find one of fifty rows.
    const poison = seed % 4 === 0 ? [sourceRow(1 + Math.floor(random() * ROWS)).place.address] : []
    const fails = [1, 2, 3].map(() => sourceRow(1 + Math.floor(random() * ROWS)).place.address)
    const scene = { ...parts, proxy: onS3 ? proxy : null, s3: onS3 ? s3 : null, faults, to, env }
    await disturb(scene, random, { poison, fails })
    const proof = await proveResult({ job, storage, hash: rowHash, deep: true })
    expect(proof, `seed ${seed}`).toMatchObject({
      proven: true,
      rows: ROWS,
      found: ROWS,
      missing: [],
      problems: 0,
    })
    await expectEachRowOnce(storage, plan.parts, { seed, poison, fails })
    for (const { lie } of proxy?.asked.slice(askedBefore) ?? []) if (lie !== null) count(faults, lie)
    const told = {
      seed,
      rows: ROWS,
      queue: queue instanceof RedisServer ? 'redis' : 'postgres',
      storage: onS3 ? 'bucket' : 'folder',
      seconds: Math.round((performance.now() - started) / 1000),
      faults: Object.fromEntries(faults),
    }
    if (RESULTS !== undefined) await appendFile(RESULTS, `${JSON.stringify(told)}\n`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Draws faults until there were enough, starts again what they killed, and resolves once all workers have said that the job is done. */
async function disturb(scene: Scene, random: () => number, told: object): Promise<void> {
  const { queue, s3, proxy, flush, partition } = scene
  let spawned = 0
  let faults = 0
  const workers = new Map<number, ChildProcess>()
  const ends: Promise<void>[] = []
  const run = async (place: number) => {
    for (;;) {
      const child = await startWorker(scene, place, `w${place}-${spawned++}`, told)
      workers.set(place, child)
      const { code, said, wrong } = await endOf(child)
      // What was killed, and what gave up on a silent or a lying service, is started again, as an orchestrator does.
      if (code === 0) return expect(JSON.parse(said).ended).toBe('done')
      if (wrong !== '' && !/'(unavailable|too-short)'/.test(wrong))
        throw new Error(`a worker ended for no good reason: ${wrong}`)
      if (spawned > 300) throw new Error(`workers end again and again: ${wrong}`)
      await sleep(100)
    }
  }
  for (let place = 0; place < WORKERS; place++) ends.push(run(place))
  let isDone = false
  const all = Promise.all(ends).finally(() => {
    isDone = true
  })
  // A worker that fails is told at the end, when the servers run again.
  all.catch(() => {})
  const pick = () => workers.get(Math.floor(random() * WORKERS))
  const kinds: readonly (readonly [name: string, act: () => Promise<unknown>])[] = [
    ['worker killed', async () => pick()?.kill('SIGKILL')],
    ['worker killed', async () => pick()?.kill('SIGKILL')],
    ['worker told to stop', async () => pick()?.kill('SIGTERM')],
    // Longer than its lock lasts: another worker has the part when it wakes.
    ['worker stopped for 3.5 s', () => pausing(pick(), 3500)],
    [
      'queue killed',
      async () => {
        await queue.kill()
        await sleep(200 + random() * 800)
        await queue.start()
      },
    ],
    [
      'queue silent',
      async () => {
        queue.pause()
        await sleep(500 + random() * 2500)
        queue.resume()
      },
    ],
    ...(flush === null ? [] : [['queue forgot all', flush] as const]),
    ...(s3 === null
      ? []
      : [
          [
            'S3 server killed',
            async () => {
              await s3.kill()
              await sleep(200 + random() * 800)
              await s3.restart()
            },
          ] as const,
        ]),
    ...(partition === null
      ? []
      : [
          [
            'network of a worker cut',
            async () => {
              await partition.cut()
              await sleep(500 + random() * 3500)
              await partition.heal()
            },
          ] as const,
        ]),
  ]
  const lies = (async () => {
    while (proxy !== null && !isDone && faults < FAULTS) {
      const lie = LIES[Math.floor(random() * LIES.length)] as Lie
      const share = 0.05 + random() * 0.4
      proxy.choose = () => (random() < share ? lie : null)
      await sleep(300 + random() * 700)
      proxy.choose = () => null
      await sleep(100)
    }
  })()
  while (!isDone && faults < FAULTS) {
    await sleep(100 + random() * 600)
    if (isDone) break
    faults++
    const [name, act] = kinds[Math.floor(random() * kinds.length)] ?? []
    if (name !== undefined) count(scene.faults, name)
    await act?.()
  }
  if (queue instanceof PostgresServer) {
    count(scene.faults, 'clock an hour off, refused')
    await expectClockRefused(scene, told)
  } else count(scene.faults, 'clocks of two workers an hour off')
  await Promise.all([all, lies])
}

/** The first worker is where its network can be cut, and on Redis, where nothing rests on their clocks, those of two others are an hour off. */
async function startWorker(scene: Scene, place: number, name: string, told: object): Promise<ChildProcess> {
  const { queue, partition } = scene
  const skewMs = queue instanceof RedisServer ? ([0, HOUR, -HOUR][place] ?? 0) : 0
  if (partition === null || place !== 0) return spawnWorker(scene, { name, skewMs }, told)
  // What runs there reaches this machine by another address, and through other ports.
  const seen = async (address: string) => {
    const url = new URL(address)
    url.port = String(await reached(partition, Number(url.port)))
    url.hostname = partition.host
    return url.href
  }
  const { AWS_ENDPOINT_URL: endpoint } = scene.env
  const env = {
    ...scene.env,
    NO_PROXY: `127.0.0.1,${partition.host}`,
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL: (await seen(endpoint)).replace(/\/$/, '') }),
  }
  return spawnWorker(
    { ...scene, env, queue: { address: await seen(queue.address) } },
    { name, skewMs },
    told,
    partition.command,
  )
}

const ways = new WeakMap<Partition, Map<number, Promise<number>>>()

/** Each port has one way, however often its worker is started again. */
function reached(partition: Partition, port: number): Promise<number> {
  const known = ways.get(partition) ?? new Map<number, Promise<number>>()
  ways.set(partition, known)
  const way = known.get(port) ?? partition.reach(port)
  known.set(port, way)
  return way
}

function spawnWorker(
  { to, queue, env }: Pick<Scene, 'to' | 'env'> & { readonly queue: { readonly address: string } },
  { name, skewMs }: { readonly name: string; readonly skewMs: number },
  told: object,
  behind: readonly string[] = [],
): ChildProcess {
  // The rows of all parts take a few seconds together, in which something can happen to them.
  const rowMs = (WORKERS * 4000) / Math.max(ROWS, 2400)
  const work = JSON.stringify({ to, queue: queue.address, name, rowMs, ...told })
  const skew = skewMs === 0 ? [] : ['--import', `${packageRoot}test/support/skew-clock.mjs`]
  const [program = process.execPath, ...args] = [...behind, process.execPath, ...skew, WORKER, work]
  return spawn(program, args, {
    env: { ...env, PLUMAGE_SKEW_MS: String(skewMs) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function expectClockRefused(scene: Scene, told: object): Promise<void> {
  const { code, wrong } = await endOf(spawnWorker(scene, { name: 'skewed', skewMs: HOUR }, told))
  expect(code).not.toBe(0)
  expect(wrong).toMatch(/3600\.\d s ahead of[\s\S]*code: 'clock'/)
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

async function endOf(child: ChildProcess) {
  let said = ''
  let wrong = ''
  child.stdout?.on('data', (data) => (said += String(data)))
  child.stderr?.on('data', (data) => (wrong = (wrong + String(data)).slice(-2000)))
  const [code] = (await once(child, 'close')) as [number | null]
  const last = said.trim().split('\n').at(-1) ?? ''
  // One that was told to stop is started again too.
  return { code: code === 0 && !last.includes('"done"') ? null : code, said: last, wrong }
}

async function pausing(child: ChildProcess | undefined, ms: number): Promise<void> {
  child?.kill('SIGSTOP')
  await sleep(ms)
  child?.kill('SIGCONT')
}

/** Reads all parts by themselves, and believes nothing that they say of themselves. */
async function expectEachRowOnce(
  storage: Storage,
  parts: number,
  { seed, poison, fails }: { seed: number; poison: readonly string[]; fails: readonly string[] },
): Promise<void> {
  const seen = new Map<string, number>()
  const wrong: string[] = []
  for (let part = 0; part < parts; part++) {
    const open = await openPartOrNull(storage, partKey(0, part, IDENTITY.digest))
    if (open === null) throw new Error(`part ${part} is missing`)
    for await (const block of open.blocks())
      for (const { id, name, state, code, embedding } of block) {
        seen.set(id, (seen.get(id) ?? 0) + 1)
        const address = `/photos/${/\d+/.exec(name)?.[0]}.jpg`
        // What cannot be fetched is never decoded.
        const expected = fails.includes(address) ? 'not-found' : poison.includes(address) ? 'killed' : null
        if (code !== expected || (state === 'failed') !== (expected !== null)) wrong.push(`${id} ${code}`)
        else if (expected === null && !isEmbeddingOf(address, embedding))
          wrong.push(`${id} has another's embedding`)
      }
  }
  expect(wrong, `seed ${seed}`).toEqual([])
  expect(seen.size, `seed ${seed}`).toBe(ROWS)
  expect([...seen.values()].every((count) => count === 1)).toBe(true)
  for (let line = 1; line <= ROWS; line++)
    if (!seen.has(sourceRow(line).id)) throw new Error(`line ${line} is missing`)
}

function isEmbeddingOf(address: string, embedding: ArrayLike<number> | null): boolean {
  const expected = embeddingOf(address)
  const length = Math.hypot(...expected)
  return (
    embedding?.length === WIDTH &&
    expected.every((value, at) => Math.abs(value / length - (embedding[at] ?? 0)) < 1e-6)
  )
}

/** Is mulberry32: the same faults are drawn for a seed each time, though not at the same moments. */
function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
