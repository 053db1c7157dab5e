/** Makes the smallest network of each family of transformers, as tiny-networks.ts does for the layouts of DINOv2: one block, 4 channels, 2 x 2 patches. */
import { linear, type Shapes, vectors } from './tiny-networks.js'

const KERNEL = [4, 3, 2, 2] as const

const vitBlock = (block: string): Shapes => ({
  ...vectors(`${block}.layernorm_before`, 4),
  ...linear(`${block}.attention.attention.query`, 4, 4),
  ...linear(`${block}.attention.attention.key`, 4, 4),
  ...linear(`${block}.attention.attention.value`, 4, 4),
  ...linear(`${block}.attention.output.dense`, 4, 4),
  ...vectors(`${block}.layernorm_after`, 4),
  ...linear(`${block}.intermediate.dense`, 8, 4),
  ...linear(`${block}.output.dense`, 4, 8),
})
const vitFront: Shapes = {
  'embeddings.cls_token': [1, 1, 4],
  'embeddings.patch_embeddings.projection.weight': KERNEL,
  'embeddings.patch_embeddings.projection.bias': [4],
}
const { 'encoder.layer.0.attention.attention.key.bias': _none, ...beitBlock } = vitBlock('encoder.layer.0')

const towerBlock: Shapes = {
  ...vectors('encoder.layers.0.layer_norm1', 4),
  ...linear('encoder.layers.0.self_attn.q_proj', 4, 4),
  ...linear('encoder.layers.0.self_attn.k_proj', 4, 4),
  ...linear('encoder.layers.0.self_attn.v_proj', 4, 4),
  ...linear('encoder.layers.0.self_attn.out_proj', 4, 4),
  ...vectors('encoder.layers.0.layer_norm2', 4),
  ...linear('encoder.layers.0.mlp.fc1', 8, 4),
  ...linear('encoder.layers.0.mlp.fc2', 4, 8),
}
const clip: Shapes = {
  'embeddings.class_embedding': [4],
  'embeddings.patch_embedding.weight': KERNEL,
  'embeddings.position_embedding.weight': [5, 4],
  ...vectors('pre_layrnorm', 4),
  ...towerBlock,
  ...vectors('post_layernorm', 4),
}
const siglip: Shapes = {
  'embeddings.patch_embedding.weight': KERNEL,
  'embeddings.patch_embedding.bias': [4],
  'embeddings.position_embedding.weight': [4, 4],
  ...towerBlock,
  ...vectors('post_layernorm', 4),
  'head.probe': [1, 1, 4],
  'head.attention.in_proj_weight': [12, 4],
  'head.attention.in_proj_bias': [12],
  ...linear('head.attention.out_proj', 4, 4),
  ...vectors('head.layernorm', 4),
  ...linear('head.mlp.fc1', 8, 4),
  ...linear('head.mlp.fc2', 4, 8),
}
const matrix = (module: string, rows: number, columns: number): Shapes => ({
  [`${module}.weight`]: [rows, columns],
})

/** Gives the tensors of an image tower the name in front that they have beside a text tower. */
function besideText(shapes: Shapes, more: Shapes): Shapes {
  const tower = Object.entries(shapes).map(([name, shape]) => [`vision_model.${name}`, shape] as const)
  return { ...Object.fromEntries(tower), ...more }
}

