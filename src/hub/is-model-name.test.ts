import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findPretrained, publishedFile } from './find-pretrained.js'
import { findPublishedModel } from './find-published-model.js'
import { isModelName } from './is-model-name.js'
import { listPretrainedModels } from './weights.js'

test.each([
  ['mini', true],
  ['vit_reg4_b14_nps_ls_dino-v2-lvd142m', true],
  ['v1.5', true],
  ['weights.pt', false],
  ['WEIGHTS.SAFETENSORS', false],
  ['model.safetensors.index.json', false],
  ['models/mini', false],
  ['models\\mini', false],
  ['C:weights', false],
  ['https://hub.example/w', false],
])('%s is a name: %s', (text, expected) => {
  expect(isModelName(text)).toBe(expected)
})

const published = listPretrainedModels().map((name) => publishedFile(name, findPretrained(name), 'pt'))

test('every published name is told as one, and its file as none', () => {
  for (const name of listPretrainedModels()) expect([name, isModelName(name)]).toEqual([name, true])
  for (const { fileName } of published) expect([fileName, isModelName(fileName)]).toEqual([fileName, false])
})

test('a published length is never above the longest plausible one, however it was rounded', () => {
  const rounding = fc.double({ min: -0.05, max: 0.05, noNaN: true })
  fc.assert(
    fc.property(fc.constantFrom(...published), rounding, ({ file_size, atMost }, off) => {
      const bytes = (file_size + off) * 2 ** 20
      expect(atMost).toBeGreaterThan(bytes)
      expect(atMost).toBeLessThan(bytes * 1.02 + 2 ** 21)
    }),
  )
})

test('a model is found with its network and address', () => {
  const { file, network } = findPublishedModel('vit_reg4_b14_nps_ls_dino-v2-lvd142m')
  expect(network).toBe('vit_reg4_b14_nps_ls')
  expect(file.url.endsWith(`/${file.fileName}`)).toBe(true)
  expect(findPublishedModel('vit_sam_b16_sam-sa1b').network).toBe('vit_sam_b16')
})

test('an unknown name is answered with the nearest ones', () => {
  expect(() => findPublishedModel('vit_reg4_l14_nps_ls_dino-v2')).toThrow(
    expect.objectContaining({ code: 'unknown-model', message: expect.stringContaining('dino-v2-lvd142m') }),
  )
})
