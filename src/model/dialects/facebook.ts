/** Meta's own DINOv2 files are a flat state dict, with the class token's position in row 0 of the table and registers without one. */

import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { IMAGENET_STATS } from '../vit-config.js'
import { configFileOf } from './config-file.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config, publishedHeads } from './dinov2-config.js'
import { type Layout, layoutSource } from './layout.js'
import { META_MODULES, META_PARTS, metaLeftOver } from './meta-names.js'
import { readTransformersConfig } from './transformers-config.js'

export const FACEBOOK_LAYOUT: Layout = {
  dialect: 'facebook',
  classToken: 'cls_token',
  registers: 'register_tokens',
  positions: 'pos_embed',
  blocks: 'blocks.',
  scale: 'gamma',
  modules: META_MODULES,
  parts: {
    ...META_PARTS,
    // The gate is the first half of what w12 gives (dinov2/layers/swiglu_ffn.py).
    'mlp.fc1_g': { half: 0, of: 'mlp.w12' },
    'mlp.fc1_x': { half: 1, of: 'mlp.w12' },
    'mlp.fc2': 'mlp.w3',
  },
}

export const facebook: Dialect = {
  name: 'facebook',
  // Without registers only the mask token tells Meta's files from timm's.
  recognises: (tensors) =>
    tensors.has('blocks.0.attn.qkv.weight') && (tensors.has('register_tokens') || tensors.has('mask_token')),
  readConfig(checkpoint: Checkpoint, hints: VitHints) {
    const gated = checkpoint.tensors.has('blocks.0.mlp.w3.weight')
    // Meta keeps no config beside its files; a copy of transformers' is of the same networks, and says what it says there.
    const file = configFileOf(checkpoint, hints, 'transformers')
    const told = file === null ? null : readTransformersConfig(file, checkpoint.label, hints.ignoreFields)
    const config = dinov2Config(
      {
        checkpoint,
        layout: FACEBOOK_LAYOUT,
        gated,
        hidden: gated
          ? { tensor: 'blocks.0.mlp.w3.weight', axis: 1 }
          : { tensor: 'blocks.0.mlp.fc1.weight', axis: 0 },
        rule: (registers) => (registers > 0 ? 'antialias' : 'bicubic-offset'),
        heads: told?.heads ?? publishedHeads,
        qkvBias: checkpoint.tensors.has('blocks.0.attn.qkv.bias'),
        epsilon: told?.epsilon,
        activation: gated ? 'silu' : told?.activation,
        sizes: told?.size === undefined ? [] : [told.size],
        sizeFields: 'image_size',
        rgbStats: IMAGENET_STATS,
      },
      hints,
    )
    told?.check(config)
    return config
  },
  source: layoutSource(FACEBOOK_LAYOUT),
  positions: (config) => ({
    tensor: FACEBOOK_LAYOUT.positions,
    special: config.positions?.specialRows ? 1 : 0,
  }),
  leftOver: metaLeftOver,
}
