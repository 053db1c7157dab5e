/** What a collection in PostgreSQL owes beyond the contract of all stores: the same answers as from a folder, one writer, all or nothing, and words that help. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { PHOTO_COLUMNS } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf, type Row, rowsOf, wideHalvesOf } from '../../src/collection/row-block.js'
import type { About, CollectionStore } from '../../src/collection/store.js'
import { plainScorer } from '../../src/numerics/row-scorer.js'
import { removeCollection } from '../../src/platform/node/collection/care-for.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { openCollection } from '../../src/platform/node/collection/open-collection.js'
import { PostgresStore } from '../../src/platform/node/collection/postgres-store.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { toHalf } from '../../src/tensor/float16.js'
import { hasPgvector, PgvectorServer } from '../support/pgvector-server.js'
import { aboutFor, idOf, rowsAroundDirections } from './made-collection.js'

const WIDTH = 16
const NAMES = PHOTO_COLUMNS.map(({ name }) => name)

/** Ends the connections that read, of a server on the port named. */
const ENDS_READERS = `
  import pg from 'pg'
  const client = new pg.Client({ host: '127.0.0.1', port: Number(process.argv[1]), user: 'postgres', database: 'postgres' })
  await client.connect()
  await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'plumage %' and query ilike '%count(%'")
  await client.end()`

function block(first: number, count: number, dtype: About['dtype'] = 'float16', more: Row = {}) {
  const rows = Array.from({ length: count }, (_, at) => ({
    id: idOf(first + at),
    root: 'photos',
    path: `${first + at}.jpg`,
    state: 'embedded',
    norm: 1,
    ...more,
  }))
  const embeddings = rowsAroundDirections(count, WIDTH, first + 1)
  return blockOf(rows, NAMES, dtype === 'float16' ? toHalf(embeddings) : embeddings)
}

/** Resolves when the child has printed so many lines. */
async function linesOf(child: ChildProcess, count: number): Promise<readonly string[]> {
  let said = ''
  for await (const text of child.stdout ?? []) {
    said += String(text)
    const lines = said.split('\n').slice(0, -1)
    if (lines.length >= count) return lines
  }
  throw new Error(`The child ended: ${said}`)
}

