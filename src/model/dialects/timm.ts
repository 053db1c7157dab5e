/** timm's vision transformers: Meta's block names, registers as `reg_token`, a packed gated feed-forward net, an optional classifier. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Shape } from '../../tensor/shape.js'
import type { VitConfig } from '../vit-config.js'
import { isRecord, type PlainRecord } from './config-reader.js'
import { band, countBlocks, type Dialect, type StoredWeight, stored, type VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { classTokenSource, stemWeight } from './dinov2-tokens.js'
import { BLOCK_PARTS } from './facebook.js'

export const timm: Dialect = {
  name: 'timm',
  recognises: (tensors) => tensors.has('blocks.0.attn.qkv.weight') && tensors.has('patch_embed.proj.weight'),
  readConfig,
  source,
  positions: (config) => ({ tensor: 'pos_embed', special: config.positions?.specialRows ? 1 : 0 }),
  ignores: () => false,
}

function readConfig({ tensors, label }: Checkpoint, hints: VitHints): VitConfig {
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
  const rows = tensors.get('blocks.0.mlp.fc1.weight')?.shape[0] ?? 0
  const gated = tensors.get('blocks.0.mlp.fc2.weight')?.shape[1] === rows / 2
  const config = dinov2Config(
    {
      label,
      tensors,
      stem: 'patch_embed.proj.weight',
      table: 'pos_embed',
      registers: 'reg_token',
      block: 'blocks.',
      depth: countBlocks(tensors, 'blocks.'),
      gated,
      hidden: gated ? rows / 2 : rows,
      layerScale: tensors.has('blocks.0.ls1.gamma'),
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
    classifier: classifier(tensors),
  }
}

function classifier(tensors: ReadonlyMap<string, TensorInfo>): VitConfig['classifier'] {
  const head = tensors.get('head.weight')
  return head === undefined
    ? null
    : { classes: head.shape[0], kind: 'linear', bias: tensors.has('head.bias') }
}

function pretrained(file: PlainRecord): PlainRecord {
  return isRecord(file.pretrained_cfg) ? file.pretrained_cfg : {}
}

function inputSize(file: PlainRecord): readonly [number, number] | undefined {
  const size = pretrained(file).input_size
  return Array.isArray(size) && size.length === 3 ? [Number(size[1]), Number(size[2])] : undefined
}

function rgbStats(file: PlainRecord): VitConfig['rgbStats'] | undefined {
  const { mean, std } = pretrained(file)
  return Array.isArray(mean) && Array.isArray(std)
    ? { mean: mean.map(Number), std: std.map(Number) }
    : undefined
}

function source(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  if (weight === 'class_token') return classTokenSource('cls_token', 'pos_embed', shape, config)
  if (weight === 'reg_tokens') return stored('reg_token', [1, ...shape])
  if (weight === 'conv_proj.weight') return stemWeight('patch_embed.proj.weight', shape, config)
  if (weight === 'conv_proj.bias') return stored('patch_embed.proj.bias', shape)
  if (weight.startsWith('embedding_norm.')) return stored(weight.replace('embedding_norm', 'fc_norm'), shape)
  if (weight.startsWith('classifier.')) return stored(weight.replace('classifier', 'head'), shape)
  const block = /^encoder\.block\.(\d+)\.(.+)\.(weight|bias|gamma)$/.exec(weight)
  if (block === null) return stored(weight, shape)
  const [, index, part, kind] = block
  const name = (own: string) => `blocks.${index}.${own}.${kind}`
  // The gate is the first half (timm layers/mlp.py: SwiGLUPacked, gate_last=False).
  if (part === 'mlp.fc1_g') return band(name('mlp.fc1'), shape, 0, 2)
  if (part === 'mlp.fc1_x') return band(name('mlp.fc1'), shape, 1, 2)
  return stored(name(BLOCK_PARTS[part] ?? part), shape)
}
