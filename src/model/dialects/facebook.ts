/** Meta's own DINOv2 files: a flat state dict, class token's position in row 0 of the table, registers without one. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'
import { band, countBlocks, type Dialect, type StoredWeight, stored, type VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { classTokenSource, stemWeight } from './dinov2-tokens.js'

export const facebook: Dialect = {
  name: 'facebook',
  // Without registers only the mask token tells Meta's files from timm's.
  recognises: (tensors) =>
    tensors.has('blocks.0.attn.qkv.weight') && (tensors.has('register_tokens') || tensors.has('mask_token')),
  readConfig: ({ tensors, label }: Checkpoint, hints: VitHints) =>
    dinov2Config(
      {
        label,
        tensors,
        stem: 'patch_embed.proj.weight',
        table: 'pos_embed',
        registers: 'register_tokens',
        block: 'blocks.',
        depth: countBlocks(tensors, 'blocks.'),
        gated: isGated(tensors),
        hidden:
          tensors.get('blocks.0.mlp.fc1.weight')?.shape[0] ??
          tensors.get('blocks.0.mlp.w3.weight')?.shape[1] ??
          0,
        layerScale: tensors.has('blocks.0.ls1.gamma'),
        rule: (registers) => (registers > 0 ? 'antialias' : 'bicubic-offset'),
      },
      hints,
    ),
  source,
  positions: (config) => ({ tensor: 'pos_embed', special: config.positions?.specialRows ? 1 : 0 }),
  ignores: (tensor) => tensor === 'mask_token' || tensor.startsWith('head.'),
}

const isGated = (tensors: ReadonlyMap<string, TensorInfo>) => tensors.has('blocks.0.mlp.w3.weight')

/** Birder's part names in Meta's, which timm shares but for the gated feed-forward net. */
export const BLOCK_PARTS: Readonly<Record<string, string>> = {
  norm1: 'norm1',
  'attn.qkv': 'attn.qkv',
  'attn.proj': 'attn.proj',
  layer_scale_1: 'ls1',
  norm2: 'norm2',
  'mlp.0': 'mlp.fc1',
  'mlp.3': 'mlp.fc2',
  layer_scale_2: 'ls2',
}

function source(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  if (weight === 'class_token') return classTokenSource('cls_token', 'pos_embed', shape, config)
  if (weight === 'reg_tokens') return stored('register_tokens', [1, ...shape])
  if (weight === 'conv_proj.weight') return stemWeight('patch_embed.proj.weight', shape, config)
  if (weight === 'conv_proj.bias') return stored('patch_embed.proj.bias', shape)
  const block = /^encoder\.block\.(\d+)\.(.+)\.(weight|bias|gamma)$/.exec(weight)
  if (block === null) return stored(weight, shape)
  const [, index, part, kind] = block
  const name = (own: string) => `blocks.${index}.${own}.${kind}`
  // The gate is the first half of what w12 gives (dinov2/layers/swiglu_ffn.py).
  if (part === 'mlp.fc1_g') return band(name('mlp.w12'), shape, 0, 2)
  if (part === 'mlp.fc1_x') return band(name('mlp.w12'), shape, 1, 2)
  if (part === 'mlp.fc2') return stored(name('mlp.w3'), shape)
  return stored(name(BLOCK_PARTS[part] ?? part), shape)
}
