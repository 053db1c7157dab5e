/**
 * Reads the image towers of CLIP as open_clip writes them, with its own vision transformer (mlfoundations/open_clip 3.3). Heads and activation are in no tensor, so that
 * the file open_clip_config.json must lie beside the weights.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { Preparation } from '../../image/preparation.js'
import type { Filter } from '../../kernels/resample-filter.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { agree } from '../dialects/agree.js'
import { ConfigReader } from '../dialects/config-reader.js'
import type { Dialect, VitHints } from '../dialects/dialect.js'
import { sizeOrNull, storedSize } from '../dialects/headers.js'
import { counts, each, type FieldContext, type FieldTable, judgeFields, nothing, only } from '../fields.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { Pooling, RgbStats, VitConfig } from '../vit-config.js'
import { isOfTextTower, projectionName, resblocksLayout, resblocksSource } from './resblocks-layout.js'
import { patchSizeOf, trunkOf } from './trunk-of.js'

const SOURCE = 'open_clip 3.3.0: model.py, transformer.py, transform.py'
const TEXT = 'it is about the text tower, or about training'

export const OPEN_CLIP_FILE: FieldTable = {
  title: 'open_clip: open_clip_config.json',
  source: SOURCE,
  isBeside: true,
  prefix: '',
  fields: {
    model_cfg: counts('the settings of the network'),
    preprocess_cfg: counts('how images are made'),
  },
}

export const OPEN_CLIP_MODEL: FieldTable = {
  title: 'open_clip: model_cfg',
  source: SOURCE,
  isBeside: true,
  prefix: 'model_cfg.',
  fields: {
    embed_dim: counts('the width of the projection, which the weights must have'),
    quick_gelu: counts('chooses the activation, which no tensor shows'),
    vision_cfg: counts('the settings of the image tower'),
    ...each(
      [
        'text_cfg',
        'custom_text',
        'init_logit_scale',
        'init_logit_bias',
        'nonscalar_logit_scale',
        'cast_dtype',
      ],
      nothing(TEXT),
    ),
    multimodal_cfg: only([null], 'CoCa pools its images by attention'),
  },
}

const SCALED = 'blocks with other norms are not computed here'

export const OPEN_CLIP_VISION: FieldTable = {
  title: 'open_clip: model_cfg.vision_cfg',
  source: SOURCE,
  isBeside: true,
  prefix: 'model_cfg.vision_cfg.',
  fields: {
    ...each(
      ['patch_size', 'width', 'layers', 'mlp_ratio'],
      counts('a size of the network; the weights must agree'),
    ),
    image_size: counts('the trained size'),
    head_width: counts('the width of a head; 64 where it is not there'),
    ls_init_value: counts('says that there are layer scales; the weights must agree'),
    no_ln_pre: counts('says that there is no norm in front of the blocks; the weights must agree'),
    pool_type: counts('tok, avg or avg_all'),
    final_ln_after_pool: counts('says whether the last norm is on what is pooled'),
    norm_kwargs: counts('the epsilon of every norm'),
    pos_embed_type: counts('learnable or sin_cos_2d: the file has the table either way'),
    ...each(['patch_dropout', 'output_tokens'], nothing('it acts while training, or adds an output')),
    ...each(
      ['attn_pooler_queries', 'attn_pooler_heads', 'attn_pooler_contextual'],
      nothing('it is of a pooling by attention, which attentional_pool says'),
    ),
    attentional_pool: only([false, null], 'a pooling by attention of this kind is not computed here'),
    ...each(['act_kwargs', 'block_type'], only([null], SCALED)),
    ...each(
      [
        'qk_norm',
        'scaled_cosine_attn',
        'scale_heads',
        'inner_norm',
        'scale_attn_inner',
        'scale_attn',
        'scale_fc',
      ],
      only([false, null], SCALED),
    ),
    ...each(
      [
        'timm_model_name',
        'timm_model_pretrained',
        'timm_pool',
        'timm_proj',
        'timm_proj_bias',
        'timm_drop',
        'timm_drop_path',
      ],
      only([null, false], 'it is of a network of timm, and the weights are those of open_clip’s own'),
    ),
  },
}

export const OPEN_CLIP_PREPROCESS: FieldTable = {
  title: 'open_clip: preprocess_cfg',
  source: SOURCE,
  isBeside: true,
  prefix: 'preprocess_cfg.',
  fields: {
    ...each(['mean', 'std'], counts('the levels')),
    interpolation: counts('bicubic or bilinear'),
    resize_mode: counts('shortest or squash'),
    size: counts('the size of images; default: the trained one'),
    mode: only(['RGB', null], 'networks of other pictures are not computed here'),
    fill_color: nothing('it fills what only another resize mode leaves empty'),
  },
}

const PREFIX = 'visual.'
const LAYOUT = resblocksLayout('open-clip', PREFIX)

export const openClip: Dialect = {
  name: 'open-clip',
  isCertain: true,
  recognises: (tensors) =>
    tensors.has(`${PREFIX}conv1.weight`) &&
    tensors.has(`${PREFIX}class_embedding`) &&
    tensors.has(`${LAYOUT.blocks}0.attn.in_proj_weight`) &&
    tensors.has(`${PREFIX}ln_post.weight`) &&
    !tensors.has(`${PREFIX}attn_pool.probe`),
  readConfig,
  readPreparation,
  source: resblocksSource(LAYOUT, PREFIX),
  positions: () => ({ tensor: LAYOUT.positions, special: 1, isFlat: true }),
  leftOver: (tensor) => (isOfTextTower(tensor) ? 'text-tower' : null),
}

interface OpenClipFile {
  readonly model: ConfigReader
  readonly vision: ConfigReader
  readonly preprocess: ConfigReader
  readonly normKwargs: ConfigReader
}

function fileOf({ label }: Checkpoint, hints: VitHints): OpenClipFile {
  const { openClipFile: file } = hints
  if (file === undefined) {
    throw new CheckpointError(
      'contradiction',
      `${label} is CLIP as open_clip writes it, and there is no open_clip_config.json beside it: heads and activation are in no tensor. Keep the open_clip_config.json of its repository beside it.`,
    )
  }
  const where = `${label}: the open_clip_config.json beside it`
  const context: FieldContext = { label: where, ignored: hints.ignoreFields }
  const whole = recordOf(file, OPEN_CLIP_FILE, context)
  const model = recordOf(whole.model_cfg ?? {}, OPEN_CLIP_MODEL, context)
  const vision = recordOf(model.vision_cfg ?? {}, OPEN_CLIP_VISION, context)
  const preprocess = recordOf(whole.preprocess_cfg ?? {}, OPEN_CLIP_PREPROCESS, context)
  const kwargs = vision.norm_kwargs ?? {}
  const [other] = isRecord(kwargs) ? Object.keys(kwargs).filter((name) => name !== 'eps') : ['']
  const reader = new ConfigReader(vision, where)
  if (other !== undefined) throw reader.refuse('norm_kwargs', 'an epsilon alone (eps)')
  return {
    model: new ConfigReader(model, where),
    vision: reader,
    preprocess: new ConfigReader(preprocess, where),
    normKwargs: new ConfigReader(isRecord(kwargs) ? kwargs : {}, where),
  }
}

function recordOf(value: unknown, table: FieldTable, context: FieldContext): PlainRecord {
  if (!isRecord(value as PlainRecord)) {
    throw new CheckpointError('malformed', `${context.label} has no object of settings (${table.title}).`)
  }
  judgeFields(value as PlainRecord, table, context)
  return value as PlainRecord
}

const POOLS: ReadonlyMap<string, Pooling> = new Map<string, Pooling>([
  ['tok', { kind: 'class' }],
  ['avg', { kind: 'mean' }],
  ['avg_all', { kind: 'mean', specialTokens: true }],
])
const TABLES: ReadonlyMap<string, boolean> = new Map([
  ['learnable', true],
  ['sin_cos_2d', true],
])

function readConfig(checkpoint: Checkpoint, hints: VitHints): VitConfig {
  const { tensors } = checkpoint
  const { model, vision, preprocess, normKwargs } = fileOf(checkpoint, hints)
  const size = (tensor: string, axis: number) => storedSize(checkpoint, tensor, axis, 'open_clip')
  const patchSize = patchSizeOf(checkpoint, LAYOUT)
  const [height, wide] = hints.size ?? vision.sides('image_size', [224, 224])
  const grid = { rows: Math.floor(height / patchSize), columns: Math.floor(wide / patchSize) }
  const trunk = trunkOf(checkpoint, LAYOUT, grid)
  const preNorm = tensors.has(`${PREFIX}ln_pre.weight`)
  const layerScale = tensors.has(`${LAYOUT.blocks}0.ls_1.gamma`)
  const hidden = size(`${LAYOUT.blocks}0.mlp.c_fc.weight`, 0)
  const projection = sizeOrNull(tensors, projectionName(PREFIX), 1)
  vision.choice('pos_embed_type', TABLES, 'learnable')
  const config: VitConfig = {
    ...trunk,
    heads: hints.heads ?? headsOf(vision, trunk.width),
    hidden,
    classToken: true,
    registers: 0,
    epsilon: normKwargs.number('eps', 1e-5),
    preNorm,
    finalNorm: vision.flag('final_ln_after_pool', false) ? 'pooled' : 'tokens',
    layerScale,
    mlp: 'ffn',
    activation: model.flag('quick_gelu', false) ? 'quick_gelu' : 'gelu',
    stem: { kind: 'patchify', bias: false },
    pooling: vision.choice('pool_type', POOLS, 'tok'),
    projection,
    positions: { ...grid, specialRows: true, rule: grid.rows === grid.columns ? 'antialias' : 'fixed' },
    rgbStats: levelsOf(preprocess),
  }
  if (projection !== null) agree(model, 'embed_dim', projection)
  agree(vision, 'width', config.width)
  agree(vision, 'layers', config.depth)
  agree(vision, 'patch_size', patchSize)
  agree(vision, 'no_ln_pre', !preNorm)
  const ratio = vision.numberOrNull('mlp_ratio')
  if (ratio !== null && Math.floor(config.width * ratio) !== hidden)
    throw vision.contradicts('mlp_ratio', hidden / config.width)
  if (vision.has('ls_init_value') !== layerScale) throw vision.contradicts('ls_init_value', layerScale)
  return config
}

function headsOf(vision: ConfigReader, width: number): number {
  const heads = width / vision.number('head_width', 64)
  if (Number.isInteger(heads) && heads > 0) return heads
  throw vision.refuse('head_width', `a divisor of the width ${width}`)
}

function levelsOf(preprocess: ConfigReader): RgbStats {
  const mean = preprocess.numbersOrNull('mean') ?? NORMALISATIONS.clip.mean
  const std = preprocess.numbersOrNull('std') ?? NORMALISATIONS.clip.std
  if (mean.length !== 3) throw preprocess.refuse('mean', 'three numbers')
  if (std.length !== 3 || std.some((value) => value <= 0))
    throw preprocess.refuse('std', 'three numbers above 0')
  return { mean, std }
}

const FILTERS: ReadonlyMap<string, Filter> = new Map([
  ['bicubic', 'bicubic'],
  ['bilinear', 'bilinear'],
])
const RESIZES: ReadonlyMap<string, 'shortest' | 'squash'> = new Map([
  ['shortest', 'shortest'],
  ['squash', 'squash'],
])

function readPreparation(checkpoint: Checkpoint, hints: VitHints): Preparation {
  const { vision, preprocess } = fileOf(checkpoint, hints)
  const [height, width] = preprocess.sides('size', vision.sides('image_size', [224, 224]))
  const mode = preprocess.choice('resize_mode', RESIZES, 'shortest')
  if (mode === 'shortest' && height !== width) {
    const [reader, key] = preprocess.has('size') ? [preprocess, 'size'] : [vision, 'image_size']
    throw reader.refuse(key, 'a square where the shortest edge is resized (resize_mode)')
  }
  return {
    kind: 'edges',
    resize: mode === 'squash' ? [height, width] : height,
    crop: mode === 'squash' ? null : [height, width],
    filter: preprocess.choice('interpolation', FILTERS, 'bicubic'),
    rescale: 'divide',
    transparency: 'drop',
  }
}
