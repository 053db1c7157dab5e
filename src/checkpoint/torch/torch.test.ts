import { expect, test } from 'vitest'
import { memorySource } from '../../../test/support/memory-source.js'
import {
  latin1,
  type Picklable,
  pickle,
  raw,
  type TorchZipOptions,
  torchZip,
} from '../../../test/support/torch-file.js'
import { toFloat32 } from '../../tensor/tensor.js'
import { openCheckpoint } from '../open-checkpoint.js'

const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const open = (
  value: Picklable | Uint8Array,
  storages: Record<string, Uint8Array>,
  options?: TorchZipOptions,
) => openCheckpoint(memorySource(torchZip(value, storages, options), 'it'))
const w = (key = '0', count = 2): Picklable => ({ tensor: { key, count, shape: [count] } })

test.each(['archive/', 'model_7/', 'a/b/', ''])('the archive’s folder may be called %j', async (root) => {
  const checkpoint = await open({ dict: [['w', w()]] }, { 0: f32(1, 2) }, { root })
  expect([...toFloat32(await checkpoint.read('w', [2]))]).toEqual([1, 2])
})

test.each([
  ['DoubleStorage', 'F64', 8],
  ['FloatStorage', 'F32', 4],
  ['HalfStorage', 'F16', 2],
  ['BFloat16Storage', 'BF16', 2],
  ['LongStorage', 'I64', 8],
  ['IntStorage', 'I32', 4],
  ['ShortStorage', 'I16', 2],
  ['CharStorage', 'I8', 1],
  ['ByteStorage', 'U8', 1],
  ['BoolStorage', 'BOOL', 1],
])('a torch.%s holds %s', async (storage, dtype, each) => {
  const checkpoint = await open(
    { dict: [['w', { tensor: { key: '0', count: 3, shape: [3], storage } }]] },
    { 0: new Uint8Array(3 * each) },
  )
  expect(checkpoint.tensors.get('w')).toMatchObject({ dtype, shape: [3], byteLength: 3 * each })
  expect((await checkpoint.read('w')).bytes.length).toBe(3 * each)
})

test('views that share a storage are cut out of it; q, k and v of one qkv', async () => {
  const part = (offset: number): Picklable => ({ tensor: { key: '0', count: 6, shape: [2], offset } })
  const columns: Picklable = { tensor: { key: '0', count: 6, shape: [3, 2], strides: [1, 3] } }
  const checkpoint = await open(
    {
      dict: [
        ['q', part(0)],
        ['k', part(2)],
        ['v', part(4)],
        ['t', columns],
      ],
    },
    { 0: f32(0, 1, 2, 3, 4, 5) },
  )
  expect([...toFloat32(await checkpoint.read('k'))]).toEqual([2, 3])
  expect([...toFloat32(await checkpoint.read('v'))]).toEqual([4, 5])
  expect([...toFloat32(await checkpoint.read('t'))]).toEqual([0, 3, 1, 4, 2, 5])
})

test('a parameter is its tensor; an untyped storage takes the type that the tensor names', async () => {
  const storage =
    '(X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ'
  const untyped = raw(
    `ctorch._utils\n_rebuild_parameter\n(ctorch._utils\n_rebuild_tensor_v3\n(${storage}K\x01(K\x01t(K\x01t\x89}ctorch\nuint16\ntR\x88}tR`,
  )
  const checkpoint = await open({ dict: [['w', untyped]] }, { 0: Uint8Array.of(1, 0, 2, 0) })
  expect(await checkpoint.read('w')).toMatchObject({ dtype: 'U16', shape: [1], bytes: Uint8Array.of(2, 0) })
})

test('deflated entries are read, stored ones beside them too', async () => {
  const values = f32(...new Array(1000).fill(7), 8)
  const options = { deflate: ['archive/data/0', 'archive/data.pkl'] }
  const checkpoint = await open(
    { dict: [['w', { tensor: { key: '0', count: 1001, shape: [2], offset: 999 } }]] },
    { 0: values },
    options,
  )
  expect([...toFloat32(await checkpoint.read('w'))]).toEqual([7, 8])
})

test('an entry that inflates to more than it is said to have is stopped there', async () => {
  const count = 2 ** 20
  const zip = torchZip(
    { dict: [['w', w('0', count)]] },
    { 0: new Uint8Array(4 * count) },
    { deflate: ['archive/data/0'] },
  )
  // The pickle (count and shape) and the directory are made to say 2 elements, 8 bytes.
  const instruction = (value: number) => pickle(value).slice(2, -1)
  for (let i = 0; i < 2; i++) zip.set(instruction(2), Buffer.from(zip).indexOf(instruction(count)))
  const record = Buffer.from(zip).lastIndexOf('archive/data/0') - 46
  new DataView(zip.buffer, zip.byteOffset).setUint32(record + 24, 8, true)
  const checkpoint = await openCheckpoint(memorySource(zip, 'it'))
  await expect(checkpoint.read('w')).rejects.toMatchObject({
    code: 'malformed',
    message: expect.stringContaining('inflates to more than the 8 bytes'),
  })
})

test('big-endian archives are turned; unknown byte orders refused', async () => {
  const big = f32(1.5, -2).reverse()
  const checkpoint = await open({ dict: [['w', w()]] }, { 0: big }, { byteOrder: 'big' })
  expect([...toFloat32(await checkpoint.read('w'))]).toEqual([-2, 1.5])
  await expect(
    open({ dict: [['w', w()]] }, { 0: big }, { extra: { 'archive/byteorder': latin1('middle') } }),
  ).rejects.toThrow('"middle"')
})

