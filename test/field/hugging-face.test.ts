/** Holds what transformers itself gives for files that people have: its activations, processors, classifiers, and names in memory. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readVit } from '../../src/model/read-vit.js'
import { TINY_NETWORKS, tinyCheckpoint } from '../support/tiny-networks.js'
import { embedField } from './field-model.js'
import { folderOfFieldCase } from './folder-of-field-case.js'

/** The right values are printed with four digits after the point. */
const NEAR = 1e-4
/** transformers resizes by torchvision where the right values come from: levels differ by one here and there. */
const NEAR_RESIZED = 2e-3
const PHOTO_64 = '06-timm-pooling/photo.png'
const PHOTO_56 = '16-hf-image-classification/photo.png'

function expectNear(values: Float32Array, right: readonly number[], tolerance = NEAR): void {
  for (const [i, value] of right.entries())
    expect(Math.abs((values[i] ?? Number.NaN) - value)).toBeLessThan(tolerance)
}

const json = (path: string) => JSON.parse(readFileSync(folderOfFieldCase(path), 'utf8'))

test.each([
  ['vit', [-0.168, 0.3378, 0.1489, 0.2499]],
  ['vit-null', [-0.168, 0.3378, 0.1489, 0.2499]],
  ['siglip', [-0.1597, 0.2942, 0.1993, 0.3075]],
  ['convnext', [-0.097, 0.2471, 0.259, 0.3464]],
  ['bit-says-false-passes', [-0.168, 0.3378, 0.1489, 0.2499]],
] as const)('08: the processor of %s is followed with its own defaults', async (name, right) => {
  const folder = '08-hf-processor-without-crop'
  const got = await embedField(
    {
      weights: `${folder}/model.safetensors`,
      config: `${folder}/config.json`,
      processor: `${folder}/preprocessor_config.${name}.json`,
    },
    `${folder}/photo.png`,
  )
  expectNear(got.embedding, right, NEAR_RESIZED)
})

test.each([
  ['relu', [-0.3588, 0.242, 1.4089, -1.0691]],
  ['silu', [-0.3587, 0.3784, 0.923, -0.9239]],
  ['quick_gelu', [-0.3504, 0.3458, 1.0318, -0.9771]],
  ['gelu_new', [-0.3502, 0.3487, 1.023, -0.9736]],
  ['gelu', [-0.3502, 0.3487, 1.0231, -0.9737]],
] as const)('15: hidden_act %s is computed', async (hidden_act, right) => {
  const folder = '15-hf-hidden-act'
  const config = { ...json(`${folder}/config.json`), hidden_act }
  const processor = `${folder}/preprocessor_config.json`
  const got = await embedField({ weights: `${folder}/model.safetensors`, config, processor }, PHOTO_64)
  expectNear(got.embedding, right)
})

test('15: an activation that is not computed here is refused by its name', async () => {
  const folder = '15-hf-hidden-act'
  const config = { ...json(`${folder}/config.json`), hidden_act: 'laplace' }
  await expect(embedField({ weights: `${folder}/model.safetensors`, config }, PHOTO_64)).rejects.toThrow(
    /hidden_act is "laplace"/,
  )
})

test.each([
  ['dinov2', [-0.202, 0.0111, 0.9966, -1.4006]],
  ['dinov2-with-registers', [-0.4591, 0.4337, 0.3583, -0.7296]],
] as const)('16: %s with a classifier is read', async (name, right) => {
  const folder = `16-hf-image-classification/${name}`
  const model = { weights: `${folder}/model.safetensors`, config: `${folder}/config.json` }
  const got = await embedField(model, PHOTO_56, { size: 56, recipe: 'birder' })
  expectNear(got.embedding, right)
  expect(got.logits).toHaveLength(5)
})

test.each([
  ['dinov2', [-0.6639, 0.0402, 0.9156, -1.0575]],
  ['dinov2-swiglu', [-0.469, 0.5199, 1.01, -0.466]],
] as const)('17: %s as transformers 5 has it in memory is read', async (name, right) => {
  const folder = `17-hf-state-dict-of-transformers-5/${name}`
  const model = { weights: `${folder}/pytorch_model.bin`, config: `${folder}/config.json` }
  const got = await embedField(model, PHOTO_56, { size: 56, recipe: 'birder' })
  expectNear(got.embedding, right)
})

test.each([
  ['dinov2', 'dinov2_with_registers', /model_type is "dinov2_with_registers".*no registers/],
  ['dinov2-with-registers', 'dinov2', /model_type is "dinov2".*4 registers/],
] as const)(
  'a file of %s is not taken for a %s, which would add or leave out registers',
  async (name, model_type, refusal) => {
    const folder = `16-hf-image-classification/${name}`
    const { num_register_tokens: _, ...config } = json(`${folder}/config.json`)
    const model = { weights: `${folder}/model.safetensors`, config: { ...config, model_type } }
    await expect(embedField(model, PHOTO_56)).rejects.toThrow(refusal)
  },
)

test('a network of the kind with registers resamples positions as its kind does, also where it has none', async () => {
  const folder = '16-hf-image-classification/dinov2'
  const weights = `${folder}/model.safetensors`
  const config = {
    ...json(`${folder}/config.json`),
    model_type: 'dinov2_with_registers',
    num_register_tokens: 0,
  }
  const options = { size: 70, recipe: 'birder' } as const
  const got = await embedField({ weights, config }, PHOTO_56, options)
  const right = await embedField({ weights, config: `${folder}/config.json` }, PHOTO_56, {
    ...options,
    positions: 'antialias',
  })
  expect(got.embedding).toEqual(right.embedding)
})

test('of a network of the kind with registers that has none, the empty tensor is passed over', () => {
  const { 'embeddings.register_tokens': _, ...shapes } = TINY_NETWORKS['hugging-face']
  const read = (registers: readonly number[]) =>
    readVit(tinyCheckpoint({ ...shapes, 'embeddings.register_tokens': registers }), { heads: 2 }).config
  expect(read([1, 0, 4]).registers).toBe(0)
  expect(() => read([4])).toThrow(/embeddings\.register_tokens/)
})
