/** Rows come from lists, tables, folders, objects and inventories as they stand there, and what cannot be known is asked for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gathered } from '../../../test/support/gathered.js'
import { nodeSourceWorld } from '../../platform/node/jobs/source-world.js'
import { MemoryStorage } from '../../storage/memory-storage.js'
import type { SourceRow } from '../row.js'
import { openJobSource } from './open-job-source.js'
import type { SourceOptions } from './source.js'

let base = ''
const bucket = new MemoryStorage('s3://photos')
const world = () => nodeSourceWorld({ base, storages: new Map([['s3://photos', bucket]]) })

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'plumage-sources-'))
})
afterAll(() => rmSync(base, { recursive: true }))

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(base, name), content)
  return name
}

async function rowsOf(address: string, options: SourceOptions = {}): Promise<SourceRow[]> {
  const source = await openJobSource(address, world(), options)
  return (await gathered(source.rows())).flat()
}

async function refused(address: string, options: SourceOptions = {}) {
  return await rowsOf(address, options).then(
    (rows) => ({ code: 'none', message: JSON.stringify(rows) }),
    (error: Error & { code?: string }) => ({ code: error.code ?? error.name, message: error.message }),
  )
}

const contact = 'wren@example.org'
const ids = (rows: readonly SourceRow[]) => rows.map(({ id }) => id)
const addresses = (rows: readonly SourceRow[]) => rows.map(({ place }) => place.address)

describe('a list', () => {
  test('has a row for each line that is not empty, repeats included, whichever way lines end', async () => {
    const rows = await rowsOf(
      put('a.txt', 'one.jpg\r\n\ns3://photos/two.jpg\none.jpg\nhttps://a:b@x.org/3.jpg?q=1'),
      {
        contact,
      },
    )
    expect(rows).toEqual([
      { id: 'line 1', name: 'one.jpg', place: { address: join(base, 'one.jpg') } },
      { id: 'line 3', name: 's3://photos/two.jpg', place: { address: 's3://photos/two.jpg' } },
      { id: 'line 4', name: 'one.jpg', place: { address: join(base, 'one.jpg') } },
      { id: 'line 5', name: 'https://x.org/3.jpg?q=1', place: { address: 'https://a:b@x.org/3.jpg?q=1' } },
    ])
  })

  test('ends its paths with NUL where that is said, and says so where it is not', async () => {
    put('nul.txt', 'a\nb.jpg\0c.jpg\0')
    expect(addresses(await rowsOf('nul.txt', { separator: '\0' }))).toEqual([
      join(base, 'a\nb.jpg'),
      join(base, 'c.jpg'),
    ])
    expect(await refused('nul.txt')).toMatchObject({
      code: 'unclear',
      message: expect.stringContaining('-0'),
    })
  })

  test('may be packed, in UTF-16, and in a bucket', async () => {
    put('b.txt.gz', gzipSync('x.jpg\n'))
    expect(ids(await rowsOf('b.txt.gz'))).toEqual(['line 1'])
    put('wide.txt', Buffer.from('\ufeffé.jpg\n', 'utf16le'))
    expect(addresses(await rowsOf('wide.txt'))).toEqual([join(base, 'é.jpg')])
    await bucket.write('lists/c.txt', Buffer.from('s3://photos/z.jpg\n'))
    expect(addresses(await rowsOf('s3://photos/lists/c.txt'))).toEqual(['s3://photos/z.jpg'])
  })

  test('that leads to web servers needs a contact', async () => {
    put('web.txt', 'https://user:secret@x.org/a.jpg\n')
    const { code, message } = await refused('web.txt')
    expect({ code, message }).toMatchObject({
      code: 'no-contact',
      message: expect.stringContaining('--contact'),
    })
    expect(message).not.toContain('secret')
  })

  test('that is cut off where it is packed is damaged', async () => {
    const whole = gzipSync(Buffer.from(Array.from({ length: 5000 }, () => `${Math.random()}.jpg`).join('\n')))
    put('cut.txt.gz', whole.subarray(0, whole.length - 20))
    expect((await refused('cut.txt.gz')).message).toMatch(/cut\.txt\.gz|unexpected end/)
  })
})

describe('a table', () => {
  const urls = ['a.jpg', 'b,"c".jpg', '', 'a.jpg']

  test('of comma-separated values gives its column, quoted or not', async () => {
    const lines = [
      'id,url',
      ...urls.map((url, at) => `${at},"${url.replaceAll('"', '""')}"`),
      '7,a,b',
      '8,plain.jpg',
    ]
    const rows = await rowsOf(put('t.csv', lines.join('\r\n')))
    expect(ids(rows)).toEqual(['line 2', 'line 3', 'line 4', 'line 5', 'line 6', 'line 7'])
    expect(addresses(rows)).toEqual([
      join(base, 'a.jpg'),
      join(base, 'b,"c".jpg'),
      '',
      join(base, 'a.jpg'),
      '',
      join(base, 'plain.jpg'),
    ])
    expect(rows[4]?.name).toBe('line 6 (3 fields, expected 2)')
  })

  test('of JSON lines gives its column', async () => {
    const lines = [...urls.map((url) => JSON.stringify({ url, n: 1 })), '{"url": "cut', '{"n": 2}']
    const rows = await rowsOf(put('t.jsonl', lines.join('\n')))
    expect(addresses(rows).map((text) => text.replace(`${base}/`, ''))).toEqual([...urls, '', ''])
  })

  test('of Parquet gives its column by row groups, and tells how many rows there are', async () => {
    const many = Array.from({ length: 2500 }, (_, at) => `img/${at}.jpg`)
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'URL', data: many, type: 'STRING' },
        { name: 'caption', data: many, type: 'STRING' },
      ],
      rowGroupSize: 1000,
    })
    put('t.parquet', new Uint8Array(bytes))
    const source = await openJobSource('t.parquet', world())
    expect(source.total).toBe(2500)
    const rows = (await gathered(source.rows())).flat()
    expect(addresses(rows)).toEqual(many.map((name) => join(base, name)))
    expect(ids(rows).slice(998, 1002)).toEqual(['row 999', 'row 1000', 'row 1001', 'row 1002'])
    put('cut.parquet', new Uint8Array(bytes.slice(0, bytes.byteLength - 100)))
    expect(await refused('cut.parquet')).toMatchObject({ code: 'damaged' })
  })

  test('asks which column is meant, and gives the nearest name', async () => {
    put('two.csv', 'thumbnail,original\na,b\n')
    expect(await refused('two.csv')).toMatchObject({
      code: 'unclear',
      message: expect.stringContaining('thumbnail, original'),
    })
    expect(await refused('two.csv', { column: 'orginal' })).toMatchObject({
      code: 'unknown-column',
      message: expect.stringContaining('Did you mean original?'),
    })
    expect(addresses(await rowsOf('two.csv', { column: 'original' }))).toEqual([join(base, 'b')])
    put('n.jsonl', '{"url": 3}\n')
    expect(await refused('n.jsonl')).toMatchObject({ code: 'unknown-column' })
  })

  test('of several files says which file a row is of', async () => {
    for (const n of [1, 2]) put(`part-${n}.csv`, `url\n${n}.jpg\n`)
    expect(ids(await rowsOf('part-*.csv'))).toEqual(['part-1.csv#line 2', 'part-2.csv#line 2'])
    expect(await refused('part-{1..3}.csv')).toMatchObject({ code: 'not-found' })
  })
})

test('a folder gives its images by their places below it', async () => {
  mkdirSync(join(base, 'photos/sub'), { recursive: true })
  for (const name of ['b.jpg', 'sub/a.png', '.hidden.jpg', 'note.txt', 'raw.cr2']) put(`photos/${name}`, 'x')
  const source = await openJobSource('photos/', world())
  expect(source.kind).toBe('folder')
  expect((await gathered(source.rows())).flat()).toEqual([
    { id: 'b.jpg', name: 'photos/b.jpg', place: { address: join(base, 'photos/b.jpg') } },
    { id: 'sub/a.png', name: 'photos/sub/a.png', place: { address: join(base, 'photos/sub/a.png') } },
  ])
  expect(source.leftOut.line()).toContain('1 hidden')
  mkdirSync(join(base, 'empty'))
  expect(await refused('empty')).toMatchObject({ code: 'nothing-found' })
})

test('a prefix gives its objects with their versions', async () => {
  for (const key of ['set/b.jpg', 'set/a.jpg', 'set/a.txt', 'set/x/no-ending', 'other/c.jpg'])
    await bucket.write(key, Buffer.from(key))
  const source = await openJobSource('s3://photos/set/', world())
  expect(source.kind).toBe('objects')
  const rows = (await gathered(source.rows())).flat()
  const { version = '' } = (await bucket.look('set/a.jpg')) ?? {}
  expect(rows[0]).toEqual({
    id: `s3://photos/set/a.jpg@${version}`,
    name: 's3://photos/set/a.jpg',
    place: { address: 's3://photos/set/a.jpg', version },
  })
  expect(addresses(rows)).toEqual(['s3://photos/set/a.jpg', 's3://photos/set/b.jpg'])
  expect(source.leftOut.counts).toEqual({ 'other object': 2 })
  expect((await rowsOf('s3://photos/set/', { takesAll: true })).length).toBe(4)
  expect(await refused('s3://photos/none/')).toMatchObject({ code: 'not-found' })
  expect(await refused('s3://strange/none/')).toMatchObject({ code: 'unclear' })
})

describe('an inventory', () => {
  const manifest = (format: string, schema: string, files: readonly object[]) =>
    JSON.stringify({
      sourceBucket: 'photos',
      destinationBucket: 'arn:aws:s3:::photos',
      version: '2016-11-30',
      fileFormat: format,
      fileSchema: schema,
      files,
    })
  const schema = 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag'
  const lines = [
    ['photos', 'a+b%2Bc%C3%A9.jpg', 'v1', 'true', 'false', '5', 'e1'],
    ['photos', 'old.jpg', 'v0', 'false', 'false', '5', 'e0'],
    ['photos', 'gone.jpg', 'v2', 'true', 'true', '', ''],
    ['photos', 'note.txt', 'v3', 'true', 'false', '5', 'e3'],
  ]
  const expected = {
    id: 's3://photos/a b+cé.jpg@v1',
    name: 's3://photos/a b+cé.jpg',
    place: { address: 's3://photos/a b+cé.jpg' },
  }

  test('of CSV gives the objects that are there, with their names as they are', async () => {
    const data = gzipSync(lines.map((fields) => fields.map((field) => `"${field}"`).join(',')).join('\n'))
    await bucket.write('inv/photos/daily/data/u.csv.gz', data)
    const files = [{ key: 'inv/photos/daily/data/u.csv.gz', size: data.length, MD5checksum: '' }]
    await bucket.write('inv/photos/daily/2026/manifest.json', Buffer.from(manifest('CSV', schema, files)))
    const source = await openJobSource('s3://photos/inv/photos/daily/2026/manifest.json', world())
    const rows = (await gathered(source.rows())).flat()
    expect(source.kind).toBe('inventory')
    expect(rows).toEqual([{ ...expected, place: { ...expected.place, version: 'e1' } }])
    expect(source.leftOut.counts).toEqual({ 'deleted object': 1, 'older version': 1, 'other object': 1 })
  })

  test('of Parquet is read from a copy on the disk', async () => {
    mkdirSync(join(base, 'inv/2026'), { recursive: true })
    mkdirSync(join(base, 'inv/data'))
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'bucket', data: ['photos', 'photos'], type: 'STRING' },
        { name: 'key', data: ['a b+cé.jpg', 'old.jpg'], type: 'STRING' },
        { name: 'version_id', data: ['v1', 'v0'], type: 'STRING' },
        { name: 'is_latest', data: [true, false], type: 'BOOLEAN' },
        { name: 'is_delete_marker', data: [false, false], type: 'BOOLEAN' },
      ],
    })
    put('inv/data/u.parquet', new Uint8Array(bytes))
    const files = [{ key: 'some/where/data/u.parquet', size: bytes.byteLength }]
    put('inv/2026/manifest.json', manifest('Parquet', 'message s3.inventory {}', files))
    expect(await rowsOf('inv/2026/manifest.json')).toEqual([expected])
    put('inv/2026/manifest.json', manifest('Parquet', '', [{ key: 'u.parquet', size: 1 }]))
    expect(await refused('inv/2026/manifest.json')).toMatchObject({ code: 'damaged' })
    put('inv/2026/manifest.json', manifest('ORC', '', []))
    expect(await refused('inv/2026/manifest.json')).toMatchObject({ code: 'unsupported' })
  })
})

test('what is not clear is asked for', async () => {
  put('things.bin', 'x')
  expect(await refused('things.bin')).toMatchObject({
    code: 'unclear',
    message: expect.stringContaining('--source-kind'),
  })
  expect(await refused('none.txt')).toMatchObject({ code: 'not-found' })
  expect(await refused('none')).toMatchObject({ code: 'not-found' })
  expect(await refused('a.tar.gz')).toMatchObject({ code: 'unsupported' })
  expect(await refused('things.bin', { kind: 'lists' as 'list' })).toMatchObject({
    code: 'RangeError',
    message: expect.stringContaining('Did you mean list?'),
  })
  expect(ids(await rowsOf('things.bin', { kind: 'list' }))).toEqual(['line 1'])
})
