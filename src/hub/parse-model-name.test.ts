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
  [
    'facebookresearch/dinov2:dinov2_vitl14_reg_lc',
    {
      kind: 'file',
      url: 'https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_reg4_pretrain.pth',
      fileName: 'dinov2_vitl14_reg4_pretrain.pth',
      head: {
        url: 'https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_reg4_linear4_head.pth',
        fileName: 'dinov2_vitl14_reg4_linear4_head.pth',
      },
    },
  ],
  ...[
    ['dino_vits16', 'dino_deitsmall16_pretrain'],
    ['dino_vitb8', 'dino_vitbase8_pretrain'],
    ['facebookresearch/dino:dino_vitb16', 'dino_vitbase16_pretrain'],
    ['facebookresearch/dino:main:dino_vits8', 'dino_deitsmall8_pretrain'],
  ].map(([name, file]): [string, unknown] => [
    name ?? '',
    {
      kind: 'file',
      url: `https://dl.fbaipublicfiles.com/dino/${file}/${file}.pth`,
      fileName: `${file}.pth`,
    },
  ]),
  [
    'facebookresearch/dinov2:dinov2_vitl14_reg',
    {
      kind: 'file',
      url: `${META}/dinov2_vitl14/dinov2_vitl14_reg4_pretrain.pth`,
      fileName: 'dinov2_vitl14_reg4_pretrain.pth',
    },
  ],
  ...['vit_base_patch16_clip_quickgelu_224.openai', 'timm/vit_base_patch16_clip_quickgelu_224.openai'].map(
    (name): [string, unknown] => [
      name,
      {
        kind: 'repository',
        id: 'timm/vit_base_patch16_clip_224.openai',
        revision: 'main',
        architecture: 'vit_base_patch16_clip_quickgelu_224.openai',
      },
    ],
  ),
  [
    'hf-hub:timm/vit_small_patch16_lingbot.robbyant',
    {
      kind: 'repository',
      id: 'belfner/vit_small_patch16_lingbot.robbyant',
      revision: 'main',
      architecture: 'vit_small_patch16_lingbot.robbyant',
    },
  ],
  // timm does not know these weights, so that nothing is said of where they lie.
  [
    'timm/vit_base_patch16_clip_quickgelu_224.mine',
    { kind: 'repository', id: 'timm/vit_base_patch16_clip_quickgelu_224.mine', revision: 'main' },
  ],
  [
    'beit3_base_patch16_224.pt',
    { kind: 'repository', id: 'timm/beit3_base_patch16_224.pt', revision: 'main' },
  ],
  ['beit3_small_patch16_224.pt', null],
  ['https://huggingface.co/ViT-L-14/openai', { kind: 'repository', id: 'ViT-L-14/openai', revision: 'main' }],
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

test('every known name is understood as one that can be had', () => {
  for (const { name } of knownModels()) {
    expect(parseModelName(name), name).not.toBeNull()
    expect(parseModelName(name)?.kind, name).not.toBe('elsewhere')
  }
})

test("timm's names mean the same without its own in front", () => {
  for (const { name } of knownModels().filter(({ from }) => from === 'timm'))
    expect(parseModelName(name.replace('timm/', '')), name).toEqual(parseModelName(name))
})

test.each([
  ['dinov3_vits16', ['timm/vit_small_patch16_dinov3.lvd1689m', 'facebook/dinov3-vits16-pretrain-lvd1689m']],
  ['facebookresearch/dinov3:dinov3_vitl16', ['sat493m', 'lvd1689m']],
  ['dinov3_vitl16plus', ['Give the file']],
  ['dinov3_convnext_tiny', ['convolutional']],
  ['facebookresearch/dinov2:dinov2_vits14_ld', ['Name dinov2_vits14 ']],
  ['facebookresearch/dinov2:dinov2_vitl14_rag', ['Is dinov2_vitl14_reg meant?']],
  ['facebookresearch/dinov2:my-branch:dinov2_vitl14', ['main branch']],
  ['facebookresearch/dino:dinov2_vitl14', ['none of the names']],
  ['facebookresearch/capi:capi_vitl14_lvd', ['none of the names']],
  ['ViT-B-32', ['timm/vit_base_patch32_clip_ (quickgelu']],
  ['ViT-L-14-336/openai', ['timm/vit_large_patch14_clip_', 'openai/clip-vit-large-patch14']],
  ['ViT-B-16-SigLIP-256/webli', ['timm/ViT-B-16-SigLIP-256', 'timm/vit_base_patch16_siglip_;']],
  ['vit_huge_patch14_gap_224.in1k_ijepa', ['facebook/ijepa_vith14_1k']],
])('%s is no file, and it is said where its weights lie', (text, parts) => {
  const name = parseModelName(text)
  expect(name?.kind).toBe('elsewhere')
  for (const part of parts) expect(name?.kind === 'elsewhere' && name.advice).toContain(part)
})

test('each repository that advice names, or how its name begins, is known', () => {
  const known = knownModels().map(({ name }) => name)
  for (const text of [
    'ViT-B-32',
    'ViT-bigG-14',
    'ViT-H-14',
    'dinov3_vitl16',
    'vit_giant_patch16_gap_224.in22k_ijepa',
  ]) {
    const name = parseModelName(text)
    const ids = name?.kind === 'elsewhere' ? (name.advice.match(/\b(timm|facebook)\/[\w.-]*\w/g) ?? []) : []
    expect(ids, text).not.toEqual([])
    for (const id of ids)
      expect(
        known.some((name) => name.startsWith(id)),
        `${text}: ${id}`,
      ).toBe(true)
  }
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
  ['timm/vit_small_patch14_dinov2', 'timm/vit_small_patch14_dinov2.lvd142m'],
  ['facebook/dinov2-small', null],
  ['somebody/small', null],
  ['somebody/flowers-of-spring', null],
])('the repository %s is a slip away from %s', (id, expected) => {
  expect(nearMissOrNull(id, names)).toBe(expected)
})

test('what is but a letter away is named first', () => {
  expect(suggestModels('dinov2_vits14_rag', names)[0]).toBe('dinov2_vits14_reg')
})
