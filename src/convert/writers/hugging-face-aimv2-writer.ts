/** Writes the image tower of AIMv2 of transformers, with its pooling head or without. */
import { type Layout, writtenSource } from '../../model/dialects/layout.js'
import { AIMV2_LAYOUT } from '../../model/families/hugging-face-aimv2.js'
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'

export const huggingFaceAimv2Writer: Writer = {
  library: 'hugging-face',
  class: 'Aimv2VisionModel',
  holds: {
    classToken: [false],
    norm: ['rmsNorm'],
    epsilon: 'any',
    qkvBias: ({ qkvBias, linearBias }) =>
      linearBias && !qkvBias
        ? 'bias of what stands behind attention, which it has where queries, keys and values have one'
        : null,
    mlp: ['swiglu'],
    activation: ACTIVATIONS,
    stem: [{ kind: 'patchify', bias: true, norm: true }],
    pooling: poolingLack,
    positions: squareTable,
  },
  source: (weight, shape, config) => writtenSource(layoutOf(config))(weight, shape, config),
  positions: () => ({ tensor: AIMV2_LAYOUT.positions, special: 0, isFlat: true }),
  files,
}

/** Its head has the heads, the epsilon and the activation of the tower. */
function poolingLack({ pooling, heads, epsilon, activation }: VitConfig): string | null {
  const own = { kind: 'attention', heads, specialTokens: false, epsilon, hidden: null, activation }
  const held = [own, { kind: 'mean' }].map(textOf)
  return held.includes(textOf(pooling))
    ? null
    : `pooling: ${textOf(pooling)}, where it has ${held.join(' or ')}`
}

/** One setting gives biases to queries, keys, values and what stands behind them, another to the feed-forward nets. */
function layoutOf({ qkvBias, linearBias }: ConvertedConfig): Layout {
  const bare = [
    ...(qkvBias ? [] : ['attn.proj']),
    ...(linearBias ? [] : ['mlp.fc1_g', 'mlp.fc1_x', 'mlp.fc2']),
  ]
  const places = bare.map((module) => {
    const place = AIMV2_LAYOUT.parts[module]
    return [module, { weight: `${place}.weight`, bias: null }] as const
  })
  return {
    ...AIMV2_LAYOUT,
    modules: qkvBias ? AIMV2_LAYOUT.modules : { ...AIMV2_LAYOUT.modules, 'attn_pool.kv': BARE_POOL },
    parts: { ...AIMV2_LAYOUT.parts, ...Object.fromEntries(places) },
  }
}

const BARE_POOL = { weight: ['head.k_proj.weight', 'head.v_proj.weight'], bias: null }

function files(network: WrittenNetwork): WrittenFiles {
  const { config, recipe } = network
  const { layer_norm_eps: epsilon, ...common } = commonFields(network, {
    modelType: 'aimv2_vision_model',
    architecture: 'Aimv2VisionModel',
  })
  const processor = processorFile(recipe, 'CLIPImageProcessor')
  return {
    configFile: {
      ...common,
      intermediate_size: config.hidden,
      rms_norm_eps: epsilon ?? null,
      qkv_bias: config.qkvBias,
      mlp_bias: config.linearBias,
      use_head: config.pooling.kind === 'attention',
      is_native: false,
    },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
