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
  [
    'DINOv3 without its periods, by the mask of its biases',
    { ...placeless, 'blocks.0.attn.qkv.bias_mask': [12] },
    /DINOv3.*files are read where they have rope_embed\.periods/,
  ],
  ['SAM', { ...TINY_NETWORKS.timm, 'blocks.0.attn.rel_pos_h': [3, 2] }, /SAM.*ViT_SAM/],
  ['a hybrid', { ...TINY_NETWORKS.timm, 'patch_embed.backbone.0.conv.weight': [4, 3, 7, 7] }, /hybrid/],
  [
    'routed experts',
    { ...TINY_NETWORKS.birder, 'encoder.block.0.mlp.router.gate.weight': [2, 4] },
    /routed experts.*Name it: network/,
  ],
  [
    'differential attention',
    { ...TINY_NETWORKS.timm, 'blocks.0.attn.lambda_q1': [2] },
    /differential attention/,
  ],
  [
    "MAE with its decoder, in Meta's layout",
    { ...placeless, pos_embed: [1, 5, 4], 'decoder_blocks.0.norm1.weight': [4] },
    /decoder.*mae_pretrain_vit.*facebook\/vit-mae-large/,
  ],
  [
    'CLIP with a ResNet',
    { 'visual.conv1.weight': [4, 3, 2, 2], 'visual.layer1.0.conv1.weight': [4, 4, 1, 1] },
    /CLIP with a ResNet/,
  ],
  ['a part of CLIP', { 'visual.conv1.weight': [4, 3, 2, 2] }, /CLIP.*visual\.ln_post/],
  ['Swin', { 'layers.0.blocks.0.attn.qkv.weight': [12, 4] }, /Swin.*stages/],
  ['CAPI', { 'encoder.blocks.0.residual1.fn.q_proj.weight': [4, 4], registers: [1, 16, 4] }, /CAPI/],
  [
    "V-JEPA 2 in Meta's layout",
    { ...TINY_NETWORKS.timm, 'patch_embed.proj.weight': [4, 3, 2, 2, 2] },
    /V-JEPA 2.*I-JEPA/,
  ],
  [
    'V-JEPA 2 as transformers writes it',
    { 'encoder.embeddings.patch_embeddings.proj.weight': [4, 3, 2, 2, 2] },
    /V-JEPA 2.*I-JEPA/,
  ],
  [
    "Sapiens 2 in its makers' layout",
    { storage_tokens: [1, 8, 4], 'blocks.0.attn.wq.weight': [4, 4] },
    /Sapiens 2/,
  ],
  [
    'Sapiens 2 as transformers writes it',
    {
      'embeddings.cls_token': [1, 1, 4],
      'embeddings.patch_embeddings.weight': [4, 3, 2, 2],
      'model.layer.0.attention.q_proj.weight': [4, 4],
      'model.layer.0.attention.q_norm.weight': [4],
      'model.layer.0.layer_scale1.lambda1': [4],
    },
    /Sapiens 2/,
  ],
  [
    "DINOv3's ConvNeXt of transformers",
    { 'stages.0.layers.0.depthwise_conv.weight': [4, 1, 7, 7] },
    /ConvNeXt/,
  ],
  ["DINOv3's ConvNeXt of Meta", { 'stages.0.0.dwconv.weight': [4, 1, 7, 7] }, /ConvNeXt/],
  ["DINOv3's ConvNeXt of timm", { 'stages.0.blocks.0.conv_dw.weight': [4, 1, 7, 7] }, /ConvNeXt/],
  [
    "MobileCLIP in Apple's layout",
    { 'image_encoder.model.patch_embed.0.rbr_conv.0.conv.weight': [4, 3, 3, 3] },
    /MobileCLIP.*SigLIP/,
  ],
  ['MobileCLIP of timm', { 'stages.0.blocks.0.token_mixer.norm.identity.weight': [4] }, /MobileCLIP.*SigLIP/],
])('%s is refused by its name', (_name, shapes, message) => {
  expect(refusal(shapes)).toThrow(
    expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) }),
  )
})

