/** Writes timm's VisionTransformer, and the one with a distillation token: the architecture that comes nearest, and every argument in which the network may be another. */

import { type Layout, writtenSource } from '../../model/dialects/layout.js'
import { type TimmArchitecture, timmArchitectures } from '../../model/dialects/timm-architectures.js'
import { TIMM_ACTIVATIONS } from '../../model/dialects/timm-file.js'
import {
  distilledSource,
  TIMM_DISTILLED_LAYOUT,
  TIMM_LAYOUT,
  timmAimv2Layout,
  visionTransformerLayout,
} from '../../model/families/timm-layout.js'
import { specialTokens, type VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { distilledClassifier, linearClassifier } from './linear-classifier.js'
import { plainStem } from './plain-stem.js'
import { learntTable } from './positions-held.js'
import {
  commonArgs,
  epsilonSetting,
  nearestArchitecture,
  poolOrNull,
  ratioOf,
  timmFiles,
  USUAL_EPSILON,
} from './timm-files.js'

export const timmWriter: Writer = {
  library: 'timm',
  class: 'VisionTransformer',
  holds: {
    classToken: 'any',
    registers: 'any',
    norm: 'any',
    epsilon: epsilonLack,
    preNorm: 'any',
    finalNorm: 'any',
    qkvBias: 'any',
    queryKeyNorm: 'any',
    attentionNorm: 'any',
    branches: [1, 2],
    layerScale: 'any',
    mlp: ['ffn', 'normFfn', 'swiglu'],
    activation: [...new Set(TIMM_ACTIVATIONS.values())],
    stem: stemLack,
    pooling: (config) => (poolOrNull(config) === null ? `pooling: ${config.pooling.kind}` : null),
    classifier: linearClassifier,
    positions: learntTable,
  },
  source: (weight, shape, config) => writtenSource(layoutOf(config))(weight, shape, config),
  positions: () => ({ tensor: TIMM_LAYOUT.positions, special: 0 }),
  files,
}

export const timmDistilledWriter: Writer = {
  library: 'timm',
  class: 'VisionTransformerDistilled',
  holds: {
    registers: [1],
    qkvBias: 'any',
    activation: timmWriter.holds.activation ?? [],
    pooling: [{ kind: 'special-mean', rows: [0, 1] }],
    classifier: distilledClassifier,
    positions: learntTable,
  },
  source: (weight, shape, config) =>
    distilledSource(weight, shape) ?? writtenSource(TIMM_DISTILLED_LAYOUT)(weight, shape, config),
  positions: (config) => ({ tensor: TIMM_LAYOUT.positions, special: specialTokens(config) }),
  files: (network) => {
    const { config } = network
    const base = nearestArchitecture(config, ({ settings }) => settings.get('distilled') === 'yes')
    const args = { mlp_ratio: ratioOf(config.hidden, config.width), act_layer: config.activation }
    return timmFiles(network, base, { ...commonArgs(config), ...args })
  },
}

function layoutOf(config: ConvertedConfig): Layout {
  return isOfAimv2(config)
    ? timmAimv2Layout({ hasLinearBias: config.linearBias })
    : visionTransformerLayout(config.branches)
}

/** Patches are normed by themselves in AIMv2 alone. */
function isOfAimv2({ stem }: VitConfig): boolean {
  return stem.kind === 'patchify' && stem.norm === true
}

function stemLack(config: VitConfig): string | null {
  if (!isOfAimv2(config)) return plainStem(config)
  const { norm, mlp, preNorm, stem } = config
  const isWhole = norm === 'rmsNorm' && mlp === 'swiglu' && !preNorm && stem.kind === 'patchify' && stem.bias
  return isWhole
    ? null
    : 'way from pixels to patches: a norm on them, which it has with RMS norms and gated feed-forward nets, and none in front of the blocks'
}

/** These settings of an architecture are no arguments that a file can hold, so that the architecture must have them. */
const BUILT_IN = ['norm', 'mlp', 'block', 'attn', 'embed_norm', 'distilled'] as const

/** Older versions do not have these arguments, so that they are written only where a network needs them, and no architecture may bring them. */
const LATER = ['scale_mlp_norm', 'pool_include_prefix'] as const

function baseOrNull(config: VitConfig): TimmArchitecture | null {
  const isBuiltSo = builtLike(config)
  const fits = (one: TimmArchitecture) =>
    isBuiltSo(one) && one.settings.get('eps') === epsilonSetting(config.epsilon)
  return nearestArchitecture(config, fits, undefined, 'vit_base_patch16_224')
}

/** Tells the architectures that are built like the network, whatever the epsilon of their norms is. */
function builtLike(config: VitConfig): (architecture: TimmArchitecture) => boolean {
  const { norm, mlp, branches } = config
  const wanted: Readonly<Partial<Record<(typeof BUILT_IN)[number], string>>> = {
    ...(norm === 'rmsNorm' ? { norm: 'rmsNorm' } : {}),
    ...(mlp === 'swiglu' ? { mlp: isOfAimv2(config) ? 'SwiGLU' : 'SwiGLUPacked' } : {}),
    ...(isOfAimv2(config) ? { embed_norm: 'yes' } : {}),
    ...(branches === 2 ? { block: 'ParallelThingsBlock' } : {}),
  }
  return ({ class: kind, settings }) =>
    kind === 'VisionTransformer' &&
    BUILT_IN.every((key) => settings.get(key) === wanted[key]) &&
    !LATER.some((key) => settings.has(key))
}

function epsilonLack(config: VitConfig): string | null {
  if (baseOrNull(config) !== null) return null
  const like = timmArchitectures().filter(builtLike(config))
  const held = new Set(like.map(({ settings }) => settings.get('eps') ?? USUAL_EPSILON))
  return held.size === 0
    ? 'kinds of norms and of feed-forward nets, which none of its architectures has together'
    : `epsilon of the norms: ${config.epsilon.toExponential()}, where its architectures of this kind have ${[...held].join(' or ')}`
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  return timmFiles(network, baseOrNull(config), modelArgs(config, recipe.size))
}

function modelArgs(config: ConvertedConfig, inputSize: readonly [number, number]): PlainRecord {
  const { size, pooling, finalNorm, mlp, attentionNorm, width, hidden } = config
  const includesPrefix = 'specialTokens' in pooling && pooling.specialTokens === true
  return {
    ...commonArgs(config),
    // The first matrix of a gated net has both halves, but for AIMv2's.
    mlp_ratio: ratioOf(mlp === 'swiglu' && !isOfAimv2(config) ? 2 * hidden : hidden, width),
    ...(isOfAimv2(config) ? { proj_bias: config.linearBias } : {}),
    qk_norm: config.queryKeyNorm,
    class_token: config.classToken,
    no_embed_class: true,
    reg_tokens: config.registers,
    pre_norm: config.preNorm,
    final_norm: finalNorm !== 'none',
    fc_norm: finalNorm === 'pooled',
    act_layer: config.activation,
    ...(includesPrefix ? { pool_include_prefix: true } : {}),
    ...(attentionNorm ? { scale_attn_norm: true } : {}),
    ...(mlp === 'normFfn' ? { scale_mlp_norm: true } : {}),
    ...(inputSize.join() === size.join() ? {} : { dynamic_img_size: true }),
  }
}
