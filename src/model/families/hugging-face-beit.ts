/**
 * Reads BEiT (Bao et al. 2021) and Data2VecVision (Baevski et al. 2022) as transformers writes them: a ViT whose attention adds what is learnt of the
 * offsets of patches to its scores, and which pools the mean of its patches (models/beit and data2vec of transformers 5.24).
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import type { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { sizeOrNull, storedSize } from '../dialects/headers.js'
import { layoutSource } from '../dialects/layout.js'
import { type StoredWeight, stored } from '../dialects/stored-weight.js'
import { OF_BACKBONES, OF_EVERY_CONFIG } from '../dialects/transformers-fields.js'
import { tapsOf } from '../dialects/transformers-taps.js'
import { counts, each, type FieldTable, nothing } from '../fields.js'
import { biasName } from '../grid-tables.js'
import type { PatchGrid } from '../positions.js'
import { type BiasRule, biasRows } from '../relative-bias.js'
import type { VitConfig } from '../vit-config.js'
import { isBeit } from './hugging-face-vit.js'
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
import {
  classifierOf,
  hasLayout,
  type TransformersLayout,
  transformersLayouts,
} from './transformers-layout.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

export const BEIT_CONFIG: FieldTable = {
  title: 'transformers: config.json of a BeitConfig or Data2VecVisionConfig',
  source: 'transformers 5.24.0: models/beit, models/data2vec',
  isBeside: true,
  prefix: '',
  fields: {
    ...OF_EVERY_CONFIG,
    ...OF_BACKBONES,
    model_type: counts('which network it is: beit or data2vec-vision'),
    ...each(
      ['hidden_size', 'num_hidden_layers', 'intermediate_size', 'num_channels', 'patch_size'],
      counts('a size of the network; the weights must agree'),
    ),
    num_attention_heads: counts('the heads'),
    image_size: counts('the trained size: the grid of the position table and of the offsets'),
    hidden_act: counts('the activation of the feed-forward net'),
    layer_norm_eps: counts('the epsilon of every norm'),
    ...each(
      [
        'use_absolute_position_embeddings',
        'use_relative_position_bias',
        'use_shared_relative_position_bias',
        'layer_scale_init_value',
      ],
      counts('whether the network has such a part; the weights must agree'),
    ),
    use_mean_pooling: counts('whether the mean of the patches is pooled, without a norm on the tokens'),
    ...each(
      [
        'hidden_dropout_prob',
        'attention_probs_dropout_prob',
        'drop_path_rate',
        'initializer_range',
        'use_mask_token',
      ],
      nothing('it acts while training only'),
    ),
    ...each(
      [
        'pool_scales',
        'use_auxiliary_head',
        'auxiliary_loss_weight',
        'auxiliary_channels',
        'auxiliary_num_convs',
        'auxiliary_concat_input',
        'semantic_loss_ignore_index',
        'add_fpn',
      ],
      nothing('it is about heads of segmentation'),
    ),
  },
}

const KIND = { family: 'BEiT', types: ['beit', 'data2vec-vision'], table: BEIT_CONFIG } as const

/** Is what BeitImageProcessor does where its file says nothing. */
const PROCESSOR: PlainRecord = { image_processor_type: 'BeitImageProcessor' }

export const huggingFaceBeit: readonly Dialect[] = transformersLayouts(['', 'beit.', 'data2vec_vision.']).map(
  dialectOf,
)

function dialectOf(layout: TransformersLayout): Dialect {
  return {
    name: 'hugging-face',
    isCertain: true,
    recognises: (tensors) => hasLayout(layout, tensors) && isBeit(layout, tensors),
    readConfig: (checkpoint, hints) => readConfig(layout, checkpoint, hints),
    readPreparation: (checkpoint, hints) => preparationOf(checkpoint, hints, PROCESSOR),
    assumptions: (checkpoint, hints) => assumptions(layout, checkpoint, hints),
    source: layoutSource(layout),
    positions: ({ positions }) => (positions === null ? null : { tensor: layout.positions, special: 1 }),
    tables: (config) => biasTables(layout, config),
    // Files of older versions hold the index of the offsets as well, which follows from the grid.
    leftOver(tensor) {
      if (tensor === `${layout.prefix}embeddings.mask_token`) return 'training'
      return tensor.endsWith('.relative_position_index') ? 'derived' : null
    },
  }
}

/** A network that was saved without its pooling layer, such as a backbone, has no norm for what it pools. */
function assumptions(
  { prefix }: TransformersLayout,
  checkpoint: Checkpoint,
  hints: VitHints,
): readonly string[] {
  const { label, tensors } = checkpoint
  const isNormed = ['layernorm', 'pooler.layernorm'].some((norm) => tensors.has(`${prefix}${norm}.weight`))
  const bare = `${label} has neither a pooling layer nor a final norm, so that transformers gives tokens alone; the mean of its patches, which nothing norms, stands for an image here.`
  return [...processorAssumption(checkpoint, hints, KIND.family), ...(isNormed ? [] : [bare])]
}

