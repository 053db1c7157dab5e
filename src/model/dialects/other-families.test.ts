/** Networks that look alike and compute something else are told by what their libraries leave in names, shapes and configs. */
import { expect, test } from 'vitest'
import { type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import type { PlainRecord } from '../../plain-value.js'
import { readVit } from '../read-vit.js'

const refusal = (shapes: Shapes, configFile?: PlainRecord) => () =>
  readVit(tinyCheckpoint(shapes), { heads: 2, ...(configFile === undefined ? {} : { configFile }) })
const { pos_embed: _, 'blocks.0.ls1.gamma': __, ...placeless } = TINY_NETWORKS.timm

test.each<readonly [string, Shapes, RegExp]>([
  [
    "DINOv3 in Meta's layout, with a table of positions",
    { ...TINY_NETWORKS.timm, 'rope_embed.periods': [1] },
    /DINOv3.*rotary/,
  ],
  [
    "DINOv3 in Meta's layout, by its registers",
    { ...placeless, storage_tokens: [1, 4, 4] },
    /DINOv3.*rotary/,
  ],
  ["DINOv3 in timm's layout", { ...placeless, 'blocks.0.gamma_1': [4] }, /DINOv3.*rotary/],
  [
    "DINOv3 in transformers' layout",
    { 'embeddings.register_tokens': [1, 4, 4], 'layer.0.attention.q_proj.weight': [4, 4] },
    /DINOv3.*rotary/,
  ],
  [
    'BEiT',
    { ...TINY_NETWORKS.timm, 'blocks.0.attn.relative_position_bias_table': [9, 2] },
    /relative positions/,
  ],
  ['EVA', { ...TINY_NETWORKS.timm, 'blocks.0.attn.q_bias': [4] }, /BEiT or EVA/],
  ['a distilled DeiT', { ...TINY_NETWORKS.timm, dist_token: [1, 1, 4] }, /two class tokens/],
  ['SAM', { ...TINY_NETWORKS.timm, 'blocks.0.attn.rel_pos_h': [3, 2] }, /SAM/],
  ['a hybrid', { ...TINY_NETWORKS.timm, 'patch_embed.backbone.stem.conv.weight': [4, 3, 7, 7] }, /hybrid/],
  [
    'a norm in the feed-forward net',
    { ...TINY_NETWORKS.timm, 'blocks.0.mlp.norm.weight': [8] },
    /norm inside/,
  ],
  ["transformers' ViT", { 'vit.encoder.layer.0.layernorm_before.weight': [4] }, /built as its ViT/],
  ['CLIP', { 'vision_model.embeddings.class_embedding': [4] }, /CLIP/],
  ['SigLIP', { 'vision_model.embeddings.patch_embedding.weight': [4, 3, 2, 2] }, /SigLIP/],
])('%s is refused by its name', (_name, shapes, message) => {
  expect(refusal(shapes)).toThrow(
    expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) }),
  )
})

test.each<readonly [string, PlainRecord, RegExp]>([
  [
    'another architecture',
    { architecture: 'vit_small_patch16_dinov3' },
    /vit_small_patch16_dinov3.*DINOv3.*rotary/,
  ],
  ['blocks with their norms behind', { architecture: 'vit_base_patch16_rpn_224' }, /rpn_224.*ResPostBlock/],
  ['differential attention', { architecture: 'vit_dlittle_patch16_reg1_gap_256' }, /attn diff/],
  [
    'a name that is nearly right',
    { architecture: 'vit_tiny_patch16_225' },
    /Is vit_tiny_patch16_224 meant\?/,
  ],
])('a config of timm that names %s is refused, though its tensors are plain', (_name, file, message) => {
  expect(refusal(TINY_NETWORKS.timm, file)).toThrow(
    expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) }),
  )
})

test.each(['vit', 'clip_vision_model', 'beit', 'siglip_vision_model', 'deit'])(
  'a config of %s beside names of DINOv2 is refused by its model_type',
  (model_type) => {
    expect(refusal(TINY_NETWORKS['hugging-face'], { model_type })).toThrow(
      expect.objectContaining({ code: 'unsupported-network', message: expect.stringContaining(model_type) }),
    )
  },
)

test('a config of the other library beside the weights is a contradiction', () => {
  expect(refusal(TINY_NETWORKS.timm, { model_type: 'vit', hidden_size: 4 })).toThrow(/a file of transformers/)
  expect(refusal(TINY_NETWORKS['hugging-face'], { architecture: 'vit_tiny_patch16_224' })).toThrow(
    /a file of timm/,
  )
})
