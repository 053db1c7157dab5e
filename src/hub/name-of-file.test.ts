import { expect, test } from 'vitest'
import { nameOfFile } from './name-of-file.js'

test.each([
  ['vit_b14.pt', 'vit_b14'],
  ['dinov2_vits14_pretrain.pth', 'dinov2_vits14_pretrain'],
  ['model.safetensors', 'model'],
  ['model.safetensors.index.json', 'model'],
  ['pytorch_model.bin.index.json', 'pytorch_model.bin'],
  ['v1.2', 'v1.2'],
])('%s is the model %s', (file, name) => {
  expect(nameOfFile(file)).toBe(name)
})