/** Says where tables of relative positions are kept. */
export function biasTables(layout: TransformersLayout, config: VitConfig): ReadonlyMap<string, StoredWeight> {
  const { bias, depth, heads } = config
  const tables = new Map<string, StoredWeight>()
  if (bias === null) return tables
  const shape = [biasRows(bias), heads]
  for (let block = 0; block < depth; block++) {
    const tensor = bias.isShared ? layout.sharedBias : `${layout.blocks}${block}.${layout.bias}`
    tables.set(biasName(config, block), stored(tensor, shape))
  }
  return tables
}

function readConfig(layout: TransformersLayout, checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const reader = transformersFile(checkpoint, hints, KIND)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'hugging-face')
  const block = `${layout.blocks}0.`
  const hasPositions = tensors.has(layout.positions)
  const grid = gridOf(checkpoint, reader, hints, {
    table: hasPositions ? { tensor: layout.positions, axis: 1 } : null,
    rowsOf: ({ rows, columns }) => rows * columns + 1,
    patchSize: patchSizeOf(checkpoint, layout),
    fallback: 224,
  })
  const hasNorm = tensors.has(`${layout.prefix}layernorm.weight`)
  const hasPooler = tensors.has(`${layout.prefix}pooler.layernorm.weight`)
  const trunk = trunkOf(checkpoint, layout, grid)
  const config: VitConfig = {
    ...trunk,
    heads: headsOf(reader, hints, 12),
    hidden: size(`${block}${layout.parts['mlp.0']}.weight`, 0),
    classToken: true,
    registers: 0,
    epsilon: reader.number('layer_norm_eps', 1e-12),
    finalNorm: hasNorm ? 'tokens' : hasPooler ? 'pooled' : 'none',
    qkvBias: tensors.has(`${block}${layout.qkv[0]}.bias`),
    bias: biasOf(layout, checkpoint, reader, grid),
    layerScale: tensors.has(`${block}lambda_1`),
    mlp: 'ffn',
    activation: activationOf(reader, 'hidden_act', 'gelu'),
    pooling: { kind: reader.flag('use_mean_pooling', true) ? 'mean' : 'class' },
    classifier: classifierOf(tensors),
    positions: hasPositions
      ? { ...grid, specialRows: true, rule: grid.rows === grid.columns ? 'bicubic' : 'fixed' }
      : null,
    // A backbone of BEiT has no norm, and gives every layer as it is.
    taps: isData2vec(reader) ? null : tapsOf(reader, trunk.depth, () => false),
    rgbStats: levelsOf(checkpoint, hints, PROCESSOR),
  }
  agreeOnShape(reader, config)
  agree(reader, 'use_absolute_position_embeddings', hasPositions)
  agree(reader, 'use_mean_pooling', !hasNorm)
  agreeOnBias(reader, config.bias)
  if (reader.number('layer_scale_init_value', 0.1) > 0 !== config.layerScale)
    throw reader.contradicts('layer_scale_init_value', config.layerScale)
  return config
}

/** Its `out_indices` are of a segmentation head. */
function isData2vec(reader: ConfigReader): boolean {
  return reader.text('model_type', '') === 'data2vec-vision'
}

function agreeOnBias(reader: ConfigReader, bias: BiasRule | null): void {
  agree(reader, 'use_relative_position_bias', bias !== null && !bias.isShared)
  agree(reader, 'use_shared_relative_position_bias', bias?.isShared === true)
}

/**
 * transformers reads the table of a rectangle with its sides exchanged, at the trained size as well (BeitRelativePositionBias reshapes it to width by
 * height), and then resamples it. Its numbers are what counts for a file that it has written.
 */
function biasOf(
  layout: TransformersLayout,
  { tensors }: Checkpoint,
  reader: ConfigReader,
  grid: PatchGrid,
): BiasRule | null {
  const isShared = tensors.has(layout.sharedBias)
  const tensor = isShared ? layout.sharedBias : `${layout.blocks}0.${layout.bias}`
  const rows = sizeOrNull(tensors, tensor, 0)
  if (rows === null) return null
  const heads = sizeOrNull(tensors, tensor, 1)
  if (heads !== null) agree(reader, 'num_attention_heads', heads)
  if (rows !== biasRows(grid))
    throw reader.refuse('image_size', `a size whose patches have the ${rows} offsets of the weights`)
  return { kind: 'table', isShared, rows: grid.columns, columns: grid.rows, rule: 'bilinear' }
}
