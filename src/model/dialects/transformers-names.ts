/** Holds names of modules that several networks of transformers share since its version 5: DINOv2, DINOv3, C-RADIO, and those that are built of ViT's code. */
import type { Places } from './layout.js'

/** Name the matrices of queries, keys and values. */
export const QKV_MODULES = ['attention.q_proj', 'attention.k_proj', 'attention.v_proj'] as const

export const ATTENTION_PARTS = {
  'attn.qkv': { pieces: QKV_MODULES },
  'attn.proj': 'attention.o_proj',
} as const satisfies Places

/** Name a gated feed-forward net. */
export const GATED_PARTS = {
  'mlp.fc1_g': 'mlp.gate_proj',
  'mlp.fc1_x': 'mlp.up_proj',
  'mlp.fc2': 'mlp.down_proj',
} as const satisfies Places

/** Name what blocks of DINOv2, and of networks that are built of its code, have beside their attention. */
export const DINOV2_PARTS = {
  norm1: 'norm1',
  layer_scale_1: 'layer_scale1',
  norm2: 'norm2',
  'mlp.0': 'mlp.fc1',
  'mlp.3': 'mlp.fc2',
  layer_scale_2: 'layer_scale2',
} as const satisfies Places
