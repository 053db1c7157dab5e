/** Lists the fields that Birder writes beside weights, and what each of them does here. They were read in Birder 0.8.4. */
import { counts, each, type FieldTable, nothing, only } from '../fields.js'
import type { SettingGroup } from '../networks.js'

const DETECTION = 'a network that detects objects has more than the encoder'

/** Lists the entries of a `.pt` file, and the metadata of a `.safetensors` file. */
export const BIRDER_ENTRIES: FieldTable = {
  title: "Birder: entries of a checkpoint's file",
  source: 'birder/common/fs_ops.py: checkpoint_model, save_st, load_model',
  prefix: '',
  fields: {
    state: counts('holds the tensors of a .pt file'),
    config: counts('changes settings of the network'),
    signature: counts('gives input size, channels and classes'),
    rgb_stats: counts('gives mean and deviation of the levels'),
    task: only(
      ['image_classification'],
      'a network of another task has more than the encoder: convert it to its encoder with Birder',
    ),
    backbone_config: only([null, ''], DETECTION),
    birder_version: nothing('says which release wrote the file; what changed shows in the names of tensors'),
    class_to_idx: nothing('names the classes; features come before them'),
    format: nothing("is the safetensors library's own"),
  },
}

export const BIRDER_SIGNATURE: FieldTable = {
  title: "Birder: a checkpoint's signature",
  source: 'birder/net/base.py: SignatureType; birder/net/detection/base.py: DetectionSignatureType',
  prefix: 'signature.',
  fields: {
    inputs: counts('gives channels, height and width; there is one, with no field but data_shape'),
    outputs: counts(
      'gives the number of classes, which the classifier must have; there is one, with no field but data_shape',
    ),
    num_labels: counts('gives the number of classes, in place of outputs'),
    dynamic: only([false, null], DETECTION),
  },
}

export const BIRDER_RGB_STATS: FieldTable = {
  title: "Birder: a checkpoint's rgb_stats",
  source: 'birder/data/transforms/classification.py: RGBType',
  prefix: 'rgb_stats.',
  fields: {
    mean: counts('is subtracted; one number for each channel'),
    std: counts('is divided by; one number for each channel'),
  },
}

/** Lists `config.json` beside the weights, as `birder` writes it for `load_model_with_cfg`. */
export const BIRDER_FILE: FieldTable = {
  title: 'Birder: config.json beside the weights',
  source: 'birder/common/lib.py: get_network_config; birder/common/fs_ops.py: load_model_with_cfg',
  prefix: '',
  fields: {
    name: counts("names the network's class, where it is not registered"),
    registered_name: counts('names the network'),
    model_config: counts('gives the settings of the network'),
    signature: counts('gives input size, channels and classes'),
    rgb_stats: counts('gives mean and deviation of the levels'),
    task: only(['image_classification'], 'a network of another task has more than the encoder'),
    reparameterized: only([false, null], 'no vision transformer can be folded'),
    birder_version: nothing('says which release wrote the file'),
    ...each(
      ['backbone', 'backbone_registered_name', 'backbone_config', 'backbone_reparameterized'],
      only([null], DETECTION),
    ),
    ...each(
      ['encoder', 'encoder_registered_name', 'encoder_config', 'encoder_reparameterized'],
      only([null], 'a network that completes masked images has more than the encoder'),
    ),
    ...each(
      ['base_net', 'base_net_registered_name', 'base_net_config', 'base_net_reparameterized'],
      only([null], 'a network that trains itself has more than the encoder'),
    ),
  },
}

const GROUPED =
  'Birder multiplies such experts in bfloat16 whatever the precision: take them apart with its ungroup_experts, and save the network with this setting false'
const TRAINING = 'is used in training alone'

/** Lists the settings that only some classes have, each group with what it is about. */
export const BIRDER_GROUPS: Readonly<
  Record<SettingGroup, { readonly about: string; readonly settings: readonly string[] }>
