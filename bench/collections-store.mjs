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

export async function measureStore({ file, count, width, queries, recallOf, row, folder, nearest }) {
  const path = join(folder, `${count}x${width}.plumage`)
  rmSync(path, { recursive: true, force: true })
  const products = createProducts()
  const about = {
    format: 1,
    identity: {
      digest: 'd'.repeat(64),
      weights: 'w'.repeat(64),
      settings: '{}',
      precision: 'float32',
      recipe: 'made',
      model: 'made',
      engine: 'none',
    },
    model: { source: 'made', options: {} },
    width,
    dtype: 'float16',
    roots: {},
    columns: [],
  }
  const collection = await Collection.open({
    store: await LanceStore.create(path, about),
    products,
    owned: products,
  })
  const started = performance.now()
  const names = collection.columns.map(({ name }) => name)
  for (let from = 0; from < count; from += BATCH) {
    const to = Math.min(count, from + BATCH)
    const bytes = await file.rows.read(from * width * 2, to * width * 2)
    const nothing = new Array(to - from).fill(null)
    const values = Object.fromEntries(names.map((name) => [name, nothing]))
    const numbers = Array.from({ length: to - from }, (_, i) => from + i)
    await collection.add({
      count: to - from,
      values: {
        ...values,
        id: file.ids.slice(from, to),
        root: nothing.map(() => 'photos'),
        path: numbers.map((i) => `${i}.jpg`),
        bytes: numbers,
        state: nothing.map(() => 'embedded'),
        norm: nothing.map(() => 1),
      },
      embeddings: new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2),
    })
  }
  const ingest = (performance.now() - started) / 1000
  row(`${count} ready vectors into the collection`, once(ingest), `${Math.round(count / ingest)} rows/s`)
  const before = performance.now()
  let index = null
  await collection.prepare({ onIndex: (found) => (index = found) })
  const peak = memory('VmHWM')
  row(
    'file of vectors and index made',
    once((performance.now() - before) / 1000),
    `peak memory of the process ${peak} MB${index === null ? '' : `; recall ${index.recall.toFixed(3)} on 200 rows, ${index.probes} partitions looked into`}`,
  )
  await collection[Symbol.asyncDispose]()

  const others = createProducts()
  const opened = performance.now()
  const again = await Collection.open({ store: await LanceStore.open(path), products: others, owned: others })
  await again.vectors()
  row('opened, with all ids', once((performance.now() - opened) / 1000), '')
  if (index !== null) {
    const wheres = [undefined, 'bytes % 10000 = 0']
    for (const where of wheres) {
      const seconds = []
      const ids = []
      const asked = where === undefined ? queries.length / width : 50
      for (let q = 0; q < asked; q++) {
        const start = performance.now()
        const found = await again.store.nearestByIndex(
          queries.subarray(q * width, (q + 1) * width),
          nearest,
          { where },
        )
        seconds.push((performance.now() - start) / 1000)
        ids.push(found.map(({ id }) => Number.parseInt(id, 16)))
      }
      const times = { least: Math.min(...seconds), median: median(seconds), others: 0 }
      const how =
        where === undefined
          ? `recall ${recallOf(ids).toFixed(4)}`
          : `${Math.min(...ids.map((own) => own.length))} rows or more each; recall ${(await recallAmong(ids)).toFixed(4)}`
      row(
        `one query by the index${where === undefined ? '' : ', of which 1 row in 10000 counts'}`,
        times,
        how,
      )
    }
  }
  row(
    'memory of the process',
    once(0),
    `${memory('VmRSS')} MB, of which ${memory('RssFile')} MB are of mapped files`,
  )
  await again[Symbol.asyncDispose]()

  async function recallAmong(ids) {
    const allowed = new Uint8Array(Math.ceil(count / 8))
    for (let i = 0; i < count; i += 10_000) allowed[i >> 3] |= 1 << (i & 7)
    const some = queries.subarray(0, ids.length * width)
    const { rows } = await again.products.nearestToEach(
      some,
      width,
      [{ dtype: 'F16', bytes: file.rows }],
      nearest,
      {
        allowed,
      },
    )
    let right = 0
    for (const [q, found] of ids.entries()) {
      const wanted = new Set(rows.subarray(q * nearest, (q + 1) * nearest))
      right += found.filter((id) => wanted.has(id)).length
    }
    return right / (ids.length * nearest)
  }
}

function once(seconds) {
  return { least: seconds, median: seconds, others: 0 }
}

function memory(name) {
  return Math.round(
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
  )
}