export const TINY_FAMILIES = {
  dinov3: {
    'embeddings.cls_token': [1, 1, 4],
    'embeddings.register_tokens': [1, 2, 4],
    'embeddings.patch_embeddings.weight': KERNEL,
    'embeddings.patch_embeddings.bias': [4],
    ...vectors('layer.0.norm1', 4),
    ...linear('layer.0.attention.q_proj', 4, 4),
    ...matrix('layer.0.attention.k_proj', 4, 4),
    ...linear('layer.0.attention.v_proj', 4, 4),
    ...linear('layer.0.attention.o_proj', 4, 4),
    'layer.0.layer_scale1.lambda1': [4],
    ...vectors('layer.0.norm2', 4),
    ...linear('layer.0.mlp.up_proj', 8, 4),
    ...linear('layer.0.mlp.down_proj', 4, 8),
    'layer.0.layer_scale2.lambda1': [4],
    ...vectors('norm', 4),
  },
  vit: {
    ...vitFront,
    'embeddings.position_embeddings': [1, 5, 4],
    ...vitBlock('encoder.layer.0'),
    ...vectors('layernorm', 4),
    ...linear('pooler.dense', 4, 4),
  },
  beit: {
    ...vitFront,
    ...beitBlock,
    'encoder.layer.0.attention.attention.relative_position_bias.relative_position_bias_table': [12, 2],
    'encoder.layer.0.lambda_1': [4],
    'encoder.layer.0.lambda_2': [4],
    ...vectors('pooler.layernorm', 4),
  },
  clip: { ...clip, 'visual_projection.weight': [6, 4] },
  'clip, both towers': besideText(clip, { 'visual_projection.weight': [6, 4], logit_scale: [] }),
  siglip,
  'siglip, both towers': besideText(siglip, { logit_scale: [1], logit_bias: [1] }),
  'siglip, naflex': { ...siglip, 'embeddings.patch_embedding.weight': [4, 12] },
  aimv2: {
    'embeddings.patch_embed.weight': KERNEL,
    'embeddings.patch_embed.bias': [4],
    'embeddings.rms_norm.weight': [4],
    'embeddings.position_embedding.weight': [4, 4],
    'encoder.layers.0.rms_norm1.weight': [4],
    ...matrix('encoder.layers.0.attention.q_proj', 4, 4),
    ...matrix('encoder.layers.0.attention.k_proj', 4, 4),
    ...matrix('encoder.layers.0.attention.v_proj', 4, 4),
    ...matrix('encoder.layers.0.attention.out_proj', 4, 4),
    'encoder.layers.0.rms_norm2.weight': [4],
    ...matrix('encoder.layers.0.ffn.gate_proj', 8, 4),
    ...matrix('encoder.layers.0.ffn.up_proj', 8, 4),
    ...matrix('encoder.layers.0.ffn.down_proj', 4, 8),
    'rms_norm.weight': [4],
    'head.cls_token': [1, 1, 4],
    ...matrix('head.k_proj', 4, 4),
    ...matrix('head.v_proj', 4, 4),
    ...linear('head.output_proj', 4, 4),
  },
  tipsv2: {
    cls_token: [1, 1, 4],
    register_tokens: [1, 2, 4],
    pos_embed: [1, 5, 4],
    'patch_embed.proj.weight': KERNEL,
    'patch_embed.proj.bias': [4],
    ...vectors('blocks.0.norm1', 4),
    ...linear('blocks.0.attn.qkv', 12, 4),
    ...linear('blocks.0.attn.proj', 4, 4),
    'blocks.0.ls1.gamma': [4],
    ...vectors('blocks.0.norm2', 4),
    ...linear('blocks.0.mlp.c_fc', 8, 4),
    ...linear('blocks.0.mlp.c_proj', 4, 8),
    'blocks.0.ls2.gamma': [4],
    ...vectors('norm', 4),
  },
  radio: {
    'radio_model.summary_idxs': [2],
    'radio_model.input_conditioner.norm_mean': [3, 1, 1],
    'radio_model.input_conditioner.norm_std': [3, 1, 1],
    'radio_model.model.patch_generator.embedder.weight': [4, 12],
    'radio_model.model.patch_generator.pos_embed': [1, 4, 4],
    'radio_model.model.patch_generator.cls_token.token': [5, 4],
    ...vectors('radio_model.model.blocks.0.norm1', 4),
    ...linear('radio_model.model.blocks.0.attn.qkv', 12, 4),
    ...linear('radio_model.model.blocks.0.attn.proj', 4, 4),
    ...vectors('radio_model.model.blocks.0.norm2', 4),
    ...linear('radio_model.model.blocks.0.mlp.fc1', 8, 4),
    ...linear('radio_model.model.blocks.0.mlp.fc2', 4, 8),
  },
} as const satisfies { readonly [family: string]: Shapes }
