/** Walks what Birder writes beside tensors: entries of a file, and a config.json. */
import type { Checkpoint, TensorInfo } from '../../src/checkpoint/checkpoint.js'
import {
  BIRDER_CONFIG,
  BIRDER_ENTRIES,
  BIRDER_FILE,
  BIRDER_RGB_STATS,
  BIRDER_SIGNATURE,
} from '../../src/model/dialects/birder-fields.js'
import type { VitHints } from '../../src/model/dialects/dialect.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { elementCount, type Shape } from '../../src/tensor/shape.js'
import { hashedCheckpoint } from '../../src/verify/hashed-checkpoint.js'
import { resultOf, type Walk } from './walk.js'

const CLASSES = 5
const WIDTH = 192
const signatureOf = (side: number): PlainRecord => ({
  inputs: [{ data_shape: [0, 3, side, side] }],
  outputs: [{ data_shape: [0, CLASSES] }],
})
const STATS = { mean: [0.5248, 0.5372, 0.5086], std: [0.2135, 0.2103, 0.2622] }
const OTHER_STATS = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
const ENTRIES: PlainRecord = {
  birder_version: '0.8.4',
  task: 'image_classification',
  class_to_idx: {},
  signature: signatureOf(64),
  rgb_stats: STATS,
}
/** Fits images of any size, since it has no table of positions. */
const ANY_SIZE = { abs_pos_embed: false }

/** Are all settings of a network that no name tells. */
const SETTINGS = {
  patch_size: 16,
  num_layers: 12,
  num_heads: 3,
  hidden_dim: WIDTH,
  mlp_dim: 768,
  ...ANY_SIZE,
}

/** Names the networks whose classes have settings that a ViT does not, by what the settings begin with. */
const OTHER_CLASSES = [
  [/^rope_reg_/, 'rope_vit5_reg4_t16'],
  [/^(rope_(style|rot|grid|temp)|pt_grid)/, 'rope_vit_t16'],
  [/^naflex_/, 'naflex_vit_t16'],
  [/^(window_size|neck_channels|global_attn)/, 'vit_sam_b16'],
  [/^(num_windows|mask_padded)/, 'vit_windowed_s16'],
  [/^num_parallel/, 'vit_parallel_s16_18x2_ls_avg'],
  [/^moe_(?!grouped|dropout|capacity_factor)/, 'vit_moe_t16_4e1s1p_2k_last1o1'],
] as const

/** Names the network that has such settings. */
function networkWith(settings: PlainRecord): string {
  const found = OTHER_CLASSES.find(([beginning]) =>
    Object.keys(settings).some((name) => beginning.test(name)),
  )
  return found?.[1] ?? 'vit_t16'
}

const made = new Map<string, ReadonlyMap<string, TensorInfo>>()

/** Gives the tensors of a network with these settings, made once. Settings that leave no trace in tensors may be among them. */
function tensorsOf(settings: PlainRecord): ReadonlyMap<string, TensorInfo> {
  const counting = Object.entries(settings).filter(([name]) => BIRDER_CONFIG.fields[name]?.use === 'counts')
  const key = JSON.stringify(counting)
  const tensors = made.get(key) ?? makeTensors(Object.fromEntries(counting))
  made.set(key, tensors)
  return tensors
}

/** Makes those of a `vit_t16` and a classifier. */
function makeTensors(settings: PlainRecord): ReadonlyMap<string, TensorInfo> {
  const { tensors } = hashedCheckpoint(networkWith(settings), [64, 64], 'x', settings)
  const shapes = ['neck.3.weight', 'conv_proj.bias', 'norm.weight'].map((name) => tensors.get(name)?.shape[0])
  const width = shapes.find((size) => size !== undefined) ?? WIDTH
  const classifier: Record<string, Shape> =
    settings.mlp_head === true
      ? {
          'classifier.0.weight': [3 * width, width],
          'classifier.0.bias': [3 * width],
          'classifier.2.weight': [3 * width],
          'classifier.2.bias': [3 * width],
          'classifier.3.weight': [CLASSES, 3 * width],
          'classifier.3.bias': [CLASSES],
        }
      : { 'classifier.weight': [CLASSES, width], 'classifier.bias': [CLASSES] }
  const added = Object.entries(classifier).map(([name, shape]): [string, TensorInfo] => [
    name,
    { dtype: 'F32', shape, byteLength: 4 * elementCount(shape) },
  ])
  return new Map([...tensors, ...added])
}

