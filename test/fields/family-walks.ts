/** Walks the config.json of each family of transformers. */
import { AIMV2_CONFIG } from '../../src/model/families/hugging-face-aimv2.js'
import { BEIT_CONFIG } from '../../src/model/families/hugging-face-beit.js'
import { CLIP_CONFIG, CLIP_TOWERS } from '../../src/model/families/hugging-face-clip.js'
import { DINOV3_CONFIG } from '../../src/model/families/hugging-face-dinov3.js'
import { RADIO_CONFIG } from '../../src/model/families/hugging-face-radio.js'
import { SIGLIP_CONFIG, SIGLIP_TOWERS } from '../../src/model/families/hugging-face-siglip.js'
import { TIPSV2_CONFIG, TIPSV2_TOWERS } from '../../src/model/families/hugging-face-tipsv2.js'
import { VIT_CONFIG } from '../../src/model/families/hugging-face-vit.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { TINY_FAMILIES } from '../support/tiny-families.js'
import { tinyCheckpoint } from '../support/tiny-networks.js'
import { resultOf, type Walk } from './walk.js'

type Family = keyof typeof TINY_FAMILIES

const read = (family: Family) => (configFile: PlainRecord) =>
  resultOf(readVit(tinyCheckpoint(TINY_FAMILIES[family]), { configFile }))

/** Are the sizes of every tiny network. */
const SIZES: PlainRecord = {
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_channels: 3,
  patch_size: 2,
}
const BASE: PlainRecord = { ...SIZES, image_size: 4, intermediate_size: 8, hidden_act: 'gelu' }
const OTHER_SIZES = {
  model_type: { model_type: 'resnet' },
  hidden_size: { hidden_size: 8 },
  num_hidden_layers: { num_hidden_layers: 2 },
  num_attention_heads: { num_attention_heads: 4 },
  num_channels: { num_channels: 1 },
  patch_size: { patch_size: 4 },
  image_size: { image_size: 8 },
  hidden_act: { hidden_act: 'relu' },
  transformers_version: { transformers_version: '4.57.6' },
}
const OTHERS = {
  ...OTHER_SIZES,
  intermediate_size: { intermediate_size: 16 },
  layer_norm_eps: { layer_norm_eps: 1e-3 },
}
const OTHER_LAYERS = {
  out_features: { out_features: ['stem'] },
  out_indices: { out_indices: [0] },
}
const OTHER_NORMED_LAYERS = {
  ...OTHER_LAYERS,
  apply_layernorm: { out_indices: [0], apply_layernorm: false },
}
const GATED_LIKE_DINOV2: PlainRecord = { ...SIZES, image_size: 4, mlp_ratio: 2 }
const OTHERS_LIKE_DINOV2 = {
  ...OTHER_SIZES,
  mlp_ratio: { mlp_ratio: 4 },
  qkv_bias: { qkv_bias: false },
  use_swiglu_ffn: { use_swiglu_ffn: true },
  layer_norm_eps: { layer_norm_eps: 1e-3 },
}
const towers = (vision: PlainRecord): PlainRecord => ({ text_config: {}, vision_config: vision })
const OTHER_TOWERS = (vision: PlainRecord) => ({
  model_type: OTHERS.model_type,
  vision_config: { vision_config: { ...vision, num_attention_heads: 4 } },
  transformers_version: OTHERS.transformers_version,
})

