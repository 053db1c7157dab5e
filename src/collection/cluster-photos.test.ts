import { expect, test } from 'vitest'
import { aboutFor, idOf } from '../../test/collection/made-collection.js'
import { madeRows } from '../../test/support/made-rows.js'
import { unitRows } from '../numerics/lengths.js'
import { toHalf } from '../tensor/float16.js'
import { clusterPhotos, readClusters } from './cluster-photos.js'
import { Collection } from './collection.js'
import { mapPhotos } from './map-photos.js'
import { createMemoryStore } from './memory-store.js'
import { blockOf, rowsOf } from './row-block.js'

const WIDTH = 8
const { rows, groups } = madeRows(200, WIDTH, 4)
const units = unitRows(rows, WIDTH)

/** Adds photos that lie in folders by what they show; their ids do not follow the order in which they were added. */
async function addTo(collection: Collection, first: number, last: number, version = 1): Promise<void> {
  const numbers = Array.from({ length: last - first }, (_, i) => first + i)
  const photos = numbers.map((at) => ({
    id: idOf((at * 7919) % 1009),
    root: 'photos',
    path: `kind ${groups[at]}/${at}.jpg`,
    state: 'embedded',
    content: `${version}`.repeat(20) + idOf(at),
  }))
  const names = collection.columns.map(({ name }) => name)
  await collection.add(blockOf(photos, names, toHalf(units.slice(first * WIDTH, last * WIDTH))))
}

async function made(last = 200): Promise<Collection> {
  const collection = await Collection.open({ store: createMemoryStore(aboutFor(WIDTH)) })
  await addTo(collection, 0, last)
  return collection
}

async function numbersOf(collection: Collection): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for await (const block of collection.scan({ columns: ['path', 'cluster'] }))
    for (const { path, cluster } of rowsOf(block)) found.set(String(path), Number(cluster))
  return found
}

test('groups are kept as a column, named by the folders that their photos lie in, and stood for by their own photos', async () => {
  await using collection = await made()
  const found = await clusterPhotos(collection, { count: 4 })
  expect(found).toMatchObject({ method: 'k-means', total: 200, alone: 0, proposed: null, agreement: null })
  expect(found.clusters.map(({ name }) => name?.name).sort()).toEqual([
    'photos/kind 0',
    'photos/kind 1',
    'photos/kind 2',
    'photos/kind 3',
  ])
  const numbers = await numbersOf(collection)
  for (const { number, count, exemplars } of found.clusters) {
    expect([...numbers.values()].filter((own) => own === number)).toHaveLength(count)
    for (const row of await collection.rows(exemplars, { columns: ['path'] }))
      expect(numbers.get(String(row?.path))).toBe(number)
  }
  expect((await readClusters(collection))?.clusters).toEqual(found.clusters)
})

test('numbers stay when photos are added and it is done again, whatever the seed', async () => {
  await using collection = await made(150)
  await clusterPhotos(collection, { count: 4 })
  const before = await numbersOf(collection)
  await addTo(collection, 150, 200)
  await clusterPhotos(collection, { count: 4, seed: 3 })
  const after = await numbersOf(collection)
  const same = [...before].filter(([path, number]) => after.get(path) === number)
  expect(same.length / before.size).toBeGreaterThan(0.95)
  const finer = await clusterPhotos(collection, { count: 6 })
  expect(Math.max(...finer.clusters.map(({ number }) => number))).toBe(5)
})

test('hdbscan leaves some alone, and says how far exact groups and those on the graph agree', async () => {
  await using collection = await made()
  const found = await clusterPhotos(collection, { method: 'hdbscan', leastPhotos: 5 })
  expect(found.alone).toBeGreaterThan(0)
  expect(found.isExact).toBe(true)
  expect(found.agreement?.photos).toBe(200)
  expect(found.agreement?.index).toBeGreaterThan(0.9)
  expect([...(await numbersOf(collection)).values()].filter((number) => number === -1)).toHaveLength(
    found.alone,
  )
})

