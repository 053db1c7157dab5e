/** Meta's names of modules, which timm shares but for registers and the gated feed-forward net. */
import type { LeftOverKind } from '../left-over.js'
import type { Places } from './layout.js'

/** Says what a backbone of Meta's has that is not used: a head of one matrix is somebody's classifier, and one of several makes what the loss compares. */
export function metaLeftOver(tensor: string): LeftOverKind | null {
  if (tensor === 'mask_token') return 'training'
  if (/^head\.(weight|bias)$/.test(tensor)) return 'head'
  return tensor.startsWith('head.') ? 'training' : null
}

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
