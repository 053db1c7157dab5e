/**
 * Reads the image tower of CLIP (Radford et al. 2021) as transformers writes it: alone, alone with its projection, or beside the text tower, which is
 * left aside (models/clip of transformers 5.24).
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { sizeOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import type { VitConfig } from '../vit-config.js'
import {
  activationOf,
  agreeOnShape,
  gridOf,
  headsOf,
  levelsOf,
  outerConfig,
  preparationOf,
  processorAssumption,
  transformersFile,
} from './transformers-file.js'
import { OF_TWO_TOWERS, OF_VISION_TOWERS, TOWER_PARTS } from './transformers-tower.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const CLIP_CONFIG: FieldTable = {
  title: 'transformers: config.json of a CLIPVisionConfig, or vision_config of a CLIPConfig',
  source: 'transformers 5.24.0: models/clip',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_VISION_TOWERS,
    model_type: counts('which network it is: clip or clip_vision_model'),
    image_size: counts('the trained size: the grid of the position table'),
    projection_dim: counts('the width of the projection, where the tower is alone; the weights must agree'),
    ...each(['initializer_range', 'initializer_factor', 'dropout'], nothing('it acts while training only')),
  },
}

export const CLIP_TOWERS: FieldTable = {
  title: 'transformers: config.json of a CLIPConfig',
  source: 'transformers 5.24.0: models/clip',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_TWO_TOWERS,
    projection_dim: counts('the width of the projection; the weights must agree'),
    vision_config_dict: counts('settings of the image tower; they must be those of vision_config'),
    text_config_dict: nothing('it is about the text tower'),
  },
}

const KIND = {
  family: 'CLIP',
  types: ['clip', 'clip_vision_model'],
  table: CLIP_CONFIG,
  outer: CLIP_TOWERS,
} as const

const PROJECTION = 'visual_projection.weight'

/** Is what CLIPImageProcessor does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'CLIPImageProcessor' }

export const huggingFaceClip: readonly Dialect[] = ['', 'vision_model.'].map(dialectOf)

function dialectOf(prefix: string): Dialect {
  const layout: Layout = {
    dialect: 'hugging-face',
    classToken: `${prefix}embeddings.class_embedding`,
    tokenAxes: 1,
    registers: '',
    positions: `${prefix}embeddings.position_embedding.weight`,
    hasFlatPositions: true,
    blocks: `${prefix}encoder.layers.`,
    scale: null,
    modules: {
      conv_proj: `${prefix}embeddings.patch_embedding`,
      'encoder.pre_block.0': `${prefix}pre_layrnorm`,
      embedding_norm: `${prefix}post_layernorm`,
      projection: 'visual_projection',
    },
    parts: TOWER_PARTS,
  }
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) =>
      tensors.has(layout.classToken) &&
      tensors.has(`${prefix}pre_layrnorm.weight`) &&
      tensors.has(`${layout.blocks}0.self_attn.q_proj.weight`),
    readConfig: (checkpoint, hints) => readConfig(layout, checkpoint, hints),
    readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
    assumptions: (checkpoint, hints) => processorAssumption(checkpoint, hints, KIND.family),
    source: layoutSource(layout),
    positions: () => ({ tensor: layout.positions, special: 1, isFlat: true }),
    leftOver(tensor) {
      if (tensor === `${prefix}embeddings.position_ids`) return 'derived'
      return isOfTextTower(tensor) ? 'text-tower' : null
    },
  }
}

function isOfTextTower(tensor: string): boolean {
  return /^(text_model\.|text_projection\.|logit_scale$)/.test(tensor)
}

function readConfig(layout: Layout, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = transformersFile(checkpoint, hints, KIND)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const grid = gridOf(checkpoint, reader, hints, {
    table: { tensor: layout.positions, axis: 0 },
    rowsOf: ({ rows, columns }) => rows * columns + 1,
    patchSize: patchSizeOf(checkpoint, layout),
    fallback: 224,
  })
  const config: VitConfig = {
    ...trunkOf(checkpoint, layout, grid),
    heads: headsOf(reader, hints, 12),
    hidden: size(`${layout.blocks}0.mlp.fc1.weight`, 0),
    classToken: true,
    registers: 0,
    epsilon: reader.number('layer_norm_eps', 1e-5),
    preNorm: true,
    finalNorm: 'pooled',
    layerScale: false,
    mlp: 'ffn',
    activation: activationOf(reader, 'hidden_act', 'quick_gelu'),
    stem: { kind: 'patchify', bias: false },
    pooling: { kind: 'class' },
    projection: sizeOrNull(tensors, PROJECTION, 0),
    positions: { ...grid, specialRows: true, rule: grid.rows === grid.columns ? 'bicubic' : 'fixed' },
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  if (config.projection !== null) {
    agree(outerConfig(checkpoint, hints, KIND) ?? reader, 'projection_dim', config.projection)
  }
  return config
}
