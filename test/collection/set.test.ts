/** What a search of several collections owes: the page that one collection of all their rows would give, and plain words where it cannot. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test, vi } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf } from '../../src/collection/row-block.js'
import {
  type PhotoSearchOptions,
  type SearchPage,
  searchPhotos,
} from '../../src/collection/search/search-photos.js'
import { measureNear } from '../../src/collection/set/ask-set.js'
import { CollectionSet } from '../../src/collection/set/collection-set.js'
import { knownNear, measureNearAndKeep } from '../../src/collection/set/kept-nearness.js'
import { vectorSummaryOf } from '../../src/collection/set/vector-summary.js'
import type { CollectionStore } from '../../src/collection/store.js'
import { unit } from '../../src/collection/unit.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { toHalf } from '../../src/tensor/float16.js'
import { aboutFor, identityOfMade, idOf } from './made-collection.js'

const WIDTH = 4
const NAMES = PHOTO_COLUMNS.map(({ name }) => name)

interface MadeRow {
  readonly id: string
  readonly vector: Float32Array
  readonly row: Readonly<Record<string, string | number>>
}

/** Few directions, so that many rows are equally near; few contents, so that many are copies. */
function madeRow(at: number, direction: number, { gone = false, width = 0 } = {}): MadeRow {
  const random = seededRandom(direction)
  const vector = unit(Float32Array.from({ length: WIDTH }, () => random() - 0.4))
  const state = gone ? 'gone' : 'embedded'
  const told = {
    root: 'r',
    path: `${at}.jpg`,
    state,
    norm: 1,
    width,
    content: `c${direction % 7}`,
    pixels: `p${at}`,
  }
  return { id: idOf(at), vector, row: { id: idOf(at), ...told } }
}

async function collectionOf(
  rows: readonly MadeRow[],
  store: CollectionStore = createMemoryStore(aboutFor(WIDTH)),
): Promise<Collection> {
  const collection = await Collection.open({ store })
  const joined = new Float32Array(rows.length * WIDTH)
  for (const [at, { vector }] of rows.entries()) joined.set(vector, at * WIDTH)
  if (rows.length > 0)
    await collection.add(
      blockOf(
        rows.map(({ row }) => row),
        NAMES,
        toHalf(joined),
      ),
    )
  return collection
}

async function setOf(parts: readonly (readonly MadeRow[])[]): Promise<CollectionSet> {
  const collections = await Promise.all(parts.map((rows) => collectionOf(rows)))
  return CollectionSet.of({
    members: collections.map((collection, at) => ({ name: `shard-${at}`, collection })),
  })
}

/** Gives what all pages say, as one collection would say it too. */
async function pagesOf(
  searched: Collection | CollectionSet,
  query: Parameters<typeof searchPhotos>[1],
  options: PhotoSearchOptions,
): Promise<readonly unknown[]> {
  const told: unknown[] = []
  let page: SearchPage | null = null
  for (let pages = 0; pages < 4 && page?.next !== null; pages++) {
    const after: { readonly after?: string } = page === null ? {} : { after: page.next ?? '' }
    page = await searchPhotos(searched, query, { ...options, ...after })
    told.push(
      page.photos.map(({ similarity, share, row }) => [row.id, similarity, share]),
      page.next === null,
    )
  }
  return told
}

const row = fc.record({
  direction: fc.integer({ min: 1, max: 12 }),
  member: fc.integer({ min: 0, max: 3 }),
  gone: fc.boolean(),
  width: fc.integer({ min: 0, max: 3 }),
})
const asked = fc.record({
  count: fc.integer({ min: 1, max: 9 }),
  where: fc.constantFrom(undefined, 'width > 1', "width = 9 or path like '1%'"),
  minSimilarity: fc.constantFrom(undefined, 0.3, 0.999),
  unique: fc.boolean(),
  withSelf: fc.boolean(),
  diverse: fc.constantFrom(undefined, undefined, 0.4),
  like: fc.array(fc.nat(60), { minLength: 1, maxLength: 2 }),
  unlike: fc.array(fc.nat(60), { maxLength: 1 }),
  vector: fc.boolean(),
})