test('Theia is told by the translators beside its backbone, which is a DeiT', () => {
  const backbone: Shapes = {
    'embeddings.cls_token': [1, 1, 4],
    'embeddings.patch_embeddings.projection.weight': [4, 3, 2, 2],
    'encoder.layer.0.attention.attention.query.weight': [4, 4],
  }
  const dropped = ['translator.translator_heads.dinov2.0.weight', 'translator.backbone_adapter.0.weight']
  expect(() => readVit({ ...tinyCheckpoint(backbone), wrapping: 'backbone.model.', dropped })).toThrow(
    expect.objectContaining({
      code: 'unsupported-network',
      message: expect.stringMatching(/Theia.*facebook\/deit/),
    }),
  )
})

test.each<readonly [string, PlainRecord, RegExp]>([
  [
    'differential attention',
    { architecture: 'vit_dlittle_patch16_reg1_gap_256' },
    /attention of the kind diff/,
  ],
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

test.each([
  ['dinov3_convnext', /ConvNeXt/],
  ['vjepa2', /V-JEPA 2/],
  ['videomae', /VideoMAE/],
  ['aimv2', /aimv2_vision_model.*timm\/aimv2_large_patch14_224\.apple_pt/],
  ['sapiens2', /Sapiens/],
  ['theia', /Theia/],
  ['capi', /CAPI/],
  ['mobileclip', /MobileCLIP/],
  ['depth_anything', /DPT.*depth/],
  ['dpt', /DPT.*depth/],
])('a config of %s says that the network is not run', (model_type, message) => {
  expect(refusal({ 'stages.0.layers.0.depthwise_conv.weight': [4] }, { model_type })).toThrow(
    expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) }),
  )
})

test.each<readonly [string, Shapes, RegExp]>([
  ["DINOv3's", { ...placeless, 'blocks.0.gamma_1': [4] }, /class Eva or Beit.*gamma_1.*config\.json/],
  [
    "BEiT's",
    { ...TINY_NETWORKS.timm, 'blocks.0.attn.relative_position_bias_table': [9, 2] },
    /class Beit.*relative_position_bias_table/,
  ],
  ["EVA's", { ...TINY_NETWORKS.timm, 'blocks.0.attn.q_bias': [4] }, /class Eva or Beit.*q_bias/],
  ['learnt frequencies', { ...TINY_NETWORKS.timm, 'rope.freqs': [2, 1, 2, 1] }, /class Eva.*rope\.freqs/],
  [
    'a net of offsets',
    { ...TINY_NETWORKS.timm, 'shared_rel_pos.mlp.fc1.weight': [8, 2] },
    /class VisionTransformerRelPos.*shared_rel_pos/,
  ],
])(
  "timm's weights with %s are asked for their config, which tells what they do not",
  (_name, shapes, message) => {
    expect(refusal(shapes)).toThrow(
      expect.objectContaining({ code: 'contradiction', message: expect.stringMatching(message) }),
    )
  },
)

test('a position table is a contradiction where the architecture has none', () => {
  const file = {
    architecture: 'vit_small_patch16_dinov3',
    model_args: { img_size: 4, patch_size: 2, embed_dim: 4, num_heads: 1 },
  }
  expect(() => readVit(tinyCheckpoint(TINY_NETWORKS.timm), { configFile: file })).toThrow(/use_abs_pos_emb/)
})

test.each(['vit', 'clip_vision_model', 'beit', 'siglip_vision_model', 'deit'])(
  'a config of %s beside names of DINOv2 is refused by its model_type',
  (model_type) => {
    expect(refusal(TINY_NETWORKS['hugging-face'], { model_type })).toThrow(
      expect.objectContaining({ code: 'unsupported-network', message: expect.stringContaining(model_type) }),
    )
  },
)

test("a file of another layout than timm's is not built by a name of timm's", () => {
  const architecture = 'vit_base_patch16_clip_quickgelu_224.openai'
  const file = tinyCheckpoint(TINY_NETWORKS['hugging-face'])
  expect(() => readVit(file, { heads: 2, architecture })).toThrow(
    expect.objectContaining({ code: 'contradiction', message: expect.stringContaining(architecture) }),
  )
})

test('a config of the other library beside the weights is a contradiction', () => {
  expect(refusal(TINY_NETWORKS.timm, { model_type: 'vit', hidden_size: 4 })).toThrow(/a file of transformers/)
  expect(refusal(TINY_NETWORKS['hugging-face'], { architecture: 'vit_tiny_patch16_224' })).toThrow(
    /a file of timm/,
  )
})
