/** Asks LanceDB, PostgreSQL and ourselves the same conditions on the same rows: all must find the same ones, whatever stands in the texts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { type CollectionColumn, PHOTO_COLUMNS, type Value } from '../../src/collection/columns.js'
import { createMemoryStore } from '../../src/collection/memory-store.js'
import { blockOf, type Row, rowsOf } from '../../src/collection/row-block.js'
import type { CollectionStore } from '../../src/collection/store.js'
import type { Condition } from '../../src/collection/where/condition.js'
import { parseWhere } from '../../src/collection/where/parse-where.js'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { PostgresStore } from '../../src/platform/node/collection/postgres-store.js'
import { hasPgvector, PgvectorServer } from '../support/pgvector-server.js'
import { aboutFor, idOf } from './made-collection.js'

const OWN = [
  { name: 'label', type: 'text' },
  { name: 'order', type: 'integer' },
  { name: 'score', type: 'float' },
  { name: 'other', type: 'float' },
  { name: 'kept', type: 'boolean' },
  { name: 'seen', type: 'timestamp' },
  { name: 'tags', type: 'texts' },
] as const satisfies readonly CollectionColumn[]
const COLUMNS = [...PHOTO_COLUMNS, ...OWN]

/** Try to end a text, to begin another one, and to be taken for something else. */
const TEXTS = [
  '',
  'cat',
  'Cat',
  'ca',
  "it's",
  "''",
  "' or true --",
  "\\' or 1=1 --",
  '\\',
  '\\\\',
  'a%b',
  'a_b',
  'axb',
  '"; drop table photos',
  '`id`',
  'new\nline',
  'nul\0x',
  'ÄRGER',
  'ärger',
  '\u{1f600}',
  '\uffff',
  '$1 ? :x {x} %s \u2019 \u02bc \uff07',
]
const NUMBERS = [0, -0, 1, -1, 2.5, 1e-300, -1e300, 0.1, 3]
const WHOLE = [0, 1, -1, 7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
const TIMES = [0, -1, 1_704_067_200_000, 1_704_067_200_001, Date.UTC(1850, 1, 2), Date.UTC(9999, 11, 31)]

const maybe = <T>(values: readonly T[], at: number) =>
  at % 5 === 4 ? null : (values[at % values.length] ?? null)
const rows: readonly Row[] = Array.from({ length: 60 }, (_, at) => ({
  id: idOf(at),
  path: TEXTS[at % TEXTS.length] ?? null,
  state: 'embedded',
  norm: 1,
  label: maybe(TEXTS, at * 7 + 3),
  order: maybe(WHOLE, at),
  score: maybe(NUMBERS, at),
  other: maybe(NUMBERS, at * 3 + 1),
  kept: maybe([true, false], at),
  seen: maybe(TIMES, at),
  tags: at % 5 === 3 ? null : at % 7 === 0 ? [] : [TEXTS[at % TEXTS.length] ?? '', 'b'],
}))

const folder = mkdtempSync(join(tmpdir(), 'plumage-where-'))
afterAll(() => rmSync(folder, { recursive: true }))
const about = aboutFor(2, { columns: OWN })
let server: PgvectorServer | undefined
afterAll(() => server?.[Symbol.asyncDispose]())

/** PostgreSQL holds no letter NUL. */
const hasNul = (row: Row) => JSON.stringify(row).includes('\\u0000')
const KINDS = {
  LanceDB: { create: () => LanceStore.create(join(folder, 'photos.plumage'), about), holds: () => true },
  ...(hasPgvector
    ? {
        PostgreSQL: {
          create: async () => {
            server = await PgvectorServer.start()
            return await PostgresStore.create(server.place('where'), about)
          },
          holds: (row: Row) => !hasNul(row),
        },
      }
    : {}),
}

async function idsOf(store: Pick<CollectionStore, 'scan'>, where: Condition): Promise<readonly Value[]> {
  const found: Value[] = []
  for await (const block of store.scan({ columns: ['id'], where })) found.push(...(block.values.id ?? []))
  return found.sort()
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
const text = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.string({ unit: 'binary', maxLength: 6 }).filter((one) => !/\p{Cs}/u.test(one)),
)
const number = fc.constantFrom(...NUMBERS, 1.5).map(String)
const time = fc.constantFrom(...TIMES).map((ms) => quoted(new Date(ms).toISOString()))
const by = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
const pattern = fc
  .array(
    fc.oneof(
      text.map((one) => one.replace(/[\\%_]/g, '\\$&')),
      fc.constantFrom('%', '_'),
    ),
    { maxLength: 4 },
  )
  .map((parts) => quoted(parts.join('')))
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(' '))
const say = (word: string) => fc.constant(word)
const leaf = fc.oneof(
  joined(fc.constantFrom('label', 'path'), by, text.map(quoted)),
  joined(
    fc.constantFrom('label', 'path'),
    fc.constantFrom('in', 'not in'),
    fc.array(text.map(quoted), { minLength: 1, maxLength: 4 }).map((all) => `(${all.join()})`),
  ),
  joined(say('label'), fc.constantFrom('like', 'not like'), pattern),
  joined(fc.constantFrom('order', 'score'), by, number),
  joined(
    fc.constantFrom('order', 'score'),
    say('not in'),
    fc.array(number, { minLength: 1, maxLength: 3 }).map((all) => `(${all.join()})`),
  ),
  joined(say('order'), say('between'), number, say('and'), number),
  joined(fc.constantFrom('score', 'order'), by, fc.constantFrom('other', 'score', 'order')),
  joined(say('label'), by, say('path')),
  joined(say('seen'), by, time),
  joined(say('kept'), by, fc.constantFrom('true', 'false')),
  joined(
    fc.constantFrom('label', 'order', 'score', 'kept', 'seen', 'tags'),
    fc.constantFrom('is null', 'is not null'),
  ),
  joined(say('kept'), fc.constantFrom('', 'is true', 'is not true', 'is false', 'is not false')),
  text.map((one) => `array_contains(tags, ${quoted(one)})`),
)
const { whole } = fc.letrec<{ whole: string }>((tie) => ({
  whole: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('whole').map((one) => `not (${one})`),
    fc
      .tuple(tie('whole'), fc.constantFrom('and', 'or'), tie('whole'))
      .map(([a, word, b]) => `(${a} ${word} ${b})`),
  ),
}))