test('gives the ids, similarities, shares and pages that one collection of all rows gives, ties and copies included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 60 }), asked, async (made, choice) => {
      // Ids are shuffled, so that the order of ids is not that of collections.
      const rows = made.map(({ direction, gone, width }, at) =>
        madeRow((at * 37) % 61, direction, { gone: gone && at % 3 === 0, width }),
      )
      const parts = [0, 1, 2, 3].map((member) => rows.filter((_, at) => made[at]?.member === member))
      const one = await collectionOf(parts.flat())
      const set = await setOf(parts)
      const { like, unlike, vector, diverse, where, minSimilarity, ...others } = choice
      const named = (places: readonly number[]) =>
        places.map((place) => ({ id: rows[place % rows.length]?.id ?? '' }))
      const random = seededRandom(9)
      const embedding = Float32Array.from({ length: WIDTH }, () => random() - 0.5)
      const query = {
        like: vector ? [{ embedding, content: 'c3' }] : named(like),
        unlike: named(unlike),
      }
      const options = Object.fromEntries(
        Object.entries({ ...others, where, minSimilarity, diverse }).filter(
          ([, value]) => value !== undefined,
        ),
      )
      const expected = await pagesOf(one, query, options).catch((error: Error) => error.message)
      expect(await pagesOf(set, query, options).catch((error: Error) => error.message)).toEqual(expected)
      // Where all may be asked in the end, near ones first find all as well.
      const near = await pagesOf(set, query, { ...options, near: 4 }).catch((error: Error) => error.message)
      expect(near).toEqual(expected)
    }),
    { numRuns: 25 },
  )
})

const folder = mkdtempSync(join(tmpdir(), 'plumage-set-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('collections of different stores are one set, and give back what they hold', async () => {
  const rows = Array.from({ length: 40 }, (_, at) => madeRow(at, at))
  const lance = await collectionOf(
    rows.slice(10, 25),
    await LanceStore.create(join(folder, 'mixed.plumage'), aboutFor(WIDTH)),
  )
  await lance.prepare()
  const members = [
    { name: 'a', collection: await collectionOf(rows.slice(0, 10)) },
    { name: 'b', collection: lance },
    { name: 'c', collection: await collectionOf(rows.slice(25)) },
  ]
  await using set = CollectionSet.of({ members })
  const one = await collectionOf(rows)
  for (const query of [{ like: [{ id: idOf(12) }] }, { like: [{ id: idOf(3) }], unlike: [{ id: idOf(30) }] }])
    expect(await pagesOf(set, query, { count: 7 })).toEqual(await pagesOf(one, query, { count: 7 }))
  await lance.forgetVectors()
  expect(await pagesOf(set, { like: [{ id: idOf(12) }] }, {})).toEqual(
    await pagesOf(one, { like: [{ id: idOf(12) }] }, {}),
  )
})

test('refuses another identity, a column that one lacks, and ids that are nowhere or in several', async () => {
  const rows = Array.from({ length: 6 }, (_, at) => madeRow(at, at))
  const [first, second] = [await collectionOf(rows.slice(0, 4)), await collectionOf(rows.slice(3))]
  const other = await collectionOf(
    [],
    createMemoryStore(aboutFor(WIDTH, { identity: { ...identityOfMade(), ...OTHER } })),
  )
  expect(() =>
    CollectionSet.of({ members: [first, other].map((collection, at) => ({ name: `${at}`, collection })) }),
  ).toThrow(
    /was made with .*weights cdcd.*; .* with .*weights abab.*search collections together that were made with one model/s,
  )
  expect(() => CollectionSet.of({ members: [] })).toThrow('one at least')
  const set = CollectionSet.of({
    members: [
      { name: 'one', collection: first },
      { name: 'two', collection: second },
    ],
  })
  const id = idOf(3)
  await expect(searchPhotos(set, { like: [{ id }] })).rejects.toMatchObject({
    code: 'unknown-photo',
    message: expect.stringContaining(`Say which, as one/${id}.`),
  })
  await expect(searchPhotos(set, { like: [{ id, collection: 'three' }] })).rejects.toMatchObject({
    code: 'not-found',
  })
  await expect(searchPhotos(set, { like: [{ id: idOf(9) }] })).rejects.toMatchObject({ code: 'not-found' })
  await second.addColumns([{ name: 'label', type: 'text' }])
  await expect(
    searchPhotos(set, { like: [{ id: idOf(1) }] }, { where: "label = 'cat'" }),
  ).rejects.toMatchObject({
    code: 'wrong-where',
    message: expect.stringMatching(/^Of one: /),
  })
  // Both rows of one id are found, that of the first collection first, and a page may end between them.
  const query = { like: [{ id, collection: 'two' }] }
  const itself = [[id, expect.closeTo(1), expect.any(Number)]]
  const pages = await pagesOf(set, query, { count: 1, withSelf: true })
  expect(pages.slice(0, 4)).toEqual([itself, false, itself, false])
  const { photos } = await searchPhotos(set, query, { count: 6, withSelf: true })
  expect(photos.slice(0, 2).map(({ collection }) => collection)).toEqual(['one', 'two'])
  // What was asked for is left out, and not what has its id elsewhere.
  const [nearest] = (await searchPhotos(set, query)).photos
  expect([nearest?.row.id, nearest?.collection]).toEqual([id, 'one'])
})

const OTHER = { digest: 'ef'.repeat(32), weights: 'cd'.repeat(32) }

