/** What a collection writes comes back as it was, in every format; what others write is taken row by row, or refused with its reason. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Collection } from '../../src/collection/collection.js'
import { CollectionError } from '../../src/collection/collection-error.js'
import type { RefusedRow } from '../../src/collection/import-rows.js'
import { blockOf, type Row, rowsOf } from '../../src/collection/row-block.js'
import { openSavedCollection, saveCollection } from '../../src/collection/saved-collection.js'
import { exportCollection } from '../../src/platform/node/collection/export-collection.js'
import { importCollection } from '../../src/platform/node/collection/import-collection.js'
import { createCollection, openCollection } from '../../src/platform/node/collection/open-collection.js'
import { openTable } from '../../src/platform/node/collection/read-table.js'
import { float16ToFloat32, toHalf } from '../../src/tensor/float16.js'
import { pythonWith } from '../support/python.js'
import { aboutFor, identityOfMade, idOf } from './made-collection.js'

const WIDTH = 4
const { python, lacks } = pythonWith(['lancedb', 'pyarrow', 'numpy'])
if (lacks !== null) console.warn(lacks)
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-interchange-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const NAMES = ['a.jpg', 'b "c", d.jpg', 'e\nf.jpg', '=1+1.jpg', '\u{1f600}.jpg']

async function make(name = 'made.plumage'): Promise<Collection> {
  const { model } = aboutFor(WIDTH)
  const roots = { photos: at('photos') }
  const collection = await createCollection(at(name), { identity: identityOfMade(), model, width: WIDTH })
  await collection.store.setAbout({ ...collection.about, roots })
  await collection.addColumns([
    { name: 'label', type: 'text' },
    { name: 'stars', type: 'integer' },
    { name: 'score', type: 'float' },
    { name: 'kept', type: 'boolean' },
    { name: 'seen', type: 'timestamp' },
    { name: 'tags', type: 'texts' },
  ])
  const rows = NAMES.map((path, row) => ({
    id: idOf(row + 1),
    root: 'photos',
    path,
    state: 'embedded',
    norm: 2 + row,
    height: 300,
    width: row % 2 === 0 ? 400 : null,
    taken: 1_600_000_000_000 + row,
    latitude: 1.5,
    label: row === 1 ? null : `l"${row}\n`,
    stars: row,
    score: 0.1 + row,
    kept: row % 2 === 0,
    seen: 86_400_000,
    tags: ['x', 'y,z'],
  }))
  const embeddings = new Float32Array(NAMES.length * WIDTH)
  for (let row = 0; row < NAMES.length; row++) embeddings[row * WIDTH + (row % WIDTH)] = 1
  await collection.add(
    blockOf(
      rows,
      collection.columns.map(({ name: column }) => column),
      toHalf(embeddings),
    ),
  )
  return collection
}

async function contents(collection: Collection): Promise<readonly (Row & { numbers: number[] })[]> {
  const found: (Row & { numbers: number[] })[] = []
  const columns = collection.columns.map(({ name }) => name)
  for await (const block of collection.scan({ columns, embeddings: true })) {
    const numbers = new Float32Array(block.count * WIDTH)
    float16ToFloat32(block.embeddings as Uint16Array, numbers)
    for (const [row, values] of rowsOf(block).entries())
      found.push({ ...values, numbers: [...numbers.slice(row * WIDTH, (row + 1) * WIDTH)] } as never)
  }
  return found.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
}

describe.each(['parquet', 'arrow', 'jsonl', 'safetensors'])('as .%s', (format) => {
  test.each(format === 'safetensors' ? (['as-embedded'] as const) : (['as-embedded', 'unit'] as const))(
    'a collection comes back as it was, with embeddings %s',
    async (embedding) => {
      await using collection = await make()
      const before = await contents(collection)
      const written = await exportCollection(collection, at(`out.${format}`), { embedding })
      expect(written).toEqual({ rows: NAMES.length, files: [at(`out.${format}`)] })
      const stated = format === 'jsonl' ? { identity: identityOfMade(), base: at('photos') } : {}
      const counts = await importCollection(at(`out.${format}`), at('back.plumage'), stated)
      expect(counts).toMatchObject({ added: NAMES.length, replaced: 0, refused: {} })
      await using back = await openCollection(at('back.plumage'))
      // Lines of text do not say how long embeddings were.
      const isTold = format !== 'jsonl' || embedding === 'as-embedded'
      const expected = before.map((row) => ({ ...row, norm: isTold ? row.norm : 1 }))
      expect(await contents(back)).toEqual(expected)
    },
  )
})

test('CSV has what a table of text can say', async () => {
  await using collection = await make()
  await exportCollection(collection, at('out.csv'))
  const stated = { identity: identityOfMade(), base: at('photos') }
  expect(await importCollection(at('out.csv'), at('back.plumage'), stated)).toMatchObject({
    added: NAMES.length,
  })
  await using back = await openCollection(at('back.plumage'))
  const found = await contents(back)
  expect(found.map(({ path }) => path)).toEqual(NAMES)
  expect(found[2]).toMatchObject({
    label: 'l"2\n',
    stars: 2,
    score: 2.1,
    kept: true,
    seen: 86_400_000,
    norm: 4,
  })
  expect(found[1]).toMatchObject({ label: null, width: null })
})

test('a table that people write loses none of its columns: titles that become one name, numbers that are names, lists', async () => {
  const titles = 'path;embedding;Taken At;taken_at;phone;tags;--'
  writeFileSync(at('in.csv'), `${titles}\na.jpg;[1,0,0,0];2024-02-03;x;0123;"[""a"",""b""]";7\n`)
  const { columns } = await importCollection(at('in.csv'), at('told.plumage'), {
    identity: identityOfMade(),
    base: folder,
    vectorColumn: 'embedding',
  })
  expect(columns).toEqual({
    'Taken At': 'taken_at',
    taken_at: 'taken_at_2',
    phone: 'phone',
    tags: 'tags',
    '--': 'column',
  })
  await using collection = await openCollection(at('told.plumage'))
  const [row] = await contents(collection)
  const told = { taken_at: Date.UTC(2024, 1, 3), taken_at_2: 'x', phone: '0123', tags: ['a', 'b'], column: 7 }
  expect(row).toMatchObject(told)
})

test('NumPy has the embeddings, and the paths beside them', async () => {
  await using collection = await make()
  const { files } = await exportCollection(collection, at('out.npy'))
  expect(files).toEqual([at('out.npy'), at('out.names.txt')])
  const counts = await importCollection(at('out.npy'), at('back.plumage'), {
    identity: identityOfMade(),
    base: folder,
  })
  expect(counts.added).toBe(NAMES.length)
  await using back = await openCollection(at('back.plumage'))
  const found = await contents(back)
  expect(found.map(({ path }) => path).sort()).toEqual(NAMES.map((name) => `photos/${name}`).sort())
})

test('what is imported again replaces what is there, and keeps its id', async () => {
  await using collection = await make()
  await exportCollection(collection, at('out.parquet'))
  await importCollection(at('out.parquet'), at('back.plumage'))
  expect(await importCollection(at('out.parquet'), at('back.plumage'))).toMatchObject({
    added: 0,
    replaced: NAMES.length,
  })
  await using back = await openCollection(at('back.plumage'))
  expect(await contents(back)).toEqual(await contents(collection))
})

test('each row that is wrong is told, and the others are taken', async () => {
  const lines = [
    { path: 'good.jpg', embedding: [1, 2, 3, 4] },
    { path: 'short.jpg', embedding: [1, 2] },
    { path: 'none.jpg', embedding: null },
    { path: 'zero.jpg', embedding: [0, 0, 0, 0] },
    { path: 'hole.jpg', embedding: [1, null, 3, 1e39] },
    { embedding: [1, 2, 3, 4] },
    { path: '../out.jpg', embedding: [1, 2, 3, 4] },
    { path: './good.jpg', embedding: [1, 2, 3, 4] },
  ]
  writeFileSync(at('rows.jsonl'), `${lines.map((line) => JSON.stringify(line)).join('\n')}\nno json\n`)
  const refused: RefusedRow[] = []
  const counts = await importCollection(at('rows.jsonl'), at('c.plumage'), {
    foreign: 'theirs',
    base: folder,
    onRefused: (row) => refused.push(row),
  })
  expect(counts.added).toBe(1)
  expect(refused.map(({ place, code }) => [place, code])).toEqual([
    ['line 2', 'wrong-width'],
    ['line 3', 'no-vector'],
    ['line 4', 'no-length'],
    ['line 5', 'not-finite'],
    ['line 6', 'no-path'],
    ['line 7', 'no-path'],
    ['line 8', 'repeated'],
    ['line 9', 'damaged'],
  ])
})

test('a FiftyOne dataset is taken with its labels, tags and numbers', async () => {
  const dataset = join(import.meta.dirname, 'fiftyone')
  const counts = await importCollection(dataset, at('c.plumage'), { foreign: 'clip', base: dataset })
  expect(counts).toMatchObject({
    added: 3,
    columns: { created_at: 'created_at', ground_truth: 'ground_truth' },
  })
  await using collection = await openCollection(at('c.plumage'))
  const found = [...(await contents(collection))].sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1))
  expect(found[0]).toMatchObject({
    path: 'data/hat-1.jpg',
    ground_truth: 'hat',
    tags: ['first', '<b>'],
    uniqueness: 0.5,
    height: 30,
    width: 40,
    created_at: Date.UTC(2026, 10, 29, 10),
  })
  expect(found[2]?.norm).toBeCloseTo(Math.hypot(2, 3, 4, 5), 5)
})

describe('what made the embeddings is stated, never guessed', () => {
  const write = () => writeFileSync(at('rows.jsonl'), '{"path":"a.jpg","embedding":[1,2,3,4]}\n')

  test('a file that says nothing is refused', async () => {
    write()
    await expect(importCollection(at('rows.jsonl'), at('c.plumage'))).rejects.toMatchObject({
      code: 'ambiguous',
      message: expect.stringMatching(/State it.*--identity-of.*--foreign/),
    })
  })

  test('another name is another identity', async () => {
    write()
    const take = (foreign: string) =>
      importCollection(at('rows.jsonl'), at('c.plumage'), { foreign, base: folder })
    await take('clip')
    await expect(take('siglip')).rejects.toMatchObject({ code: 'other-identity' })
  })

  test('a file that says otherwise is refused', async () => {
    await using collection = await make()
    await exportCollection(collection, at('out.parquet'))
    const identity = { ...identityOfMade(), digest: 'e'.repeat(64) }
    await expect(importCollection(at('out.parquet'), at('c.plumage'), { identity })).rejects.toMatchObject({
      code: 'other-identity',
    })
  })

  test('columns are asked for where it is not clear which they are', async () => {
    writeFileSync(at('rows.jsonl'), '{"a":"x","u":[1,2],"v":[3,4]}\n')
    const take = (more: object) =>
      importCollection(at('rows.jsonl'), at('c.plumage'), { foreign: 'x', base: folder, ...more })
    await expect(take({})).rejects.toThrow('which column holds the paths: the file has a, u, v')
    await expect(take({ pathColumn: 'a' })).rejects.toThrow('which column holds the vectors')
    await expect(take({ pathColumn: 'b' })).rejects.toThrow(
      'There is no column "b" in the file. Did you mean a?',
    )
    expect(await take({ pathColumn: 'a', vectorColumn: 'v' })).toMatchObject({ added: 1 })
  })
})

test('a file of any bytes is a table or is refused by name, quickly', async () => {
  const made = await make()
  const whole: Record<string, Buffer> = {}
  let slowest = 0
  for (const ending of ['npy', 'csv', 'jsonl', 'safetensors', 'parquet', 'arrow']) {
    await exportCollection(made, at(`whole.${ending}`))
    whole[ending] = readFileSync(at(`whole.${ending}`))
  }
  await made[Symbol.asyncDispose]()
  const damage = fc.record({
    ending: fc.constantFrom(...Object.keys(whole)),
    from: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 40 }),
    // What a file says of itself stands at its end in some formats, and one bit of it is the most likely damage.
    flips: fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat(7)), { maxLength: 8 }),
    cut: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(damage, async ({ ending, from, bytes, flips, cut }) => {
      const original = whole[ending] ?? Buffer.alloc(0)
      const start = from % (original.length + 1)
      const changed = Buffer.from(cut ? original.subarray(0, start) : original)
      changed.set(bytes.subarray(0, Math.max(0, changed.length - start)), Math.min(start, changed.length))
      for (const [isLast, place, bit] of changed.length === 0 ? [] : flips) {
        const back = 1 + (place % Math.min(changed.length, isLast ? 1500 : changed.length))
        changed[changed.length - back] = (changed[changed.length - back] ?? 0) ^ (1 << bit)
      }
      const begun = performance.now()
      writeFileSync(at(`whole.${ending}`), changed)
      try {
        const { rows } = await openTable(at(`whole.${ending}`))
        let count = 0
        for await (const _row of rows) if (++count > 1000) break
      } catch (error) {
        expect(error).toBeInstanceOf(CollectionError)
      }
      slowest = Math.max(slowest, performance.now() - begun)
    }),
    { numRuns: 400 },
  )
  // Damage that a library goes through all the same takes minutes, or all memory.
  expect(slowest).toBeLessThan(5000)
})

test('a collection in one file opens in memory as it was, with what was decided', async () => {
  await using collection = await make()
  await collection.store.log('decisions').append([{ different: ['a', 'b'] }])
  const parts: Uint8Array[] = []
  for await (const part of saveCollection(collection)) parts.push(part)
  const bytes = new Uint8Array(Buffer.concat(parts))
  const source = {
    label: 'the file',
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
  }
  await using opened = await Collection.open({ store: await openSavedCollection(source) })
  expect(await contents(opened)).toEqual(await contents(collection))
  expect(opened.about).toMatchObject({ roots: collection.about.roots, identity: collection.about.identity })
  expect(await opened.store.log('decisions').read()).toEqual([{ different: ['a', 'b'] }])
  const [first] = await opened.nearest(Float32Array.of(0, 0, 1, 0), { count: 1 })
  expect(first?.row.path).toBe(NAMES[2])
  const cut = { ...source, size: bytes.length - 1 }
  await expect(openSavedCollection(cut)).rejects.toMatchObject({ code: 'unreadable' })
})

test.skipIf(lacks !== null)('Python opens a collection, and what it exports, without us', async () => {
  await using collection = await make()
  await exportCollection(collection, at('out.parquet'))
  await exportCollection(collection, at('out.arrow'))
  await exportCollection(collection, at('out.npy'))
  const program = `
import json, sys, lancedb, numpy as np, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
table = lancedb.connect(folder + "/made.plumage").open_table("photos").to_arrow()
parquet = pq.read_table(folder + "/out.parquet")
arrow = pa.ipc.open_file(folder + "/out.arrow").read_all()
array = np.load(folder + "/out.npy")
assert pa.types.is_fixed_size_list(table.schema.field("embedding").type)
assert pa.types.is_fixed_size_list(parquet.schema.field("embedding").type)
assert pa.types.is_fixed_size_list(arrow.schema.field("embedding").type)
assert parquet.drop_columns(["embedding"]).to_pylist() == arrow.drop_columns(["embedding"]).to_pylist()
db = lancedb.connect(folder + "/theirs")
theirs = db.create_table("t", parquet)
hit = theirs.search(array[2].tolist(), vector_column_name="embedding").limit(1).to_list()[0]["path"]
halves = np.stack([np.asarray(v, dtype=np.float16) for v in table["embedding"].to_pylist()])
print(json.dumps({"paths": table["path"].to_pylist(), "halves": halves.view(np.uint16).tolist(), "tags": table["tags"].to_pylist()[0],
  "taken": [str(t) for t in table["taken"].to_pylist()][:1], "array": array.tolist(), "hit": hit}))
`
  const said: unknown = JSON.parse(execFileSync(python, ['-c', program, folder], { encoding: 'utf8' }))
  const rows = await contents(collection)
  expect(said).toEqual({
    paths: NAMES,
    halves: rows.map(({ numbers }) => [...toHalf(Float32Array.from(numbers))]),
    tags: ['x', 'y,z'],
    taken: ['2020-09-13 12:26:40'],
    array: rows.map(({ numbers, norm }) => numbers.map((value) => value * Number(norm))),
    hit: NAMES[2],
  })
})
