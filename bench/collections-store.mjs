/** Measures a collection that LanceDB keeps: how fast ready vectors come in, how long its index takes to make and to ask, and how much memory all of it takes. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { dist } from './dist.mjs'
import { median } from './median.mjs'

const { LanceStore } = await dist('platform/node/collection/lance-store.js')
const { Collection } = await dist('collection/collection.js')
const { createProducts } = await dist('platform/node/create-products.js')

/** So many rows are added at a time. */
const BATCH = 20_000
/** One row in so many counts where a filter is asked. */
const KEPT = 10_000
const FILTERED_QUERIES = 50

/** Rows are the first `count` of the file. */
export async function measureStore({ rows, ids, count, width, queries, row, folder, nearest }) {
  const path = join(folder, `${count}x${width}.plumage`)
  rmSync(path, { recursive: true, force: true })
  let collection = await opened(LanceStore.create(path, aboutOf(width)))
  const added = await clocked(() => addAll(collection))
  const rates = `${Math.round(count / added.wall)} rows/s; ${Math.round(count / added.processor)} rows for each second of a processor`
  row(`${count} ready vectors into the collection`, times(added.wall), rates)
  let index = null
  const made = await clocked(() => collection.prepare({ onIndex: (found) => (index = found) }))
  const found =
    index === null
      ? 'no index of so few rows'
      : `recall ${index.recall.toFixed(3)} on 200 of its rows, ${index.probes} partitions looked into`
  row(
    'file of vectors and index made',
    times(made.wall),
    `${made.processor.toFixed(0)} s of a processor; peak memory ${memory('VmHWM')} MB; ${found}`,
  )
  await collection[Symbol.asyncDispose]()

  const again = await clocked(async () => {
    collection = await opened(LanceStore.open(path))
    await collection.vectors()
  })
  row('opened, with all ids', times(again.wall), '')
  if (index !== null) {
    await ask('one query by the index', queries, {})
    const some = queries.subarray(0, FILTERED_QUERIES * width)
    await ask(`one query by the index, of which 1 row in ${KEPT} counts`, some, {
      where: collection.where(`bytes in (${everyOf(KEPT, count).join(', ')})`),
    })
  }
  await collection.nearest(queries.subarray(0, width))
  row('memory', times(0), `${memory('RssAnon')} MB, and ${memory('RssFile')} MB of mapped files`)
  await collection[Symbol.asyncDispose]()

  async function addAll(to) {
    const names = to.columns.map(({ name }) => name)
    for (let from = 0; from < count; from += BATCH) {
      const end = Math.min(count, from + BATCH)
      const bytes = await rows.read(from * width * 2, end * width * 2)
      const nothing = new Array(end - from).fill(null)
      const numbers = Array.from({ length: end - from }, (_, i) => from + i)
      const values = {
        ...Object.fromEntries(names.map((name) => [name, nothing])),
        id: ids.slice(from, end),
        root: nothing.map(() => 'photos'),
        path: numbers.map((i) => `${i}.jpg`),
        bytes: numbers,
        state: nothing.map(() => 'embedded'),
        norm: nothing.map(() => 1),
      }
      const embeddings = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
      await to.add({ count: end - from, values, embeddings })
    }
  }

  async function ask(name, asked, { where }) {
    const allowed = new Uint8Array(Math.ceil(count / 8)).fill(where === undefined ? 255 : 0)
    if (where !== undefined) for (let i = 0; i < count; i += KEPT) allowed[i >> 3] |= 1 << (i & 7)
    const stored = [{ dtype: 'F16', bytes: rows }]
    const exact = await collection.products.nearestToEach(asked, width, stored, nearest, { allowed })
    const seconds = []
    let [right, least] = [0, nearest]
    for (let q = 0; q < asked.length / width; q++) {
      const start = performance.now()
      const near = await collection.store.nearestByIndex(
        asked.subarray(q * width, (q + 1) * width),
        nearest,
        { where },
      )
      seconds.push((performance.now() - start) / 1000)
      const wanted = new Set(exact.rows.subarray(q * exact.count, (q + 1) * exact.count))
      right += near.filter(({ id }) => wanted.has(Number.parseInt(id, 16))).length
      least = Math.min(least, near.length)
    }
    const recall = right / exact.rows.length
    const much = { least: Math.min(...seconds), median: median(seconds), others: 0 }
    row(name, much, `recall ${recall.toFixed(4)}; ${least} rows or more of ${exact.count}`)
  }
}

/** Gives 0, `step`, 2 * `step`, … below `end`. */
function everyOf(step, end) {
  return Array.from({ length: Math.ceil(end / step) }, (_, i) => i * step)
}

async function opened(store) {
  const products = createProducts()
  return await Collection.open({ store: await store, products, owned: products })
}

function aboutOf(width) {
  const identity = {
    digest: 'd'.repeat(64),
    weights: 'w'.repeat(64),
    settings: '{}',
    precision: 'float32',
    recipe: 'made',
    model: 'made',
    engine: 'none',
  }
  const model = { source: 'made', options: {} }
  return { format: 1, identity, model, width, dtype: 'float16', roots: {}, columns: [] }
}

async function clocked(action) {
  const [start, used] = [performance.now(), process.cpuUsage()]
  await action()
  const { user, system } = process.cpuUsage(used)
  return { wall: (performance.now() - start) / 1000, processor: (user + system) / 1e6 }
}

function times(seconds) {
  return { least: seconds, median: seconds, others: 0 }
}

function memory(name) {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Math.round(Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)[1]) / 1024)
}