test('near collections are asked first, others where these have too few, and what that finds is measured', async () => {
  // Each collection has directions of its own, but for the last, which has some of all.
  const random = seededRandom(4)
  const about = (axis: number, at: number): MadeRow => {
    const vector = Float32Array.from({ length: WIDTH }, (_, i) => (i === axis ? 4 : 0) + random())
    return { ...madeRow(at, 1), vector: unit(vector) }
  }
  const parts = [0, 1, 2, 3].map((axis) =>
    Array.from({ length: 70 }, (_, at) => about(axis, 100 * axis + at)),
  )
  const mixed = Array.from({ length: 40 }, (_, at) => about(at % 4, 400 + at))
  await using set = await setOf([...parts, mixed])
  const query = { like: [{ id: idOf(205) }] }
  const near = await searchPhotos(set, query, { near: 1, count: 20 })
  expect(near.asked).toEqual(['shard-2'])
  expect(near.photos.every(({ collection }) => collection === 'shard-2')).toBe(true)
  const more = await searchPhotos(set, query, { near: 1, count: 100 })
  expect(more.asked?.length).toBeGreaterThan(1)
  expect(more.photos).toHaveLength(100)
  expect(set.near).toBeNull()
  const { recall, photos } = await measureNear(set)
  expect([photos, recall.length, recall.at(-1)]).toEqual([200, 5, 1])
  expect(recall).toEqual(recall.toSorted((a, b) => a - b))
  expect(recall[0]).toBeLessThan(0.95)
  expect(recall[1]).toBeGreaterThan(0.95)
  // The measure is that of the searches.
  let found = 0
  for (let at = 0; at < 60; at++) {
    const like = [{ id: idOf((at % 4) * 100 + at) }]
    const [exact, asked] = [await searchPhotos(set, { like }), await searchPhotos(set, { like }, { near: 1 })]
    const ids = new Set(exact.photos.map(({ row: { id } }) => id))
    found += asked.photos.filter(({ row: { id } }) => ids.has(id)).length
  }
  expect(Math.abs(found / 600 - (recall[0] ?? 0))).toBeLessThan(0.15)
  await expect(searchPhotos(set, query, { near: 0 })).rejects.toThrow('near is a whole number of collections')
})

test('what was measured of a set is remembered, in whatever order it is named, until its rows change', async () => {
  const members = await Promise.all(
    ['b', 'a'].map(async (name, at) => {
      const rows = Array.from({ length: 20 }, (_, i) => madeRow(20 * at + i, i))
      const store = await LanceStore.create(join(folder, `near-${name}`), aboutFor(WIDTH))
      return { name, collection: await collectionOf(rows, store) }
    }),
  )
  expect(await knownNear(CollectionSet.of({ members }))).toBeNull()
  const measured = await measureNearAndKeep(CollectionSet.of({ members }))
  expect(measured).toMatchObject({ photos: 40, recall: [expect.any(Number), 1] })
  const again = CollectionSet.of({ members: members.toReversed() })
  expect([await knownNear(again), again.near]).toEqual([measured, measured])
  const [b, a] = members.map(({ collection }) => collection)
  await b?.remove([idOf(5)])
  expect(await knownNear(CollectionSet.of({ members }))).toBeNull()
  expect((await measureNearAndKeep(CollectionSet.of({ members }))).photos).toBe(39)
  await a?.store.writeFile('nearness.json', new TextEncoder().encode('[{"of":1}'))
  expect(await knownNear(CollectionSet.of({ members }))).toBeNull()
  for (const { collection } of members) await collection[Symbol.asyncDispose]()
})

test('a summary is kept with its version, and made anew where rows have changed or it is damaged', async () => {
  const rows = Array.from({ length: 200 }, (_, at) => madeRow(at, at))
  const collection = await collectionOf(rows.slice(0, 150))
  const write = vi.spyOn(collection.store, 'writeFile')
  const summaryOf = async (one: Collection) => await vectorSummaryOf(one, await one.store.version())
  const summary = await summaryOf(collection)
  expect(summary).toMatchObject({ rows: 150 })
  expect([summary.centroids.length, summary.sample.length]).toEqual([3 * WIDTH, 150 * WIDTH])
  expect(summary.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
  // Another process reads what was kept.
  const again = await Collection.open({ store: collection.store })
  expect(await summaryOf(again)).toEqual(summary)
  expect(write).toHaveBeenCalledTimes(1)
  await collection.change([{ id: idOf(3), values: { caption: 'a cat' } }])
  await collection.fold()
  expect(await summaryOf(await Collection.open({ store: collection.store }))).toEqual(summary)
  expect(write).toHaveBeenCalledTimes(2)
  await collection.remove([idOf(3)])
  expect(await summaryOf(collection)).toMatchObject({ rows: 149 })
  const kept = (await collection.store.readFile('centroids.safetensors')) ?? new Uint8Array()
  await collection.store.writeFile('centroids.safetensors', kept.slice(0, 100))
  expect(await summaryOf(await Collection.open({ store: collection.store }))).toMatchObject({ rows: 149 })
  expect(await summaryOf(await collectionOf([]))).toMatchObject({ rows: 0 })
})
