/** Writes timm's VisionTransformer: the architecture that comes nearest, and every argument in which the network may be another. */

import { writtenSource } from '../../model/dialects/layout.js'
import type { TimmArchitecture } from '../../model/dialects/timm-architectures.js'
import { TIMM_ACTIVATIONS } from '../../model/dialects/timm-file.js'
import { TIMM_LAYOUT, visionTransformerLayout } from '../../model/families/timm-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { linearClassifier } from './linear-classifier.js'
import { plainStem } from './plain-stem.js'
import { learntTable } from './positions-held.js'
import {
  commonArgs,
  epsilonSetting,
  nearestArchitecture,
  poolOrNull,
  ratioOf,
  timmFiles,
} from './timm-files.js'

export const timmWriter: Writer = {
  library: 'timm',
  class: 'VisionTransformer',
  holds: {
    classToken: 'any',
    registers: 'any',
    norm: 'any',
    epsilon: (config) =>
      baseOrNull(config) === null
        ? `epsilon of the norms: ${config.epsilon}, where it has 1e-6, and in some architectures 1e-5`
        : null,
    preNorm: 'any',
    finalNorm: 'any',
    qkvBias: 'any',
    queryKeyNorm: 'any',
    attentionNorm: 'any',
    branches: [1, 2],
    layerScale: 'any',
    mlp: ['ffn', 'normFfn', 'swiglu'],
    activation: [...new Set(TIMM_ACTIVATIONS.values())],
    stem: plainStem,
    pooling: (config) => (poolOrNull(config) === null ? `pooling: ${config.pooling.kind}` : null),
    classifier: linearClassifier,
    positions: learntTable,
  },
  source: (weight, shape, config) =>
    writtenSource(visionTransformerLayout(config.branches))(weight, shape, config),
  positions: () => ({ tensor: TIMM_LAYOUT.positions, special: 0 }),
  files,
}

/** These settings of an architecture are no arguments that a file can hold, so that the architecture must have them. */
const BUILT_IN = ['norm', 'mlp', 'block', 'attn', 'embed_norm', 'distilled'] as const

/** Older versions do not have these arguments, so that they are written only where a network needs them, and no architecture may bring them. */
const LATER = ['scale_mlp_norm', 'pool_include_prefix'] as const

function baseOrNull(config: VitConfig): TimmArchitecture | null {
  const { norm, epsilon, mlp, branches } = config
  const wanted: Readonly<Partial<Record<(typeof BUILT_IN)[number], string>>> = {
    ...(norm === 'rmsNorm' ? { norm: 'rmsNorm' } : {}),
    ...(mlp === 'swiglu' ? { mlp: 'SwiGLUPacked' } : {}),
    ...(branches === 2 ? { block: 'ParallelThingsBlock' } : {}),
  }
  const fits = ({ class: kind, settings }: TimmArchitecture) =>
    kind === 'VisionTransformer' &&
    settings.get('eps') === epsilonSetting(epsilon) &&
    BUILT_IN.every((key) => settings.get(key) === wanted[key]) &&
    !LATER.some((key) => settings.has(key))
  return nearestArchitecture(config, fits, undefined, 'vit_base_patch16_224')
}

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  return timmFiles(network, baseOrNull(config), modelArgs(config, recipe.size))
}

function modelArgs(config: VitConfig, inputSize: readonly [number, number]): PlainRecord {
  const { size, pooling, finalNorm, mlp, attentionNorm, width, hidden } = config
  const includesPrefix = 'specialTokens' in pooling && pooling.specialTokens === true
  return {
    ...commonArgs(config),
    // The first matrix of a gated net has both halves.
    mlp_ratio: ratioOf(mlp === 'swiglu' ? 2 * hidden : hidden, width),
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
