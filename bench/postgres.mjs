/**
 * Measures a collection that PostgreSQL keeps: how fast ready vectors come in, what exact search and search by the index take, and what the index misses. The rows
 * are made (bench/made-embeddings.mjs). The collection that is named is made for it, and removed in the end.
 *
 *     node bench/postgres.mjs postgres://user@host/database?collection=bench [--rows 100000] [--width 384] [--queries 200]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { describeMachine } from './machine.mjs'
import { madeEmbeddings } from './made-embeddings.mjs'
import { median } from './median.mjs'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '100000' },
    width: { type: 'string', default: '384' },
    queries: { type: 'string', default: '200' },
  },
})
const [place] = positionals
const [count, width, queryCount] = [options.rows, options.width, options.queries].map(Number)
const BATCH = 4096
const NEAREST = 10

const { PostgresStore } = await dist('platform/node/collection/postgres-store.js')
const { removeCollection } = await dist('platform/node/collection/care-for.js')
const { Collection } = await dist('collection/collection.js')
const { createProducts } = await dist('platform/node/create-products.js')
const { toHalf } = await dist('tensor/float16.js')

const machine = describeMachine()
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}; ${count} x ${width} halves`,
)
const identity = {
  digest: 'd'.repeat(64),
  weights: '',
  settings: '{}',
  precision: 'float32',
  recipe: '',
  model: 'made',
  engine: '',
}
const about = {
  format: 1,
  identity,
  model: { source: '', options: {} },
  width,
  dtype: 'float16',
  roots: {},
  columns: [],
}
const products = createProducts()
const rows = await madeRows(count, 1)
// They lie around the same kinds.
const queries = await madeRows(queryCount, 2)
async function measure() {
  const store = await PostgresStore.create(place, about)
  const collection = await Collection.open({ store, products, owned: products })
  const added = await clocked(() => addAll(collection))
  tell('added', `${Math.round(count / added)} rows/s`)
  let blocks = 0
  const before = memory()
  const scanned = await clocked(async () => {
    for await (const _block of collection.scan({ columns: ['path'], embeddings: true })) blocks++
  })
  tell(
    'looked through',
    `${Math.round(count / scanned)} rows/s in ${blocks} blocks, ${memory() - before} MB more memory at the end`,
  )
  tell('embeddings fetched', `${(await clocked(() => collection.vectors())).toFixed(2)} s`)
  const exact = await ask((query) => collection.nearest(query, { count: NEAREST }))
  tell('one exact query', `${ms(exact.seconds)} with the rows read`)
  const index = []
  const made = await clocked(() =>
    collection.store.prepareFrom(1, { scorer: products, onIndex: (found) => index.push(found) }),
  )
  tell(
    'index made and measured',
    `${made.toFixed(1)} s; recall ${index[0]?.recall.toFixed(3)}, ${index[0]?.probes} candidates`,
  )
  const near = await ask((query) => collection.nearest(query, { count: NEAREST, indexed: true }))
  const wanted = exact.found.map((all) => new Set(all.map(({ row }) => row.id)))
  const right = near.found.flatMap((all, q) => all.filter(({ row }) => wanted[q].has(row.id))).length
  tell(
    'one query by the index',
    `${ms(near.seconds)} with the rows read; recall ${(right / (queryCount * NEAREST)).toFixed(4)} of ${queryCount} queries`,
  )
  const late = await clocked(() => collection.add(blockAt(0, 4096, 'f')))
  tell('added where the index is', `${Math.round(4096 / late)} rows/s`)
  tell('size', JSON.stringify((await collection.store.facts()).bytes))
  await collection[Symbol.asyncDispose]()
}
await measure()
await removeCollection(place)

async function madeRows(wanted, seed) {
  const all = new Float32Array(wanted * width)
  let end = 0
  for await (const block of madeEmbeddings({ count: wanted, width, seed, products })) {
    all.set(block, end)
    end += block.length
  }
  return all
}

function blockAt(from, end, digit = '0') {
  const numbers = Array.from({ length: end - from }, (_, i) => from + i)
  const values = {
    id: numbers.map((i) => digit + i.toString(16).padStart(31, '0')),
    root: numbers.map(() => 'photos'),
    path: numbers.map((i) => `${i}.jpg`),
    bytes: numbers,
    state: numbers.map(() => 'embedded'),
    norm: numbers.map(() => 1),
  }
  return { count: end - from, values, embeddings: toHalf(rows.subarray(from * width, end * width)) }
}

async function addAll(collection) {
  for (let from = 0; from < count; from += BATCH)
    await collection.add(blockAt(from, Math.min(count, from + BATCH)))
}

async function ask(search) {
  const seconds = []
  const found = []
  for (let q = 0; q < queryCount; q++) {
    const start = performance.now()
    found.push(await search(queries.subarray(q * width, (q + 1) * width)))
    seconds.push((performance.now() - start) / 1000)
  }
  return { seconds, found }
}

async function clocked(action) {
  const start = performance.now()
  await action()
  return (performance.now() - start) / 1000
}

function tell(what, much) {
  console.log(`${what.padEnd(26)} ${much}`)
}

function ms(seconds) {
  return `${(1000 * Math.min(...seconds)).toFixed(1)} ms at the least, ${(1000 * median(seconds)).toFixed(1)} in the median`
}

function memory() {
  return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024)
}
