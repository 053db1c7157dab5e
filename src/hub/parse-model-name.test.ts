import fc from 'fast-check'
import { expect, test } from 'vitest'
import { knownModels } from './known-models.js'
import { parseModelName } from './parse-model-name.js'
import { nearMissOrNull, suggestModels } from './suggest-models.js'

const META = 'https://dl.fbaipublicfiles.com/dinov2'

test.each([
  ['small', { kind: 'packaged' }],
  ['vit_reg4_b14_nps_ls_dino-v2-lvd142m', { kind: 'published', name: 'vit_reg4_b14_nps_ls_dino-v2-lvd142m' }],
  ['facebook/dinov2-small', { kind: 'repository', id: 'facebook/dinov2-small', revision: 'main' }],
  ['somebody/my-model@v1.2', { kind: 'repository', id: 'somebody/my-model', revision: 'v1.2' }],
  [
    'https://huggingface.co/facebook/dinov2-base',
    { kind: 'repository', id: 'facebook/dinov2-base', revision: 'main' },
  ],
  [
    'hf-hub:timm/vit_small_patch16_224.dino',
    { kind: 'repository', id: 'timm/vit_small_patch16_224.dino', revision: 'main' },
  ],
  [
    'vit_small_patch14_reg4_dinov2.lvd142m',
    { kind: 'repository', id: 'timm/vit_small_patch14_reg4_dinov2.lvd142m', revision: 'main' },
  ],
  [
    'dinov2_vits14',
    {
      kind: 'file',
      url: `${META}/dinov2_vits14/dinov2_vits14_pretrain.pth`,
      fileName: 'dinov2_vits14_pretrain.pth',
    },
  ],
  [
    'dinov2_vitl14_reg',
    {
      kind: 'file',
      url: `${META}/dinov2_vitl14/dinov2_vitl14_reg4_pretrain.pth`,
      fileName: 'dinov2_vitl14_reg4_pretrain.pth',
    },
  ],
  ['somebody/my-model@refs/pr/3', { kind: 'repository', id: 'somebody/my-model', revision: 'refs/pr/3' }],
  ['somebody/my-model@refs/../3', null],
  ['somebody/my-model@refs//3', null],
  ['dinov2_vits14_pretrain.pth', null],
  ['dinov2_vitx14', null],
  ['./weights', null],
  ['../facebook/dinov2-small', null],
  ['a/b/c', null],
  ['folder/model.safetensors', null],
  ['folder\\model', null],
  ['https://elsewhere.example/facebook/dinov2-small', null],
  ['no-such-model', null],
  ['constructor', null],
])('%s means %j', (text, expected) => {
  expect(parseModelName(text)).toEqual(expected)
})

test('every known name is understood', () => {
  for (const { name } of knownModels()) expect(parseModelName(name), name).not.toBeNull()
})

test('an id of a repository never leads out of a folder', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab./-_@:~ \\') }), (text) => {
      const name = parseModelName(text)
      if (name?.kind !== 'repository') return
      for (const part of [...name.id.split('/'), ...name.revision.split('/')])
        expect(part).toMatch(/^[\w-][\w.-]*$/)
    }),
  )
})

const names = knownModels().map(({ name }) => name)
test.each([
  ['dinov2-small', 'facebook/dinov2-small'],
  ['dinov2_vits14_reg4', 'dinov2_vits14_reg'],
  ['dinov2-base-registers', 'facebook/dinov2-with-registers-base'],
  ['facebook/dinov2_large', 'facebook/dinov2-large'],
  ['vit_large_patch14_dinov2', 'timm/vit_large_patch14_dinov2.lvd142m'],
  ['vit_reg4_l14_nps_ls_dino-v2', 'vit_reg4_l14_nps_ls_dino-v2-lvd142m'],
  ['vit_reg4_l14', 'vit_reg4_l14_nps_ls_dino-v2-lvd142m'],
  ['VIT_L14_PN', 'vit_l14_pn_bioclip-v2'],
  ['smal', 'small'],
])('%s is answered with %s', (text, expected) => {
  expect(suggestModels(text, names)).toContain(expected)
})

test.each([
  ['facebook/dinov2-smal', 'facebook/dinov2-small'],
  ['Facebook/DINOv2-small', 'facebook/dinov2-small'],
  ['facbook/dinov2-base', 'facebook/dinov2-base'],
  ['meta/dinov2-large', 'facebook/dinov2-large'],
  ['timm/vit_small_patch14_dinov2.lvd142n', 'timm/vit_small_patch14_dinov2.lvd142m'],
  ['timm/vit_smal_patch14_reg4_dinov2.lvd142m', 'timm/vit_small_patch14_reg4_dinov2.lvd142m'],
  ['birder-project/vit_reg4_l14_nps_ls_dino-v2-lvd142m', 'vit_reg4_l14_nps_ls_dino-v2-lvd142m'],
  ['facebook/dinov2-small', null],
  ['somebody/small', null],
  ['somebody/flowers-of-spring', null],
])('the repository %s is a slip away from %s', (id, expected) => {
  expect(nearMissOrNull(id, names)).toBe(expected)
})

test('what is but a letter away is named first', () => {
  expect(suggestModels('dinov2_vits14_rag', names)[0]).toBe('dinov2_vits14_reg')
})
