/** Writes Birder's ViT, RoPE_ViT, ViT_Parallel and DeiT: entries in the file of the weights, as a checkpoint of Birder's has them, and a config.json that names the class. */

import type { ActivationKind } from '../../engine/plan.js'
import { ACTIVATIONS } from '../../kernels/activation.js'
import { birder } from '../../model/dialects/birder.js'
import { networksOfClass } from '../../model/networks.js'
import { type Pooling, specialTokens, type VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Holdings } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { rotaryAsRead, rotaryLack, rotarySettings } from './birder-rotary.js'
import { distilledClassifier, linearClassifier } from './linear-classifier.js'
import { plainStem } from './plain-stem.js'
import { learntTable } from './positions-held.js'

/** Is the release whose files are written (birder/common/fs_ops.py: checkpoint_model, save_st; common/lib.py: get_network_config). */
const VERSION = 'v0.8.4'

/** Its files of PyTorch's have the state dict under this entry. */
export const BIRDER_WRAPPING = { entry: 'state', prefix: '' } as const

const NONE = new Map()

type Kind = 'ViT' | 'RoPE_ViT' | 'ViT_Parallel' | 'DeiT'

/** Are what ViT and RoPE_ViT hold alike. */
const HELD: Holdings = {
  classToken: 'any',
  registers: 'any',
  norm: 'any',
  epsilon: 'any',
  preNorm: 'any',
  finalNorm: 'any',
  qkvBias: 'any',
  queryKeyNorm: 'any',
  attentionNorm: 'any',
  layerScale: 'any',
  mlp: ['ffn', 'swiglu', 'normSwiglu'],
  activation: Object.keys(ACTIVATIONS) as ActivationKind[],
  stem: plainStem,
  pooling: poolingLack,
  classifier: linearClassifier,
}

export const birderWriters: readonly Writer[] = [
  writerOf('ViT', { ...HELD, positions: learntTable }),
  writerOf('RoPE_ViT', {
    ...HELD,
    rotary: ({ rotary }) =>
      rotary === null ? 'rotary positions: none, where it has some' : rotaryLack(rotary),
    positions: (config) => (config.positions === null ? null : learntTable(config)),
  }),
  writerOf('ViT_Parallel', {
    classToken: 'any',
    registers: 'any',
    norm: 'any',
    epsilon: 'any',
    qkvBias: 'any',
    layerScale: 'any',
    branches: ({ branches }) => (branches > 1 ? null : 'branches side by side: none, where it has some'),
    pooling: (config) =>
      ['class', 'mean'].includes(config.pooling.kind)
        ? poolingLack(config)
        : `pooling: ${config.pooling.kind}`,
    classifier: linearClassifier,
    positions: learntTable,
  }),
  writerOf('DeiT', {
    registers: [1],
    pooling: [{ kind: 'special-rows', rows: [0, 1] }],
    classifier: distilledClassifier,
    positions: learntTable,
  }),
]

function writerOf(kind: Kind, holds: Holdings): Writer {
  // Tensors tell ViT_Parallel and DeiT from all others, and a file is taken for one of ViT where nothing says otherwise.
  const isUntold = kind === 'RoPE_ViT'
  const ordered = (config: ConvertedConfig) => ({ ...config, classFirst: kind === 'DeiT' })
  return {
    library: 'birder',
    class: kind,
    holds,
    wrapping: BIRDER_WRAPPING,
    source: (weight, shape, config) => birder.source(weight, shape, ordered(config), NONE),
    // Neither ViT_Parallel nor DeiT has a setting that leaves special tokens without positions.
    positions: (config) => ({
      tensor: 'pos_embedding',
      special: kind === 'ViT_Parallel' || kind === 'DeiT' ? specialTokens(config) : 0,
    }),
    files: (network) => files(kind, network),
    hints: (config, isAlone) => (isAlone && isUntold ? { network: nearestNetwork(kind, config) } : {}),
    notes: (config, isAlone) =>
      isAlone && isUntold
        ? [
            `Nothing in the file says that it is of Birder's class ${kind}: whoever loads it says so as network (--network ${nearestNetwork(kind, config)}), whose settings those of the file replace.`,
          ]
        : [],
    asRead: (config) => ({
      ...ordered(config),
      rotary: config.rotary === null ? null : rotaryAsRead(config.rotary),
    }),
  }
}

/** Birder takes the class token where there is one, and a probe has as many queries as its class says. */
function poolingLack({ pooling, classToken, hidden }: VitConfig): string | null {
  const reason = `pooling: ${pooling.kind}${'specialTokens' in pooling && pooling.specialTokens === true ? ' of all tokens' : ''}`
  switch (pooling.kind) {
    case 'class':
      return null
    case 'mean':
      return classToken || pooling.specialTokens === true
        ? `${reason}, where it has that without a class token`
        : null
    case 'attention':
      return pooling.hidden === hidden
        ? null
        : `${reason}, whose hidden width is another than that of the blocks`
    case 'probe':
      return pooling.latents === 32 ? null : reason
    default:
      return reason
  }
}

