/** Walks the arguments of timm's further classes, in config.json files of networks as small as can be. */
import {
  TIMM_BEIT_ARGS,
  TIMM_EVA_ARGS,
  TIMM_NAFLEX_ARGS,
  TIMM_RELPOS_ARGS,
} from '../../src/model/families/timm-class-args.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { type Shapes, tinyCheckpoint } from '../support/tiny-networks.js'
import {
  TINY_BEIT,
  TINY_EVA,
  TINY_EVA_POOLED,
  TINY_EVA_WITHOUT_SCALE,
  TINY_NAFLEX,
  TINY_RELPOS,
} from '../support/tiny-timm-classes.js'
import { resultOf, type Walk } from './walk.js'

const ARGS: PlainRecord = {
  num_heads: 2,
  img_size: 4,
  patch_size: 2,
  in_chans: 3,
  embed_dim: 8,
  depth: 1,
  mlp_ratio: 2,
  num_classes: 7,
  init_values: 1e-5,
}

/** Holds another value of each argument that all classes have. */
const OTHERS = {
  num_heads: { num_heads: 1 },
  patch_size: { patch_size: 4 },
  in_chans: { in_chans: 1 },
  embed_dim: { embed_dim: 16 },
  depth: { depth: 2 },
  mlp_ratio: { mlp_ratio: 4 },
  init_values: { init_values: null },
  num_classes: { num_classes: 10 },
  norm_layer: { norm_layer: 'rmsnorm' },
} as const

const reading =
  (architecture: string, shapes: (args: PlainRecord) => Shapes, input: PlainRecord = {}) =>
  (model_args: PlainRecord): unknown =>
    resultOf(
      readVit(tinyCheckpoint(shapes(model_args)), {
        configFile: {
          architecture,
          model_args,
          pretrained_cfg: { input_size: [3, 8, 8], fixed_input_size: true, ...input },
        },
      }),
    )

export const TIMM_CLASS_WALKS: readonly Walk[] = [
  {
    table: TIMM_EVA_ARGS,
    base: { ...ARGS, num_reg_tokens: 2 },
    read: reading('eva02_tiny_patch14_224', ({ global_pool, init_values }) =>
      global_pool === 'map' ? TINY_EVA_POOLED : init_values === undefined ? TINY_EVA_WITHOUT_SCALE : TINY_EVA,
    ),
    others: {
      ...OTHERS,
      img_size: { img_size: [4, 8] },
      global_pool: { global_pool: 'token' },
      qkv_bias: { qkv_bias: false },
      qkv_fused: { qkv_fused: false },
      qk_norm: { qk_norm: true },
      swiglu_mlp: { swiglu_mlp: true },
      scale_mlp: { scale_mlp: true },
      scale_attn_inner: { scale_attn_inner: true },
      class_token: { class_token: false },
      num_reg_tokens: { num_reg_tokens: 4 },
      no_embed_class: { no_embed_class: true },
      use_abs_pos_emb: { use_abs_pos_emb: false },
      use_pre_transformer_norm: { use_pre_transformer_norm: true },
      use_post_transformer_norm: { use_post_transformer_norm: true },
      use_fc_norm: { use_fc_norm: false },
      use_rot_pos_emb: { use_rot_pos_emb: false },
      rope_type: { rope_type: 'dinov3' },
      rope_grid_offset: { rope_grid_offset: 1 },
      rope_grid_indexing: { rope_grid_indexing: 'xy' },
      rope_temperature: { rope_temperature: 100 },
      rope_rotate_half: { rope_rotate_half: true },
      ref_feat_shape: { ref_feat_shape: [3, 3] },
      use_post_norm: { init_values: undefined, use_post_norm: true },
      attn_pool_num_heads: { global_pool: 'map', attn_pool_num_heads: 4 },
      attn_pool_mlp_ratio: { global_pool: 'map', attn_pool_mlp_ratio: 4 },
      dynamic_img_size: { dynamic_img_size: true },
    },
  },
  {
    table: TIMM_BEIT_ARGS,
    base: ARGS,
    read: reading('beit_base_patch16_224', () => TINY_BEIT),
    others: {
      ...OTHERS,
      img_size: { img_size: 6 },
      global_pool: { global_pool: 'token' },
      qkv_bias: { qkv_bias: false },
      swiglu_mlp: { swiglu_mlp: true },
      scale_mlp: { scale_mlp: true },
      use_abs_pos_emb: { use_abs_pos_emb: true },
      use_rel_pos_bias: { use_rel_pos_bias: false },
      use_shared_rel_pos_bias: { use_shared_rel_pos_bias: true },
      use_fc_norm: { use_fc_norm: false },
    },
  },
  {
    table: TIMM_RELPOS_ARGS,
    base: ARGS,
    read: reading('vit_relpos_small_patch16_224', () => TINY_RELPOS),
    others: {
      ...OTHERS,
      img_size: { img_size: [4, 8] },
      global_pool: { global_pool: '' },
      qkv_bias: { qkv_bias: true },
      qk_norm: { qk_norm: true },
      fc_norm: { fc_norm: false },
      class_token: { class_token: true },
      rel_pos_dim: { rel_pos_dim: 8 },
      shared_rel_pos: { shared_rel_pos: true },
      act_layer: { act_layer: 'silu' },
    },
  },
  {
    table: TIMM_NAFLEX_ARGS,
    base: { ...ARGS, reg_tokens: 2 },
    read: reading('naflexvit_base_patch16_map', () => TINY_NAFLEX),
    others: {
      ...OTHERS,
      img_size: { img_size: 16 },
      global_pool: { global_pool: 'avg' },
      qkv_bias: { qkv_bias: false },
      qk_norm: { qk_norm: true },
      proj_bias: { proj_bias: false },
      scale_mlp_norm: { scale_mlp_norm: true },
      scale_attn_inner_norm: { scale_attn_inner_norm: true },
      class_token: { class_token: true },
      reg_tokens: { reg_tokens: 4 },
      pos_embed_grid_size: { pos_embed_grid_size: [4, 4] },
      pre_norm: { pre_norm: true },
      final_norm: { final_norm: false },
      fc_norm: { fc_norm: true },
      attn_pool_mlp_ratio: { attn_pool_mlp_ratio: 4 },
      pool_include_prefix: { pool_include_prefix: true },
      act_layer: { act_layer: 'silu' },
      attn_pool_num_heads: { attn_pool_num_heads: 4 },
      pos_embed_interp_mode: { pos_embed_interp_mode: 'bilinear' },
      pos_embed_ar_preserving: {
        pos_embed_antialias: false,
        pos_embed_interp_mode: 'bilinear',
        pos_embed_ar_preserving: true,
      },
      pos_embed_antialias: { pos_embed_antialias: false },
      pos_embed_align_corners: {
        pos_embed_antialias: false,
        pos_embed_interp_mode: 'bilinear',
        pos_embed_ar_preserving: true,
        pos_embed_align_corners: true,
      },
    },
  },
]
