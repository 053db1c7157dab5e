/** What a search owes, on both stores: as many photos as were asked for, whatever leaves some out, in one order, page by page. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf } from '../../src/collection/row-block.js'
import {
  everyPhoto,
  type PhotoSearchOptions,
  type RankedPhoto,
  type SearchQuery,
  searchPhotos,
} from '../../src/collection/search/search-photos.js'
import type { About, CollectionStore } from '../../src/collection/store.js'
import { unit } from '../../src/collection/unit.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { float16ToFloat32, toHalf } from '../../src/tensor/float16.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 8
const COUNT = 20_000
const NAMES = [...PHOTO_COLUMNS.map(({ name }) => name), 'rare']
const random = seededRandom(7)
const vectors = Array.from({ length: COUNT }, (_, at) =>
  // Every hundredth is a copy of the one before it: equal similarity must fall in the order of ids.
  at % 100 === 1 ? null : unit(Float32Array.from({ length: WIDTH }, () => random() - 0.3)),
)
const vectorAt = (at: number) => vectors[at] ?? vectors[at - 1] ?? new Float32Array()
const rowAt = (at: number) => ({
  id: idOf(at),
  root: 'photos',
  path: `${at}.jpg`,
  state: at % 1000 === 5 ? 'gone' : 'embedded',
  norm: 1,
  content: `c${at % 100 === 1 ? at - 1 : at}`,
  pixels: `p${at}`,
  width: at,
  rare: at % 10_000 === 17,
})

const folder = mkdtempSync(join(tmpdir(), 'plumage-search-'))
afterAll(() => rmSync(folder, { recursive: true }))
const STORES: Readonly<Record<string, (about: About) => Promise<CollectionStore>>> = {
  memory: async (about) => createMemoryStore(about),
  LanceDB: (about) => LanceStore.create(join(folder, 'photos.plumage'), about),
}

function roundedToHalves(vector: Float32Array): Float32Array {
  const rounded = new Float32Array(vector.length)
  float16ToFloat32(toHalf(vector), rounded)
  return rounded
}
/** Gives an embedding as it is after it was stored. */
const storedAt = (at: number) => roundedToHalves(vectorAt(at))
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
/** Gives all rows that can be found, in the order in which they must be: by the cosine of what is stored with the query as it would be stored. */
function expected(query: Float32Array, isWanted: (at: number) => boolean): readonly string[] {
  const q = roundedToHalves(unit(query))
  return Array.from({ length: COUNT }, (_, at) => at)
    .filter((at) => rowAt(at).state === 'embedded' && isWanted(at))
    .map((at) => {
      const row = storedAt(at)
      return { id: idOf(at), score: dot(row, q) / Math.sqrt(dot(row, row) * dot(q, q)) }
    })
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)
}

const idsOf = (photos: readonly RankedPhoto[]) => photos.map(({ row }) => row.id)

