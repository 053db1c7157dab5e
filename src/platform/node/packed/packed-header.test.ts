import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isPackedStart,
  PACKED_FORMAT,
  type PackedHeader,
  readPackedHeader,
  writePackedHeader,
} from './packed-header.js'

const DIGEST = 'ab'.repeat(32)
const HEADER: PackedHeader = {
  format: PACKED_FORMAT,
  plumage: '1.2.3',
  versions: [1, 2],
  model: 'Modell mit Umlaut: ä',
  path: '/models/ä.safetensors',
  files: ['1 2 3 4 5'],
  network: DIGEST,
  instructionSet: 'avx2',
  precision: 'int8',
  packing: DIGEST,
  weights: DIGEST,
  byteLength: 12,
  digest: DIGEST,
}

const fileOf = (header: PackedHeader) => Buffer.concat([writePackedHeader(header), Buffer.alloc(12, 1)])
const read = (bytes: Uint8Array) =>
  readPackedHeader(async (from, length) => bytes.subarray(from, from + length), bytes.length)

test('what was written is read again, and the weights begin with a page of any system', async () => {
  const file = fileOf(HEADER)
  expect(await read(file)).toEqual({ header: HEADER, offset: file.length - 12 })
  expect((file.length - 12) % 65536).toBe(0)
  const long = {
    ...HEADER,
    files: Array.from({ length: 2000 }, (_, i) => `${i} a state of one of many files`),
  }
  expect(await read(fileOf(long))).toEqual({ header: long, offset: 131_072 })
})

test('a file of any other length is refused, and says so', async () => {
  const file = fileOf(HEADER)
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), async (length) => {
      expect(await read(file.subarray(0, length))).toMatch(/^it (is cut off|holds no packed weights)$/)
    }),
  )
  expect(await read(Buffer.concat([file, Buffer.alloc(1)]))).toBe('it is longer than it should be')
})

test('no changed byte of the head passes, wherever it is', async () => {
  const file = fileOf(HEADER)
  const end = file.indexOf(0, 52)
  for (let at = 0; at < end; at++) {
    const spoiled = Buffer.from(file)
    spoiled[at] = (spoiled[at] ?? 0) ^ (1 << (at % 8))
    expect(typeof (await read(spoiled)), `byte ${at}`).toBe('string')
  }
})

test('whatever a file holds, reading its head gives a reason and throws nothing', async () => {
  const start = fileOf(HEADER).subarray(0, 20)
  const anything = fc.uint8Array({ maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(anything, fc.boolean(), async (bytes, isLike) => {
      const found = await read(isLike ? Buffer.concat([start, bytes]) : bytes)
      expect(typeof found).toBe('string')
    }),
  )
})

test('a head whose text is whole, and says something else, is that of another version', async () => {
  const others: Record<string, unknown>[] = [
    { format: PACKED_FORMAT + 1 },
    { format: undefined },
    { weights: DIGEST.slice(1) },
    { digest: 7 },
    { byteLength: -1 },
    { byteLength: 2 ** 60 },
    { files: 'one' },
    { files: [1] },
    { versions: null },
  ]
  for (const other of others) {
    expect(await read(fileOf({ ...HEADER, ...other } as PackedHeader))).toBe(
      'it was made by another version of plumage',
    )
  }
  expect(await read(fileOf(null as never))).toBe('it was made by another version of plumage')
})

test('a file is told from others by its first bytes', () => {
  expect(isPackedStart(fileOf(HEADER))).toBe(true)
  expect(isPackedStart(Buffer.from('plumage'))).toBe(false)
  expect(isPackedStart(new Uint8Array())).toBe(false)
})
