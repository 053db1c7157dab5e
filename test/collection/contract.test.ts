/** What every store of a collection owes, whatever keeps it: one list of laws, run on each. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { PHOTO_COLUMNS, type Value } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf, type Row, type RowBlock, rowsOf } from '../../src/collection/row-block.js'
import type { About, CollectionStore } from '../../src/collection/store.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { placeAt } from '../../src/platform/node/collection/open-collection.js'
import { PostgresStore } from '../../src/platform/node/collection/postgres-store.js'
import { toHalf } from '../../src/tensor/float16.js'
import { hasPgvector, PgvectorServer } from '../support/pgvector-server.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { aboutFor, idOf } from './made-collection.js'

const WIDTH = 8
let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'plumage-store-')), 'photos.plumage')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

let server: PgvectorServer | undefined
let made = 0
if (hasPgvector) {
  beforeAll(async () => {
    server = await PgvectorServer.start()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
}

const STORES: Readonly<Record<string, (about: About) => Promise<CollectionStore>>> = {
  memory: async (about) => createMemoryStore(about),
  LanceDB: (about) => LanceStore.create(folder, about),
  ...(hasPgvector
    ? {
        PostgreSQL: (about: About) => PostgresStore.create(server?.place(`contract_${made++}`) ?? '', about),
      }
    : {}),
  ...(versitygw === undefined ? {} : { 'LanceDB on S3': createOnS3 }),
}

let s3: S3Server | undefined
async function createOnS3(about: About): Promise<CollectionStore> {
  if (s3 === undefined) {
    s3 = await startS3Server()
    await s3.makeBucket('bucket')
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value)
  }
  return await LanceStore.create(await placeAt(`s3://bucket/${made++}.plumage`), about)
}
afterAll(async () => {
  vi.unstubAllEnvs()
  await s3?.[Symbol.asyncDispose]()
})

const NAMES = PHOTO_COLUMNS.map(({ name }) => name)

/** Has a value of each kind, and nothing, in turn. */
function rowAt(at: number, more: Row = {}): Row {
  const some = <T extends Value>(value: T) => (at % 3 === 2 ? null : value)
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, null])),
    id: idOf(at),
    root: 'photos',
    path: `it's a "name"/${at}; DROP TABLE -- \u{1f600}.jpg`,
    file: `1:${at}`,
    bytes: 2 ** 40 + at,
    modified: 1_700_000_000_000 + at,
    state: at % 3 === 2 ? 'failed' : 'embedded',
    reason: at % 3 === 2 ? 'it is damaged' : null,
    content: some(`c${at}`),
    pixels: some(`p${at}`),
    preview: some(at % 2 === 0),
    height: some(3000),
    width: some(4000),
    sidecars: at % 2 === 0 ? [] : ['a/b.xmp', 'it\'s "c".json'],
    sidecars_modified: some(1_700_000_000_000),
    taken: some(5 - 1000 * at),
    caption: some('<b>"caption"</b>'),
    rating: some(at % 6),
    latitude: some(-12.5),
    longitude: null,
    norm: some(1.5),
    ...more,
  }
}

function embeddingsOf(count: number, dtype: About['dtype']) {
  const values = Float32Array.from({ length: count * WIDTH }, (_, at) => Math.sin(at))
  return dtype === 'float16' ? toHalf(values) : values
}

async function gather(store: CollectionStore, choice: Parameters<CollectionStore['scan']>[0]) {
  const rows: Row[] = []
  const numbers: number[][] = []
  for await (const block of store.scan({ ...choice, columns: ['id', ...choice.columns] })) {
    rows.push(...rowsOf(block))
    for (let at = 0; at < block.count && block.embeddings !== undefined; at++)
      numbers.push([...block.embeddings.slice(at * WIDTH, (at + 1) * WIDTH)])
  }
  const order = rows.map((_, at) => at).sort((a, b) => (String(rows[a]?.id) < String(rows[b]?.id) ? -1 : 1))
  return { rows: order.map((at) => rows[at]), numbers: order.map((at) => numbers[at]) }
}

