/** Writes timm's class Eva: what is rotary, gated with a norm, or has its norms behind its branches (EVA-02, DINOv3, Perception Encoder). */
import { writtenSource } from '../../model/dialects/layout.js'
import type { TimmArchitecture } from '../../model/dialects/timm-architectures.js'
import { evaLayout, TIMM_LAYOUT } from '../../model/families/timm-layout.js'
import type { RotaryRule } from '../../model/rotary.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import { textOf } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { gatedBySilu } from './gated-by-silu.js'
import { linearClassifier } from './linear-classifier.js'
import { plainStem } from './plain-stem.js'
import { learntTable } from './positions-held.js'
import { bandsLack, referenceOf, withReference } from './rotary-held.js'
import {
  commonArgs,
  epsilonSetting,
  nearestArchitecture,
  poolOrNull,
  ratioOf,
  timmFiles,
} from './timm-files.js'

export const timmEvaWriter: Writer = {
  library: 'timm',
  class: 'Eva',
  holds: {
    classToken: 'any',
    registers: 'any',
    epsilon: (config) =>
      baseOrNull(config) === null
        ? `epsilon of the norms: ${config.epsilon}, where some of its architectures have 1e-6, and others 1e-5`
        : null,
    preNorm: 'any',
    finalNorm: 'any',
    qkvBias: 'any',
    queryKeyNorm: ({ block, queryKeyNorm }) =>
      queryKeyNorm && block === 'postNorm'
        ? 'norms of queries and keys, which it has where norms stand in front of the branches'
        : null,
    attentionNorm: 'any',
    block: ['preNorm', 'postNorm'],
    layerScale: ({ block, layerScale }) =>
      layerScale && block === 'postNorm'
        ? 'layer scales, which it has where norms stand in front of the branches'
        : null,
    mlp: ['ffn', 'normFfn', 'swiglu', 'normSwiglu'],
    activation: gatedBySilu(['gelu']),
    stem: plainStem,
    pooling: poolingLack,
    classifier: linearClassifier,
    rotary: rotaryLack,
    positions: (config) => (config.positions === null ? null : learntTable(config)),
  },
  source: (weight, shape, config) => writtenSource(layoutOf(config))(weight, shape, config),
  positions: () => ({ tensor: TIMM_LAYOUT.positions, special: 0 }),
  files,
  asRead: (config) => ({ ...config, rotary: config.rotary === null ? null : asTold(config.rotary) }),
}

function layoutOf(config: ConvertedConfig) {
  return evaLayout({
    hasKeyBias: config.keyBias,
    isGateApart: alignedTo(config) > 0 || config.mlp === 'normSwiglu',
  })
}

/** Gives `swiglu_align_to`, with which a gated net keeps its halves apart, as all architectures with DINOv3's rotary positions do; 0 where it packs them. */
function alignedTo({ mlp, rotary, hidden, block }: VitConfig): number {
  const isOfDinov3 = mlp === 'swiglu' && block === 'preNorm' && rotary?.coordinates.kind === 'centred'
  return isOfDinov3 && hidden % 8 === 0 ? 8 : 0
}

function poolingLack(config: VitConfig): string | null {
  const { pooling, epsilon } = config
  const lack = `pooling: ${textOf(pooling)}`
  if (poolOrNull(config) === null) return lack
  if (pooling.kind !== 'attention')
    return 'specialTokens' in pooling && pooling.specialTokens === true ? lack : null
  const { specialTokens, activation, epsilon: own } = pooling
  return specialTokens && activation === 'gelu' && own === epsilon
    ? null
    : `${lack}, where it pools all tokens, with GELU and the epsilon of the blocks`
}

function rotaryLack({ rotary }: VitConfig): string | null {
  if (rotary === null) return null
  const { spread, pairs, registers } = rotary
  if (registers !== null) return 'rotary positions: turned registers'
  if ((spread === 'tiled') !== (pairs === 'halves'))
    return `rotary positions: ${pairs} turned by angles that are ${spread}`
  return bandsLack(rotary)
}

/** Only the epsilon of the norms is no argument that a file can hold. */
function baseOrNull(config: VitConfig): TimmArchitecture | null {
  const { epsilon, rotary } = config
  const fits = ({ class: kind, settings }: TimmArchitecture) =>
    kind === 'Eva' && settings.get('eps') === epsilonSetting(epsilon) && !settings.has('kv_heads')
  return nearestArchitecture(config, fits, ({ name, settings }) => [
    settings.get('rope') === kindOf(rotary),
    settings.get('pool') === poolOrNull(config),
    settings.get('block') === (config.block === 'postNorm' ? 'ResPostBlock' : undefined),
    // Several makers' networks are built as DINOv3's are, which has an architecture for each of its ways.
    name.includes('_dinov3') === (kindOf(rotary) === 'dinov3'),
    name.includes('_qkvb') === config.qkvBias,
    name.includes('_plus_') === (config.mlp === 'swiglu'),
  ])
}

function kindOf(rotary: RotaryRule | null): 'cat' | 'dinov3' | undefined {
  if (rotary === null) return undefined
  return rotary.coordinates.kind === 'centred' ? 'dinov3' : 'cat'
}

function files(network: WrittenNetwork): WrittenFiles {
  return timmFiles(network, baseOrNull(network.config), modelArgs(network.config))
}

function modelArgs(config: ConvertedConfig): PlainRecord {
  const { finalNorm, mlp, pooling, width, hidden, rotary, positions } = config
  return {
    ...commonArgs(config),
    qkv_fused: true,
    qk_norm: config.queryKeyNorm,
    mlp_ratio: ratioOf(hidden, width),
    swiglu_mlp: mlp === 'swiglu' || mlp === 'normSwiglu',
    swiglu_align_to: alignedTo(config),
    scale_mlp: mlp === 'normFfn' || mlp === 'normSwiglu',
    scale_attn_inner: config.attentionNorm,
    // The other kind of attention has no place for a bias of keys.
    attn_type: config.keyBias ? 'rope' : 'eva',
    class_token: config.classToken,
    num_reg_tokens: config.registers,
    no_embed_class: true,
    use_abs_pos_emb: positions !== null,
    use_post_norm: config.block === 'postNorm',
    use_pre_transformer_norm: config.preNorm,
    use_post_transformer_norm: finalNorm === 'tokens',
    use_fc_norm: finalNorm === 'pooled',
    ...(pooling.kind === 'attention'
      ? { attn_pool_num_heads: pooling.heads, attn_pool_mlp_ratio: ratioOf(pooling.hidden ?? 0, width) }
      : {}),
    ...rotaryArgs(rotary),
  }
}

/** timm has no word for a grid that is the image's own. */
function asTold(rotary: RotaryRule): RotaryRule {
  return referenceOf(rotary) === 'own' ? withReference(rotary, null) : rotary
}

function rotaryArgs(rotary: RotaryRule | null): PlainRecord {
  if (rotary === null) return { use_rot_pos_emb: false }
  const { coordinates, bands, firstAxis, pairs } = rotary
  const reference = referenceOf(rotary)
  return {
    use_rot_pos_emb: true,
    rope_type: kindOf(rotary) ?? 'cat',
    rope_temperature: bands.kind === 'temperature' ? bands.temperature : null,
    rope_grid_indexing: firstAxis === 'rows' ? 'ij' : 'xy',
    rope_grid_offset: coordinates.kind === 'whole' ? coordinates.offset : 0,
    rope_rotate_half: pairs === 'halves',
    ref_feat_shape: reference === null || reference === 'own' ? null : [reference.rows, reference.columns],
  }
}
