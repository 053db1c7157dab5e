/**
 * Measures looking through many embeddings: exact search, search by an index, and graphs of nearest rows, beside faiss and usearch in one run. The rows are made
 * (bench/made-embeddings.mjs) and lie in the file that a collection has. Prints a table in Markdown, with the machine.
 *
 *     npm run bench -- --collections [--peers] [--rows 1000000] [--width 384] [--only exact,graph,store,peers] [--graph-rows 100000] [--approximate-rows 1000000]
 *         [--store-rows 1000000]
 *
 * Times are of the wall clock, the least and the median of the rounds; `others` is how many cores other work took meanwhile, where it was looked at. Errors are told in the row: of exact
 * search the share of ids that are not those of float64 sums (near ties within 1e-6 aside), of all else recall, the share of the exact nearest that were found.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'
import { madeEmbeddings } from './made-embeddings.mjs'
import { median } from './median.mjs'
import { pythonPath } from './systems.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    width: { type: 'string', default: '384' },
    queries: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Forces a path of the native engine. */
    'instruction-set': { type: 'string' },
    /** Names some of: exact, graph, store, peers. Default: all but peers, and peers where --peers is given. */
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
    /** Names a Python that has the peers; default: bench/.venv. */
    python: { type: 'string', default: pythonPath },
    'graph-rows': { type: 'string', default: '100000' },
    /** Default: all. */
    'store-rows': { type: 'string' },
    'approximate-rows': { type: 'string', default: '1000000' },
    /** Is where rows and tables are made; what is there of the same kind is used again. */
    folder: { type: 'string', default: join(os.tmpdir(), 'plumage-bench-collections') },
    lock: { type: 'string' },
  },
})
const [count, width, queryCount, rounds, graphRows, approximateRows] = [
  options.rows,
  options.width,
  options.queries,
  options.rounds,
  options['graph-rows'],
  options['approximate-rows'],
].map(Number)
const parts = options.only?.split(',') ?? ['exact', 'graph', 'store', ...(options.peers ? ['peers'] : [])]
const NEAREST = 10
const NEIGHBOURS = 15
/** Near ties are as good as each other. */
const TIE = 1e-6

const { createProducts } = await dist('platform/node/create-products.js')
const { openVectorFile, writeVectorFile } = await dist('platform/node/collection/vector-file.js')
const { nearestGraph, approximateGraph } = await dist('numerics/nearest-graph.js')
const { toHalf } = await dist('tensor/float16.js')
const { widenRows } = await dist('numerics/stored-halves.js')

const settings = {
  ...(options.threads === undefined ? {} : { threads: Number(options.threads) }),
  ...(options['instruction-set'] === undefined ? {} : { instructionSet: options['instruction-set'] }),
}
const products = createProducts(settings)
const machine = describeMachine()
mkdirSync(options.folder, { recursive: true })
console.log(
  `${machine.cpu} (${machine.flags}), ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}`,
)
console.log(`${count} x ${width} halves, ${options['instruction-set'] ?? 'the fastest path'}\n`)
const file = await rowsFile(count)
const stored = [{ dtype: 'F16', bytes: file.rows }]
const queries = await heldQueries()
console.log('| what | s, least | s, median | others | how exact |')
console.log('| --- | --- | --- | --- | --- |')
const exact = await products.nearestToEach(queries, width, stored, NEAREST)
if (parts.includes('exact')) await measureExact()
if (parts.includes('graph')) await measureGraphs()
if (parts.includes('store')) await (await import('./collections-store.mjs')).measureStore(shared())
if (parts.includes('peers')) await measurePeers()
await products[Symbol.asyncDispose]()
await file[Symbol.asyncDispose]()

function shared() {
  const some = Number(options['store-rows'] ?? count)
  return {
    rows: firstRows(some),
    ids: file.ids,
    count: some,
    width,
    queries,
    row,
    folder: options.folder,
    nearest: NEAREST,
  }
}