test.each([
  [
    'state',
    {
      dict: [
        ['state', { ordered: [['a', w()]] }],
        ['task', 'x'],
      ],
    },
    ['a'],
    'state',
    [],
  ],
  [
    'teacher before student',
    {
      dict: [
        ['student', { dict: [['b', w()]] }],
        ['teacher', { dict: [['a', w()]] }],
      ],
    },
    ['a'],
    'teacher',
    ['student'],
  ],
  [
    'nested places',
    { dict: [['model', { dict: [['state_dict', { dict: [['a', w()]] }]] }]] },
    ['a'],
    'model/state_dict',
    [],
  ],
  [
    'prefixes inside',
    {
      dict: [
        [
          'teacher',
          {
            dict: [
              ['backbone.a', w()],
              ['backbone.b', w()],
              ['dino_head.w', w()],
            ],
          },
        ],
      ],
    },
    ['a', 'b'],
    'teacher/backbone.',
    ['dino_head.w'],
  ],
  [
    'optimiser states',
    {
      dict: [
        ['state_dict', { dict: [['module.a', w()]] }],
        ['optimizer', { dict: [['m', w()]] }],
      ],
    },
    ['a'],
    'state_dict/module.',
    ['optimizer'],
  ],
  [
    'a flat dict',
    {
      ordered: [
        ['a', w()],
        ['b', w()],
      ],
    },
    ['a', 'b'],
    '',
    [],
  ],
] as const)('weights are found: %s', async (_, value, names, wrapping, dropped) => {
  const checkpoint = await open(value as Picklable, { 0: f32(1, 2) })
  expect([...checkpoint.tensors.keys()]).toEqual(names)
  expect(checkpoint).toMatchObject({ wrapping, dropped })
})

test('plain values beside the weights are metadata: tuples as lists, without a prototype', async () => {
  const checkpoint = await open(
    {
      dict: [
        ['state', { dict: [['a', w()]] }],
        ['rgb_stats', { dict: [['mean', { tuple: [0.5, 0.25] }]] }],
        ['class_to_idx', { dict: [['__proto__', 3]] }],
        ['epoch', 7],
      ],
    },
    { 0: f32(1, 2) },
  )
  expect(checkpoint.metadata.rgb_stats).toEqual({ mean: [0.5, 0.25] })
  expect(Object.entries(checkpoint.metadata.class_to_idx as object)).toEqual([['__proto__', 3]])
  expect(checkpoint.metadata.epoch).toBe(7)
})

test('a student alone is not taken unless it is named', async () => {
  const student: Picklable = { dict: [['student', { dict: [['a', w()]] }]] }
  const zip = torchZip(student, { 0: f32(1, 2) })
  await expect(openCheckpoint(memorySource(zip, 'it'))).rejects.toMatchObject({ code: 'ambiguous-entry' })
  const { tensors } = await openCheckpoint(memorySource(zip, 'it'), { entry: 'student' })
  expect([...tensors.keys()]).toEqual(['a'])
})

test('an inner entry comes before an outer one of its name, and what is left aside is told by its keys', async () => {
  const checkpoint = await open(
    {
      dict: [
        ['epoch', 1],
        ['lr', { dict: [[0, w()]] }],
        [
          'inner',
          {
            dict: [
              ['state', { dict: [['conv_proj.weight', w()]] }],
              ['epoch', 2],
              ['scale', w()],
            ],
          },
        ],
      ],
    },
    { 0: f32(1, 2) },
  )
  expect(checkpoint).toMatchObject({ wrapping: 'inner/state', metadata: { epoch: 2 } })
  expect(checkpoint.dropped).toEqual(['lr', 'inner/scale'])
})

test('a slash in a key is a part of the name, and no dict', async () => {
  const value: Picklable = {
    dict: [
      ['a/b', w()],
      ['a', { dict: [['b', w()]] }],
      ['c', w()],
    ],
  }
  const checkpoint = await open(value, { 0: f32(1, 2) })
  expect([...checkpoint.tensors.keys()]).toEqual(['a/b', 'c'])
  expect(checkpoint.dropped).toEqual(['a'])
})

test('a namespace of settings is plain values, as training scripts keep their arguments', async () => {
  const namespace = raw('cargparse\nNamespace\n)\x81}X\x02\x00\x00\x00lrK\x07sb')
  const checkpoint = await open(
    {
      dict: [
        ['a', w()],
        ['args', namespace],
      ],
    },
    { 0: f32(1, 2) },
  )
  expect(checkpoint.metadata.args).toEqual({ lr: 7 })
})

test('a storage described in two ways is refused', async () => {
  await expect(
    open(
      {
        dict: [
          ['a', w('0', 2)],
          ['b', w('0', 1)],
        ],
      },
      { 0: f32(1, 2) },
    ),
  ).rejects.toThrow('describes storage 0 in two ways')
})

test('an entry under another name than the directory gives it is refused when read', async () => {
  const zip = torchZip({ dict: [['w', w()]] }, { 0: f32(1, 2) })
  zip[Buffer.from(zip).indexOf('archive/data/0')] = 'A'.charCodeAt(0)
  const checkpoint = await openCheckpoint(memorySource(zip, 'it'))
  await expect(checkpoint.read('w')).rejects.toThrow('archive/data/0 has another name where it lies')
})
