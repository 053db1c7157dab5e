/** timm's vision transformers have Meta's block names, registers as `reg_token`, a packed gated feed-forward net and maybe a classifier. */
import { type Checkpoint, isRecord, type PlainRecord } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { RgbStats, VitConfig } from '../vit-config.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { type Dinov2Layout, dinov2Source } from './dinov2-layout.js'
import { sizeOrNull, storedSize } from './headers.js'
import { META_MODULES, META_PARTS } from './meta-names.js'

const LAYOUT: Dinov2Layout = {
  dialect: 'timm',
  classToken: 'cls_token',
  registers: 'reg_token',
  positions: 'pos_embed',
  blocks: 'blocks.',
  scale: 'gamma',
  modules: { ...META_MODULES, embedding_norm: 'fc_norm', classifier: 'head' },
  parts: {
    ...META_PARTS,
    // The gate is the first half (timm layers/mlp.py: SwiGLUPacked, gate_last=False).
    'mlp.fc1_g': { half: 0, of: 'mlp.fc1' },
    'mlp.fc1_x': { half: 1, of: 'mlp.fc1' },
    'mlp.fc2': 'mlp.fc2',
  },
}

export const timm: Dialect = {
  name: 'timm',
  recognises: (tensors) => tensors.has('blocks.0.attn.qkv.weight') && tensors.has('patch_embed.proj.weight'),
  readConfig,
  source: dinov2Source(LAYOUT),
  positions: (config) => ({ tensor: LAYOUT.positions, special: config.positions?.specialRows ? 1 : 0 }),
  ignores: () => false,
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const unknown = ['norm_pre.weight', 'attn_pool.q.weight', 'blocks.0.attn.q_norm.weight'].find((name) =>
    tensors.has(name),
  )
  if (unknown !== undefined || !tensors.has('cls_token')) {
    throw new CheckpointError(
      'unsupported-network',
      `${label} is a timm model ${unknown === undefined ? 'without a class token' : `with ${unknown}`}; ` +
        'of timm, the DINOv2 models and plain ViTs with a class token can be run.',
    )
  }
  const file = isRecord(hints.configFile) ? hints.configFile : {}
  const args = isRecord(file.model_args) ? file.model_args : {}
  // Only a gated net's second matrix reads half of what its first one gives.
  const rows = sizeOrNull(tensors, 'blocks.0.mlp.fc1.weight', 0)
  const gated = rows !== null && sizeOrNull(tensors, 'blocks.0.mlp.fc2.weight', 1) === rows / 2
  const config = dinov2Config(
    {
      checkpoint,
      layout: LAYOUT,
      gated,
      hidden: gated
        ? { tensor: 'blocks.0.mlp.fc2.weight', axis: 1 }
        : { tensor: 'blocks.0.mlp.fc1.weight', axis: 0 },
      rule: () => 'antialias',
      heads: typeof args.num_heads === 'number' ? args.num_heads : undefined,
      size: inputSize(file),
      rgbStats: rgbStats(file),
    },
    hints,
  )
  const averaged = tensors.has('fc_norm.weight')
  return {
    ...config,
    qkvBias: tensors.has('blocks.0.attn.qkv.bias'),
    finalNorm: averaged ? 'pooled' : 'tokens',
    pooling: averaged || file.global_pool === 'avg' ? { kind: 'mean' } : { kind: 'class' },
    classifier: classifier(checkpoint),
  }
}

function classifier(checkpoint: Checkpoint): VitConfig['classifier'] {
  const { tensors } = checkpoint
  if (!tensors.has('head.weight')) return null
  const classes = storedSize(checkpoint, 'head.weight', 0, LAYOUT.dialect)
  return { classes, kind: 'linear', bias: tensors.has('head.bias') }
}

function pretrained(file: PlainRecord): PlainRecord {
  return isRecord(file.pretrained_cfg) ? file.pretrained_cfg : {}
}

function inputSize(file: PlainRecord): readonly [number, number] | undefined {
  const size = pretrained(file).input_size
  return Array.isArray(size) && size.length === 3 ? [Number(size[1]), Number(size[2])] : undefined
}

function rgbStats(file: PlainRecord): RgbStats | undefined {
  const { mean, std } = pretrained(file)
  return Array.isArray(mean) && Array.isArray(std)
    ? { mean: mean.map(Number), std: std.map(Number) }
    : undefined
}
