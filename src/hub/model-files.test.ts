/** Tries which files of a repository are taken for a model's, and what each is to it. */
import { expect, test } from 'vitest'
import { filesOfModel } from './model-files.js'

const namesOf = (...names: string[]) =>
  filesOfModel(names)?.map(({ name, role }) => `${role} ${name}`) ?? null

test('each file has its role, weights come last, and what is left of a training is not a model', () => {
  expect(
    namesOf(
      'model.safetensors',
      'README.md',
      'tokenizer.model',
      'LICENSE.md',
      'config.json',
      'optimizer.pt',
      'labels.txt',
    ),
  ).toEqual([
    'readme README.md',
    'tokenizer tokenizer.model',
    'licence LICENSE.md',
    'config config.json',
    'labels labels.txt',
    'weights model.safetensors',
  ])
})

test('an index comes after the parts that it names, whatever else is there', () => {
  expect(
    namesOf('model.safetensors.index.json', 'model-2.safetensors', 'model-1.safetensors', 'other.bin'),
  ).toEqual([
    'weights model-2.safetensors',
    'weights model-1.safetensors',
    'weights model.safetensors.index.json',
  ])
})

test('one checkpoint of any name is taken, safetensors before others, a head is none', () => {
  expect(namesOf('dinov2.pth', 'dinov2_linear_head.pth')).toEqual([
    'head dinov2_linear_head.pth',
    'weights dinov2.pth',
  ])
  expect(namesOf('a.pt', 'a.safetensors')).toEqual(['weights a.safetensors'])
  expect(
    namesOf('open_clip_model.safetensors', 'open_clip_pytorch_model.bin', 'open_clip_config.json'),
  ).toEqual(['recipe open_clip_config.json', 'weights open_clip_model.safetensors'])
})

test('of two that could be meant neither is chosen', () => {
  expect(namesOf('a.safetensors', 'b.safetensors')).toBeNull()
  expect(namesOf('config.json')).toBeNull()
})