describe.skipIf(!hasPgvector)('a collection in PostgreSQL', () => {
  let server: PgvectorServer
  beforeAll(async () => {
    server = await PgvectorServer.start()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  test.each(['float16', 'float32'] as const)(
    'gives the same photos in the same order as a folder, in %s',
    async (dtype) => {
      const folder = mkdtempSync(join(tmpdir(), 'plumage-postgres-'))
      const about = aboutFor(WIDTH, { dtype })
      const stores: CollectionStore[] = [
        await LanceStore.create(join(folder, 'photos.plumage'), about),
        await PostgresStore.create(server.place(`same_${dtype}`), about),
      ]
      try {
        const found: unknown[] = []
        for (const store of stores) {
          const products = createProducts()
          await using collection = await Collection.open({ store, products, owned: products })
          await collection.add(block(0, 2000, dtype))
          await collection.change([{ id: idOf(3), values: { state: 'gone' } }])
          await collection.fold()
          await collection.prepare()
          const queries = rowsAroundDirections(20, WIDTH, 99)
          const all: unknown[] = []
          for (let q = 0; q < 20; q++)
            all.push(await collection.nearest(queries.subarray(q * WIDTH, (q + 1) * WIDTH), { count: 50 }))
          found.push(all)
        }
        expect(found[1]).toEqual(found[0])
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  test.each(['float16', 'float32'] as const)(
    'an index finds what it says, also behind a filter, in %s',
    async (dtype) => {
      await using store = await PostgresStore.create(
        server.place(`indexed_${dtype}`),
        aboutFor(WIDTH, { dtype }),
      )
      await using collection = await Collection.open({ store })
      await store.add(block(0, 3000, dtype))
      await store.prepare({ scorer: plainScorer })
      const query = rowsAroundDirections(1, WIDTH, 5)
      expect(await store.nearestByIndex(query, 5)).toBeNull()
      const told: { recall: number; of: string }[] = []
      await store.prepareFrom(1500, { scorer: plainScorer, onIndex: (index) => void told.push(index) })
      expect(told[0]?.recall).toBeGreaterThanOrEqual(0.95)
      expect((await store.facts()).indices).toEqual(['photos_embedding (hnsw)'])
      const plan = await server.ask(
        `set enable_seqscan = off; explain select id from indexed_${dtype}.photos where state = 'embedded' order by embedding${dtype === 'float16' ? '' : `::halfvec(${WIDTH})`} <#> '[${query.join()}]'::halfvec(${WIDTH}) limit 5`,
      )
      expect(JSON.stringify(plan)).toContain('photos_embedding')
      const exact = await collection.nearest(query, { count: 20 })
      const near = await store.nearestByIndex(wideHalvesOf(query), 20)
      expect(near?.map(({ id }) => id)).toEqual(exact.map(({ row }) => row.id))
      for (const [at, { similarity }] of (near ?? []).entries())
        expect(similarity).toBeCloseTo(exact[at]?.similarity ?? 0, 6)
      // A filter that keeps a few rows still finds as many as are asked for, or says that all have to be looked at.
      const few = collection.where("path in ('3.jpg', '500.jpg', '900.jpg', '1400.jpg', '2999.jpg')")
      const kept = await store.nearestByIndex(query, 5, { where: few })
      if (kept !== null) expect(kept.map(({ id }) => id).sort()).toEqual([3, 500, 900, 1400, 2999].map(idOf))
      expect(await store.nearestByIndex(query, 501)).toBeNull()
      // What is added later is found as well, and what is gone is not.
      await store.add(block(3000, 40, dtype))
      await store.prepareFrom(1500, { scorer: plainScorer })
      const [nearest] = (await store.nearestByIndex(query, 1)) ?? []
      await collection.change([{ id: nearest?.id ?? '', values: { state: 'gone' } }])
      await collection.fold()
      expect((await store.nearestByIndex(query, 5))?.map(({ id }) => id)).not.toContain(nearest?.id)
      await store.prepareFrom(10_000, { scorer: plainScorer })
      expect((await store.facts()).indices).toEqual([])
    },
  )

  test('of two that want to write one is told who holds it, and readers are never kept out', async () => {
    const place = server.place('two')
    await using writer = await PostgresStore.create(place, aboutFor(WIDTH))
    await writer.add(block(0, 3))
    await expect(openCollection(place, { write: true })).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await using reader = await openCollection(place)
    expect(await reader.store.count()).toBe(3)
    await expect(reader.remove([idOf(1)])).rejects.toMatchObject({ code: 'read-only' })
    await using other = await PostgresStore.create(server.place('Two'), aboutFor(WIDTH))
    expect(await other.count()).toBe(0)
    expect(await writer.facts()).toMatchObject({ readers: 1 })
  })

  test('a reader sees one version, whatever is written meanwhile', async () => {
    const place = server.place('versions')
    await using writer = await PostgresStore.create(place, aboutFor(WIDTH))
    await writer.add(block(0, 10_000))
    await using reader = await PostgresStore.open(place)
    let rows = 0
    for await (const { count, values } of reader.scan({ columns: ['path'] })) {
      if (rows === 0) {
        await writer.remove([idOf(9_999), idOf(1)])
        await writer.replace(block(5000, 3000, 'float16', { path: 'changed' }))
        await writer.add(block(20_000, 5))
      }
      rows += count
      expect(values.path).not.toContain('changed')
    }
    expect(rows).toBe(10_000)
    expect(await reader.count()).toBe(10_003)
    // A reading that is left in the middle gives its connection back.
    for (let times = 0; times < 25; times++)
      for await (const _block of reader.scan({ columns: ['id'] })) break
    expect(await reader.count()).toBe(10_003)
  })

  test('whoever is killed leaves all or nothing, and the right to write', async () => {
    const place = server.place('killed')
    await (await PostgresStore.create(place, aboutFor(64)))[Symbol.asyncDispose]()
    const size = 5000
    const start = () =>
      spawn(process.execPath, ['test/support/postgres-child.mjs', place, String(size)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    let safe = 0
    for (const [at, victim] of (['client', 'server', 'client', 'server'] as const).entries()) {
      const child = start()
      const ended = once(child, 'exit')
      const lines = await linesOf(child, 2)
      await new Promise((resolve) => setTimeout(resolve, 37 * at))
      if (victim === 'client') child.kill('SIGKILL')
      else await server.kill()
      if (victim === 'server') child.kill('SIGKILL')
      await ended
      if (victim === 'server') await server.restart()
      safe = Number(lines.at(-1))
      await using store = await PostgresStore.open(place, { write: true })
      const count = await store.count()
      expect(count % size).toBe(0)
      expect(count).toBeGreaterThanOrEqual(safe)
      expect((await store.vectors()).ids.length).toBe(count)
    }
    expect(safe).toBeGreaterThanOrEqual(4 * size)
  })

  test('a connection that breaks is told, and what was not written is not there', async () => {
    const place = server.place('broken')
    await using store = await PostgresStore.create(place, aboutFor(WIDTH))
    await store.add(block(0, 2))
    await server.ask(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'plumage % writes %'`,
    )
    await expect(store.add(block(2, 2))).rejects.toMatchObject({ code: 'unreachable' })
    expect(await store.count()).toBe(2)
    await using again = await PostgresStore.open(place, { write: true })
    await again.add(block(2, 2))
    expect(await again.count()).toBe(4)
  })

  test('a reader whose idle connection broke, as by a restart, asks on another', async () => {
    const place = server.place('idle')
    await using store = await PostgresStore.create(place, aboutFor(WIDTH))
    await store.add(block(0, 2))
    expect(await store.count()).toBe(2)
    // Nothing is heard of it before the next question, since this process waits for the command.
    execFileSync(process.execPath, ['--input-type=module', '--eval', ENDS_READERS, String(server.port)])
    expect(await store.count()).toBe(2)
  })

  test('what PostgreSQL cannot hold is refused, by its column', async () => {
    await using store = await PostgresStore.create(server.place('held'), aboutFor(WIDTH))
    await expect(store.add(block(0, 1, 'float16', { caption: 'a\0b' }))).rejects.toMatchObject({
      code: 'wrong-value',
      message: expect.stringContaining('caption'),
    })
    await expect(store.add(block(0, 1, 'float16', { taken: 9e15 }))).rejects.toThrow(/the column taken/)
    await expect(store.addColumns([{ name: 'a'.repeat(64), type: 'text' }])).rejects.toThrow(/up to 63 bytes/)
    await store.add(block(0, 1, 'float16', { taken: Date.UTC(-4000, 0, 1), modified: 8.64e15 }))
    await expect(store.add(block(0, 1))).rejects.toMatchObject({ code: 'wrong-value' })
    await using collection = await Collection.open({ store })
    const [row] = await collection.rows([idOf(0)])
    expect(row).toMatchObject({ taken: Date.UTC(-4000, 0, 1), modified: 8.64e15 })
    const where = collection.where("taken < '2020-01-01'")
    expect(await collection.rows([idOf(0)], { where })).not.toEqual([null])
    // A name that is also a word of SQL, or has quotes, is a name.
    await store.addColumns([
      { name: 'select', type: 'text' },
      { name: 'a"b', type: 'texts' },
    ])
    await collection.change([{ id: idOf(0), values: { select: 'x', 'a"b': ['1"', '\\'] } }])
    await collection.fold()
    expect((await collection.rows([idOf(0)]))[0]).toMatchObject({ select: 'x', 'a"b': ['1"', '\\'] })
    await expect(PostgresStore.create(server.place('wide'), aboutFor(16_001))).rejects.toThrow(
      /16000 numbers/,
    )
  })

  test('small and capital letters of any script are the same to ilike, as they are here', async () => {
    const letters = [...'kK\u212asS\u017fßẞİıiIσςΣǅǆǄµμ.*+?()[]{}^$|\\\u{10400}\u{10428}äÄ']
    const rows = letters.map((caption, at) => ({ id: idOf(at), path: 'a', state: 'failed', caption }))
    const about = aboutFor(2)
    await using store = await PostgresStore.create(server.place('letters'), about)
    await using ours = createMemoryStore(about)
    for (const one of [store, ours]) await one.add(blockOf(rows, NAMES, new Uint16Array(2 * rows.length)))
    await using collection = await Collection.open({ store })
    const idsOf = async (one: CollectionStore, where: ReturnType<Collection['where']>) => {
      const found: unknown[] = []
      for await (const { values } of one.scan({ columns: ['id'], where })) found.push(...(values.id ?? []))
      return found.sort()
    }
    for (const letter of letters) {
      const where = collection.where(`caption ilike '${letter === '\\' ? '\\\\' : letter}'`)
      expect(await idsOf(store, where)).toEqual(await idsOf(ours, where))
    }
  })

  test('a password is shown nowhere', async () => {
    const secret = 'hush%2Fhush'
    const withPassword = (port: number, name: string) =>
      `postgres://postgres:${secret}@127.0.0.1:${port}/postgres?collection=${name}&password=${secret}`
    await using store = await PostgresStore.create(withPassword(server.port, 'secret'), aboutFor(WIDTH))
    const told = [store.label, inspect(store, { depth: 9 })]
    const tries = [
      () => openCollection(withPassword(1, 'secret')),
      () => openCollection(withPassword(server.port, 'nowhere')),
      () => openCollection(withPassword(server.port, 'secret'), { write: true }),
      () => openCollection(withPassword(server.port, 'pg_x')),
      () => openCollection(`postgres://me:${secret}@[::::/db?collection=a`),
      () => openCollection(`postgres://me:${secret}@h/db`),
    ]
    const codes: unknown[] = []
    for (const attempt of tries)
      await attempt().then(
        () => codes.push('opened'),
        (error) => {
          codes.push(error.code ?? error.name)
          told.push(inspect(error, { depth: 9, showHidden: true }))
        },
      )
    expect(codes).toEqual(['unreachable', 'not-found', 'locked', 'RangeError', 'RangeError', 'RangeError'])
    for (const text of told) expect(text).not.toMatch(/hush/)
  })

  test('says what to run where the extension is missing, too old or not allowed', async (context) => {
    const refused = async (attempt: Promise<unknown>) => {
      const error = await attempt.then(
        () => new Error('nothing was refused'),
        (error: Error) => error,
      )
      return `${(error as { code?: string }).code} ${error.message}`
    }
    await server.ask('create role guest login')
    await server.ask('create database other')
    await server.ask(`create database bytes encoding 'SQL_ASCII' template template0`)
    const guest = server.place('guests', { user: 'guest', database: 'other' })
    expect(await refused(PostgresStore.create(guest, aboutFor(4)))).toMatch(
      /^forbidden .*administrator run there: CREATE EXTENSION vector$/,
    )
    await server.ask(
      'create schema ext; create extension vector schema ext; grant usage on schema ext to guest',
      'other',
    )
    expect(await refused(PostgresStore.create(guest, aboutFor(4)))).toMatch(
      /^forbidden .*permission denied for database/,
    )
    // An empty schema is enough for those who may make none, and the extension may lie in another.
    await server.ask('create schema guests authorization guest', 'other')
    await using store = await PostgresStore.create(guest, aboutFor(WIDTH))
    await store.add(block(0, 1500))
    await store.prepareFrom(1000, { scorer: plainScorer })
    expect(await store.nearestByIndex(rowsAroundDirections(1, WIDTH, 5), 3)).toHaveLength(3)
    await server.ask(`update pg_extension set extversion = '0.7.4' where extname = 'vector'`, 'other')
    expect(await refused(openCollection(guest))).toMatch(
      /^unavailable .*0\.7\.4.*ALTER EXTENSION vector UPDATE$/,
    )
    expect(await refused(openCollection(server.place('a', { database: 'bytes' })))).toMatch(
      /^unavailable .*SQL_ASCII/,
    )
    expect(await refused(openCollection(server.place('a', { database: 'none' })))).toMatch(
      /^not-found .*createdb/,
    )
    const plain = '/usr/lib/postgresql/15/bin'
    if (!existsSync(join(plain, 'postgres')))
      return context.skip('there is no PostgreSQL without pgvector here')
    await using without = await PgvectorServer.start(plain)
    expect(await refused(PostgresStore.create(without.place('a'), aboutFor(4)))).toMatch(
      /^unavailable .*the server has no pgvector. Install it/,
    )
  })

  test('is removed with all that is its own, and with nothing else', async () => {
    const place = server.place('removed')
    {
      await using store = await PostgresStore.create(place, aboutFor(WIDTH))
      await expect(PostgresStore.create(place, aboutFor(WIDTH))).rejects.toMatchObject({ code: 'locked' })
      await store.add(block(0, 5))
      await store.compact({ rewrite: true })
      expect(await store.count()).toBe(5)
    }
    await expect(PostgresStore.create(place, aboutFor(WIDTH))).rejects.toMatchObject({ code: 'exists' })
    {
      await using _reader = await PostgresStore.open(place)
      await expect(removeCollection(place)).rejects.toMatchObject({ code: 'in-use' })
    }
    await server.ask('create table removed.mine (a int)')
    expect(await removeCollection(place)).toEqual(['mine'])
    await expect(PostgresStore.create(place, aboutFor(WIDTH))).rejects.toMatchObject({
      code: 'exists',
      message: expect.stringContaining('mine'),
    })
    await server.ask('drop table removed.mine')
    await using again = await PostgresStore.create(place, aboutFor(WIDTH))
    expect(await again.count()).toBe(0)
    for await (const found of again.scan({ columns: ['id'] })) expect(rowsOf(found)).toEqual([])
  })

  test('stops when it is told to', async () => {
    await using store = await PostgresStore.create(server.place('stopped'), aboutFor(WIDTH))
    await store.add(block(0, 10_000))
    const scorer = plainScorer
    await expect(store.prepareFrom(100, { scorer, signal: AbortSignal.timeout(150) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const stopping = async () => {
      const control = new AbortController()
      for await (const _block of store.scan({ columns: ['id'], signal: control.signal })) control.abort()
    }
    await expect(stopping()).rejects.toMatchObject({ name: 'AbortError' })
    expect(await store.count()).toBe(10_000)
  })
})