describe.each(Object.entries(KINDS))('%s', (_name, { create, holds }) => {
  const held = rows.filter(holds)
  let stores: readonly CollectionStore[]
  beforeAll(async () => {
    stores = [createMemoryStore(about), await create()]
    const names = COLUMNS.map(({ name }) => name)
    for (const store of stores) await store.add(blockOf(held, names, new Uint16Array(held.length * 2)))
  })
  afterAll(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  test('it and we find the same rows by any condition', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (written) => {
        const where = parseWhere(written, COLUMNS)
        const [ours, theirs] = await Promise.all(stores.map((store) => idsOf(store, where)))
        expect(theirs).toEqual(ours)
      }),
      { numRuns: 400 },
    )
  }, 60_000)

  test('what is not known is neither in a list nor out of it', async () => {
    const where = parseWhere('score not in (0) or score not in (1.5)', COLUMNS)
    const known = held.filter(({ score }) => score !== null).map(({ id }) => id)
    for (const store of stores) expect(await idsOf(store, where)).toEqual(known)
  })

  test('any text finds the rows that have it, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (one) => {
        const where = parseWhere(`label = ${quoted(one)}`, COLUMNS)
        const expected = held.filter(({ label }) => label === one).map(({ id }) => id)
        for (const store of stores) expect(await idsOf(store, where)).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  }, 60_000)

  test('small and capital letters are the same to ilike', async () => {
    for (const asked of ["'ca_'", "'ärg%'", "'ÄRG%'", "'%'"]) {
      const where = parseWhere(`label ilike ${asked}`, COLUMNS)
      const [ours, theirs] = await Promise.all(stores.map((store) => idsOf(store, where)))
      expect(theirs).toEqual(ours)
      expect(ours?.length).toBeGreaterThan(1)
    }
  })

  test('as many parts and parentheses as are allowed are asked for', async () => {
    const nested = `${'not ('.repeat(5)}${Array.from({ length: 480 }, (_, at) => `order = ${at}`).join(' or ')}${')'.repeat(5)}`
    const where = parseWhere(nested, COLUMNS)
    const [ours, theirs] = await Promise.all(stores.map((store) => idsOf(store, where)))
    expect(theirs).toEqual(ours)
  })

  test('changes that wait are looked at as well', async () => {
    const [, store] = stores
    if (store === undefined) throw new Error('there is no store')
    const collection = await Collection.open({ store })
    const where = collection.where("label = 'changed' or order = 7")
    const before = held.filter(({ order }) => order === 7).map(({ id }) => String(id))
    const [gone = ''] = before
    await collection.change([
      { id: gone, values: { order: 8 } },
      { id: idOf(1), values: { label: 'changed' } },
    ])
    const found: Row[] = []
    for await (const block of collection.scan({ columns: ['label'], where, embeddings: true })) {
      expect(block.embeddings?.length).toBe(2 * block.count)
      found.push(...rowsOf(block))
    }
    expect(found).toHaveLength(before.length)
    expect(found.filter(({ label }) => label === 'changed')).toEqual([{ label: 'changed' }])
    expect(await idsOf(collection, where)).toEqual([...before.slice(1), idOf(1)].sort())
    const some = await collection.rows([idOf(1), idOf(2), gone], { columns: ['id'], where })
    expect(some).toEqual([{ id: idOf(1) }, null, null])
  })
})
