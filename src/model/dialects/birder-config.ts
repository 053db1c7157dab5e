/** Makes a `VitConfig` of Birder's settings, in the keys and with the defaults of Birder's net/vit.py, and of what the tensors show. */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import { type Arithmetic, arithmeticOf, hasSettings } from '../networks.js'
import type { PatchGrid } from '../positions.js'
import {
  type Classifier,
  IMAGENET_STATS,
  PLAIN,
  type Pooling,
  type Positions,
  type RgbStats,
  type Stem,
  type Tap,
  type VitConfig,
} from '../vit-config.js'
import { type BirderEntries, readBirderEntries } from './birder-entries.js'
import { readRoutedExperts } from './birder-experts.js'
import { positionRules, readRotary, readWindows } from './birder-places.js'
import { type ChosenSettings, chooseSettings } from './birder-settings.js'
import { ConfigReader } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { sizeOrNull, squareSideOrNull, storedSize } from './headers.js'

/** What the caller says counts before what the file says, and that before what the name or the tensors say. */
export function readBirderConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors, label } = checkpoint
  const entries = readBirderEntries(checkpoint, hints)
  const chosen = chooseSettings(checkpoint, entries, hints)
  const config = new ConfigReader(chosen.settings, label)
  const arithmetic = arithmeticOf(chosen) ?? 'plain'
  const stem = readStem(config)
  const { signature } = entries
  const kernel = config.positive('patch_size')
  const stored = hints.size ?? signature?.size ?? squareSize(checkpoint, config, kernel)
  refuseOtherSize(stored, kernel, label)
  const trained = { rows: stored[0] / kernel, columns: stored[1] / kernel }
  const channels = signature?.channels ?? stemChannels(checkpoint, stem)
  const patchSize = patchOf(chosen, config, kernel, hints, label)
  const isResized = patchSize !== kernel
  const trunk = trunkConfig(config, label)
  const neck = config.numberOrNull('neck_channels')
  return {
    ...PLAIN,
    ...trunk,
    ...(arithmetic === 'distilled' ? { classFirst: true, registers: 1 } : {}),
    network: chosen.network,
    size: isResized ? nearestSize(stored, patchSize) : stored,
    patchSize,
    channels,
    stem: isResized && stem.kind === 'patchify' ? { ...stem, kernel } : stem,
    branches: config.number('num_parallel', 1),
    windows: readWindows(config, arithmetic, trained),
    neck,
    ...(arithmetic === 'sam'
      ? { taps: samTaps(trunk.taps, trunk.depth, neck !== null || trunk.finalNorm !== 'none') }
      : {}),
    ...(hasSettings(chosen, ['experts'])
      ? {
          experts: readRoutedExperts(config, {
            ...trunk,
            special: trunk.registers + (trunk.classToken ? 1 : 0),
          }),
        }
      : {}),
    rotary: hasSettings(chosen, ['rotary']) ? readRotary(config, arithmetic) : null,
    pooling: arithmetic === 'distilled' ? { kind: 'special-rows', rows: [0, 1] } : readPooling(config),
    classifier: readClassifier(tensors, config, signature?.classes ?? null, arithmetic, label),
    positions: readPositions(chosen, config, arithmetic, trained, isResized),
    rgbStats: levelsOf(entries, channels, label),
  }
}

function readPositions(
  chosen: ChosenSettings,
  config: ConfigReader,
  arithmetic: Arithmetic,
  trained: PatchGrid,
  isResized: boolean,
): Positions | null {
  if (!config.flag('abs_pos_embed', true)) return null
  return {
    ...trained,
    specialRows: config.flag('pos_embed_special_tokens', true),
    ...positionRules(chosen, config, isResized),
    ...(arithmetic === 'sines' ? { sines: { temperature: 10000, hasEndpoint: true } } : {}),
  }
}

function refuseOtherSize([height, width]: readonly [number, number], patch: number, label: string): void {
  if (height % patch === 0 && width % patch === 0) return
  throw new CheckpointError(
    'contradiction',
    `${label}: its input of ${height} x ${width} pixels is no whole number of patches of ${patch}. The signature, patch_size or the option trainedSize (--trained-size) is of another network.`,
  )
}

/** Gives the patch's side that the caller wants, of a network that takes others than its own. */
function patchOf(
  chosen: ChosenSettings,
  config: ConfigReader,
  kernel: number,
  { patchSize = kernel }: VitHints,
  label: string,
): number {
  const takes = hasSettings(chosen, ['patches']) || config.flag('naflex_patch_resampling', false)
  if (patchSize === kernel || takes) return patchSize
  throw new CheckpointError(
    'contradiction',
    `${label} has patches of ${kernel} pixels, and ${patchSize} are asked for (patchSize, --patch-size): Birder's class ${chosen.class} takes no others. FlexiViT and RoPE_FlexiViT do.`,
  )
}

function nearestSize([height, width]: readonly [number, number], patch: number): readonly [number, number] {
  const near = (side: number) => Math.max(1, Math.round(side / patch)) * patch
  return [near(height), near(width)]
}

/** What stands behind the blocks is applied to the last of the layers that are handed out. */
function samTaps(taps: readonly Tap[] | null, depth: number, isFinished: boolean): readonly Tap[] {
  const all = taps ?? [{ layer: depth, isNormed: false }]
  return all.map((tap, index) => ({ ...tap, isNormed: isFinished && index === all.length - 1 }))
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
  arithmetic: Arithmetic,
  label: string,
): Classifier | null {
  const kind = headOf(config, arithmetic)
  const name = { mlp: 'classifier.3', tanh: 'classifier.2', linear: 'classifier', distilled: 'classifier' }[
    kind
  ]
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

/** The hidden layer of a head is another one in networks of routed experts. */
function headOf(config: ConfigReader, arithmetic: Arithmetic): 'mlp' | 'tanh' | 'linear' | 'distilled' {
  if (!config.flag('mlp_head', false)) return arithmetic === 'distilled' ? 'distilled' : 'linear'
  return arithmetic === 'experts' || arithmetic === 'rotary-experts' ? 'tanh' : 'mlp'
}

function squareSize(
  { tensors, label }: Checkpoint,
  config: ConfigReader,
  patch: number,
): readonly [number, number] {
  const shape = tensors.get('pos_embedding')?.shape ?? []
  const [, down, across, ...others] = shape
  if (others.length === 1 && down !== undefined && across !== undefined) return [down * patch, across * patch]
  const rows = shape[shape.length - 2] ?? 0
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
  const plain = checkpoint.tensors.has('patch_embed.proj.weight')
    ? 'patch_embed.proj.weight'
    : 'conv_proj.weight'
  const kernel = kind === 'hmlp' ? 'conv_proj.0.weight' : plain
  return storedSize(checkpoint, kernel, 1, 'birder')
}
