/** How many heads a network has is told by a config, by a name, by the caller, or asked for: no tensor shows it. */
import { expect, test } from 'vitest'
import { type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import { readVit } from '../read-vit.js'
import type { VitHints } from './dialect.js'

/** Is a plain network of timm's in this width: one block, patches of 2 x 2, a table of 2 x 2 and the class token. */
function plain(width: number): Shapes {
  const vectors = (name: string) => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] })
  return {
    cls_token: [1, 1, width],
    pos_embed: [1, 5, width],
    'patch_embed.proj.weight': [width, 3, 2, 2],
    'patch_embed.proj.bias': [width],
    ...vectors('blocks.0.norm1'),
    'blocks.0.attn.qkv.weight': [3 * width, width],
    'blocks.0.attn.qkv.bias': [3 * width],
    'blocks.0.attn.proj.weight': [width, width],
    'blocks.0.attn.proj.bias': [width],
    ...vectors('blocks.0.norm2'),
    'blocks.0.mlp.fc1.weight': [8, width],
    'blocks.0.mlp.fc1.bias': [8],
    'blocks.0.mlp.fc2.weight': [width, 8],
    'blocks.0.mlp.fc2.bias': [width],
    ...vectors('norm'),
  }
}
const headsOf = (width: number, label: string, hints: VitHints = {}) =>
  readVit({ ...tinyCheckpoint(plain(width)), label }, hints).config.heads
const architecture = (name: string): VitHints => ({
  configFile: { architecture: name, model_args: { img_size: 4, patch_size: 2, no_embed_class: false } },
})

test.each([
  [1280, 'vit_huge_patch14_224', 16],
  [1280, 'deit3_huge_patch14_224', 16],
  [896, 'vit_base_patch16_plus_240', 14],
  [1408, 'vit_giant_patch14_224', 16],
  [1664, 'vit_gigantic_patch14_224', 16],
  [384, 'vit_small_patch16_224', 6],
])('a network of width %i that config.json calls %s has %i heads', (width, name, heads) => {
  expect(headsOf(width, 'model.safetensors', architecture(name))).toBe(heads)
})

test.each([
  [1280, 'vit_huge_patch14_224.orig_in21k.safetensors', 16],
  [1280, 'models--timm--vit_huge_patch14_clip_224.laion2b/snapshots/abc/model.safetensors', 16],
  [384, 'moco_v3_vit_small.pth', 12],
  [1280, 'mae_pretrain_vit_huge.pth', 16],
  [384, 'dino_deitsmall16_pretrain.pth', 6],
])('a network of width %i in the file %s has %i heads', (width, label, heads) => {
  const shapes = plain(width)
  const preNorm = /clip/.test(label)
  const { 'patch_embed.proj.bias': _, ...biasless } = shapes
  const all: Shapes = preNorm ? { ...biasless, 'norm_pre.weight': [width], 'norm_pre.bias': [width] } : shapes
  expect(readVit({ ...tinyCheckpoint(all), label }).config.heads).toBe(heads)
})

test.each([96, 384, 768, 1024, 1280])(
  'in a file without config or name, those of width %i are asked for',
  (width) => {
    expect(() => headsOf(width, 'weights.pth')).toThrow(/how many heads.*option heads.*--heads/)
    expect(headsOf(width, 'weights.pth', { heads: 4 })).toBe(4)
  },
)

test('whoever is asked for heads is told what published networks of the width have', () => {
  expect(() => headsOf(384, 'weights.pth')).toThrow(/of its width 384 have 6\./)
  expect(() => headsOf(100, 'weights.pth')).not.toThrow(/of its width/)
})

test("the widths that Meta's code builds DINOv2 in tell its heads, and no others do", () => {
  const { facebook } = TINY_NETWORKS
  expect(() => readVit(tinyCheckpoint(facebook))).toThrow(/how many heads/)
  const meta = (width: number) => ({ ...plain(width), mask_token: [1, width] })
  expect(readVit(tinyCheckpoint(meta(1536))).config.heads).toBe(24)
  expect(() => readVit(tinyCheckpoint(meta(1280)))).toThrow(/how many heads/)
})

test('heads that do not divide the width are refused', () => {
  expect(() => headsOf(96, 'weights.pth', { heads: 7 })).toThrow(/7 heads do not divide its width 96/)
})
