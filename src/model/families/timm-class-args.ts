/**
 * Lists the arguments of timm's further classes of vision transformers, as `model_args` of their config.json may have them, and what each does here. Those of
 * VisionTransformer stand in dialects/timm-fields.ts.
 */
import type { TimmClass } from '../dialects/timm-architectures.js'
import { SHOWN, TIMM_MODEL_ARGS, TRAINING } from '../dialects/timm-fields.js'
import { counts, each, type Field, type FieldTable, nothing, only } from '../fields.js'

/** Holds what the constructors of all of them have. */
const COMMON: { readonly [name: string]: Field } = {
  num_heads: counts('the heads'),
  global_pool: counts('the pooling'),
  ...each(
    ['patch_size', 'in_chans', 'embed_dim', 'depth', 'mlp_ratio', 'qkv_bias', 'init_values', 'num_classes'],
    SHOWN,
  ),
  ...each(['drop_rate', 'pos_drop_rate', 'proj_drop_rate', 'attn_drop_rate', 'drop_path_rate'], TRAINING),
  norm_layer: counts('the kind of norm, and its epsilon'),
  ...each(['device', 'dtype'], nothing('it says how the same numbers are computed')),
  ...each(['out_indices', 'features_only'], nothing('it chooses what a call in Python returns')),
}

const SIZE: { readonly [name: string]: Field } = {
  img_size: counts('the trained size'),
  head_init_scale: TRAINING,
}

const ROTARY_TRAINING = nothing('it moves coordinates while training only')

export const TIMM_EVA_ARGS: FieldTable = {
  title: 'timm: model_args of config.json, arguments of Eva',
  source: 'timm 1.0.31: models/eva.py',
  isBeside: true,
  prefix: 'model_args.',
  fields: {
    ...COMMON,
    ...SIZE,
    ...each(
      [
        'qkv_fused',
        'qk_norm',
        'swiglu_mlp',
        'scale_mlp',
        'scale_attn_inner',
        'class_token',
        'num_reg_tokens',
        'use_abs_pos_emb',
        'use_pre_transformer_norm',
        'use_post_transformer_norm',
        'use_fc_norm',
        'attn_pool_mlp_ratio',
      ],
      SHOWN,
    ),
    no_embed_class: counts('whether class token and registers have positions'),
    swiglu_align_to: nothing('the weights show the width of a gated net'),
    attn_type: nothing('both kinds compute the same from the weights that they have'),
    num_kv_heads: only([null], 'keys and values have as many heads as queries'),
    attn_only_layer_scale: only([null, false], 'both branches of a block have a layer scale, or none'),
    use_rot_pos_emb: counts('whether positions are rotary'),
    rope_type: counts('the kind of rotary positions: cat, mixed, dinov3'),
    rope_grid_offset: counts('what is added to the coordinates of rotary positions'),
    rope_grid_indexing: counts('which axis of the coordinates comes first'),
    rope_temperature: counts('the base of rotary positions'),
    rope_rotate_half: counts('which columns rotary positions turn into each other'),
    ref_feat_shape: counts('the grid that coordinates of rotary positions are scaled to'),
    ...each(['rope_shift_coords', 'rope_jitter_coords', 'rope_rescale_coords'], ROTARY_TRAINING),
    rope_mrope_section: only([null], 'rotary positions have two axes'),
    use_post_norm: counts('whether norms stand behind the branches of a block'),
    attn_pool_num_heads: counts('the heads of the attention pooling'),
    patch_drop_rate: TRAINING,
    dynamic_img_size: counts("whether the input's size may be another than img_size"),
    dynamic_img_pad: nothing('the input is made of whole patches here'),
    use_naflex: only([null, false], 'NaFlexVit resamples positions in another way'),
  },
}

export const TIMM_BEIT_ARGS: FieldTable = {
  title: 'timm: model_args of config.json, arguments of Beit',
  source: 'timm 1.0.31: models/beit.py',
  isBeside: true,
  prefix: 'model_args.',
  fields: {
    ...COMMON,
    ...SIZE,
    ...each(
      [
        'swiglu_mlp',
        'scale_mlp',
        'use_abs_pos_emb',
        'use_rel_pos_bias',
        'use_shared_rel_pos_bias',
        'use_fc_norm',
      ],
      SHOWN,
    ),
  },
}

