/** A collection in a folder is searched in its file of vectors, or by an index whose recall is measured; what is stale or torn is never used. */
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { blockOf } from '../../src/collection/row-block.js'
import { plainScorer } from '../../src/numerics/row-scorer.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { loadLance } from '../../src/platform/node/collection/load-lance.js'
import { askIndex, refreshIndex } from '../../src/platform/node/collection/vector-index.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { toHalf } from '../../src/tensor/float16.js'
import { aboutFor, idOf, rowsAroundDirections } from './made-collection.js'

const WIDTH = 16
let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'plumage-search-')), 'photos.plumage')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

function block(first: number, count: number, seed: number) {
  const rows = Array.from({ length: count }, (_, at) => ({
    id: idOf(first + at),
    root: 'photos',
    path: `${first + at}.jpg`,
    state: 'embedded',
    norm: 1,
  }))
  return blockOf(
    rows,
    PHOTO_COLUMNS.map(({ name }) => name),
    toHalf(rowsAroundDirections(count, WIDTH, seed)),
  )
}

const filesOf = () => readdirSync(folder).filter((name) => name.startsWith('vectors-'))

test('finds the same with a file of vectors, without one, and with one that is stale or torn', async () => {
  const products = createProducts()
  await using collection = await Collection.open({
    store: await LanceStore.create(folder, aboutFor(WIDTH)),
    products,
    owned: products,
  })
  await collection.add(block(0, 300, 1))
  const query = rowsAroundDirections(1, WIDTH, 9)
  const withoutFile = await collection.nearest(query)
  await collection.prepare()
  expect(filesOf()).toHaveLength(1)
  const reopened = async () => {
    const products = createProducts()
    await using again = await Collection.open({
      store: await LanceStore.open(folder),
      products,
      owned: products,
    })
    const { blocks } = await again.vectors()
    const isMapped = blocks.some(({ bytes }) => !(bytes instanceof Uint8Array))
    return { isMapped, found: await again.nearest(query) }
  }
  expect(await reopened()).toEqual({ isMapped: true, found: withoutFile })
  // A label changes no embedding, and a photo that is gone is not found any more.
  await collection.addColumns([{ name: 'label', type: 'text' }])
  await collection.change([{ id: idOf(5), values: { label: 'cat' } }])
  await collection.fold()
  const labelled = await reopened()
  expect(labelled.isMapped).toBe(true)
  expect(labelled.found.map(({ similarity }) => similarity)).toEqual(
    withoutFile.map(({ similarity }) => similarity),
  )
  await collection.change([{ id: idOf(0), values: { state: 'gone' } }])
  await collection.change([{ id: idOf(0), values: { state: 'embedded' } }])
  await collection.fold()
  expect((await reopened()).isMapped).toBe(false)
  await collection.prepare()
  const [name = ''] = filesOf()
  truncateSync(join(folder, name), 5000)
  expect(await reopened()).toEqual({ isMapped: false, found: labelled.found })
  await collection.prepare()
  await collection.add(block(300, 300, 2))
  const { isMapped, found } = await reopened()
  expect(isMapped).toBe(false)
  expect(found).not.toEqual(withoutFile)
  await collection.prepare()
  expect(await reopened()).toEqual({ isMapped: true, found })
  expect(filesOf()).toHaveLength(1)
  // There are too few photos for an index.
  expect(await collection.nearest(query, { indexed: true })).toEqual(found)
})

test('an index is made of enough rows, keeps what was asked of it, and is trained again when rows have doubled', async () => {
  const store = await LanceStore.create(folder, aboutFor(WIDTH))
  await store.add(block(0, 2000, 1))
  await store.prepare({ scorer: plainScorer })
  expect(await store.nearestByIndex(rowsAroundDirections(1, WIDTH, 5), 5, {})).toBeNull()
  await store.writeFile(`vectors-${await store.version()}.f16`, null)
  const { lance } = loadLance()
  const connection = await lance.connect(folder)
  const refresh = async (before: Parameters<typeof refreshIndex>[1]) => {
    const table = await connection.openTable('photos')
    const { ids, blocks } = await store.vectors()
    const bytes = Buffer.concat(blocks.map((one) => one.bytes as Uint8Array))
    const rows = { length: bytes.length, read: async (from: number, to: number) => bytes.subarray(from, to) }
    const index = await refreshIndex(
      { table, ids, rows, width: WIDTH, scorer: plainScorer, signal: undefined, from: 1500 },
      before,
    )
    return { table, index }
  }
  const { table, index } = await refresh(null)
  expect(index?.rows).toBe(2000)
  expect(index?.recall).toBeGreaterThanOrEqual(0.95)
  const query = rowsAroundDirections(1, WIDTH, 5)
  const all = await askIndex(table, query, 10, { probes: index?.probes ?? 0 })
  expect(all).toHaveLength(10)
  for (let i = 1; i < 10; i++) expect(all[i]?.similarity).toBeLessThanOrEqual(all[i - 1]?.similarity ?? 0)
  // A filter that keeps a few rows, wherever they lie, still finds as many as are asked for.
  const few = [3, 500, 900, 1400, 1999].map(idOf)
  const where = `id IN (${few.map((id) => `'${id}'`).join(', ')})`
  const kept = await askIndex(table, query, 5, { probes: 1, where })
  expect(kept.map(({ id }) => id).sort()).toEqual(few)
  await store.add(block(2000, 500, 2))
  expect((await refresh(index)).index?.rows).toBe(2000)
  await store.add(block(2500, 1600, 3))
  expect((await refresh(index)).index?.rows).toBe(4100)
  table.close()
  connection.close()
  await store[Symbol.asyncDispose]()
}, 60_000)
