/** Hugging Face transformers' Dinov2 and Dinov2WithRegisters keep q, k and v apart and a `config.json` beside the weights. */
import { type Checkpoint, isRecord } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { RgbStats, VitConfig } from '../vit-config.js'
import type { Dialect, VitHints } from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { type Dinov2Layout, dinov2Source } from './dinov2-layout.js'

const LAYOUT: Dinov2Layout = {
  dialect: 'hugging-face',
  classToken: 'embeddings.cls_token',
  registers: 'embeddings.register_tokens',
  positions: 'embeddings.position_embeddings',
  blocks: 'encoder.layer.',
  scale: 'lambda1',
  modules: { conv_proj: 'embeddings.patch_embeddings.projection', norm: 'layernorm' },
  parts: {
    norm1: 'norm1',
    'attn.qkv': {
      pieces: ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'],
    },
    'attn.proj': 'attention.output.dense',
    layer_scale_1: 'layer_scale1',
    norm2: 'norm2',
    'mlp.0': 'mlp.fc1',
    'mlp.3': 'mlp.fc2',
    'mlp.fc1_g': { half: 0, of: 'mlp.weights_in' },
    'mlp.fc1_x': { half: 1, of: 'mlp.weights_in' },
    'mlp.fc2': 'mlp.weights_out',
    layer_scale_2: 'layer_scale2',
  },
}
const MODEL_TYPES = ['dinov2', 'dinov2_with_registers']

export const huggingFace: Dialect = {
  name: 'hugging-face',
  recognises: (tensors) => tensors.has('embeddings.cls_token') && tensors.has('encoder.layer.0.norm1.weight'),
  readConfig,
  source: dinov2Source(LAYOUT),
  positions: () => ({ tensor: LAYOUT.positions, special: 1 }),
  // The classifier of the `-imagenet1k-1-layer` files reads class token and mean patch together; features don't need it.
  ignores: (tensor) => tensor === 'embeddings.mask_token' || tensor.startsWith('classifier.'),
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const file = isRecord(hints.configFile) ? hints.configFile : {}
  const kind = file.model_type
  if (kind !== undefined && !MODEL_TYPES.includes(String(kind))) {
    throw new CheckpointError(
      'unsupported-network',
      `${checkpoint.label}: the config.json beside it says model_type ${String(kind)}; of Hugging Face, ${MODEL_TYPES.join(' and ')} can be run.`,
    )
  }
  const number = (key: string) => (typeof file[key] === 'number' ? file[key] : undefined)
  const side = number('image_size')
  const gated = checkpoint.tensors.has('encoder.layer.0.mlp.weights_in.weight')
  return dinov2Config(
    {
      checkpoint,
      layout: LAYOUT,
      gated,
      hidden: gated
        ? { tensor: 'encoder.layer.0.mlp.weights_out.weight', axis: 1 }
        : { tensor: 'encoder.layer.0.mlp.fc1.weight', axis: 0 },
      rule: (registers) => (registers > 0 ? 'antialias' : 'bicubic'),
      heads: number('num_attention_heads'),
      epsilon: number('layer_norm_eps'),
      size: side === undefined ? undefined : [side, side],
      rgbStats: rgbStats(hints),
    },
    hints,
  )
}

function rgbStats({ preprocessorFile }: VitHints): RgbStats | undefined {
  if (!isRecord(preprocessorFile)) return undefined
  const { image_mean: mean, image_std: std } = preprocessorFile
  return Array.isArray(mean) && Array.isArray(std)
    ? { mean: mean.map(Number), std: std.map(Number) }
    : undefined
}
