/**
 * Reads the image tower of TIPSv2 as transformers writes it: DINOv2's network with registers under Meta's names, most of which its feed-forward net does
 * not have. Positions are resampled in a way of its own, and pixels are not normalised (models/tipsv2 of transformers 5.24).
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { agree, agreeOnMlp } from '../dialects/agree.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { FACEBOOK_LAYOUT } from '../dialects/facebook.js'
import { sizeOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import {
  NORMED_LAYERS,
  OF_BACKBONES,
  OF_DINOV2_TRAINING,
  OF_EVERY_CONFIG,
} from '../dialects/transformers-fields.js'
import { tapsOf } from '../dialects/transformers-taps.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import type { VitConfig } from '../vit-config.js'
import {
  activationOf,
  agreeOnShape,
  gridOf,
  headsOf,
  levelsOf,
  preparationOf,
  processorAssumption,
  transformersFile,
} from './transformers-file.js'
import { OF_TWO_TOWERS } from './transformers-tower.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const TIPSV2_CONFIG: FieldTable = {
  title: 'transformers: config.json of a Tipsv2VisionConfig, or vision_config of a Tipsv2Config',
  source: 'transformers 5.24.0: models/tipsv2',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    ...OF_BACKBONES,
    apply_layernorm: NORMED_LAYERS,
    model_type: counts('which network it is: tipsv2 or tipsv2_vision_model'),
    ...each(
      [
        'hidden_size',
        'num_hidden_layers',
        'num_channels',
        'patch_size',
        'mlp_ratio',
        'qkv_bias',
        'use_swiglu_ffn',
        'num_register_tokens',
      ],
      counts('a size or a part of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the trained size: the grid of the position table'),
    hidden_act: counts('the activation of the feed-forward net; a gated one has SiLU whatever it says'),
    layer_norm_eps: counts('the epsilon of every norm'),
    ...OF_DINOV2_TRAINING,
  },
}

export const TIPSV2_TOWERS: FieldTable = {
  title: 'transformers: config.json of a Tipsv2Config',
  source: 'transformers 5.24.0: models/tipsv2',
  isBeside: true,
  prefix: '',
  fields: { ...OF_TWO_TOWERS, image_size: nothing('the image tower has its own, which counts') },
}

const KIND = {
  family: 'TIPSv2',
  types: ['tipsv2', 'tipsv2_vision_model'],
  table: TIPSV2_CONFIG,
  outer: TIPSV2_TOWERS,
} as const

/** The two matrices of the feed-forward net have the names of a text tower's here, and Meta's in files that others have made. */
const MLP_NAMES = [
  ['mlp.c_fc', 'mlp.c_proj'],
  ['mlp.fc1', 'mlp.fc2'],
] as const
const GATED = { in: 'mlp.w12', out: 'mlp.w3' } as const

const LAYOUT: Layout = { ...FACEBOOK_LAYOUT, dialect: 'hugging-face' }

const SOURCES = MLP_NAMES.map(([first, second]) => ({
  first,
  source: layoutSource({ ...LAYOUT, parts: { ...LAYOUT.parts, 'mlp.0': first, 'mlp.3': second } }),
}))

/** Is what Tipsv2ImageProcessor does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'Tipsv2ImageProcessor' }

type Tensors = ReadonlyMap<string, TensorInfo>

export const huggingFaceTipsv2: Dialect = {
  name: 'hugging-face',
  isCertain: true,
  // Its giant has Meta's names throughout, so that only its config tells it from a DINOv2.
  recognises: (tensors, { configFile }) =>
    tensors.has('blocks.0.attn.qkv.weight') &&
    tensors.has('register_tokens') &&
    tensors.has('pos_embed') &&
    (tensors.has('blocks.0.mlp.c_fc.weight') ||
      (isRecord(configFile) && KIND.types.some((type) => type === configFile.model_type))),
  readConfig,
  readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
  assumptions: (checkpoint, hints) => processorAssumption(checkpoint, hints, KIND.family),
  source: (weight, shape, config, tensors) => sourceFor(tensors)(weight, shape, config, tensors),
  positions: () => ({ tensor: 'pos_embed', special: 1 }),
  leftOver: (tensor) => (tensor === 'mask_token' ? 'training' : null),
}

function sourceFor(tensors: Tensors): ReturnType<typeof layoutSource> {
  const [ours, others] = SOURCES
  const found = tensors.has(`blocks.0.${others?.first}.weight`) ? others : ours
  if (found === undefined) throw new Error('TIPSv2 has no names of its feed-forward net.')
  return found.source
}

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = transformersFile(checkpoint, hints, KIND)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const grid = gridOf(checkpoint, reader, hints, {
    table: { tensor: LAYOUT.positions, axis: 1 },
    rowsOf: ({ rows, columns }) => rows * columns + 1,
    patchSize: patchSizeOf(checkpoint, LAYOUT),
    fallback: 448,
  })
  const gated = tensors.has(`blocks.0.${GATED.in}.weight`)
  const [first] = MLP_NAMES.map(([name]) => sizeOrNull(tensors, `blocks.0.${name}.weight`, 0)).filter(
    (rows) => rows !== null,
  )
  const trunk = trunkOf(checkpoint, LAYOUT, grid)
  const config: VitConfig = {
    ...trunk,
    heads: headsOf(reader, hints, 12),
    hidden: gated
      ? size(`blocks.0.${GATED.out}.weight`, 1)
      : (first ?? size(`blocks.0.${MLP_NAMES[0][0]}.weight`, 0)),
    classToken: true,
    registers: size('register_tokens', 1),
    epsilon: reader.number('layer_norm_eps', 1e-6),
    qkvBias: tensors.has('blocks.0.attn.qkv.bias'),
    layerScale: tensors.has('blocks.0.ls1.gamma'),
    mlp: gated ? 'swiglu' : 'ffn',
    activation: gated ? 'silu' : activationOf(reader, 'hidden_act', 'gelu'),
    pooling: { kind: 'class' },
    positions: { ...grid, specialRows: true, rule: 'bilinear-antialias' },
    taps: tapsOf(reader, trunk.depth, () => reader.flag('apply_layernorm', true)),
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agreeOnMlp(reader, config)
  agree(reader, 'num_register_tokens', config.registers)
  agree(reader, 'qkv_bias', config.qkvBias)
  return config
}