test('the number of groups is proposed, names come from a column, and nothing is kept where nothing is to be', async () => {
  await using collection = await made()
  await collection.addColumns([{ name: 'label', type: 'text' }])
  for await (const block of collection.scan({ columns: ['id', 'path'] }))
    await collection.change(
      rowsOf(block).map(({ id, path }) => ({
        id: String(id),
        values: { label: `is ${String(path).split('/')[0]}` },
      })),
    )
  const found = await clusterPhotos(collection, { namesFrom: 'label', save: false })
  expect(found.clusters).toHaveLength(found.proposed?.count ?? 0)
  expect(found.clusters[0]?.name?.name).toMatch(/^is kind \d$/)
  expect(await readClusters(collection)).toBeNull()
  expect(collection.columns.some(({ name }) => name === 'cluster')).toBe(false)
})

test('mistakes are told', async () => {
  await using empty = await Collection.open({ store: createMemoryStore(aboutFor(WIDTH)) })
  await expect(clusterPhotos(empty)).rejects.toMatchObject({ code: 'empty' })
  await using collection = await made()
  await expect(clusterPhotos(collection, { namesFrom: 'lable' })).rejects.toMatchObject({
    code: 'unknown-column',
  })
  await expect(clusterPhotos(collection, { namesFrom: 'bytes' })).rejects.toMatchObject({
    code: 'wrong-value',
  })
  await expect(clusterPhotos(collection, { method: 'kmeans' as 'k-means' })).rejects.toThrow(
    /k-means or hdbscan/,
  )
  await collection.store.writeFile('clusters.json', Uint8Array.of(123))
  await expect(clusterPhotos(collection)).rejects.toMatchObject({ code: 'damaged' })
})

function placesOf({ rows: photos, points }: Awaited<ReturnType<typeof mapPhotos>>) {
  return new Map(photos.map(({ id }, i) => [id, [...points.subarray(2 * i, 2 * i + 2)]]))
}

test('a map stays as it is, new photos are placed on it among their own kind, and changed ones anew', async () => {
  await using collection = await made(180)
  const first = await mapPhotos(collection)
  expect(first).toMatchObject({ isNew: true, placed: 0, made: 180 })
  expect(first.trustworthiness).toBeGreaterThan(0.9)
  expect(placesOf(await mapPhotos(collection))).toEqual(placesOf(first))
  await addTo(collection, 180, 200)
  const second = await mapPhotos(collection)
  expect(second).toMatchObject({ isNew: false, placed: 20, made: 180 })
  const there = placesOf(second)
  for (const [id, place] of placesOf(first)) expect(there.get(id)).toEqual(place)
  expect(second.trustworthiness).toBeGreaterThan(0.88)
  const [changed = ''] = placesOf(first).keys()
  await collection.change([{ id: String(changed), values: { content: 'f'.repeat(64) } }])
  expect((await mapPhotos(collection)).placed).toBe(1)
})

test('a map that is made anew is turned and mirrored to fit the one before, however that lay', async () => {
  await using collection = await made()
  const first = placesOf(await mapPhotos(collection))
  const file = JSON.parse(
    new TextDecoder().decode((await collection.store.readFile('map.json')) ?? undefined),
  ) as {
    points: [number, number][]
  }
  const moved = { ...file, points: file.points.map(([x, y]) => [20 - y, -x]) }
  await collection.store.writeFile('map.json', new TextEncoder().encode(JSON.stringify(moved)))
  const again = await mapPhotos(collection, { rebuild: true })
  expect(again).toMatchObject({ isNew: true, made: 200 })
  for (const [id, [x = 0, y = 0]] of placesOf(again)) {
    const [u = 0, v = 0] = first.get(id) ?? []
    expect(Math.hypot(x - (20 - v), y + u)).toBeLessThan(1e-3)
  }
})

test('a map of one photo, one that is damaged, and a collection that is read only', async () => {
  await using one = await made(1)
  expect(await mapPhotos(one)).toMatchObject({ made: 1, trustworthiness: null })
  await one.store.writeFile(
    'map.json',
    new TextEncoder().encode('{"format":1,"ids":[1],"contents":[],"points":[]}'),
  )
  await expect(mapPhotos(one)).rejects.toMatchObject({ code: 'damaged' })
})
