import { expect, test } from 'vitest'
import { memorySource } from '../../../test/support/memory-source.js'
import { concat, latin1, torchZip } from '../../../test/support/torch-file.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { readZipDirectory } from './zip-directory.js'

const plain = torchZip(
  { dict: [['w', { tensor: { key: '0', count: 2, shape: [2] } }]] },
  { 0: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
)
const read = (bytes: Uint8Array) => readZipDirectory(memorySource(bytes, 'it'))

/** Rewrites an archive with sizes and places in 64 bits, as files beyond 4 GiB have them. */
function zip64(zip: Uint8Array): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset)
  const end = zip.length - 22
  const start = view.getUint32(end + 16, true)
  const records: Uint8Array[] = []
  for (let at = start; at < end; ) {
    const nameEnd = at + 46 + view.getUint16(at + 28, true)
    const [packed, size, offset] = [20, 24, 42].map((field) => BigInt(view.getUint32(at + field, true)))
    const record = zip.slice(at, nameEnd)
    for (const field of [20, 24, 42]) record.fill(0xff, field, field + 4)
    record.set([28, 0], 30)
    records.push(record, Uint8Array.of(1, 0, 24, 0), u64(size, packed, offset))
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  const directory = concat(records)
  const count = BigInt(records.length / 3)
  const end64 = concat([
    latin1('PK\x06\x06'),
    u64(44n),
    Uint8Array.of(45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    u64(count, count, BigInt(directory.length), BigInt(start)),
  ])
  const locator = concat([
    latin1('PK\x06\x07\0\0\0\0'),
    u64(BigInt(start + directory.length)),
    Uint8Array.of(1, 0, 0, 0),
  ])
  const last = zip.slice(end).fill(0xff, 8, 20)
  return concat([zip.slice(0, start), directory, end64, locator, last])
}

function u64(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer)
}

test('zip64 says the same as the small form', async () => {
  expect([...(await read(zip64(plain))).values()]).toEqual([...(await read(plain)).values()])
  const checkpoint = await openCheckpoint(memorySource(zip64(plain), 'it'))
  expect([...(await checkpoint.read('w')).bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('zip64 sizes that are missing, or beyond counting, are refused', async () => {
  const missing = zip64(plain)
  const extra = Buffer.from(missing.buffer).lastIndexOf(Buffer.of(1, 0, 24, 0))
  missing[extra] = 9
  await expect(read(missing)).rejects.toThrow('lacks its zip64 sizes')
  const huge = zip64(plain).fill(0xff, extra + 4, extra + 12)
  await expect(read(huge)).rejects.toMatchObject({
    code: 'malformed',
    message: expect.stringContaining('18446744073709552000'),
  })
})

test('a comment at the end does not hide the directory', async () => {
  const commented = concat([plain, latin1('a note')])
  commented[plain.length - 2] = 6
  expect((await read(commented)).size).toBe(2)
})

test.each([
  ['bytes before the archive', concat([latin1('#!/bin/sh'), plain]), /its end record stands at/],
  ['bytes after it', concat([plain, latin1('more')]), /directory, which stands at the end, is missing/],
  ['one entry more than there are', changed(plain.length - 12, 3), /said to have 3 entries and has 2/],
  ['another volume', changed(plain.length - 18, 1), /several volumes/],
  [
    'a record that is none',
    changed(Buffer.from(plain).indexOf('PK\x01\x02'), 0),
    /entry 0 of the zip directory is damaged/,
  ],
])('%s: refused', async (_, bytes, message) => {
  await expect(read(bytes)).rejects.toThrow(message)
})

test.each([
  ['encrypted', 8, 1, /archive\/data\.pkl is encrypted/],
  ['of an unknown method', 10, 14, /archive\/data\.pkl is compressed by a method/],
  ['stored in fewer bytes than it has', 24, 255, /archive\/data\.pkl is stored, yet/],
])('an entry that is %s cannot be read', async (_, field, value, message) => {
  const record = Buffer.from(plain).indexOf('PK\x01\x02')
  await expect(openCheckpoint(memorySource(changed(record + field, value), 'it'))).rejects.toThrow(message)
})

function changed(at: number, value: number): Uint8Array {
  const copy = plain.slice()
  copy[at] = value
  return copy
}