describe.each(Object.entries(STORES))('%s', (_name, create) => {
  test.each(['float16', 'float32'] as const)(
    'gives back what was added, to the bit, in %s',
    async (dtype) => {
      await using store = await create(aboutFor(WIDTH, { dtype }))
      const rows = Array.from({ length: 9 }, (_, at) => rowAt(at))
      const embeddings = embeddingsOf(9, dtype)
      // A row that could not be read has no numbers.
      for (let at = 2; at < 9; at += 3) embeddings.fill(0, at * WIDTH, (at + 1) * WIDTH)
      await store.add(blockOf(rows, NAMES, embeddings))
      const found = await gather(store, { columns: NAMES, embeddings: true })
      expect(found.rows).toEqual(rows)
      expect(found.numbers.flat()).toEqual([...embeddings])
      expect(await store.count()).toBe(9)
    },
  )

  test('gives only the rows and columns that are asked for', async () => {
    await using store = await create(aboutFor(WIDTH))
    await store.add(block(6))
    const { rows } = await gather(store, { columns: ['path'], ids: [idOf(4), idOf(1), idOf(99)] })
    expect(rows).toEqual([1, 4].map((at) => ({ id: idOf(at), path: rowAt(at).path })))
  })

  test('replaces rows that are there and adds none', async () => {
    await using store = await create(aboutFor(WIDTH))
    await store.add(block(4))
    const changed = [rowAt(1, { path: 'new.jpg' }), rowAt(77)]
    await store.replace(blockOf(changed, NAMES, embeddingsOf(2, 'float16')))
    const { rows } = await gather(store, { columns: ['path'] })
    expect(rows.map((row) => row?.path)).toEqual(
      [0, 1, 2, 3].map((at) => (at === 1 ? 'new.jpg' : rowAt(at).path)),
    )
  })

  test('removes rows, and counts a version for each change', async () => {
    await using store = await create(aboutFor(WIDTH))
    const versions = [await store.version()]
    await store.add(block(4))
    versions.push(await store.version())
    await store.remove([idOf(0), idOf(3)])
    versions.push(await store.version())
    expect(new Set(versions).size).toBe(3)
    expect((await gather(store, { columns: [] })).rows).toEqual([{ id: idOf(1) }, { id: idOf(2) }])
  })

  test('takes columns of its own, of each type', async () => {
    await using store = await create(aboutFor(WIDTH))
    await store.add(block(3))
    const columns = [
      { name: 'label', type: 'text' },
      { name: 'stars', type: 'integer' },
      { name: 'score', type: 'float' },
      { name: 'kept', type: 'boolean' },
      { name: 'seen', type: 'timestamp' },
      { name: 'tags', type: 'texts' },
    ] as const
    await store.addColumns(columns)
    expect(store.about.columns).toEqual(columns)
    const own = { label: 'a\n"b"', stars: -3, score: 0.1, kept: false, seen: 86_400_000, tags: ['x', ''] }
    const names = [...NAMES, ...columns.map(({ name }) => name)]
    await store.replace(blockOf([rowAt(1, own)], names, embeddingsOf(1, 'float16')))
    const { rows } = await gather(store, { columns: columns.map(({ name }) => name) })
    expect(rows[1]).toEqual({ id: idOf(1), ...own })
    expect(rows[0]).toEqual({
      id: idOf(0),
      label: null,
      stars: null,
      score: null,
      kept: null,
      seen: null,
      tags: null,
    })
  })

  test('gives the vectors of rows that are embedded', async () => {
    await using store = await create(aboutFor(WIDTH))
    expect((await store.vectors({})).ids).toEqual([])
    await store.add(block(6))
    const { ids, blocks } = await store.vectors({})
    expect([...ids].sort()).toEqual([0, 1, 3, 4].map(idOf))
    expect(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(4 * WIDTH * 2)
  })

  test('keeps logs and small files', async () => {
    await using store = await create(aboutFor(WIDTH))
    const log = store.log('decisions')
    expect(await log.read()).toEqual([])
    await log.append([{ a: 1 }])
    await log.append([{ b: '\n"' }, { c: null }])
    expect(await log.read()).toEqual([{ a: 1 }, { b: '\n"' }, { c: null }])
    await log.replace([{ d: 4 }])
    expect(await store.log('decisions').read()).toEqual([{ d: 4 }])
    expect(await store.readFile('map.json')).toBeNull()
    await store.writeFile('map.json', new Uint8Array([1, 2]))
    expect([...((await store.readFile('map.json')) ?? [])]).toEqual([1, 2])
    await store.writeFile('map.json', null)
    expect(await store.readFile('map.json')).toBeNull()
  })

  test('has the same rows after it was compacted', async () => {
    await using store = await create(aboutFor(WIDTH))
    await store.add(block(5))
    await store.remove([idOf(2)])
    const before = await gather(store, { columns: NAMES, embeddings: true })
    await store.compact()
    expect(await gather(store, { columns: NAMES, embeddings: true })).toEqual(before)
  })
})

function block(count: number): RowBlock {
  return blockOf(
    Array.from({ length: count }, (_, at) => rowAt(at)),
    NAMES,
    embeddingsOf(count, 'float16'),
  )
}
