/** Meta's names of modules, which timm shares but for registers and the gated feed-forward net. */
import type { Places } from './layout.js'

export const META_MODULES = { conv_proj: 'patch_embed.proj', norm: 'norm' } as const satisfies Places

export const META_PARTS = {
  norm1: 'norm1',
  'attn.qkv': 'attn.qkv',
  'attn.proj': 'attn.proj',
  layer_scale_1: 'ls1',
  norm2: 'norm2',
  'mlp.0': 'mlp.fc1',
  'mlp.3': 'mlp.fc2',
  layer_scale_2: 'ls2',
} as const satisfies Places