async function measureExact() {
  const one = (round) => products.nearestRows(queryOf(round % queryCount), stored, NEAREST)
  // They take turns, so that whatever else the machine does comes upon both.
  const [found, added] = await timed([one, () => products.sumBytes([file.rows])], Math.max(rounds, 20))
  row('adding up the bytes', added, '')
  row(
    'one exact query',
    found,
    `${(found.least / added.least).toFixed(2)} times adding up (of medians ${(found.median / added.median).toFixed(2)})`,
  )
  const [many] = await timed([() => products.nearestToEach(queries, width, stored, NEAREST)], rounds)
  row(
    `${queryCount} exact queries`,
    many,
    `${await wrongIds(20)} of ${20 * NEAREST} ids are others than float64 sums give`,
  )
  for (const share of [0.1, 0.0001]) {
    const allowed = new Uint8Array(Math.ceil(count / 8))
    for (let i = 0; i < count; i += Math.round(1 / share)) allowed[i >> 3] |= 1 << (i & 7)
    const [kept] = await timed(
      [(round) => products.nearestToEach(queryOf(round % queryCount), width, stored, NEAREST, { allowed })],
      rounds,
    )
    row(`one exact query among 1 row in ${Math.round(1 / share)}`, kept, '')
  }
}

/** Adds up in float64, one product after the other, in another way than the library. */
async function wrongIds(some) {
  const best = Array.from({ length: some }, () => [])
  const PIECE = 20_000
  for (let from = 0; from < count; from += PIECE) {
    const numbers = Uint32Array.from({ length: Math.min(PIECE, count - from) }, (_, i) => from + i)
    const rows = await widenRows(stored, width, numbers)
    for (let q = 0; q < some; q++)
      for (let r = 0; r < numbers.length; r++) {
        let sum = 0
        for (let i = 0; i < width; i++) sum += queries[q * width + i] * rows[r * width + i]
        const own = best[q]
        if (own.length === NEAREST && sum <= own[NEAREST - 1].score) continue
        own.push({ row: from + r, score: sum })
        own.sort((a, b) => b.score - a.score || a.row - b.row)
        own.length = Math.min(own.length, NEAREST)
      }
  }
  let wrong = 0
  for (let q = 0; q < some; q++)
    for (let i = 0; i < NEAREST; i++) {
      const isOther = exact.rows[q * NEAREST + i] !== best[q][i].row
      if (isOther && Math.abs(exact.scores[q * NEAREST + i] - best[q][i].score) > TIE) wrong++
    }
  return wrong
}

async function measureGraphs() {
  const some = [{ dtype: 'F16', bytes: firstRows(graphRows) }]
  const [graph] = await timed([() => nearestGraph(some, width, NEIGHBOURS, { products })], 2)
  row(
    `graph of ${graphRows} rows, k = ${NEIGHBOURS}`,
    graph,
    `exact; ${graph.processor.toFixed(1)} s of a processor`,
  )
  const many = [{ dtype: 'F16', bytes: firstRows(approximateRows) }]
  let recall = 0
  const [near] = await timed(
    [async () => ({ recall } = await approximateGraph(many, width, NEIGHBOURS, { products }))],
    1,
  )
  const effort = `${near.processor.toFixed(0)} s of a processor`
  row(
    `graph of ${approximateRows} rows, k = ${NEIGHBOURS}`,
    near,
    `recall ${recall.toFixed(4)} on 500 rows; ${effort}`,
  )
}

function firstRows(wanted) {
  const { rows } = file
  return { length: Math.min(wanted * width * 2, rows.length), read: rows.read, place: rows.place }
}

