/**
 * Reads the image tower of SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025) as transformers writes it, alone or beside the text tower, which
 * is left aside. SigLIP 2 for images of any shape (NaFlex) keeps its patch embedding as a matrix over pixels; its other files are of SigLIP's type
 * (models/siglip and siglip2 of transformers 5.24).
 */
import type { Checkpoint, TensorInfo } from '../../checkpoint/checkpoint.js'
import type { Preparation } from '../../image/preparation.js'
import type { PlainRecord } from '../../plain-value.js'
import type { Shape } from '../../tensor/shape.js'
import { agree } from '../dialects/agree.js'
import type { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { countBlocks, squareSideOrNull, storedSize } from '../dialects/headers.js'
import { type Layout, layoutSource } from '../dialects/layout.js'
import { rowsOf, type StoredWeight } from '../dialects/stored-weight.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import { PLAIN, type Pooling, type Positions, type VitConfig } from '../vit-config.js'
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
import { OF_TWO_TOWERS, OF_VISION_TOWERS, TOWER_PARTS } from './transformers-tower.js'

export const SIGLIP_CONFIG: FieldTable = {
  title:
    'transformers: config.json of a SiglipVisionConfig or Siglip2VisionConfig, or vision_config beside a text tower',
  source: 'transformers 5.24.0: models/siglip, models/siglip2',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_VISION_TOWERS,
    model_type: counts('which network it is: siglip, siglip2 or the image tower of one'),
    image_size: counts('the trained size: the grid of the position table'),
    num_patches: counts('the patches of the position table, which is square (NaFlex)'),
    vision_use_head: counts('whether a learnt query pools; the weights must agree'),
    ...each(['initializer_range', 'initializer_factor'], nothing('it acts while training only')),
  },
}

export const SIGLIP_TOWERS: FieldTable = {
  title: 'transformers: config.json of a SiglipConfig or Siglip2Config',
  source: 'transformers 5.24.0: models/siglip, models/siglip2',
  isBeside: true,
  prefix: '',
  fields: OF_TWO_TOWERS,
}

const TYPES = {
  fixed: ['siglip', 'siglip_vision_model'],
  naflex: ['siglip2', 'siglip2_vision_model'],
} as const

/** Is what SiglipImageProcessor does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'SiglipImageProcessor' }

/** Is what Siglip2ImageProcessor does where its file says nothing. */
const NAFLEX_PROCESSOR: PlainRecord = { image_processor_type: 'Siglip2ImageProcessor' }

export const huggingFaceSiglip: readonly Dialect[] = ['', 'vision_model.'].map(dialectOf)

type Tensors = ReadonlyMap<string, TensorInfo>

function dialectOf(prefix: string): Dialect {
  const layouts = { fixed: layoutOf(prefix, 'kernel'), naflex: layoutOf(prefix, 'pixels') }
  const sources = { fixed: layoutSource(layouts.fixed), naflex: layoutSource(layouts.naflex) }
  const layout = layouts.fixed
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) =>
      tensors.has(`${prefix}embeddings.patch_embedding.weight`) &&
      !tensors.has(`${prefix}embeddings.class_embedding`) &&
      tensors.has(`${layout.blocks}0.self_attn.q_proj.weight`) &&
      tensors.has(`${prefix}post_layernorm.weight`),
    readConfig: (checkpoint, hints) => readConfig(prefix, layout, checkpoint, hints),
    readPreparation: (checkpoint, hints) => preparation(prefix, checkpoint, hints),
    assumptions: (checkpoint, hints) => assumptions(prefix, checkpoint, hints),
    source: (weight, shape, config, tensors) =>
      headSource(prefix, weight, shape) ?? sources[formOf(prefix, tensors)](weight, shape, config, tensors),
    positions: () => ({ tensor: layout.positions, special: 0, isFlat: true }),
    leftOver(tensor) {
      if (tensor === `${prefix}embeddings.position_ids`) return 'derived'
      return isOfTextTower(tensor) ? 'text-tower' : null
    },
  }
}

function layoutOf(prefix: string, patches: 'kernel' | 'pixels'): Layout {
  const head = `${prefix}head.`
  return {
    dialect: 'hugging-face',
    classToken: '',
    registers: '',
    positions: `${prefix}embeddings.position_embedding.weight`,
    hasFlatPositions: true,
    blocks: `${prefix}encoder.layers.`,
    scale: null,
    patches,
    modules: {
      conv_proj: `${prefix}embeddings.patch_embedding`,
      norm: `${prefix}post_layernorm`,
      'attn_pool.latent': `${head}probe`,
      'attn_pool.proj': `${head}attention.out_proj`,
      'attn_pool.norm': `${head}layernorm`,
      'attn_pool.mlp.0': `${head}mlp.fc1`,
      'attn_pool.mlp.3': `${head}mlp.fc2`,
    },
    parts: TOWER_PARTS,
  }
}

