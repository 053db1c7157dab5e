/** Checkpoints in several files: safetensors and PyTorch's alike, and indexes that lie. */
import { describe, expect, test } from 'vitest'
import { memorySource } from '../../test/support/memory-source.js'
import { concat, latin1, type Picklable, torchLegacy, torchZip } from '../../test/support/torch-file.js'
import { openCheckpoint } from './open-checkpoint.js'

type Tensors = Readonly<Record<string, readonly number[]>>
type Write = (tensors: Tensors, beside?: Readonly<Record<string, string>>) => Uint8Array

const f32 = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer)

const safetensors: Write = (tensors, beside = {}) => {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { length }]) => {
    const start = end
    end += 4 * length
    return [name, { dtype: 'F32', shape: [length], data_offsets: [start, end] }]
  })
  const header = latin1(JSON.stringify({ __metadata__: beside, ...Object.fromEntries(entries) }))
  const size = new Uint8Array(8)
  new DataView(size.buffer).setBigUint64(0, BigInt(header.length), true)
  return concat([size, header, ...Object.values(tensors).map(f32)])
}

const dictOf = (tensors: Tensors, beside: Readonly<Record<string, Picklable>> = {}): Picklable => ({
  dict: [
    ...Object.entries(tensors).map(([name, { length }], i): [string, Picklable] => [
      name,
      { tensor: { key: `${i}`, count: length, shape: [length] } },
    ]),
    ...Object.entries(beside),
  ],
})
const zip: Write = (tensors, beside) =>
  torchZip(
    dictOf(tensors, beside),
    Object.fromEntries(Object.values(tensors).map((values, i) => [`${i}`, f32(values)])),
  )
const legacy: Write = (tensors, beside) =>
  torchLegacy(
    dictOf(tensors, beside),
    Object.keys(tensors).map((_, i) => `${i}`),
    concat(
      Object.values(tensors).map((values) =>
        concat([Uint8Array.of(values.length, 0, 0, 0, 0, 0, 0, 0), f32(values)]),
      ),
    ),
  )

type Shards = Readonly<Record<string, Uint8Array>>
const sharded = (weightMap: Record<string, unknown>, shards: Shards) =>
  openCheckpoint(
    memorySource(latin1(JSON.stringify({ metadata: { total_size: 6 }, weight_map: weightMap })), 'index'),
    {
      openSibling: async (name) => {
        const bytes = shards[name]
        if (bytes === undefined) throw new Error(`${name} is not there`)
        return memorySource(bytes, name)
      },
    },
  )

describe.each([
  ['safetensors', safetensors],
  ['torch', zip],
  ['torch-legacy', legacy],
] as const)('shards of %s', (format, write) => {
  test('are one checkpoint, whose network is told by the names of all', async () => {
    const stem = 'patch_embed.proj.weight'
    const checkpoint = await sharded(
      { [`model.${stem}`]: '1', 'model.b/c': '2' },
      { 1: write({ [`model.${stem}`]: [1, 2] }), 2: write({ 'model.b/c': [3] }) },
    )
    expect(checkpoint).toMatchObject({ format, wrapping: 'model.', dropped: [] })
    expect([...checkpoint.tensors.keys()]).toEqual([stem, 'b/c'])
    expect((await checkpoint.read('b/c', [1])).bytes).toEqual(f32([3]))
    expect(checkpoint.metadata).toEqual({ total_size: 6 })
  })

  test('say what stands beside their tensors, once where they agree', async () => {
    const shards = { 1: write({ a: [1] }, { format: 'pt' }), 2: write({ b: [2] }, { format: 'pt' }) }
    const { metadata } = await sharded({ a: '1', b: '2' }, shards)
    expect(metadata).toEqual({ total_size: 6, format: 'pt' })
    await expect(
      sharded({ a: '1', b: '2' }, { ...shards, 2: write({ b: [2] }, { format: 'tf' }) }),
    ).rejects.toMatchObject({ code: 'contradiction', message: expect.stringContaining('format of 2') })
  })

  test('that disagree with the index are refused by tensor', async () => {
    await expect(sharded({ a: '1', b: '1' }, { 1: write({ a: [1] }) })).rejects.toMatchObject({
      code: 'missing-tensor',
      tensor: 'b',
      message: expect.stringContaining('b is said to lie in 1'),
    })
    await expect(sharded({ b: '2' }, { 2: write({ b: [1], c: [2] }) })).rejects.toMatchObject({
      code: 'contradiction',
      tensor: 'c',
      message: expect.stringContaining('2 holds c, but the index does not name it'),
    })
    await expect(
      sharded({ a: '1', b: '2' }, { 1: write({ a: [1] }), 2: write({ a: [1], b: [2] }) }),
    ).rejects.toMatchObject({
      code: 'contradiction',
      tensor: 'a',
      message: expect.stringContaining('2 holds a, but the index places it in 1'),
    })
  })
})

test('a tensor in a dict of a shard is not the one that the index names', async () => {
  const nested = torchZip({ dict: [['state', dictOf({ a: [1] })]] }, { 0: f32([1]) })
  await expect(sharded({ 'state/a': '1' }, { 1: nested })).rejects.toMatchObject({ code: 'contradiction' })
})

test('what is claimed of a tensor in a shard is judged as in a file of its own', async () => {
  const tooLong: Picklable = { dict: [['a', { tensor: { key: '0', count: 1, shape: [2] } }]] }
  await expect(sharded({ a: '1' }, { 1: torchZip(tooLong, { 0: f32([1]) }) })).rejects.toMatchObject({
    code: 'malformed',
    tensor: 'a',
  })
})

test('files of two formats are not one checkpoint', async () => {
  await expect(
    sharded({ a: '1', b: '2' }, { 1: zip({ a: [1] }), 2: safetensors({ b: [2] }) }),
  ).rejects.toMatchObject({
    code: 'contradiction',
    message: expect.stringContaining('1 is torch and 2 safetensors'),
  })
})

test('an index that names an index, or itself, is not followed', async () => {
  const index = latin1('{"weight_map": {"a": "1"}}')
  await expect(sharded({ a: '1' }, { 1: index })).rejects.toMatchObject({
    code: 'malformed',
    message: expect.stringContaining('index names 1, which is JSON'),
  })
})

test.each(['../1.safetensors', '/etc/passwd', 'a\\b', '..', '.', '', 'C:x', 'a\0b', 7])(
  'a shard named %j is refused',
  async (name) => {
    await expect(sharded({ a: name }, {})).rejects.toMatchObject({ code: 'forbidden', tensor: 'a' })
  },
)

test('an index that cannot reach its shards says so', async () => {
  const index = latin1('{"weight_map": {"a": "1.safetensors"}}')
  await expect(openCheckpoint(memorySource(index))).rejects.toMatchObject({ code: 'not-found' })
})
