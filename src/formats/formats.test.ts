import fc from 'fast-check'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { memorySource } from '../../test/support/memory-source.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import { elementCount } from '../tensor/shape.js'
import { toFloat32 } from '../tensor/tensor.js'
import { arrowSchema } from './arrow-schema.js'
import type { Chunks } from './chunk.js'
import { csvField, csvTable } from './csv.js'
import type { EmbeddingRow, NamedTable } from './embedding-table.js'
import { jsonLinesTable } from './json-lines.js'
import { npyArray, npyHeader, npyTable } from './npy.js'
import { parquetTable } from './parquet.js'
import { safetensorsFile } from './safetensors.js'

/** Each chunk is copied as it comes: what gives it may use its memory for the next. */
async function collect(chunks: Chunks): Promise<readonly Uint8Array[]> {
  const copies: Uint8Array[] = []
  for await (const chunk of chunks) copies.push(Uint8Array.from(Buffer.from(chunk as Uint8Array)))
  return copies
}

const bytesOf = async (chunks: Chunks) => Buffer.concat(await collect(chunks))

/** Gives all rows in one memory, as a store does. */
function tableOf(rows: readonly EmbeddingRow[], shape: readonly number[]): NamedTable {
  async function* oneByOne() {
    const values = new Float32Array(elementCount(shape))
    for (const row of rows) {
      values.set(row.values)
      yield { ...row, values }
    }
  }
  return {
    count: rows.length,
    paths: rows.map(({ path }) => path),
    rows: oneByOne(),
    shape,
    metadata: { model: 'm', recipe: 'r', identity: 'i', made: 'by hand' },
  }
}

const row = (path: string, ...values: number[]): EmbeddingRow => ({
  path,
  height: 2,
  width: 3,
  values: Float32Array.from(values),
})
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })

const lineOf = async (...rows: EmbeddingRow[]) =>
  String(await bytesOf(jsonLinesTable(tableOf(rows, [rows[0]?.values.length ?? 0]))))

test('a line of JSON reads back as the same path and the same float32, and names what made it', async () => {
  const path = fc.array(
    fc.constantFrom('a', '"', '\\', '\n', 'é', '\u2028', '\u0085', '\v', '\x1e', '\ud83d', '\u{1F426}', '\0'),
  )
  await fc.assert(
    fc.asyncProperty(
      path.map((letters) => letters.join('')),
      fc.array(float32),
      async (path, values) => {
        const text = await lineOf(row(path, ...values))
        expect(text).toMatch(/^[^\p{Cc}\u2028\u2029]*\n$/u)
        const { embedding, ...rest } = JSON.parse(text)
        expect(rest).toEqual({ path, height: 2, width: 3, model: 'm', recipe: 'r', identity: 'i' })
        expect(embedding.map(Math.fround)).toEqual(values)
      },
    ),
  )
})

test('what JSON has no number for is null', async () => {
  const text = await lineOf(row('a', Number.NaN, Number.POSITIVE_INFINITY))
  expect(JSON.parse(text).embedding).toEqual([null, null])
})

test('a field of csv is quoted where it must be, and reads back', () => {
  expect(['a', 'a b', 'a,b', 'a"b', 'a\nb', 'a\rb'].map(csvField)).toEqual([
    'a',
    'a b',
    '"a,b"',
    '"a""b"',
    '"a\nb"',
    '"a\rb"',
  ])
})

test.each([csvTable, parquetTable])('%o refuses rows of more than one axis', async (make) => {
  await expect(collect(make(tableOf([], [2, 3])))).rejects.toThrow(/rows of one axis.*\[2, 3\]/)
})

test.each([[[5]], [[2, 3]], [[1, 20, 20, 384]], [[]]])(
  'the header of an npy array [%s] is a multiple of 64 bytes and says its shape as Python writes a tuple',
  (shape) => {
    const bytes = Buffer.from(npyHeader(shape))
    expect(bytes.length % 64).toBe(0)
    expect(bytes.length).toBe(10 + bytes.readUInt16LE(8))
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00')
    expect(bytes.at(-1)).toBe(10)
    const tuple = shape.length === 1 ? `(${shape},)` : `(${shape.join(', ')})`
    expect(bytes.toString('latin1', 10)).toContain(`'shape': ${tuple}, }`)
  },
)

test('an npy table is its names and then its array, which therefore never stands without them', async () => {
  const files = npyTable(
    '/out/x.npy',
    tableOf([row('b', 1, 2), row('new\nline\u2028', 3, 4), row('"q"', 5, 6)], [2]),
  )
  expect(files.map(({ path }) => path)).toEqual(['/out/x.names.txt', '/out/x.npy'])
  const [names, array] = await Promise.all(files.map(({ chunks }) => bytesOf(chunks)))
  expect(String(names)).toBe('b\n"new\\nline\\u2028"\n"\\"q\\""\n')
  expect(array).toEqual(await bytesOf(npyArray(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])))
})

