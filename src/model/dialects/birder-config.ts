/**
 * Birder's config of a ViT, from the registry by name, from the file, or from the tensors: in the keys and with the defaults of
 * Birder's net/vit.py, then as a `VitConfig`.
 */
import type { Checkpoint, PlainValue, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import { findNetwork, networkOfFileOrNull } from '../networks.js'
import {
  type Classifier,
  IMAGENET_STATS,
  type Pooling,
  type RgbStats,
  type VitConfig,
} from '../vit-config.js'
import { ConfigReader, isRecord } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { inferBirderConfig } from './infer-birder-config.js'

export function readBirderConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { metadata, tensors, label } = checkpoint
  const network = hints.network ?? networkOfFileOrNull(label)
  const registered = network === null ? null : findNetwork(network)
  const own = storedConfig(metadata.config, label)
  const base = registered?.config ?? inferBirderConfig(tensors, label)
  const config = new ConfigReader({ ...base, ...own, ...hints.config }, label)
  refuseForeign(config, label)

  const signature = readSignature(checkpoint)
  const patchSize = config.positive('patch_size')
  const size = hints.size ?? signature?.size ?? squareSize(checkpoint, config, patchSize)
  return {
    ...trunkConfig(config, label),
    network: registered?.name ?? null,
    size,
    channels: signature?.channels ?? stemChannels(tensors),
    stem:
      config.text('stem_type', 'patchify') === 'hmlp'
        ? {
            kind: 'hmlp',
            norm:
              config.text('stem_norm_layer_type', 'LayerNorm2d') === 'BatchNorm2d'
                ? 'batchNorm'
                : 'layerNorm',
          }
        : { kind: 'patchify', bias: !config.flag('pre_norm', false) },
    pooling: readPooling(config),
    classifier: readClassifier(tensors, config, signature?.classes ?? null, label),
    positions: config.flag('abs_pos_embed', true)
      ? {
          rows: Math.floor(size[0] / patchSize),
          columns: Math.floor(size[1] / patchSize),
          specialRows: config.flag('pos_embed_special_tokens', true),
          rule: 'antialias',
        }
      : null,
    rgbStats: readRgbStats(metadata.rgb_stats, label),
  }
}

function trunkConfig(config: ConfigReader, label: string) {
  const width = config.positive('hidden_dim')
  const heads = config.positive('num_heads')
  if (width % heads !== 0) {
    throw new CheckpointError(
      'contradiction',
      `${label}: the config says ${heads} heads for a width of ${width}, which ${heads} does not divide. ` +
        'The config belongs to another network than the weights.',
    )
  }
  const depth = config.positive('num_layers')
  const mlp = MLP_KINDS[config.oneOf('mlp_layer_type', Object.keys(MLP_KINDS), 'FFN')]
  const gated = mlp === 'swiglu' || mlp === 'normSwiglu'
  return {
    patchSize: config.positive('patch_size'),
    width,
    depth,
    heads,
    hidden: config.positive('mlp_dim'),
    classToken: config.flag('class_token', true),
    registers: config.number('num_reg_tokens', 0),
    norm:
      config.oneOf('norm_layer_type', ['LayerNorm', 'RMSNorm'], 'LayerNorm') === 'RMSNorm'
        ? 'rmsNorm'
        : 'layerNorm',
    epsilon: config.number('norm_layer_eps', 1e-6),
    preNorm: config.flag('pre_norm', false),
    finalNorm: finalNorm(config),
    qkvBias: config.flag('qkv_bias', true),
    queryKeyNorm: config.flag('qk_norm', false),
    attentionNorm: config.flag('attn_norm', false),
    layerScale: config.has('layer_scale_init_value'),
    mlp,
    activation: activation(config, 'act_layer_type', gated ? 'silu' : 'gelu'),
    experts:
      mlp === 'softMoe'
        ? { count: config.positive('soft_moe_num_experts'), slots: config.number('soft_moe_num_slots', 1) }
        : null,
    outIndices: outIndices(config, depth, label),
  } as const
}

const MLP_KINDS: Readonly<Record<string, VitConfig['mlp']>> = {
  FFN: 'ffn',
  SwiGLU_FFN: 'swiglu',
  Norm_SwiGLU_FFN: 'normSwiglu',
  SoftMoE_FFN: 'softMoe',
}

function finalNorm(config: ConfigReader): VitConfig['finalNorm'] {
  if (!config.flag('post_norm', true)) return 'none'
  return config.flag('norm_after_pool', false) ? 'pooled' : 'tokens'
}

function activation(config: ConfigReader, key: string, fallback: ActivationKind): ActivationKind {
  return config.oneOf(key, Object.keys(ACTIVATIONS), fallback) as ActivationKind
}

function outIndices(config: ConfigReader, depth: number, label: string): readonly number[] | null {
  const list = config.numbersOrNull('out_indices')
  if (list === null) return null
  return list.map((index) => {
    const positive = index < 0 ? depth + index : index
    if (Number.isInteger(positive) && positive >= 0 && positive < depth) return positive
    throw new CheckpointError(
      'contradiction',
      `${label}: out_indices names block ${index}, and there are ${depth}.`,
    )
  })
}

