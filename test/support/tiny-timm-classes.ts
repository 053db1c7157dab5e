/** Makes networks of timm's further classes, as small as can be: a width of 8, two heads, one block, 2 x 2 patches of 2 x 2 pixels. */
import type { Shapes } from './tiny-networks.js'

const linear = (name: string, rows: number, columns: number): Shapes => ({
  [`${name}.weight`]: [rows, columns],
  [`${name}.bias`]: [rows],
})
const norm = (name: string): Shapes => ({ [`${name}.weight`]: [8], [`${name}.bias`]: [8] })

const FRONT: Shapes = { 'patch_embed.proj.weight': [8, 3, 2, 2], 'patch_embed.proj.bias': [8] }
const BLOCK: Shapes = {
  ...norm('blocks.0.norm1'),
  'blocks.0.attn.qkv.weight': [24, 8],
  ...linear('blocks.0.attn.proj', 8, 8),
  ...norm('blocks.0.norm2'),
  ...linear('blocks.0.mlp.fc1', 16, 8),
  ...linear('blocks.0.mlp.fc2', 8, 16),
}
const TWO_BIASES: Shapes = { 'blocks.0.attn.q_bias': [8], 'blocks.0.attn.v_bias': [8] }
const GAMMAS: Shapes = { 'blocks.0.gamma_1': [8], 'blocks.0.gamma_2': [8] }
const SCALES: Shapes = { 'blocks.0.ls1.gamma': [8], 'blocks.0.ls2.gamma': [8] }
const POOL: Shapes = {
  'attn_pool.latent': [1, 1, 8],
  ...linear('attn_pool.q', 8, 8),
  ...linear('attn_pool.kv', 16, 8),
  ...linear('attn_pool.proj', 8, 8),
  ...norm('attn_pool.norm'),
  ...linear('attn_pool.mlp.fc1', 16, 8),
  ...linear('attn_pool.mlp.fc2', 8, 16),
}
const HEAD = linear('head', 7, 8)

export const TINY_EVA: Shapes = {
  ...FRONT,
  cls_token: [1, 1, 8],
  reg_token: [1, 2, 8],
  pos_embed: [1, 3 + 4, 8],
  ...BLOCK,
  ...TWO_BIASES,
  ...GAMMAS,
  ...norm('fc_norm'),
  ...HEAD,
}
const { 'blocks.0.gamma_1': _, 'blocks.0.gamma_2': __, ...withoutScale } = TINY_EVA
export const TINY_EVA_WITHOUT_SCALE: Shapes = withoutScale
const { 'fc_norm.weight': ___, 'fc_norm.bias': ____, ...withoutNorm } = TINY_EVA
export const TINY_EVA_POOLED: Shapes = { ...withoutNorm, ...norm('norm'), ...POOL }
export const TINY_BEIT: Shapes = {
  ...FRONT,
  cls_token: [1, 1, 8],
  ...BLOCK,
  ...TWO_BIASES,
  ...GAMMAS,
  'blocks.0.attn.relative_position_bias_table': [12, 2],
  ...norm('fc_norm'),
  ...HEAD,
}
export const TINY_RELPOS: Shapes = {
  ...FRONT,
  ...BLOCK,
  ...SCALES,
  ...linear('blocks.0.attn.rel_pos.mlp.fc1', 16, 2),
  ...linear('blocks.0.attn.rel_pos.mlp.fc2', 2, 16),
  ...norm('fc_norm'),
  ...HEAD,
}
export const TINY_NAFLEX: Shapes = {
  ...linear('embeds.proj', 8, 12),
  'embeds.reg_token': [1, 2, 8],
  'embeds.pos_embed': [1, 2, 2, 8],
  ...BLOCK,
  'blocks.0.attn.qkv.bias': [24],
  ...SCALES,
  ...norm('norm'),
  ...POOL,
  ...HEAD,
}

/** Lists networks, each with an architecture that names its class. */
export const TINY_TIMM_CLASSES: readonly (readonly [name: string, architecture: string, Shapes])[] = [
  ['Eva', 'eva02_tiny_patch14_224', TINY_EVA],
  ['Eva with an attention pooling', 'vit_pe_core_tiny_patch16_384', TINY_EVA_POOLED],
  [
    'Eva with learnt frequencies',
    'vit_small_patch16_rope_mixed_ape_224',
    { ...TINY_EVA, pos_embed: [1, 4, 8], 'rope.freqs': [2, 1, 2, 2] },
  ],
  ['Beit', 'beit_base_patch16_224', TINY_BEIT],
  ['VisionTransformerRelPos', 'vit_relpos_small_patch16_224', TINY_RELPOS],
  ['NaFlexVit', 'naflexvit_base_patch16_map', TINY_NAFLEX],
]
