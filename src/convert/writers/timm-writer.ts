/** Writes timm's VisionTransformer: the architecture that comes nearest, and every argument in which the network may be another. */

import { writtenSource } from '../../model/dialects/layout.js'
import {
  findTimmArchitecture,
  type TimmArchitecture,
  timmArchitectures,
} from '../../model/dialects/timm-architectures.js'
import { TIMM_ACTIVATIONS } from '../../model/dialects/timm-file.js'
import { TIMM_LAYOUT } from '../../model/families/timm-layout.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { learntTable } from './positions-held.js'
import { timmInput } from './timm-input.js'

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
    layerScale: 'any',
    mlp: ['ffn', 'normFfn', 'swiglu'],
    activation: [...new Set(TIMM_ACTIVATIONS.values())],
    stem: [
      { kind: 'patchify', bias: true },
      { kind: 'patchify', bias: false },
    ],
    pooling: (config) => (poolOrNull(config) === null ? `pooling: ${config.pooling.kind}` : null),
    classifier: ({ classifier }) =>
      classifier === null || (classifier.kind === 'linear' && classifier.bias)
        ? null
        : `classifier: ${classifier.kind}${classifier.bias ? '' : ' without a bias'}, where it has one linear layer with a bias`,
    positions: learntTable,
  },
  source: writtenSource(TIMM_LAYOUT),
  positions: () => ({ tensor: TIMM_LAYOUT.positions, special: 0 }),
  files,
}

/** Names what `global_pool` is; null where timm has no such pooling. */
function poolOrNull({ pooling, classToken }: VitConfig): string | null {
  switch (pooling.kind) {
    case 'class':
      return 'token'
    case 'mean':
      return 'avg'
    case 'max':
      return 'max'
    case 'mean-max':
      return 'avgmax'
    case 'attention':
      return pooling.hidden === null || (classToken && !pooling.specialTokens) ? null : 'map'
    default:
      return null
  }
}

/** These settings of an architecture are no arguments that a file can hold, so that the architecture must have them. */
const BUILT_IN = ['eps', 'norm', 'mlp', 'block', 'attn', 'embed_norm', 'distilled'] as const

/**
 * Finds an architecture that differs from the network in nothing but what arguments say; of several, one of the same width, patch and registers, which
 * tells a reader more.
 */
function baseOrNull(config: VitConfig): TimmArchitecture | null {
  const { norm, epsilon, mlp, width, heads } = config
  const wanted: Readonly<Partial<Record<(typeof BUILT_IN)[number], string>>> = {
    ...(epsilon === 1e-6 ? {} : { eps: `${epsilon}`.replace('0.00001', '1e-5') }),
    ...(norm === 'rmsNorm' ? { norm: 'rmsNorm' } : {}),
    ...(mlp === 'swiglu' ? { mlp: 'SwiGLUPacked' } : {}),
  }
  const fits = ({ class: kind, settings }: TimmArchitecture) =>
    kind === 'VisionTransformer' && BUILT_IN.every((key) => settings.get(key) === wanted[key])
  const parts = [
    `_patch${config.patchSize}(_|$)`,
    config.registers > 0 ? `_reg${config.registers}_` : '^(?!.*_reg)',
  ]
  const likeness = ({ name, width: own, heads: ownHeads }: TimmArchitecture) =>
    [own === width, ownHeads === heads, ...parts.map((part) => new RegExp(part).test(name))].filter(Boolean)
      .length
  const found = timmArchitectures().filter(fits)
  const plain = findTimmArchitecture('vit_base_patch16_224')
  const ordered = [...(plain === null || !fits(plain) ? [] : [plain]), ...found]
  return ordered.toSorted((a, b) => likeness(b) - likeness(a))[0] ?? null
}

function files({ config, labels, recipe }: WrittenNetwork): WrittenFiles {
  const { classifier, width } = config
  const classes = classifier?.classes ?? 0
  const pool = poolOrNull(config) ?? 'token'
  return {
    configFile: {
      architecture: baseOrNull(config)?.name ?? 'vit_base_patch16_224',
      num_classes: classes,
      num_features: width,
      global_pool: pool,
      ...(labels === null ? {} : { label_names: labels }),
      model_args: modelArgs(config, classes, pool, recipe.size),
      pretrained_cfg: {
        ...timmInput(recipe, config.channels),
        num_classes: classes,
        first_conv: 'patch_embed.proj',
        classifier: 'head',
      },
    },
  }
}

function modelArgs(
  config: VitConfig,
  classes: number,
  pool: string,
  inputSize: readonly [number, number],
): PlainRecord {
  const { size, pooling, finalNorm, mlp, attentionNorm } = config
  const includesPrefix = 'specialTokens' in pooling && pooling.specialTokens === true
  return {
    num_classes: classes,
    img_size: size,
    patch_size: config.patchSize,
    in_chans: config.channels,
    embed_dim: config.width,
    depth: config.depth,
    num_heads: config.heads,
    mlp_ratio: ratioOf(config),
    qkv_bias: config.qkvBias,
    qk_norm: config.queryKeyNorm,
    init_values: config.layerScale ? 1e-5 : null,
    class_token: config.classToken,
    no_embed_class: true,
    reg_tokens: config.registers,
    pre_norm: config.preNorm,
    final_norm: finalNorm !== 'none',
    fc_norm: finalNorm === 'pooled',
    act_layer: config.activation,
    global_pool: pool,
    // Older versions do not have these arguments, so that a network that has no need of them stays readable there.
    ...(includesPrefix ? { pool_include_prefix: true } : {}),
    ...(attentionNorm ? { scale_attn_norm: true } : {}),
    ...(mlp === 'normFfn' ? { scale_mlp_norm: true } : {}),
    ...(inputSize.join() === size.join() ? {} : { dynamic_img_size: true }),
  }
}

/** timm multiplies and cuts off, and the first matrix of a gated net has both halves. */
function ratioOf({ width, hidden, mlp }: VitConfig): number {
  const rows = mlp === 'swiglu' ? 2 * hidden : hidden
  const ratio = rows / width
  return Math.trunc(width * ratio) === rows ? ratio : (rows + 0.5) / width
}