/** PyTorch's MultiheadAttention keeps q, k and v in one matrix; here the query has one of its own. */
function headSource(prefix: string, weight: string, shape: Shape): StoredWeight | null {
  const [, part, vector] = /^attn_pool\.(q|kv)\.(weight|bias)$/.exec(weight) ?? []
  const [rows] = shape
  if (part === undefined || rows === undefined) return null
  const width = part === 'q' ? rows : rows / 2
  return rowsOf(`${prefix}head.attention.in_proj_${vector}`, shape, part === 'q' ? 0 : width, 3 * width)
}

function isOfTextTower(tensor: string): boolean {
  return /^(text_model\.|logit_(scale|bias)$)/.test(tensor)
}

function formOf(prefix: string, tensors: Tensors): 'fixed' | 'naflex' {
  return tensors.get(`${prefix}embeddings.patch_embedding.weight`)?.shape.length === 2 ? 'naflex' : 'fixed'
}

function familyOf(prefix: string, tensors: Tensors): string {
  return formOf(prefix, tensors) === 'naflex' ? 'SigLIP 2 with NaFlex' : 'SigLIP'
}

function preparation(prefix: string, checkpoint: Checkpoint, hints: VitHints): Preparation {
  if (formOf(prefix, checkpoint.tensors) === 'fixed') return preparationOf(checkpoint, hints, PROCESSOR)
  const { patchSize } = readConfig(prefix, layoutOf(prefix, 'pixels'), checkpoint, hints)
  return preparationOf(checkpoint, hints, NAFLEX_PROCESSOR, patchSize)
}

function hasHead(prefix: string, tensors: Tensors): boolean {
  return tensors.has(`${prefix}head.probe`)
}

function assumptions(prefix: string, checkpoint: Checkpoint, hints: VitHints): readonly string[] {
  const { label, tensors } = checkpoint
  const headless = `${label} has no pooling head, so that transformers gives tokens alone; the mean of its patches stands for an image here.`
  return [
    ...processorAssumption(checkpoint, hints, familyOf(prefix, tensors)),
    ...(hasHead(prefix, tensors) ? [] : [headless]),
  ]
}

function readConfig(prefix: string, layout: Layout, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const form = formOf(prefix, tensors)
  const kind = {
    family: familyOf(prefix, tensors),
    types: TYPES[form],
    table: SIGLIP_CONFIG,
    outer: SIGLIP_TOWERS,
  }
  const reader = transformersFile(checkpoint, hints, kind)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const kernel = `${prefix}embeddings.patch_embedding.weight`
  const channels = form === 'fixed' ? size(kernel, 1) : reader.number('num_channels', 3)
  const patchSize = form === 'fixed' ? size(kernel, 2) : Math.sqrt(size(kernel, 1) / channels)
  const positions = positionsOf(form, layout, checkpoint, reader, hints, patchSize)
  const heads = headsOf(reader, hints, 12)
  const epsilon = reader.number('layer_norm_eps', 1e-6)
  const activation = activationOf(reader, 'hidden_act', 'gelu_pytorch_tanh')
  const pools = hasHead(prefix, tensors)
  const head: Pooling = {
    kind: 'attention',
    heads,
    specialTokens: false,
    epsilon,
    hidden: pools ? size(`${prefix}head.mlp.fc1.weight`, 0) : null,
    activation,
  }
  const config: VitConfig = {
    ...PLAIN,
    network: null,
    size: [positions.rows * patchSize, positions.columns * patchSize],
    channels,
    patchSize,
    width: size(kernel, 0),
    depth: countBlocks(tensors, layout.blocks),
    heads,
    hidden: size(`${layout.blocks}0.mlp.fc1.weight`, 0),
    classToken: false,
    registers: 0,
    epsilon,
    layerScale: false,
    mlp: 'ffn',
    activation,
    pooling: pools ? head : { kind: 'mean' },
    positions,
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agree(reader, 'vision_use_head', pools)
  return config
}

/** NaFlex has a square table for as many patches as it says, and resamples it for each image; the others have one for an image of the trained size. */
function positionsOf(
  form: 'fixed' | 'naflex',
  layout: Layout,
  checkpoint: Checkpoint,
  reader: ConfigReader,
  hints: VitHints,
  patchSize: number,
): Positions {
  if (form === 'naflex') {
    const rows = storedSize(checkpoint, layout.positions, 0, 'hugging-face')
    agree(reader, 'num_patches', rows)
    const side = squareSideOrNull(rows)
    if (side === null) throw reader.refuse('num_patches', 'a square number')
    return { rows: side, columns: side, specialRows: false, rule: 'bilinear-antialias' }
  }
  const grid = gridOf(checkpoint, reader, hints, {
    table: { tensor: layout.positions, axis: 0 },
    rowsOf: ({ rows: down, columns }) => down * columns,
    patchSize,
    fallback: 224,
  })
  return { ...grid, specialRows: false, rule: grid.rows === grid.columns ? 'bicubic' : 'fixed' }
}