function readPooling(config: ConfigReader): Pooling {
  if (!config.flag('attn_pool_head', false))
    return { kind: config.flag('class_token', true) ? 'class' : 'mean' }
  const specialTokens = config.flag('attn_pool_special_tokens', false)
  const kind = config.oneOf(
    'attn_pool_type',
    ['MultiHeadAttentionPool', 'EfficientProbing'],
    'MultiHeadAttentionPool',
  )
  if (kind === 'EfficientProbing') {
    return { kind: 'probe', heads: config.number('attn_pool_num_heads', 1), specialTokens, latents: 32 }
  }
  return {
    kind: 'attention',
    heads: config.number('attn_pool_num_heads', config.positive('num_heads')),
    specialTokens,
    epsilon: config.number('attn_pool_norm_eps', 1e-5),
    hidden: config.positive('mlp_dim'),
    activation: activation(config, 'attn_pool_act_layer_type', 'gelu'),
  }
}

function readClassifier(
  tensors: ReadonlyMap<string, TensorInfo>,
  config: ConfigReader,
  classes: number | null,
  label: string,
): Classifier | null {
  const kind = config.flag('mlp_head', false) ? 'mlp' : 'linear'
  const name = kind === 'mlp' ? 'classifier.3' : 'classifier'
  const rows = tensors.get(`${name}.weight`)?.shape[0] ?? 0
  if (classes !== null && classes !== rows) {
    throw new CheckpointError(
      rows === 0 ? 'missing-tensor' : 'contradiction',
      `${label}: the signature promises ${classes} classes and ${name}.weight has ${rows}.`,
      { tensor: `${name}.weight` },
    )
  }
  return rows === 0 ? null : { classes: rows, kind, bias: tensors.has(`${name}.bias`) }
}

/** Networks whose state dict looks like a ViT's and whose arithmetic differs must not be taken for one. */
function refuseForeign(config: ConfigReader, label: string): void {
  const foreign = config
    .keys()
    .find((key) => /^(rope_|pt_grid_size|num_windows|global_attn|min_patch_size|moe_)/.test(key))
  if (foreign !== undefined) {
    throw new CheckpointError(
      'unsupported-network',
      `${label}: its config has ${foreign}, so it is no plain ViT. Only Birder's class ViT can be run so far.`,
    )
  }
  if (config.text('pos_embed_interpolation_mode', 'bicubic') !== 'bicubic') {
    throw new CheckpointError(
      'unsupported-network',
      `${label}: position tables are resampled bicubically here, its config says otherwise.`,
    )
  }
}

function storedConfig(value: PlainValue | undefined, label: string): { readonly [key: string]: PlainValue } {
  if (value === undefined || value === null || value === '') return {}
  if (isRecord(value)) return value
  throw new CheckpointError('malformed', `${label}: its entry config is no table of settings.`)
}

interface Signature {
  readonly size: readonly [number, number]
  readonly channels: number
  readonly classes: number
}

/** Birder writes one into every file; a bare state dict has none. */
function readSignature({ metadata, label }: Checkpoint): Signature | null {
  if (metadata.signature === undefined) {
    if (metadata.birder_version === undefined) return null
    throw new CheckpointError(
      'malformed',
      `${label} is one of Birder's files and lacks the entry signature: no input size, no class count.`,
    )
  }
  const shape = (part: string) => {
    const list = isRecord(metadata.signature) ? metadata.signature[part] : undefined
    const first = Array.isArray(list) ? list[0] : undefined
    const numbers = isRecord(first) ? first.data_shape : undefined
    if (
      Array.isArray(numbers) &&
      numbers.every((n) => typeof n === 'number' && Number.isInteger(n) && n >= 0)
    )
      return numbers
    throw new CheckpointError(
      'malformed',
      `${label}: its signature gives no ${part}[0].data_shape of whole numbers.`,
    )
  }
  const [inputs, outputs] = [shape('inputs'), shape('outputs')]
  if (inputs.length !== 4 || inputs[1] < 1 || inputs[2] < 1 || inputs[3] < 1 || outputs.length < 2) {
    throw new CheckpointError('malformed', `${label}: its signature [${inputs}] is no batch of images.`)
  }
  return { channels: inputs[1], size: [inputs[2], inputs[3]], classes: outputs[1] }
}

function squareSize(
  { tensors, label }: Checkpoint,
  config: ConfigReader,
  patch: number,
): readonly [number, number] {
  const rows = tensors.get('pos_embedding')?.shape[1] ?? 0
  const special = config.flag('pos_embed_special_tokens', true)
    ? config.number('num_reg_tokens', 0) + (config.flag('class_token', true) ? 1 : 0)
    : 0
  const side = Math.round(Math.sqrt(rows - special))
  if (rows > 0 && side * side === rows - special) return [side * patch, side * patch]
  throw new CheckpointError(
    'contradiction',
    `${label} does not say its input size and its ${rows} positions make no square. Give the size (option size: [height, width]).`,
  )
}

function stemChannels(tensors: ReadonlyMap<string, TensorInfo>): number {
  return (tensors.get('conv_proj.weight') ?? tensors.get('conv_proj.0.weight'))?.shape[1] ?? 3
}

function readRgbStats(value: PlainValue | undefined, label: string): RgbStats {
  if (value === undefined || value === null) return IMAGENET_STATS
  const { mean, std } = isRecord(value) ? value : {}
  if (isNumbers(mean) && isNumbers(std) && mean.length === std.length && std.every((s) => s > 0))
    return { mean, std }
  throw new CheckpointError('malformed', `${label}: its rgb_stats are no mean and std of each channel.`)
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === 'number' && Number.isFinite(n))
