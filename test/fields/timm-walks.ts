/** Walks the parts of timm's config.json. */
import {
  TIMM_CONFIG,
  TIMM_MODEL_ARGS,
  TIMM_OLD_CONFIG,
  TIMM_PRETRAINED_CFG,
} from '../../src/model/dialects/timm-fields.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord, PlainValue } from '../../src/plain-value.js'
import { TINY_NETWORKS, tinyCheckpoint } from '../support/tiny-networks.js'
import { TIMM_CLASS_WALKS } from './timm-class-walks.js'
import { resultOf, type Walk } from './walk.js'

const ARGS: PlainRecord = {
  num_heads: 2,
  img_size: 4,
  patch_size: 2,
  in_chans: 3,
  embed_dim: 4,
  depth: 1,
  mlp_ratio: 2,
  reg_tokens: 2,
  num_classes: 7,
  init_values: 1e-5,
}
const INPUT: PlainRecord = {
  input_size: [3, 8, 8],
  crop_pct: 0.9,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
}
const TOP: PlainRecord = { architecture: 'vit_tiny_patch16_224', num_classes: 7, global_pool: 'token' }

function read(configFile: PlainRecord): unknown {
  return resultOf(readVit(tinyCheckpoint(TINY_NETWORKS.timm), { configFile }))
}

const OTHER_INPUTS: { readonly [field: string]: { readonly [field: string]: PlainValue } } = {
  input_size: { input_size: [3, 4, 4] },
  fixed_input_size: { fixed_input_size: true },
  interpolation: { interpolation: 'bilinear' },
  crop_pct: { crop_pct: 0.5 },
  crop_mode: { crop_mode: 'border' },
  mean: { mean: [0, 0, 0] },
  std: { std: [1, 1, 1] },
}
const OTHER_TOPS: { readonly [field: string]: { readonly [field: string]: PlainValue } } = {
  architecture: { architecture: 'vit_base_patch16_clip_224' },
  num_classes: { num_classes: 10 },
  global_pool: { global_pool: 'max' },
  model_args: { model_args: { ...ARGS, act_layer: 'relu' } },
}

export const TIMM_WALKS: readonly Walk[] = [
  {
    table: TIMM_CONFIG,
    base: { ...TOP, model_args: ARGS, pretrained_cfg: INPUT },
    read,
    others: { ...OTHER_TOPS, pretrained_cfg: { pretrained_cfg: { ...INPUT, crop_pct: 0.5 } } },
  },
  {
    table: TIMM_MODEL_ARGS,
    base: ARGS,
    // The pooling at the top would contradict another one.
    read: (model_args) =>
      read({
        architecture: 'vit_tiny_patch16_224',
        model_args,
        pretrained_cfg: { ...INPUT, fixed_input_size: true },
      }),
    others: {
      num_heads: { num_heads: 4 },
      img_size: { img_size: [4, 8] },
      global_pool: { global_pool: '' },
      pool_include_prefix: { global_pool: 'avg', fc_norm: false, pool_include_prefix: true },
      fc_norm: { fc_norm: true },
      final_norm: { final_norm: false },
      act_layer: { act_layer: 'silu' },
      norm_layer: { norm_layer: 'rmsnorm' },
      no_embed_class: { no_embed_class: true },
      patch_size: { patch_size: 4 },
      in_chans: { in_chans: 1 },
      embed_dim: { embed_dim: 8 },
      depth: { depth: 2 },
      mlp_ratio: { mlp_ratio: 4 },
      qkv_bias: { qkv_bias: false },
      qk_norm: { qk_norm: true },
      scale_attn_norm: { scale_attn_norm: true },
      scale_mlp_norm: { scale_mlp_norm: true },
      proj_bias: { proj_bias: false },
      init_values: { init_values: null },
      class_token: { class_token: false },
      reg_tokens: { reg_tokens: 0 },
      pre_norm: { pre_norm: true },
      dynamic_img_size: { dynamic_img_size: true },
      strict_img_size: { strict_img_size: false },
      num_classes: { num_classes: 10 },
    },
  },
  {
    table: TIMM_PRETRAINED_CFG,
    base: INPUT,
    read: (pretrained_cfg) => read({ ...TOP, model_args: ARGS, pretrained_cfg }),
    others: OTHER_INPUTS,
  },
  {
    table: TIMM_OLD_CONFIG,
    base: { ...TOP, ...INPUT, model_args: ARGS },
    read,
    others: { ...OTHER_TOPS, ...OTHER_INPUTS },
  },
  ...TIMM_CLASS_WALKS,
]
