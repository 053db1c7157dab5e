/**
 * Reads Birder's config of a ViT from the registry by name, from the file, or from the tensors, in the keys and with the defaults of
 * Birder's net/vit.py, and makes a `VitConfig` of it.
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import type { PlainRecord } from '../../plain-value.js'
import { judgeFields } from '../fields.js'
import { classOf, findNetwork, networkOfFileOrNull } from '../networks.js'
import {
  type Classifier,
  IMAGENET_STATS,
  PLAIN,
  type Pooling,
  type RgbStats,
  type Stem,
  type Tap,
  type VitConfig,
} from '../vit-config.js'
import { type BirderEntries, readBirderEntries } from './birder-entries.js'
import { BIRDER_CONFIG } from './birder-fields.js'
import { ConfigReader } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { sizeOrNull, squareSideOrNull, storedSize } from './headers.js'
import { identifyNetwork } from './identify-network.js'
import { inferBirderConfig } from './infer-birder-config.js'

/** What the caller says counts before what the file says, and that before what the name or the tensors say. */
export function readBirderConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const entries = readBirderEntries(checkpoint, hints)
  const { network, settings } = chooseSettings(checkpoint, entries, hints)
  const config = new ConfigReader(settings, label)
  const stem = readStem(config)
  const { signature } = entries
  const patchSize = config.positive('patch_size')
  const size = hints.size ?? signature?.size ?? squareSize(checkpoint, config, patchSize)
  const channels = signature?.channels ?? stemChannels(checkpoint, stem)
  return {
    ...PLAIN,
    ...trunkConfig(config, label),
    network,
    size,
    channels,
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
    rgbStats: levelsOf(entries, channels, label),
  }
}

/** Says in whole sentences what neither the file nor the caller tells. */
export function birderAssumptions(checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  const entries = readBirderEntries(checkpoint, hints)
  const { assumptions } = chooseSettings(checkpoint, entries, hints)
  const { label } = checkpoint
  const levels =
    `${label} does not say which mean and deviation of levels it was trained with; ImageNet's are assumed. Say which: ` +
    "normalisation: 'imagenet' or another where a program loads it, --normalisation imagenet on the command line."
  return [...assumptions, ...(entries.rgbStats === null && hints.normalisation === undefined ? [levels] : [])]
}

interface ChosenSettings {
  readonly network: string | null
  readonly settings: PlainRecord
  readonly assumptions: readonly string[]
}

function chooseSettings(checkpoint: Checkpoint, entries: BirderEntries, hints: VitHints): ChosenSettings {
  const { tensors, label } = checkpoint
  judgeFields(hints.config ?? {}, BIRDER_CONFIG, { label: 'The option config', ignored: hints.ignoreFields })
  const heads = hints.heads === undefined ? {} : { num_heads: hints.heads }
  const own = { ...entries.config, ...hints.config, ...heads }
  const name = hints.network ?? entries.network ?? networkOfFileOrNull(label)
  if (name !== null) {
    const registered = findNetwork(name)
    return { network: registered.name, settings: { ...registered.config, ...own }, assumptions: [] }
  }
  if (entries.class !== null) {
    const { defaults } = classOf(label, entries.class)
    return { network: null, settings: { ...defaults, ...own }, assumptions: [] }
  }
  const shown = inferBirderConfig(tensors, hints.size ?? entries.signature?.size ?? null)
  const { config, assumptions } = identifyNetwork(shown, own, label)
  const settings = { ...(config ?? shown), ...own }
  refuseUnknownHeads(settings, label)
  return { network: null, settings, assumptions }
}

/** Tensors look the same with any number of heads. */
function refuseUnknownHeads({ num_heads: heads }: PlainRecord, label: string): void {
  if (heads !== undefined && heads !== null) return
  throw new CheckpointError(
    'contradiction',
    `${label} does not say how many attention heads it has, and its tensors are of no registered network. Say it: ` +
      'heads: NUMBER where a program loads it, --heads NUMBER on the command line; or name its network (network, --network).',
  )
}

function levelsOf({ rgbStats }: BirderEntries, channels: number, label: string): RgbStats {
  if (rgbStats === null) return IMAGENET_STATS
  const { mean } = rgbStats
  if (mean.length === channels) return rgbStats
  throw new CheckpointError(
    'contradiction',
    `${label}: its rgb_stats are of ${mean.length} channels, and its images have ${channels}.`,
  )
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
    layerScale: config.numberOrNull('layer_scale_init_value') !== null,
    mlp,
    activation: activation(config, 'act_layer_type', gated ? 'silu' : 'gelu'),
    experts:
      mlp === 'softMoe'
        ? { count: config.positive('soft_moe_num_experts'), slots: config.number('soft_moe_num_slots', 1) }
        : null,
    taps: tapsOf(config, depth, label),
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

const STEMS: ReadonlyMap<string, Stem['kind']> = new Map([
  ['patchify', 'patchify'],
  ['hmlp', 'hmlp'],
])
const STEM_NORMS: ReadonlyMap<string, 'batchNorm' | 'layerNorm'> = new Map([
  ['LayerNorm2d', 'layerNorm'],
  ['BatchNorm2d', 'batchNorm'],
])

function readStem(config: ConfigReader): Stem {
  const norm = config.choice('stem_norm_layer_type', STEM_NORMS, 'LayerNorm2d')
  if (config.choice('stem_type', STEMS, 'patchify') === 'hmlp') return { kind: 'hmlp', norm }
  if (config.has('stem_norm_layer_type'))
    throw config.refuse('stem_norm_layer_type', 'none with a patchify stem')
  return { kind: 'patchify', bias: !config.flag('pre_norm', false) }
}

/** Each block counts once, in the order of the blocks. */
function tapsOf(config: ConfigReader, depth: number, label: string): readonly Tap[] | null {
  const list = config.numbersOrNull('out_indices')
  if (list === null) return null
  const blocks = list.map((index) => {
    const positive = index < 0 ? depth + index : index
    if (Number.isInteger(positive) && positive >= 0 && positive < depth) return positive
    throw new CheckpointError(
      'contradiction',
      `${label}: out_indices names block ${index}, and there are ${depth}.`,
    )
  })
  return [...new Set(blocks)].sort((a, b) => a - b).map((block) => ({ layer: block + 1, isNormed: false }))
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
      `${label}: the signature promises ${classes} classes (num_labels, else outputs) and ${name}.weight has ${rows}.`,
      { tensor: `${name}.weight` },
    )
  }
  if (rows === 0) return null
  const bias = tensors.has(`${name}.bias`)
  if (config.flag('head_bias', bias) !== bias) throw config.contradicts('head_bias', bias)
  return { classes: rows, kind, bias }
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
    `${label} does not say its input size and its ${rows} positions make no square. Say which size it was trained at: ` +
      'trainedSize: [HEIGHT, WIDTH] where a program loads it, --trained-size HEIGHTxWIDTH on the command line.',
  )
}

function stemChannels(checkpoint: Checkpoint, { kind }: Stem): number {
  const kernel = kind === 'hmlp' ? 'conv_proj.0.weight' : 'conv_proj.weight'
  return storedSize(checkpoint, kernel, 1, 'birder')
}