function files(kind: Kind, { config, labels }: WrittenNetwork): WrittenFiles {
  const [height, width] = config.size
  const signature = {
    inputs: [{ data_shape: [0, config.channels, height, width] }],
    outputs: [{ data_shape: [0, config.classifier?.classes ?? 0] }],
  }
  const settings = settingsOf(kind, config)
  const told = {
    birder_version: VERSION,
    task: 'image_classification',
    signature,
    rgb_stats: { ...config.rgbStats },
  }
  return {
    configFile: {
      ...told,
      name: kind,
      registered_name: nearestNetwork(kind, config),
      model_config: settings,
    },
    entries: {
      ...told,
      class_to_idx: Object.fromEntries((labels ?? []).map((label, index) => [label, index])),
      config: settings,
    },
  }
}

/**
 * Birder builds by the name of a registered network, each of whose settings the file replaces. Of all that it builds of the class, one that has most of
 * the network's sizes tells a reader most.
 */
function nearestNetwork(kind: Kind, config: VitConfig): string {
  const { patchSize, depth, heads, width, hidden, registers, layerScale, rotary, positions } = config
  const shown: PlainRecord = {
    patch_size: patchSize,
    num_layers: depth,
    num_heads: heads,
    hidden_dim: width,
    mlp_dim: hidden,
    ...(rotary === null ? {} : { rope_style: rotarySettings(rotary).rope_style ?? null }),
    ...(positions === null ? { abs_pos_embed: false } : {}),
  }
  const likeness = (own: PlainRecord) =>
    Object.keys(shown).filter((key) => own[key] === shown[key]).length +
    ((own.num_reg_tokens ?? 0) === registers ? 1 : 0) +
    (typeof own.layer_scale_init_value === 'number' ? Number(layerScale) : Number(!layerScale))
  const ordered = networksOfClass(kind).toSorted((a, b) => likeness(b.config) - likeness(a.config))
  const [nearest] = ordered
  if (nearest === undefined) throw new Error(`Birder has no network of the class ${kind}.`)
  return nearest.name
}

function settingsOf(kind: Kind, config: VitConfig): PlainRecord {
  const { mlp, norm, finalNorm } = config
  const sizes = {
    patch_size: config.patchSize,
    num_layers: config.depth,
    num_heads: config.heads,
    hidden_dim: config.width,
    mlp_dim: config.hidden,
    drop_path_rate: 0,
  }
  if (kind === 'DeiT') return sizes
  const ofAll = {
    ...sizes,
    layer_scale_init_value: config.layerScale ? 1e-5 : null,
    num_reg_tokens: config.registers,
    class_token: config.classToken,
    norm_layer_type: norm === 'rmsNorm' ? 'RMSNorm' : 'LayerNorm',
    norm_layer_eps: config.epsilon,
    qkv_bias: config.qkvBias,
  }
  if (kind === 'ViT_Parallel') return { ...ofAll, num_parallel: config.branches }
  return {
    ...ofAll,
    pos_embed_special_tokens: false,
    pre_norm: config.preNorm,
    post_norm: finalNorm !== 'none',
    norm_after_pool: finalNorm === 'pooled',
    qk_norm: config.queryKeyNorm,
    attn_norm: config.attentionNorm,
    mlp_layer_type: { ffn: 'FFN', swiglu: 'SwiGLU_FFN', normSwiglu: 'Norm_SwiGLU_FFN' }[mlp as 'ffn'],
    act_layer_type: config.activation,
    ...(config.positions === null ? { abs_pos_embed: false } : {}),
    ...(config.rotary === null ? {} : rotarySettings(config.rotary)),
    ...poolingSettings(config.pooling),
    ...(config.positions?.rule.startsWith('bilinear') ? { pos_embed_interpolation_mode: 'bilinear' } : {}),
  }
}

function poolingSettings(pooling: Pooling): PlainRecord {
  if (pooling.kind === 'probe')
    return {
      attn_pool_head: true,
      attn_pool_type: 'EfficientProbing',
      attn_pool_num_heads: pooling.heads,
      attn_pool_special_tokens: pooling.specialTokens,
    }
  if (pooling.kind !== 'attention') return { attn_pool_head: false }
  return {
    attn_pool_head: true,
    attn_pool_type: 'MultiHeadAttentionPool',
    attn_pool_num_heads: pooling.heads,
    attn_pool_special_tokens: pooling.specialTokens,
    attn_pool_norm_eps: pooling.epsilon,
    attn_pool_act_layer_type: pooling.activation,
  }
}