export const TIMM_RELPOS_ARGS: FieldTable = {
  title: 'timm: model_args of config.json, arguments of VisionTransformerRelPos',
  source: 'timm 1.0.31: models/vision_transformer_relpos.py',
  isBeside: true,
  prefix: 'model_args.',
  fields: {
    ...COMMON,
    img_size: counts('the trained size'),
    ...each(['qk_norm', 'fc_norm', 'class_token', 'rel_pos_dim', 'shared_rel_pos'], SHOWN),
    rel_pos_type: only([null, 'mlp'], "offsets go through a small net, by timm's own logarithm of them"),
    act_layer: counts('the activation of the feed-forward net'),
    block_fn: only([null], 'the architecture tells the kind of block'),
    embed_layer: only([null], 'patches are cut and multiplied'),
    ...each(['weight_init', 'fix_init'], TRAINING),
  },
}

export const TIMM_NAFLEX_ARGS: FieldTable = {
  title: 'timm: model_args of config.json, fields of a NaFlexVitCfg',
  source: 'timm 1.0.31: models/naflexvit.py',
  isBeside: true,
  prefix: 'model_args.',
  fields: {
    ...COMMON,
    img_size: counts("the input's size where pretrained_cfg fixes it; the network takes any"),
    ...each(
      [
        'qk_norm',
        'proj_bias',
        'scale_mlp_norm',
        'scale_attn_inner_norm',
        'class_token',
        'reg_tokens',
        'pos_embed_grid_size',
        'pre_norm',
        'final_norm',
        'fc_norm',
        'attn_pool_mlp_ratio',
      ],
      SHOWN,
    ),
    pool_include_prefix: counts('whether class token and registers are pooled with the patches'),
    act_layer: counts('the activation of the feed-forward net'),
    attn_pool_num_heads: counts('the heads of the attention pooling'),
    pos_embed: only([null, 'learned'], 'positions are one learnt table'),
    ...each(
      ['pos_embed_interp_mode', 'pos_embed_ar_preserving', 'pos_embed_antialias', 'pos_embed_align_corners'],
      counts('how positions are resampled'),
    ),
    pos_embed_use_grid_sample: only([null, false], 'positions are resampled by size'),
    rope_type: only([null, '', 'none'], 'there are no rotary positions'),
    ...each(
      [
        'rope_temperature',
        'rope_ref_feat_shape',
        'rope_grid_offset',
        'rope_grid_indexing',
        'rope_rotate_half',
        'rope_mrope_section',
        'rope_shift_coords',
        'rope_jitter_coords',
        'rope_rescale_coords',
      ],
      nothing('it is about rotary positions, which there are none of'),
    ),
    patchify_channels_last: only([null, true], 'a patch has its values pixel by pixel'),
    embed_proj_type: only([null, 'linear'], 'patches are multiplied as they are cut'),
    ...each(['input_norm_layer', 'embed_norm_layer'], only([null, ''], 'there is no norm on patches alone')),
    ...each(['block_fn', 'mlp_layer', 'attn_layer'], only([null, ''], 'blocks are plain ones')),
    attn_type: only([null, 'standard'], 'attention is the plain one'),
    attn_gated: only([null, false], 'attention has no gate'),
    num_kv_heads: only([null], 'keys and values have as many heads as queries'),
    swiglu_mlp: only([null, false], 'the feed-forward net is no gated one'),
    swiglu_align_to: nothing('it is about gated feed-forward nets, which there are none of'),
    qkv_fused: only([null, true], 'queries, keys and values are one matrix'),
    attn_only_layer_scale: only([null, false], 'both branches of a block have a layer scale, or none'),
    enable_patch_interpolator: nothing('patches have the trained size here'),
    use_key_only_attn_mask: nothing('each image is computed by itself, without padding'),
    dynamic_img_pad: nothing('the input is made of whole patches here'),
    patch_drop_rate: TRAINING,
    ...each(['weight_init', 'fix_init'], TRAINING),
  },
}

/** Gives the table of a class. */
export const TIMM_CLASS_ARGS: Readonly<Record<TimmClass, FieldTable>> = {
  VisionTransformer: TIMM_MODEL_ARGS,
  Eva: TIMM_EVA_ARGS,
  Beit: TIMM_BEIT_ARGS,
  VisionTransformerRelPos: TIMM_RELPOS_ARGS,
  NaFlexVit: TIMM_NAFLEX_ARGS,
}
