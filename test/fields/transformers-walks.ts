/** Walks the files of Hugging Face transformers. */
import { TRANSFORMERS_CONFIG, TRANSFORMERS_PROCESSOR } from '../../src/model/dialects/transformers-fields.js'
import { readVit } from '../../src/model/read-vit.js'
import type { PlainRecord } from '../../src/plain-value.js'
import { TINY_NETWORKS, tinyCheckpoint } from '../support/tiny-networks.js'
import { resultOf, type Walk } from './walk.js'

const CONFIG: PlainRecord = {
  model_type: 'dinov2_with_registers',
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  mlp_ratio: 2,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-6,
  image_size: 4,
  patch_size: 2,
  num_channels: 3,
  qkv_bias: true,
  use_swiglu_ffn: false,
  num_register_tokens: 2,
}
const PROCESSOR: PlainRecord = {
  image_processor_type: 'BitImageProcessor',
  size: { shortest_edge: 6 },
  crop_size: { height: 4, width: 4 },
}

const DEPTH = {
  image_processor_type: 'DPTImageProcessor',
  size: { height: 4, width: 4 },
  crop_size: undefined,
}

function read(configFile: PlainRecord, preprocessorFile: PlainRecord): unknown {
  return resultOf(readVit(tinyCheckpoint(TINY_NETWORKS['hugging-face']), { configFile, preprocessorFile }))
}

export const TRANSFORMERS_WALKS: readonly Walk[] = [
  {
    table: TRANSFORMERS_CONFIG,
    base: CONFIG,
    read: (fields) => read(fields, PROCESSOR),
    others: {
      model_type: { model_type: 'vit' },
      hidden_size: { hidden_size: 8 },
      num_hidden_layers: { num_hidden_layers: 2 },
      num_attention_heads: { num_attention_heads: 4 },
      mlp_ratio: { mlp_ratio: 4 },
      hidden_act: { hidden_act: 'relu' },
      layer_norm_eps: { layer_norm_eps: 1e-5 },
      image_size: { image_size: [4, 8] },
      patch_size: { patch_size: 4 },
      num_channels: { num_channels: 1 },
      qkv_bias: { qkv_bias: false },
      use_swiglu_ffn: { use_swiglu_ffn: true },
      num_register_tokens: { num_register_tokens: 4 },
      out_features: { out_features: ['stem'] },
      out_indices: { out_indices: [0] },
      apply_layernorm: { out_indices: [0], apply_layernorm: false },
      transformers_version: { transformers_version: '4.57.6' },
    },
  },
  {
    table: TRANSFORMERS_PROCESSOR,
    base: PROCESSOR,
    read: (fields) => read(CONFIG, fields),
    others: {
      image_processor_type: { image_processor_type: 'ViTImageProcessor', size: { height: 4, width: 4 } },
      feature_extractor_type: {
        image_processor_type: undefined,
        feature_extractor_type: 'ViTFeatureExtractor',
        size: { height: 4, width: 4 },
      },
      do_resize: { do_resize: false },
      size: { size: { height: 6, width: 4 } },
      default_to_square: { size: 6, default_to_square: true },
      resample: { resample: 2 },
      do_center_crop: { size: { height: 6, width: 6 }, do_center_crop: false },
      crop_size: { crop_size: 2 },
      crop_pct: { image_processor_type: 'ConvNextImageProcessor', crop_pct: 0.5 },
      patch_size: {
        image_processor_type: 'Siglip2ImageProcessor',
        patch_size: 14,
        size: undefined,
        crop_size: undefined,
      },
      max_num_patches: {
        image_processor_type: 'Siglip2ImageProcessor',
        max_num_patches: 64,
        patch_size: 2,
        size: undefined,
        crop_size: undefined,
      },
      ensure_multiple_of: { ...DEPTH, ensure_multiple_of: 2 },
      keep_aspect_ratio: { ...DEPTH, keep_aspect_ratio: true },
      do_pad: { ...DEPTH, do_pad: true, size_divisor: 2 },
      size_divisor: { ...DEPTH, do_pad: true, size_divisor: 4 },
      do_rescale: { do_rescale: false },
      rescale_factor: { rescale_factor: 0.5 },
      do_normalize: { do_normalize: false },
      image_mean: { image_mean: 0.25 },
      image_std: { image_std: [0.5, 0.5, 1] },
    },
  },
]