> = {
  rotary: {
    about: 'rotary positions',
    settings: [
      'rope_style',
      'rope_rot_type',
      'rope_grid_indexing',
      'rope_grid_offset',
      'rope_temperature',
      'rope_reg_temperature',
      'pt_grid_size',
    ],
  },
  branches: { about: 'branches side by side', settings: ['num_parallel'] },
  packing: {
    about: 'images of many sizes in one batch',
    settings: ['naflex_patch_resampling', 'naflex_pos_embed_resize_mode'],
  },
  patches: { about: 'patches of many sizes', settings: [] },
  windows: {
    about: 'attention in windows',
    settings: ['window_size', 'num_windows', 'global_attn_indexes', 'mask_padded_attn', 'neck_channels'],
  },
  experts: {
    about: 'routed experts',
    settings: [
      'moe_layers',
      'moe_every_n_layers',
      'moe_last_n_layers',
      'moe_last_n_layers_stride',
      'moe_last_n_layers_offset',
      'moe_ffn_type',
      'moe_expert_width',
      'moe_ffn_bias',
      'moe_num_routed_experts',
      'moe_num_shared_experts',
      'moe_num_special_token_experts',
      'moe_routed_scaling_factor',
      'moe_routing_type',
      'moe_top_k',
      'moe_expert_choice_capacity_factor',
      'moe_eval_capacity_factor',
      'moe_capacity_multiple_of',
    ],
  },
}

/** Lists the settings of ViT, of its bases, and of its other classes (`BIRDER_GROUPS`). */
export const BIRDER_CONFIG: FieldTable = {
  title: 'Birder: settings of a network (config, model_config)',
  source:
    'birder/net/vit.py, base.py, flexivit.py, naflex_vit.py and, for what is refused, the other vit files',
  prefix: 'config.',
  fields: {
    ...each(
      ['patch_size', 'num_layers', 'num_heads', 'hidden_dim', 'mlp_dim', 'num_reg_tokens', 'class_token'],
      counts('shapes the network'),
    ),
    ...each(['abs_pos_embed', 'pos_embed_special_tokens'], counts('says which tokens have positions')),
    stem_type: counts('patchify or hmlp'),
    stem_norm_layer_type: counts('BatchNorm2d or LayerNorm2d of an hmlp stem'),
    layer_scale_init_value: counts('says that there are layer scales; their values are the tensors'),
    ...each(
      ['pre_norm', 'post_norm', 'norm_after_pool', 'qkv_bias', 'qk_norm', 'attn_norm'],
      counts('says which norms and biases there are'),
    ),
    ...each(['norm_layer_type', 'norm_layer_eps', 'act_layer_type'], counts('chooses norms and activation')),
    ...each(
      ['mlp_layer_type', 'soft_moe_num_experts', 'soft_moe_num_slots'],
      counts('shapes the feed-forward nets'),
    ),
    ...each(
      [
        'attn_pool_head',
        'attn_pool_type',
        'attn_pool_num_heads',
        'attn_pool_special_tokens',
        'attn_pool_norm_eps',
        'attn_pool_act_layer_type',
      ],
      counts('says how tokens become one embedding'),
    ),
    mlp_head: counts('says which classifier there is'),
    head_bias: counts('says whether the classifier has a bias, which its tensors must agree with'),
    out_indices: counts('names the blocks that detectionFeatures returns'),
    pos_embed_interpolation_mode: counts(
      'says how tables are resampled for another size: bicubic or bilinear',
    ),
    pos_embed_antialias: counts('says whether they are smoothed where the size changes while running'),
    ...each(['dropout', 'attention_dropout', 'projection_dropout'], nothing(TRAINING)),
    ...each(['drop_path_rate', 'drop_path_uniform'], nothing(TRAINING)),
    ...each(
      ['min_patch_size', 'max_patch_size'],
      nothing('bounds the patches that FlexiViT is trained with'),
    ),
    ...each(BIRDER_GROUPS.packing.settings, counts('says how a NaFlex network takes images of many sizes')),
    ...each(BIRDER_GROUPS.rotary.settings, counts('says how a network with rotary positions turns')),
    ...each(
      ['rope_shift_coords', 'rope_jitter_coords', 'rope_rescale_coords'],
      nothing('moves coordinates while training only'),
    ),
    ...each(BIRDER_GROUPS.branches.settings, counts('counts the branches of a block')),
    ...each(
      BIRDER_GROUPS.windows.settings,
      counts('says which windows attention works in, and what follows the blocks'),
    ),
    ...each(
      BIRDER_GROUPS.experts.settings,
      counts('says which blocks have routed experts, and who chooses whom'),
    ),
    moe_grouped_token_choice: only([false, null], GROUPED),
    ...each(
      ['moe_dropout', 'moe_capacity_factor', 'router_bias_update_speed', 'router_noise_std'],
      nothing(TRAINING),
    ),
    ...each(
      ['router_g_shard_loss_weight', 'router_importance_loss_weight', 'router_load_loss_weight'],
      nothing(TRAINING),
    ),
  },
}
