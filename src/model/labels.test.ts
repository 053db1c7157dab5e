import { expect, test } from 'vitest'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { PlainRecord, PlainValue } from '../plain-value.js'
import { labelsOf } from './labels.js'

function checkpoint(metadata: PlainRecord = {}): Checkpoint {
  return {
    label: 'model.safetensors',
    metadata,
    tensors: new Map(),
    read: () => Promise.reject(new Error('no tensor is asked for')),
  } as unknown as Checkpoint
}

const all = (configFile: PlainValue, classes = 2) => labelsOf(checkpoint(), { configFile }, classes)
const read = (configFile: PlainValue, classes = 2) => all(configFile, classes).names

test("transformers', timm's and Birder's files name classes by number, in any order", () => {
  expect(read({ id2label: { '1': 'dog', '0': 'cat' } })).toEqual(['cat', 'dog'])
  expect(read({ label_names: ['cat', 'dog'] })).toEqual(['cat', 'dog'])
  expect(read({ pretrained_cfg: { label_names: ['cat', 'dog'] } })).toEqual(['cat', 'dog'])
  expect(labelsOf(checkpoint({ class_to_idx: { dog: 1, cat: 0 } }), {}, 2).names).toEqual(['cat', 'dog'])
})

test('files that name none give none, and an empty class_to_idx is none', () => {
  const none = { names: null, problem: null }
  expect(all({ architectures: ['ViTModel'] })).toEqual(none)
  expect(labelsOf(checkpoint({ class_to_idx: {} }), {}, 2)).toEqual(none)
})

test.each([
  ['too few', { id2label: { '0': 'cat' } }],
  ['too many', { id2label: { '0': 'a', '1': 'b', '2': 'c' } }],
  ['a gap', { id2label: { '0': 'a', '2': 'c' } }],
  ['two for one number', { id2label: { '0': 'a', '00': 'b' } }],
  ['no names', { id2label: { '0': 1, '1': 2 } }],
  ['a list of another length', { label_names: ['a'] }],
])('%s: names that do not fit the classifier are left aside, with the reason', (_, file) => {
  expect(all(file)).toEqual({ names: null, problem: expect.stringContaining('the classifier has 2') })
})