/** Reads a file of Birder's that holds the tensors of `settings`, and these entries. */
function read(settings: PlainRecord, metadata: PlainRecord, label: string, hints: VitHints = {}): unknown {
  const file: Checkpoint = {
    label,
    format: 'torch',
    wrapping: 'state',
    dropped: [],
    choice: null,
    metadata,
    tensors: tensorsOf(settings),
    read: () => Promise.reject(new Error('a walk reads no tensor')),
  }
  return resultOf(readVit(file, hints))
}
const NAMED = 'vit_t16_x.pt'
const UNNAMED = 'best.pt'

const pool = { attn_pool_head: true }
const NOT_LAST = { moe_last_n_layers: null, moe_last_n_layers_offset: 0 }
const experts = { mlp_layer_type: 'SoftMoE_FFN', soft_moe_num_experts: 4, soft_moe_num_slots: 2 }

// A network that is registered has its class from there, so that the file names one only where it is not.
export const BIRDER_WALKS: readonly Walk[] = [
  {
    table: BIRDER_ENTRIES,
    base: { ...ENTRIES, state: ANY_SIZE, config: ANY_SIZE },
    // The tensors in `state` are told by the settings of their network.
    read: ({ state, ...metadata }) => read((state ?? {}) as PlainRecord, metadata, NAMED),
    others: {
      state: { state: { ...ANY_SIZE, num_layers: 3 }, config: { ...ANY_SIZE, num_layers: 3 } },
      config: { config: { ...ANY_SIZE, num_heads: 6 } },
      signature: { signature: signatureOf(96) },
      rgb_stats: { rgb_stats: OTHER_STATS },
    },
  },
  {
    table: BIRDER_SIGNATURE,
    base: signatureOf(64),
    read: (signature) => read(ANY_SIZE, { ...ENTRIES, config: ANY_SIZE, signature }, NAMED),
    others: {
      inputs: { inputs: [{ data_shape: [0, 3, 96, 64] }] },
      outputs: { outputs: [{ data_shape: [0, CLASSES + 1] }] },
      num_labels: { outputs: [], num_labels: CLASSES },
    },
  },
  {
    table: BIRDER_RGB_STATS,
    base: STATS,
    read: (rgb_stats) => read({}, { ...ENTRIES, rgb_stats }, NAMED),
    others: { mean: { mean: OTHER_STATS.mean }, std: { std: OTHER_STATS.std } },
  },
  {
    table: BIRDER_CONFIG,
    base: {},
    read: (config) => read(config, { ...ENTRIES, config }, `${networkWith(config)}_x.pt`),
    others: {
      patch_size: { patch_size: 8 },
      num_layers: { num_layers: 3 },
      num_heads: { num_heads: 6 },
      hidden_dim: { hidden_dim: 96 },
      mlp_dim: { mlp_dim: 100 },
      num_reg_tokens: { num_reg_tokens: 2 },
      class_token: { class_token: false },
      abs_pos_embed: { abs_pos_embed: false },
      pos_embed_special_tokens: { pos_embed_special_tokens: false },
      stem_type: { stem_type: 'hmlp' },
      stem_norm_layer_type: { stem_type: 'hmlp', stem_norm_layer_type: 'BatchNorm2d' },
      layer_scale_init_value: { layer_scale_init_value: 1e-5 },
      pre_norm: { pre_norm: true },
      post_norm: { post_norm: false },
      norm_after_pool: { norm_after_pool: true },
      qkv_bias: { qkv_bias: false },
      qk_norm: { qk_norm: true },
      attn_norm: { attn_norm: true },
      norm_layer_type: { norm_layer_type: 'RMSNorm' },
      norm_layer_eps: { norm_layer_eps: 1e-5 },
      act_layer_type: { act_layer_type: 'relu' },
      mlp_layer_type: { mlp_layer_type: 'SwiGLU_FFN' },
      soft_moe_num_experts: { ...experts, soft_moe_num_experts: 8 },
      soft_moe_num_slots: experts,
      attn_pool_head: pool,
      attn_pool_type: { ...pool, attn_pool_type: 'EfficientProbing' },
      attn_pool_num_heads: { ...pool, attn_pool_num_heads: 1 },
      attn_pool_special_tokens: { ...pool, attn_pool_special_tokens: true },
      attn_pool_norm_eps: { ...pool, attn_pool_norm_eps: 1e-6 },
      attn_pool_act_layer_type: { ...pool, attn_pool_act_layer_type: 'relu' },
      mlp_head: { mlp_head: true },
      head_bias: { head_bias: false },
      out_indices: { out_indices: [2, 5] },
      pos_embed_interpolation_mode: { pos_embed_interpolation_mode: 'bilinear' },
      pos_embed_antialias: { pos_embed_antialias: true },
      naflex_patch_resampling: { naflex_patch_resampling: 'yes' },
      naflex_pos_embed_resize_mode: {
        naflex_pos_embed_resize_mode: 'interpolate',
        pos_embed_antialias: true,
      },
      rope_style: { rope_style: 'centered_separate' },
      rope_rot_type: { rope_rot_type: 'interleaved' },
      rope_grid_indexing: { rope_grid_indexing: 'xy' },
      rope_grid_offset: { rope_grid_offset: 1 },
      rope_temperature: { rope_temperature: 10 },
      rope_reg_temperature: { rope_reg_temperature: 10 },
      pt_grid_size: { pt_grid_size: [3, 3] },
      num_parallel: { num_parallel: 3 },
      window_size: { window_size: [2, 2] },
      neck_channels: { neck_channels: 16 },
      global_attn_indexes: { global_attn_indexes: [0] },
      num_windows: { num_windows: [1, 2] },
      mask_padded_attn: { mask_padded_attn: false },
      moe_layers: { moe_layers: [1], ...NOT_LAST },
      moe_every_n_layers: { moe_every_n_layers: 5, ...NOT_LAST },
      moe_last_n_layers: { moe_last_n_layers: 2 },
      moe_last_n_layers_stride: { moe_last_n_layers: 2, moe_last_n_layers_stride: 3 },
      moe_last_n_layers_offset: { moe_last_n_layers_offset: 2 },
      moe_ffn_type: { moe_ffn_type: 'VMoE_FFN' },
      moe_expert_width: { moe_expert_width: 100 },
      moe_ffn_bias: { moe_ffn_bias: true },
      moe_num_routed_experts: { moe_num_routed_experts: 5 },
      moe_num_shared_experts: { moe_num_shared_experts: 2 },
      moe_num_special_token_experts: { moe_num_special_token_experts: 2 },
      moe_routed_scaling_factor: { moe_routed_scaling_factor: 2 },
      moe_routing_type: { moe_routing_type: 'expert_choice' },
      moe_top_k: { moe_top_k: 3 },
      moe_expert_choice_capacity_factor: {
        moe_routing_type: 'expert_choice',
        moe_expert_choice_capacity_factor: 1,
      },
      moe_eval_capacity_factor: { moe_ffn_type: 'VMoE_FFN', moe_eval_capacity_factor: 2 },
      moe_capacity_multiple_of: { moe_ffn_type: 'VMoE_FFN', moe_capacity_multiple_of: 8 },
    },
  },
  {
    table: BIRDER_FILE,
    base: {
      birder_version: '0.8.4',
      registered_name: 'vit_t16',
      model_config: ANY_SIZE,
      signature: signatureOf(64),
      rgb_stats: STATS,
    },
    read: (configFile) => read(ANY_SIZE, {}, UNNAMED, { configFile }),
    others: {
      name: { registered_name: null, name: 'ViT', model_config: SETTINGS },
      registered_name: { registered_name: 'naflex_vit_t16' },
      model_config: { model_config: { ...ANY_SIZE, num_heads: 6 } },
      signature: { signature: signatureOf(96) },
      rgb_stats: { rgb_stats: OTHER_STATS },
    },
  },
]
