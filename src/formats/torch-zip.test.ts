import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memorySource } from '../../test/support/memory-source.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import type { PlainRecord } from '../plain-value.js'
import type { StoredTensor } from './stored-tensor.js'
import { type TorchContent, torchZip } from './torch-zip.js'

const tensor = (name: string, values: readonly number[]): StoredTensor => ({
  name,
  dtype: 'F32',
  shape: [values.length],
  read: async () => new Uint8Array(Float32Array.from(values).buffer),
})

async function fileOf(content: TorchContent): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of torchZip(content, crc32)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('what is written is read here, values beside it too, whatever they are', async () => {
  const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__' && name !== 'state')
  const plain = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.string(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, plain, { noNullPrototype: true }), async (beside) => {
      const entries = { ...beside, config: {} } as PlainRecord
      const bytes = await fileOf({ tensors: [tensor('a.weight', [1, 2])], stateKey: 'state', entries })
      const checkpoint = await openCheckpoint(memorySource(bytes))
      expect(checkpoint.metadata).toEqual(entries)
      expect([...checkpoint.tensors.keys()]).toEqual(['a.weight'])
    }),
    { numRuns: 50 },
  )
})

test('the bytes of every tensor begin at a multiple of 64, so that memory can map the file', async () => {
  const tensors = [tensor('a', [1]), tensor('b', [2, 3, 4]), tensor('c', [])]
  const bytes = await fileOf({ tensors, stateKey: null, entries: {} })
  const data = new DataView(bytes.buffer, bytes.byteOffset)
  const starts: number[] = []
  for (let at = 0; data.getUint32(at, true) === 0x04034b50; ) {
    const start = at + 30 + data.getUint16(at + 26, true) + data.getUint16(at + 28, true)
    starts.push(start)
    at = start + data.getUint32(at + 18, true)
  }
  expect(starts).toHaveLength(8)
  expect(starts.filter((start) => start % 64 !== 0)).toEqual([])
})

test('an archive beyond 4 GB tells its places as zip64, and reads back', async () => {
  const gigabyte = new Uint8Array(2 ** 30)
  const large = (name: string): StoredTensor => ({
    name,
    dtype: 'U8',
    shape: [2 ** 30],
    read: async () => gigabyte,
  })
  const tensors = [large('a'), large('b'), large('c'), large('d'), tensor('e', [1, 2])]
  const pieces: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let size = 0
  for await (const bytes of torchZip({ tensors, stateKey: null, entries: {} }, () => 0)) {
    pieces.push({ at: size, bytes })
    size += bytes.length
  }
  const source = {
    label: 'large.pt',
    size,
    async read(offset: number, length: number) {
      const out = new Uint8Array(length)
      for (const { at, bytes } of pieces) {
        if (at >= offset + length || at + bytes.length <= offset) continue
        const from = Math.max(offset - at, 0)
        out.set(bytes.subarray(from, offset + length - at), at + from - offset)
      }
      return out
    },
  }
  expect(size).toBeGreaterThan(2 ** 32)
  const checkpoint = await openCheckpoint(source)
  expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect([...(await checkpoint.read('e')).bytes]).toEqual([0, 0, 128, 63, 0, 0, 0, 64])
})

test('a type of elements that PyTorch has no storage for is refused by the name of its tensor', async () => {
  const odd: StoredTensor = { name: 'odd', dtype: 'U16', shape: [0], read: async () => new Uint8Array(0) }
  await expect(fileOf({ tensors: [odd], stateKey: null, entries: {} })).rejects.toThrow(
    /odd has elements of U16/,
  )
})

test('a tensor that gives other bytes than it said is refused, since all behind it would lie elsewhere', async () => {
  const short: StoredTensor = { name: 'short', dtype: 'F32', shape: [2], read: async () => new Uint8Array(4) }
  await expect(fileOf({ tensors: [short], stateKey: null, entries: {} })).rejects.toThrow(
    /short gave 4 bytes/,
  )
})
