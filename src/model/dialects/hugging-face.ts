/** Hugging Face transformers' Dinov2 and Dinov2WithRegisters: q, k and v apart, layer scale as `lambda1`, a `config.json` beside the weights. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Shape } from '../../tensor/shape.js'
import type { RgbStats, VitConfig } from '../vit-config.js'
import { isRecord } from './config-reader.js'
import {
  band,
  countBlocks,
  type Dialect,
  type StoredWeight,
  stacked,
  stored,
  type VitHints,
} from './dialect.js'
import { dinov2Config } from './dinov2-config.js'
import { classTokenSource, stemWeight } from './dinov2-tokens.js'

const STEM = 'embeddings.patch_embeddings.projection'
const TABLE = 'embeddings.position_embeddings'
const MODEL_TYPES = ['dinov2', 'dinov2_with_registers']

export const huggingFace: Dialect = {
  name: 'hugging-face',
  recognises: (tensors) => tensors.has('embeddings.cls_token') && tensors.has('encoder.layer.0.norm1.weight'),
  readConfig,
  source,
  positions: () => ({ tensor: TABLE, special: 1 }),
  // The classifier of the `-imagenet1k-1-layer` files reads class token and mean patch together; features don't need it.
  ignores: (tensor) => tensor === 'embeddings.mask_token' || tensor.startsWith('classifier.'),
}

const isGated = (tensors: ReadonlyMap<string, TensorInfo>) =>
  tensors.has('encoder.layer.0.mlp.weights_in.weight')

function readConfig({ tensors, label }: Checkpoint, hints: VitHints): VitConfig {
  const file = isRecord(hints.configFile) ? hints.configFile : {}
  const kind = file.model_type
  if (kind !== undefined && !MODEL_TYPES.includes(String(kind))) {
    throw new CheckpointError(
      'unsupported-network',
      `${label}: the config.json beside it says model_type ${String(kind)}; of Hugging Face, ${MODEL_TYPES.join(' and ')} can be run.`,
    )
  }
  const number = (key: string) => (typeof file[key] === 'number' ? file[key] : undefined)
  const side = number('image_size')
  const gated = isGated(tensors)
  return dinov2Config(
    {
      label,
      tensors,
      stem: `${STEM}.weight`,
      table: TABLE,
      registers: 'embeddings.register_tokens',
      block: 'encoder.layer.',
      depth: countBlocks(tensors, 'encoder.layer.'),
      gated,
      hidden: gated
        ? (tensors.get('encoder.layer.0.mlp.weights_out.weight')?.shape[1] ?? 0)
        : (tensors.get('encoder.layer.0.mlp.fc1.weight')?.shape[0] ?? 0),
      layerScale: tensors.has('encoder.layer.0.layer_scale1.lambda1'),
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

const PARTS: Readonly<Record<string, string>> = {
  norm1: 'norm1',
  'attn.proj': 'attention.output.dense',
  norm2: 'norm2',
  'mlp.0': 'mlp.fc1',
  'mlp.3': 'mlp.fc2',
  'mlp.fc2': 'mlp.weights_out',
}

function source(weight: string, shape: Shape, config: VitConfig): StoredWeight {
  if (weight === 'class_token') return classTokenSource('embeddings.cls_token', TABLE, shape, config)
  if (weight === 'reg_tokens') return stored('embeddings.register_tokens', [1, ...shape])
  if (weight === 'conv_proj.weight') return stemWeight(`${STEM}.weight`, shape, config)
  if (weight === 'conv_proj.bias') return stored(`${STEM}.bias`, shape)
  if (weight.startsWith('norm.')) return stored(`layer${weight}`, shape)
  const block = /^encoder\.block\.(\d+)\.(.+)\.(weight|bias|gamma)$/.exec(weight)
  if (block === null) return stored(weight, shape)
  const [, index, part, kind] = block
  const layer = `encoder.layer.${index}`
  if (part === 'attn.qkv') {
    return stacked(
      ['query', 'key', 'value'].map((name) => `${layer}.attention.attention.${name}.${kind}`),
      shape,
    )
  }
  if (part === 'layer_scale_1' || part === 'layer_scale_2') {
    return stored(`${layer}.layer_scale${part.at(-1)}.lambda1`, shape)
  }
  if (part === 'mlp.fc1_g') return band(`${layer}.mlp.weights_in.${kind}`, shape, 0, 2)
  if (part === 'mlp.fc1_x') return band(`${layer}.mlp.weights_in.${kind}`, shape, 1, 2)
  return stored(`${layer}.${PARTS[part] ?? part}.${kind}`, shape)
}