describe.each(Object.entries(STORES))('%s', (_name, create) => {
  let collection: Collection
  beforeAll(async () => {
    const store = await create(aboutFor(WIDTH, { columns: [{ name: 'rare', type: 'boolean' }] }))
    collection = await Collection.open({ store })
    const joined = new Float32Array(COUNT * WIDTH)
    for (let at = 0; at < COUNT; at++) joined.set(vectorAt(at), at * WIDTH)
    const rows = Array.from({ length: COUNT }, (_, at) => rowAt(at))
    await collection.add(blockOf(rows, NAMES, toHalf(joined)))
  })
  afterAll(() => collection[Symbol.asyncDispose]())

  const query = Float32Array.from({ length: WIDTH }, (_, at) => at - 2)
  const like = [{ embedding: query }]
  const found = async (options: PhotoSearchOptions, asked: SearchQuery = { like }) =>
    idsOf((await searchPhotos(collection, asked, options)).photos)

  test('finds the nearest, in order of similarity and then of id', async () => {
    expect(await found({ count: 300 })).toEqual(expected(query, () => true).slice(0, 300))
  })

  test('finds as many as were asked for where a condition keeps one in ten thousand, and all there are', async () => {
    expect(await found({ count: 2, where: 'rare' })).toEqual(expected(query, (at) => at % 10_000 === 17))
    expect(await found({ count: 50, where: 'rare or width < 30 or width = 5' })).toEqual(
      expected(query, (at) => at % 10_000 === 17 || at < 30),
    )
    expect(await found({ count: 20, where: 'not rare' })).toEqual(
      expected(query, (at) => at % 10_000 !== 17).slice(0, 20),
    )
    expect(await found({ where: 'width < 0' })).toEqual([])
  })

  test('pages follow each other without a gap, also where similarities are equal', async () => {
    const all: unknown[] = []
    let after: string | undefined
    for (let page = 0; page < 9; page++) {
      const { photos, next } = await searchPhotos(
        collection,
        { like: [{ id: idOf(0) }] },
        { count: 7, withSelf: true, ...(after ? { after } : {}) },
      )
      all.push(...idsOf(photos))
      after = next ?? undefined
    }
    // The copy of the first lies on the same place, and behind it.
    expect(all).toEqual(expected(vectorAt(0), () => true).slice(0, 63))
    expect(all.slice(0, 2)).toEqual([idOf(0), idOf(1)])
    await expect(found({ after: after ?? '' })).rejects.toMatchObject({ code: 'wrong-cursor' })
    await expect(found({ after: 'page 2' })).rejects.toMatchObject({ code: 'wrong-cursor' })
  })

  test('leaves out what is asked for, copies, and what is less alike', async () => {
    const self = { like: [{ embedding: vectorAt(200), content: 'c200' }] }
    const [first] = await found({ count: 1 }, self)
    expect([idOf(200), idOf(201)]).not.toContain(first)
    expect(await found({ count: 2, withSelf: true }, self)).toEqual([idOf(200), idOf(201)])
    expect((await found({ count: 2, withSelf: true, unique: true }, self))[0]).toBe(idOf(200))
    expect(await found({ count: 2, withSelf: true, unique: true }, self)).not.toContain(idOf(201))
    const { photos, next } = await searchPhotos(collection, { like }, { minSimilarity: 0.9, count: 1000 })
    expect(photos.every(({ similarity }) => similarity >= 0.9)).toBe(true)
    expect([photos.length > 3, next]).toEqual([true, null])
  })

  test('says which share of random pairs is less alike, the same each time', async () => {
    const { photos } = await searchPhotos(collection, { like }, { count: 2000 })
    const shares = photos.map(({ share }) => share ?? -1)
    expect(shares).toEqual(shares.toSorted((a, b) => b - a))
    expect(shares[0]).toBeGreaterThan(0.99)
    const again = await searchPhotos(collection, { like }, { count: 2000 })
    expect(again.photos.map(({ share }) => share)).toEqual(shares)
    const turned = await searchPhotos(collection, { like, unlike: [{ id: idOf(3) }] })
    expect([turned.way, turned.photos[0]?.share]).toEqual(['rocchio', null])
  })

  test('gives photo after photo until nobody asks', async () => {
    const all: unknown[] = []
    for await (const { row } of everyPhoto(collection, { like }, { where: 'width < 40', count: 6 }))
      all.push(row.id)
    expect(all).toEqual(expected(query, (at) => at < 40))
  })

  test('chooses photos that differ, and ends where it is told to', async () => {
    const plain = await found({ count: 10 })
    expect(await found({ count: 10, diverse: 1 })).toEqual(plain)
    const varied = await found({ count: 10, diverse: 0.3 })
    expect(varied[0]).toBe(plain[0])
    expect(new Set([...plain, ...varied]).size).toBeGreaterThan(12)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(found({ signal, where: 'rare' })).rejects.toThrow('enough')
    await expect(found({ signal })).rejects.toThrow('enough')
  })

  test('examples that are not wanted turn the direction, and five of each kind are told apart', async () => {
    const near = (axis: number, n: number) =>
      Array.from({ length: n }, (_, i) => ({
        embedding: Float32Array.from(
          { length: WIDTH },
          (_, at) => (at === axis ? 3 : 0) + (at === 7 ? 2 : 0) + Math.sin(i * 9 + at) / 4,
        ),
      }))
    const probe = await searchPhotos(collection, { like: near(0, 5), unlike: near(1, 5) }, { count: 200 })
    expect(probe.way).toBe('probe')
    const mean = await searchPhotos(collection, { like: near(0, 5) }, { count: 200 })
    // Both kinds share the last number, which the probe looks past.
    const share = (photos: readonly RankedPhoto[]) =>
      photos.reduce((sum, { row }) => sum + (vectorAt(Number(row.width))[7] ?? 0), 0)
    const unwanted = (photos: readonly RankedPhoto[]) =>
      photos.reduce((sum, { row }) => sum + (vectorAt(Number(row.width))[1] ?? 0), 0)
    expect(share(probe.photos)).toBeLessThan(share(mean.photos))
    expect(unwanted(probe.photos)).toBeLessThan(unwanted(mean.photos))
    await expect(found({ unlikeWeight: 1 }, { like, unlike: like })).rejects.toMatchObject({
      code: 'no-direction',
    })
  })

  test('a photo that is gone since is passed over, and a page of an older version says so', async () => {
    const before = await searchPhotos(collection, { like }, { count: 3 })
    const [first = '', second = ''] = idsOf(before.photos).map(String)
    await collection.change([{ id: first, values: { state: 'gone' } }])
    expect(await found({ count: 2 })).toEqual([second, idsOf(before.photos)[2]])
    expect(await found({ count: 2, where: 'width >= 0' })).toEqual([second, idsOf(before.photos)[2]])
    await collection.fold()
    const after = await searchPhotos(collection, { like }, { count: 3, after: before.next ?? '' })
    expect(after.versionIsGone).toBe(true)
    expect(idsOf(after.photos)).toEqual(expected(query, () => true).slice(3, 6))
  })

  test('says which id is not there, and which width is wrong', async () => {
    await expect(found({}, { like: [{ id: idOf(COUNT) }] })).rejects.toMatchObject({ code: 'not-found' })
    await expect(found({}, { like: [{ embedding: new Float32Array(3) }] })).rejects.toThrow('have 8 numbers')
    await expect(found({}, { like: [] })).rejects.toThrow('needs an example')
    await expect(found({ diverse: 2 })).rejects.toThrow('diverse is a number from 0 to 1')
  })
})