test('safetensors reads back: names, shapes, numbers and metadata, and the numbers lie aligned', async () => {
  const array = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 })).chain((shape) => {
    const length = elementCount(shape)
    const values = fc.array(float32, { minLength: length, maxLength: length })
    return values.map((numbers) => ({ shape, values: Float32Array.from(numbers) }))
  })
  await fc.assert(
    // Text that is JSON by itself is read as what it says, since Birder keeps its configuration so.
    fc.asyncProperty(fc.array(array, { minLength: 1, maxLength: 4 }), fc.string(), async (arrays, text) => {
      const note = `note ${text}`
      const named = arrays.map((each, index) => ({ ...each, name: `tensor ${index} é` }))
      const bytes = await bytesOf(safetensorsFile(named, { note }))
      expect((8 + Number(bytes.readBigUInt64LE(0))) % 8).toBe(0)
      const checkpoint = await openCheckpoint(memorySource(bytes))
      expect(checkpoint.metadata).toEqual({ note })
      for (const { name, shape, values } of named) {
        expect(checkpoint.tensors.get(name)?.shape).toEqual(shape)
        expect(toFloat32(await checkpoint.read(name))).toEqual(values)
      }
    }),
    { numRuns: 50 },
  )
})

test('safetensors refuses numbers that do not fill their shape, by name', () => {
  const wrong = { name: 'patches', shape: [2, 2], values: new Float32Array(3) }
  expect(() => safetensorsFile([wrong], {})).toThrow('patches has 3 numbers where [2, 2] has 4')
})

test('parquet hands on each row group as it is full, and reads back', async () => {
  const width = 2 ** 16
  const rows = Array.from({ length: 9 }, (_, index) => ({
    ...row(`image ${index}`),
    values: new Float32Array(width).fill(index),
  }))
  const chunks = await collect(parquetTable(tableOf(rows, [width])))
  // Four rows of this width make a group; the last chunk has the rest and the footer.
  expect(chunks.map(({ length }) => Math.round(length / (4 * width)))).toEqual([4, 4, 1])
  const bytes = Buffer.concat(chunks)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  expect((await parquetMetadataAsync(file)).row_groups).toHaveLength(3)
  const found = await parquetReadObjects({ file, columns: ['path', 'embedding', 'height', 'width'] })
  expect(found.map(({ path, height, width }) => [path, height, width])).toEqual(
    rows.map(({ path }) => [path, 2, 3]),
  )
  expect(found.map(({ embedding }) => embedding[width - 1])).toEqual(rows.map((_, index) => index))
})

test('the schema that Arrow keeps in Parquet is the message that its own readers understand', () => {
  // pyarrow 26 and polars 2.1 read this as: path text, embedding fixed_size_list<float>[3], height int32, none of them null.
  const text = arrowSchema([
    { name: 'path', type: { kind: 'text' } },
    { name: 'embedding', type: { kind: 'vector', length: 3 } },
    { name: 'height', type: { kind: 'int32' } },
  ])
  expect(text).toMatchInlineSnapshot(
    `"/////zgBAAAQAAAAAAAKAAwACgAJAAQACgAAABAAAAAAAQQACAAMAAoABAAIAAAACAAAAAAAAAADAAAA1AAAAEAAAAAEAAAASP///yQAAAAUAAAAAAAAAhwAAAAIAAwACAAHAAgAAAAAAAABIAAAAAAAAAAGAAAAaGVpZ2h0AADU////IAAAABQAAAAAAAAQYAAAAAAABgAIAAQABgAAAAMAAAABAAAAFAAAABAAFgAQAAAADwAIAAAABAAQAAAAIAAAABQAAAAAAAADGAAAAAAABgAIAAYABgAAAAAAAQAAAAAABwAAAGVsZW1lbnQACQAAAGVtYmVkZGluZwAAABAAFAAQAAAADwAIAAAABAAQAAAAGAAAABAAAAAAAAAFEAAAAAQABAAEAAAAAAAAAAQAAABwYXRoAAAAAAAAAAA="`,
  )
})

test('a parquet file names its columns as asked, and says so to Arrow', async () => {
  const columns = [
    { name: 'id', holds: 'path' },
    { name: 'vector', holds: 'embedding' },
    { name: 'by', holds: 'model' },
  ] as const
  const bytes = await bytesOf(parquetTable({ ...tableOf([row('a', 1, 2)], [2]), columns }))
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  expect(await parquetReadObjects({ file })).toEqual([{ id: 'a', vector: [1, 2], by: 'm' }])
  const { key_value_metadata } = await parquetMetadataAsync(file)
  const arrow = key_value_metadata?.find(({ key }) => key === 'ARROW:schema')?.value ?? ''
  expect(Buffer.from(arrow, 'base64').toString('latin1')).toMatch(/by.*vector.*id/s)
  // pyarrow shows the metadata of this schema only, and LanceDB keeps it; the file's own stays behind.
  expect(Buffer.from(arrow, 'base64').toString('latin1')).toMatch(/by hand.*made/s)
})

test('a parquet file without rows is a whole file', async () => {
  const bytes = await bytesOf(parquetTable(tableOf([], [3])))
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  const { num_rows, key_value_metadata } = await parquetMetadataAsync(file)
  expect(num_rows).toBe(0n)
  expect(key_value_metadata).toContainEqual({ key: 'made', value: 'by hand' })
})
