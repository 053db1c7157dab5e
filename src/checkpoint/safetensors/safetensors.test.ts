import { expect, test } from 'vitest'
import { memorySource } from '../../../test/support/memory-source.js'
import { concat } from '../../../test/support/torch-file.js'
import { openCheckpoint } from '../open-checkpoint.js'

type Entry = { dtype: string; shape: number[]; data_offsets: number[] }
const file = (header: string | Record<string, unknown>, body: Uint8Array = new Uint8Array(0)) => {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return concat([length, text, body])
}
const open = (header: string | Record<string, unknown>, body?: Uint8Array) =>
  openCheckpoint(memorySource(file(header, body), 'it'))
const entry = (dtype: string, shape: number[], first: number, end: number): Entry => ({
  dtype,
  shape,
  data_offsets: [first, end],
})
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1)

test.each([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['U64', 8],
  ['I32', 4],
  ['U32', 4],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
])('%s is read, %i bytes each', async (dtype, each) => {
  const checkpoint = await open({ a: entry(dtype, [3], 0, 3 * each) }, bytes(3 * each))
  const tensor = await checkpoint.read('a', [3])
  expect(tensor).toMatchObject({ dtype, shape: [3] })
  expect([...tensor.bytes]).toEqual([...bytes(3 * each)])
})

test('tensors come in the order of their bytes; scalars and empty tensors are tensors', async () => {
  const header = { b: entry('U8', [2], 4, 6), none: entry('F32', [0, 3], 4, 4), a: entry('F32', [], 0, 4) }
  const checkpoint = await open(header, bytes(6))
  expect([...checkpoint.tensors.keys()]).toEqual(['a', 'none', 'b'])
  expect([...(await checkpoint.read('b')).bytes]).toEqual([5, 6])
  expect((await checkpoint.read('none')).bytes.length).toBe(0)
  expect((await checkpoint.read('a', [])).bytes.length).toBe(4)
})

test('what is read is memory of its own', async () => {
  const checkpoint = await open({ a: entry('U8', [2], 0, 2) }, bytes(2))
  const first = await checkpoint.read('a')
  first.bytes.fill(0)
  expect([...(await checkpoint.read('a')).bytes]).toEqual([1, 2])
})

test.each([
  [
    'bytes after the last tensor',
    { a: entry('U8', [2], 0, 2) },
    3,
    /the 1 bytes after a belong to no tensor/,
  ],
  ['bytes without any tensor', {}, 3, /the 3 bytes after the header belong to no tensor/],
  ['partial overlap', { a: entry('U8', [3], 0, 3), b: entry('U8', [3], 2, 5) }, 5, /b and a share 1 bytes/],
  ['offsets backwards', { a: entry('U8', [0], 2, 0) }, 2, /two rising offsets/],
  ['a fraction', { a: entry('U8', [1.5], 0, 1) }, 1, /not a list of sizes/],
  ['an entry that is a list', { a: [] }, 0, /something else than a JSON object/],
  [
    'an entry too many',
    { a: { ...entry('U8', [1], 0, 1), strides: [1] } },
    1,
    /"strides" that the format does not know/,
  ],
  ['a type of toString', { a: entry('toString', [1], 0, 1) }, 1, /dtype "toString"/],
  ['metadata that is no object', { __metadata__: 'x' }, 0, /__metadata__ is not a JSON object/],
  ['metadata of numbers', { __metadata__: { format: 1 } }, 0, /metadata entry format is not a string/],
  [
    'a signature that is not JSON',
    { __metadata__: { signature: 'pt' } },
    0,
    /metadata entry signature is not JSON/,
  ],
  [
    'a class twice',
    { __metadata__: { class_to_idx: '{"a":0,"a":1}' } },
    0,
    /metadata entry class_to_idx names "a" twice/,
  ],
])('%s: refused', async (_, header, length, message) => {
  await expect(open(header, bytes(length))).rejects.toMatchObject({
    name: 'CheckpointError',
    code: 'malformed',
    message: expect.stringMatching(message),
  })
})

test('metadata is parsed where it is JSON objects or lists, else kept as text', async () => {
  const { metadata } = await open({
    __metadata__: {
      format: 'pt',
      number: '3',
      note: '[not json',
      list: ' [1, 2]',
      config: '',
      rgb_stats: '{"mean": [0.5]}',
    },
  })
  expect({ ...metadata }).toEqual({
    format: 'pt',
    number: '3',
    note: '[not json',
    list: [1, 2],
    rgb_stats: { mean: [0.5] },
  })
})

test('__proto__ is a name like any other', async () => {
  const checkpoint = await open(
    `{"__metadata__":{"__proto__":"x"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
    bytes(1),
  )
  expect([...checkpoint.tensors.keys()]).toEqual(['__proto__'])
  expect(Object.keys(checkpoint.metadata)).toEqual(['__proto__'])
})

test('a header of more than 100 MB is refused before it is read', async () => {
  const source = {
    label: 'it',
    size: 2 ** 40,
    read: async (_: number, length: number) => first.slice(0, length),
  }
  const first = new Uint8Array(512)
  first.set([0, 0, 0, 0, 1, 0, 0, 0, 0x7b])
  await expect(openCheckpoint(source)).rejects.toMatchObject({ code: 'too-large' })
})
