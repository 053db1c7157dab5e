/**
 * Reads Birder's config of a ViT from the registry by name, from the file, or from the tensors, in the keys and with the defaults of
 * Birder's net/vit.py, and makes a `VitConfig` of it.
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import { findNetwork, networkOfFileOrNull } from '../networks.js'
import type { Classifier, Pooling, Stem, VitConfig } from '../vit-config.js'
import { readOwnConfig, readRgbStats, readSignatureOrNull } from './birder-entries.js'
import { ConfigReader } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { sizeOrNull, squareSideOrNull, storedSize } from './headers.js'
import { inferBirderConfig } from './infer-birder-config.js'

/** What the caller says counts before what the file says, and that before what the name or the tensors say. */
export function readBirderConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const network = hints.network ?? networkOfFileOrNull(label)
  const registered = network === null ? null : findNetwork(network)
  const own = readOwnConfig(checkpoint)
  const base = registered?.config ?? inferBirderConfig(tensors, label)
  const config = new ConfigReader({ ...base, ...own, ...hints.config }, label)
  refuseForeign(config, label)

  const stem = readStem(config)
  const signature = readSignatureOrNull(checkpoint)
  const patchSize = config.positive('patch_size')
  const size = hints.size ?? signature?.size ?? squareSize(checkpoint, config, patchSize)
  return {
    ...trunkConfig(config, label),
    network: registered?.name ?? null,
    size,
    channels: signature?.channels ?? stemChannels(checkpoint, stem),
    stem,
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
    rgbStats: readRgbStats(checkpoint),
  }
}

const MLP_KINDS: ReadonlyMap<string, VitConfig['mlp']> = new Map([
  ['FFN', 'ffn'],
  ['SwiGLU_FFN', 'swiglu'],
  ['Norm_SwiGLU_FFN', 'normSwiglu'],
  ['SoftMoE_FFN', 'softMoe'],
])
const NORM_KINDS: ReadonlyMap<string, VitConfig['norm']> = new Map([
  ['LayerNorm', 'layerNorm'],
  ['RMSNorm', 'rmsNorm'],
])
const POOL_KINDS: ReadonlyMap<string, 'attention' | 'probe'> = new Map([
  ['MultiHeadAttentionPool', 'attention'],
  ['EfficientProbing', 'probe'],
])

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
  const mlp = config.choice('mlp_layer_type', MLP_KINDS, 'FFN')
  const gated = mlp === 'swiglu' || mlp === 'normSwiglu'
  return {
    patchSize: config.positive('patch_size'),
    width,
    depth,
    heads,
    hidden: config.positive('mlp_dim'),
    classToken: config.flag('class_token', true),
    registers: config.number('num_reg_tokens', 0),
    norm: config.choice('norm_layer_type', NORM_KINDS, 'LayerNorm'),
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

function finalNorm(config: ConfigReader): VitConfig['finalNorm'] {
  if (!config.flag('post_norm', true)) return 'none'
  return config.flag('norm_after_pool', false) ? 'pooled' : 'tokens'
}

/** Birder's names of activations are ours. */
function activation(config: ConfigReader, key: string, fallback: ActivationKind): ActivationKind {
  const kinds = Object.keys(ACTIVATIONS) as ActivationKind[]
  return config.choice(key, new Map(kinds.map((kind) => [kind, kind])), fallback)
}

function readStem(config: ConfigReader): Stem {
  if (config.text('stem_type', 'patchify') !== 'hmlp')
    return { kind: 'patchify', bias: !config.flag('pre_norm', false) }
  const norm = config.text('stem_norm_layer_type', 'LayerNorm2d')
  return { kind: 'hmlp', norm: norm === 'BatchNorm2d' ? 'batchNorm' : 'layerNorm' }
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
  const kind = config.choice('attn_pool_type', POOL_KINDS, 'MultiHeadAttentionPool')
  if (kind === 'probe') {
    return { kind, heads: config.number('attn_pool_num_heads', 1), specialTokens, latents: 32 }
  }
  return {
    kind,
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
  // A file without the matrix has a network without a classifier.
  const rows = sizeOrNull(tensors, `${name}.weight`, 0) ?? 0
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

function squareSize(
  { tensors, label }: Checkpoint,
  config: ConfigReader,
  patch: number,
): readonly [number, number] {
  const rows = sizeOrNull(tensors, 'pos_embedding', 1) ?? 0
  const special = config.flag('pos_embed_special_tokens', true)
    ? config.number('num_reg_tokens', 0) + (config.flag('class_token', true) ? 1 : 0)
    : 0
  const side = squareSideOrNull(rows - special)
  if (rows > 0 && side !== null) return [side * patch, side * patch]
  throw new CheckpointError(
    'contradiction',
    `${label} does not say its input size and its ${rows} positions make no square. Give the size (option size: [height, width]).`,
  )
}

function stemChannels(checkpoint: Checkpoint, { kind }: Stem): number {
  const kernel = kind === 'hmlp' ? 'conv_proj.0.weight' : 'conv_proj.weight'
  return storedSize(checkpoint, kernel, 1, 'birder')
}