/** Runs faiss and usearch in one process of Python, which gives times and ids. */
async function measurePeers() {
  const queryPath = join(options.folder, 'queries.npy')
  writeFileSync(queryPath, npyOf(queries))
  const script = new URL('./peers/search_peer.py', import.meta.url).pathname
  const threads = String(settings.threads ?? machine.cores)
  const words = [script, file.path, queryPath, String(NEAREST), String(rounds), threads, String(graphRows)]
  const child = spawn(options.python, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) {
    const { name, seconds, others, ids, note = '' } = JSON.parse(line)
    const times = { least: Math.min(...seconds), median: median(seconds), others }
    row(name, times, ids === undefined ? note : `recall ${recallOf(ids).toFixed(4)}${note && `; ${note}`}`)
  }
  const [code] = await ended
  if (code !== 0)
    console.log(`\n${options.python} ended with ${code}: what is missing above was not measured.`)
}

/** Gives the share of the exact nearest that are among those found [queries, nearest]; what is as near as the last of them counts as one of them. */
function recallOf(ids) {
  let right = 0
  for (const [q, own] of ids.entries()) {
    const wanted = new Set(exact.rows.subarray(q * NEAREST, (q + 1) * NEAREST))
    for (const id of own.slice(0, NEAREST)) if (wanted.has(id)) right++
  }
  return right / (ids.length * NEAREST)
}

function queryOf(q) {
  return queries.subarray(q * width, (q + 1) * width)
}

/** Times actions in turns; each is given the number of the round. */
async function timed(actions, times = rounds) {
  return withLock(options.lock, async () => {
    const seconds = actions.map(() => [])
    const before = usage()
    for (let round = 0; round < times; round++)
      for (const [i, action] of actions.entries()) {
        const start = performance.now()
        await action(round)
        seconds[i].push((performance.now() - start) / 1000)
      }
    const others = othersSince(before)
    const processor = (usage().own - before.own) / times
    return seconds.map((own) => ({ median: median(own), least: Math.min(...own), others, processor }))
  })
}

function usage() {
  const words = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))[1].split(' ').map(Number)
  const busy = (words[0] + words[1] + words[2] + words[5] + words[6] + words[7]) / 100
  const { user, system } = process.cpuUsage()
  return { time: performance.now() / 1000, busy, own: (user + system) / 1e6 }
}

function othersSince(before) {
  const now = usage()
  return Math.max(0, (now.busy - before.busy - (now.own - before.own)) / (now.time - before.time))
}

function row(name, { least, median: middle, others }, note) {
  console.log(
    `| ${name} | ${least.toPrecision(3)} | ${middle.toPrecision(3)} | ${others.toFixed(1)} | ${note} |`,
  )
}

/** Makes the file of rows, or opens the one that was made before. */
async function rowsFile(rows) {
  const folder = join(options.folder, `${rows}x${width}`)
  const state = { table: 'made', version: 1, width }
  const before = await openVectorFile(folder, state)
  if (before !== null) return { ...before, path: join(folder, 'vectors-1.f16') }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const start = performance.now()
  await writeVectorFile(folder, state, rows, blocks())
  console.log(`made ${rows} rows in ${((performance.now() - start) / 1000).toFixed(0)} s\n`)
  return { ...(await openVectorFile(folder, state)), path: join(folder, 'vectors-1.f16') }

  async function* blocks() {
    let first = 0
    for await (const block of madeEmbeddings({ count: rows, width, products })) {
      const ids = Array.from({ length: block.length / width }, (_, i) =>
        (first + i).toString(16).padStart(32, '0'),
      )
      first += ids.length
      yield { ids, halves: toHalf(block) }
    }
  }
}

/** Queries are no rows, and lie as rows do. */
async function heldQueries() {
  const held = new Float32Array(queryCount * width)
  let at = 0
  for await (const block of madeEmbeddings({ count: queryCount, width, seed: 2, products })) {
    held.set(block, at)
    at += block.length
  }
  return held
}

function npyOf(values) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length / width}, ${width}), }`
  const head = Buffer.alloc(128, ' ')
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(118, 8)
  head.write(header, 10)
  head.write('\n', 127)
  return Buffer.concat([head, new Uint8Array(values.buffer)])
}
