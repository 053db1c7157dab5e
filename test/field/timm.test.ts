/** Holds what timm itself gives for files that people have: its recipe, its pooling, its heads, and its files without a config. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { embedField } from './field-model.js'
import { folderOfFieldCase } from './folder-of-field-case.js'

/** The right values are printed with four digits after the point. */
const NEAR = 1e-4
const PHOTO_64 = '06-timm-pooling/photo.png'

function expectNear(values: Float32Array, right: readonly number[], tolerance = NEAR): void {
  for (const [i, value] of right.entries())
    expect(Math.abs((values[i] ?? Number.NaN) - value)).toBeLessThan(tolerance)
}

const json = (path: string) => JSON.parse(readFileSync(folderOfFieldCase(path), 'utf8'))

test.each([
  ['crop-0.9', [-0.4009, -0.0493, -0.123, 0.4381], 'timm 248 crop 224x224'],
  ['squash', [-0.0335, -0.0287, -0.1697, -0.0151], 'timm 224x224'],
  ['bilinear', [-0.4848, -0.1523, -0.5835, -0.1264], 'timm 224 crop 224x224 bilinear'],
] as const)('04: %s, as pretrained_cfg asks for it, is how images are made', async (name, right, recipe) => {
  const folder = `04-timm-crop-pct/${name}`
  const got = await embedField(
    { weights: `${folder}/model.safetensors`, config: `${folder}/config.json` },
    '04-timm-crop-pct/photo.png',
  )
  expectNear(got.embedding, right)
  expect(got.recipe).toContain(recipe)
  expect(got.warnings).toEqual([])
})

test.each([
  ['max', 'fc-norm', [0.8205, 0.3871, 0.8266, 1.006]],
  ['avgmax', 'fc-norm', [0.5936, 0.35, 0.8614, 0.7175]],
  ['avg-with-class-token', 'fc-norm', [-0.2649, 0.0198, 0.5486, -0.37]],
  ['token-with-fc-norm', 'fc-norm', [-0.4513, -0.8915, -0.0345, -0.4308]],
  ['quick-gelu', 'norm', [-0.447, -0.8882, -0.0284, -0.4309]],
] as const)('06: %s of model_args is what the embedding is', async (name, weights, right) => {
  const got = await embedField(
    { weights: `06-timm-pooling/${weights}.safetensors`, config: `06-timm-pooling/${name}/config.json` },
    PHOTO_64,
    // The right values are of the photo as it is.
    { cropFraction: 1 },
  )
  expectNear(got.embedding, right)
})

test('06: a pooling at the top that model_args does not have is refused, since timm goes by model_args', async () => {
  const config = { ...json('06-timm-pooling/token-with-fc-norm/config.json'), global_pool: 'max' }
  const model = { weights: '06-timm-pooling/fc-norm.safetensors', config }
  await expect(embedField(model, PHOTO_64)).rejects.toThrow(/global_pool is "max".*model_args\.global_pool/)
})

const AUGREG = '33-timm-without-config/vit_tiny_patch16_224.augreg_in21k.safetensors'
const RIGHT_33 = [-0.5853, -0.8956, -0.0717, -0.0509]

test("33: weights alone by timm's name are normalised as that name says, and it is said", async () => {
  const got = await embedField({ weights: AUGREG }, PHOTO_64, { cropFraction: 1 })
  expectNear(got.embedding, RIGHT_33)
  expect(got.warnings.join()).toMatch(
    /no config\.json.*vit_tiny_patch16_224\.augreg_in21k.*"half".*0\.9.*--normalisation/,
  )
})

test('33: under another name the heads are asked for, the levels are said to be assumed, and can be told', async () => {
  const renamed = { weights: AUGREG, name: 'weights.safetensors' }
  await expect(embedField(renamed, PHOTO_64)).rejects.toThrow(/how many heads.*--heads/)
  const assumed = await embedField(renamed, PHOTO_64, { heads: 1 })
  expectNear(assumed.embedding, [-0.6153, -0.8582, -0.0223, -0.0773])
  expect(assumed.warnings.join()).toMatch(/ImageNet's mean and deviation.*--normalisation/)
  const told = await embedField(renamed, PHOTO_64, { heads: 1, normalisation: 'half' })
  expectNear(told.embedding, RIGHT_33)
})

test('19: positions of a rectangle are read by the trained size, which both ways to say it reach', async () => {
  const model = { weights: '19-advice-that-cannot-be-followed/not-square.safetensors' }
  const photo = '19-advice-that-cannot-be-followed/photo.png'
  await expect(embedField(model, photo, { heads: 1 })).rejects.toThrow(
    /13 positions.*trainedSize: \[height, width\].*--trained-size/,
  )
  const got = await embedField(model, photo, { heads: 1, trainedSize: [96, 32], cropFraction: 1 })
  expectNear(got.embedding, [0.3572, 0.0994, -1.1637, 0.09])
})

test.each([
  [
    'of another width',
    'vit_large_patch16_224',
    {},
    /"vit_large_patch16_224" has a width of 1024.*show 64.*embed_dim/,
  ],
  ['of other patches', 'vit_base_patch32_224', { embed_dim: 64 }, /has a patch of 32.*show 16/],
  [
    'without a class token',
    'vit_base_patch16_siglip_gap_224',
    { embed_dim: 64 },
    /has class_token false.*show true/,
  ],
  [
    'without positions on it',
    'deit3_base_patch16_224',
    { embed_dim: 64 },
    /has no_embed_class true.*show false/,
  ],
  [
    'with registers',
    'vit_base_patch16_reg4_gap_256',
    { embed_dim: 64, class_token: true, no_embed_class: false, fc_norm: false },
    /has a number of registers of 4.*show 0/,
  ],
] as const)(
  'an architecture %s than the weights show is refused, since heads and more come from it',
  async (_, architecture, args, refusal) => {
    const { pretrained_cfg } = json('04-timm-crop-pct/crop-0.9/config.json')
    const config = { architecture, pretrained_cfg, model_args: { num_heads: 1, img_size: 224, ...args } }
    const model = { weights: '04-timm-crop-pct/crop-0.9/model.safetensors', config }
    await expect(embedField(model, PHOTO_64)).rejects.toThrow(refusal)
  },
)
