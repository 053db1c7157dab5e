import { expect, test } from 'vitest'
import { checkpointsAmong, nameOfFile } from './name-of-file.js'

test.each([
  ['vit_b14.pt', 'vit_b14'],
  ['dinov2_vits14_pretrain.pth', 'dinov2_vits14_pretrain'],
  ['model.safetensors', 'model'],
  ['model.safetensors.index.json', 'model'],
  ['pytorch_model.bin', 'pytorch_model'],
  ['pytorch_model.bin.index.json', 'pytorch_model'],
  ['v1.2', 'v1.2'],
])('%s is the model %s', (file, name) => {
  expect(nameOfFile(file)).toBe(name)
})

test.each([
  [['model.safetensors', 'other.pt'], ['model.safetensors']],
  [['pytorch_model-00001-of-00001.bin', 'pytorch_model.bin.index.json'], ['pytorch_model.bin.index.json']],
  [['vit-00001-of-00001.pt', 'vit.pt.index.json'], ['vit.pt.index.json']],
  [['tf_model.h5.index.json', 'vit.PTH'], ['vit.PTH']],
  [
    ['a.pt', 'b.bin'],
    ['a.pt', 'b.bin'],
  ],
  [['config.json'], []],
])('of the files %j the checkpoint is one of %j', (names, expected) => {
  expect(checkpointsAmong(names)).toEqual(expected)
})