export const FAMILY_WALKS: readonly Walk[] = [
  {
    table: DINOV3_CONFIG,
    // Rotary positions take four numbers of each head.
    base: { ...BASE, model_type: 'dinov3_vit', num_attention_heads: 1 },
    read: read('dinov3'),
    others: {
      ...OTHERS,
      ...OTHER_NORMED_LAYERS,
      num_attention_heads: { num_attention_heads: 2 },
      num_register_tokens: { num_register_tokens: 4 },
      query_bias: { query_bias: false },
      key_bias: { key_bias: true },
      value_bias: { value_bias: false },
      proj_bias: { proj_bias: false },
      mlp_bias: { mlp_bias: false },
      use_gated_mlp: { use_gated_mlp: true },
      rope_theta: { rope_theta: 50 },
      rope_parameters: { rope_parameters: { rope_theta: 50 } },
    },
  },
  {
    table: VIT_CONFIG,
    base: { ...BASE, model_type: 'vit' },
    read: read('vit'),
    others: {
      ...OTHERS,
      qkv_bias: { qkv_bias: false },
      pooler_act: { pooler_act: 'relu' },
      pooler_output_size: { pooler_output_size: 8 },
    },
  },
  {
    table: BEIT_CONFIG,
    base: { ...BASE, model_type: 'beit', use_relative_position_bias: true },
    read: read('beit'),
    others: {
      ...OTHERS,
      ...OTHER_LAYERS,
      use_absolute_position_embeddings: { use_absolute_position_embeddings: true },
      use_relative_position_bias: { use_relative_position_bias: false },
      use_shared_relative_position_bias: { use_shared_relative_position_bias: true },
      layer_scale_init_value: { layer_scale_init_value: 0 },
      use_mean_pooling: { use_mean_pooling: false },
    },
  },
  {
    table: CLIP_CONFIG,
    base: { ...BASE, model_type: 'clip_vision_model' },
    read: read('clip'),
    others: { ...OTHERS, projection_dim: { projection_dim: 8 } },
  },
  {
    table: CLIP_TOWERS,
    base: { model_type: 'clip', ...towers(BASE) },
    read: read('clip, both towers'),
    others: {
      ...OTHER_TOWERS(BASE),
      projection_dim: { projection_dim: 8 },
      vision_config_dict: { vision_config_dict: { num_attention_heads: 4 } },
    },
  },
  {
    table: SIGLIP_CONFIG,
    base: { ...BASE, model_type: 'siglip_vision_model' },
    read: (fields) =>
      read(fields.model_type === 'siglip2_vision_model' ? 'siglip, naflex' : 'siglip')(fields),
    others: {
      ...OTHERS,
      num_patches: { model_type: 'siglip2_vision_model', image_size: undefined, num_patches: 9 },
      vision_use_head: { vision_use_head: false },
    },
  },
  {
    table: SIGLIP_TOWERS,
    base: { model_type: 'siglip', ...towers(BASE) },
    read: read('siglip, both towers'),
    others: OTHER_TOWERS(BASE),
  },
  {
    table: AIMV2_CONFIG,
    base: { ...BASE, model_type: 'aimv2_vision_model' },
    read: read('aimv2'),
    others: {
      ...OTHER_SIZES,
      intermediate_size: OTHERS.intermediate_size,
      rms_norm_eps: { rms_norm_eps: 1e-3 },
      qkv_bias: { qkv_bias: true },
      mlp_bias: { mlp_bias: true },
      use_head: { use_head: false },
      is_native: { is_native: true },
    },
  },
  {
    table: TIPSV2_CONFIG,
    base: { ...GATED_LIKE_DINOV2, model_type: 'tipsv2_vision_model' },
    read: read('tipsv2'),
    others: {
      ...OTHERS_LIKE_DINOV2,
      ...OTHER_NORMED_LAYERS,
      num_register_tokens: { num_register_tokens: 4 },
    },
  },
  {
    table: TIPSV2_TOWERS,
    base: { model_type: 'tipsv2', ...towers(GATED_LIKE_DINOV2) },
    read: read('tipsv2'),
    others: OTHER_TOWERS(GATED_LIKE_DINOV2),
  },
  {
    table: RADIO_CONFIG,
    base: { ...GATED_LIKE_DINOV2, model_type: 'radio', num_cls_tokens: 3, num_registers: 2 },
    read: read('radio'),
    others: {
      ...OTHERS_LIKE_DINOV2,
      num_cls_tokens: { num_cls_tokens: 2 },
      num_registers: { num_registers: 7 },
      patch_dim: { patch_dim: 8 },
      max_img_size: { max_img_size: 8 },
      layerscale_value: { layerscale_value: 2 },
    },
  },
]
