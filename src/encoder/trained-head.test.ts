import { expect, test } from 'vitest'
import { headFile } from '../collection/labels/train-head.js'
import { safetensorsFile } from '../formats/safetensors.js'
import { concatenateBytes } from '../tensor/concatenate.js'
import { assertHeadFits, headMetadata, headScores, readHead, type TrainedHead } from './trained-head.js'

const head: TrainedHead = {
  classes: ['a', 'ß "b"'],
  width: 3,
  weight: Float32Array.of(1, 0, 0, 0, 2, 0),
  bias: Float32Array.of(0.5, -0.5),
  features: 'unit',
  temperature: 0.25,
  identity: {
    digest: 'd'.repeat(64),
    weights: 'w'.repeat(64),
    settings: '{"precision":"float32","recipe":{"size":[112,112]}}',
    precision: 'float32',
    recipe: 'birder 112x112',
    model: 'mini',
  },
  model: { source: 'small', options: { precision: 'float32' } },
  trained: { photos: 12, c: 10 },
}

const sourceOf = (bytes: Uint8Array, label = 'head.safetensors') => ({
  label,
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
})

test('a head comes back as it was written', async () => {
  expect(await readHead(sourceOf(headFile(head)))).toEqual(head)
})

test('scores are those of the embedding by its length, by the temperature: by hand', () => {
  expect([...headScores(head, Float32Array.of(3, 4, 0))]).toEqual([
    Math.fround((0.6 + 0.5) / 0.25),
    Math.fround((1.6 - 0.5) / 0.25),
  ])
  expect(() => headScores(head, new Float32Array(3))).toThrow(/length 0 has no direction/)
  expect(() => headScores(head, new Float32Array(4))).toThrow(/3 numbers; this one has 4/)
})

test('a head of other embeddings is refused with what differs', () => {
  const { identity } = head
  assertHeadFits(head, identity)
  const other = {
    ...identity,
    digest: 'e'.repeat(64),
    settings: '{"precision":"float32","recipe":{"size":[224,224]}}',
  }
  expect(() => assertHeadFits(head, other)).toThrow(
    /with recipe.size \[112,112\]; those that are given have recipe.size \[224,224\].*\(small\)/,
  )
  expect(() => assertHeadFits(head, { ...identity, digest: 'e', weights: 'v'.repeat(64) })).toThrow(/weights/)
})

test.each([
  ['no format', { format: '' }, /no format plumage-head-1/],
  ['classes that are no list', { classes: 'a,b' }, /no list of names/],
  ['features that are not known', { features: 'standardised' }, /only "unit" is known/],
  ['no temperature', { temperature: '0' }, /no number above 0/],
  ['another number of classes', { classes: '["a"]' }, /2 rows for 1 classes/],
])('%s is no head', async (_what, wrong, message) => {
  const arrays = [
    { name: 'weight', shape: [2, 3], values: head.weight },
    { name: 'bias', shape: [2], values: head.bias },
  ]
  const bytes = concatenateBytes(safetensorsFile(arrays, { ...headMetadata(head), ...wrong }))
  await expect(readHead(sourceOf(bytes))).rejects.toMatchObject({
    code: 'malformed',
    message: expect.stringMatching(message),
  })
})

test('numbers that are none, a missing bias and a bias of another shape are refused by name', async () => {
  await expect(
    readHead(sourceOf(headFile({ ...head, bias: Float32Array.of(0, Number.NaN) }))),
  ).rejects.toThrow(/not finite/)
  const weight = { name: 'weight', shape: [2, 3], values: head.weight }
  const write = (arrays: Parameters<typeof safetensorsFile>[0]) =>
    readHead(sourceOf(concatenateBytes(safetensorsFile(arrays, headMetadata(head)))))
  await expect(write([weight])).rejects.toMatchObject({ code: 'missing-tensor' })
  await expect(
    write([weight, { name: 'bias', shape: [3], values: new Float32Array(3) }]),
  ).rejects.toMatchObject({
    code: 'wrong-shape',
  })
})
