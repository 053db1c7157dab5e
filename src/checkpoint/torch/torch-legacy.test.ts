import { expect, test } from 'vitest'
import { memorySource } from '../../../test/support/memory-source.js'
import { concat, torchLegacy as legacy, type Picklable } from '../../../test/support/torch-file.js'
import { toFloat32 } from '../../tensor/tensor.js'
import { openCheckpoint } from '../open-checkpoint.js'

const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const w = (key = '0', count = 2): Picklable => ({ tensor: { key, count, shape: [count] } })
const counted = (...values: number[]) =>
  concat([Uint8Array.of(values.length, 0, 0, 0, 0, 0, 0, 0), f32(...values)])

test('legacy files: storages follow the pickles in the order of their list, also those nobody asks for', async () => {
  const bytes = legacy(
    {
      dict: [
        ['state', { dict: [['a', w('9')]] }],
        ['optimizer', { list: [w('7', 3)] }],
      ],
    },
    ['7', '9'],
    concat([counted(0, 0, 0), counted(1, 2)]),
  )
  const checkpoint = await openCheckpoint(memorySource(bytes, 'it'))
  expect(checkpoint.format).toBe('torch-legacy')
  expect([...toFloat32(await checkpoint.read('a'))]).toEqual([1, 2])
  await expect(openCheckpoint(memorySource(bytes.slice(0, -1), 'it'))).rejects.toMatchObject({
    code: 'truncated',
  })
  await expect(openCheckpoint(memorySource(concat([bytes, f32(0)]), 'it'))).rejects.toMatchObject({
    code: 'malformed',
  })
})

test('legacy files whose pickles are longer than the first piece read are read whole', async () => {
  const classes: (readonly [string, Picklable])[] = Array.from({ length: 30_000 }, (_, i) => [
    `class ${i}`,
    i,
  ])
  const bytes = legacy(
    {
      dict: [
        ['state', { dict: [['a', w()]] }],
        ['class_to_idx', { dict: classes }],
      ],
    },
    ['0'],
    counted(1, 2),
  )
  expect(bytes.length).toBeGreaterThan(600_000)
  const checkpoint = await openCheckpoint(memorySource(bytes, 'it'))
  expect(checkpoint.metadata.class_to_idx).toMatchObject({ 'class 29999': 29999 })
})

test('legacy files that contradict themselves or are of big-endian machines are refused', async () => {
  const value: Picklable = { dict: [['a', w()]] }
  await expect(openCheckpoint(memorySource(legacy(value, ['0'], counted(1, 2, 3)), 'it'))).rejects.toThrow(
    'storage 0 has 3 elements, but the pickle says 2',
  )
  await expect(openCheckpoint(memorySource(legacy(value, [], new Uint8Array(0)), 'it'))).rejects.toThrow(
    'a is kept in a storage that the file lacks',
  )
  await expect(openCheckpoint(memorySource(legacy(value, ['0', '0'], counted(1, 2)), 'it'))).rejects.toThrow(
    'names 0, which it should not',
  )
  await expect(
    openCheckpoint(memorySource(legacy(value, ['0'], counted(1, 2), false), 'it')),
  ).rejects.toThrow('big-endian')
})
