/**
 * Reads what open_clip_config.json says of an image tower that is a network of timm's (`visual.trunk.`), and says it in the words of timm's own config.json: the
 * architecture by its name, how it pools, and how images are made.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { ConfigReader } from '../dialects/config-reader.js'
import type { VitHints } from '../dialects/dialect.js'
import { findTimmArchitecture } from '../dialects/timm-architectures.js'
import { counts, type FieldTable, judgeFields, nothing, only } from '../fields.js'
import { OPEN_CLIP_FILE, OPEN_CLIP_MODEL, OPEN_CLIP_PREPROCESS } from './open-clip.js'

const TRUNK = 'visual.trunk.'

export const OPEN_CLIP_TRUNK: FieldTable = {
  title: 'open_clip: model_cfg.vision_cfg of a network of timm',
  source: 'open_clip 3.3.0: model.py, timm_model.py',
  isBeside: true,
  prefix: 'model_cfg.vision_cfg.',
  fields: {
    timm_model_name: counts('the architecture'),
    timm_pool: counts('how it pools'),
    image_size: counts('the trained size'),
    timm_proj: only(['none', '', null], 'a projection behind the network of timm is not computed here'),
    timm_proj_bias: nothing('it is of a projection'),
    timm_model_pretrained: nothing('it says where weights come from while training'),
    timm_drop: nothing('it acts while training only'),
    timm_drop_path: nothing('it acts while training only'),
    patch_dropout: nothing('it acts while training only'),
  },
}

const POOLS: ReadonlyMap<string, string> = new Map(
  ['token', 'avg', 'map', 'max', 'avgmax', ''].map((pool) => [pool, pool]),
)
const MODES: ReadonlyMap<string, string> = new Map([
  ['shortest', 'center'],
  ['squash', 'squash'],
])

/** Gives null for a file of anything else. Throws `unsupported-field`, `unknown-field`, `malformed`, `contradiction` by the name of a field. */
export function openClipTrunkOrNull({ wrapping, label }: Checkpoint, hints: VitHints): PlainRecord | null {
  const { openClipFile: file } = hints
  if (file === undefined || !wrapping.endsWith(TRUNK)) return null
  const where = `${label}: the open_clip_config.json beside it`
  const judged = (value: unknown, table: FieldTable): PlainRecord => {
    if (!isRecord(value as PlainRecord))
      throw new CheckpointError('malformed', `${where} has no object of settings (${table.title}).`)
    judgeFields(value as PlainRecord, table, { label: where, ignored: hints.ignoreFields })
    return value as PlainRecord
  }
  const whole = judged(file, OPEN_CLIP_FILE)
  const model = judged(whole.model_cfg ?? {}, OPEN_CLIP_MODEL)
  const vision = new ConfigReader(judged(model.vision_cfg ?? {}, OPEN_CLIP_TRUNK), where)
  const preprocess = judged(whole.preprocess_cfg ?? {}, OPEN_CLIP_PREPROCESS)
  const images = new ConfigReader(preprocess, where)
  const [height, width = height] =
    images.numbersOrNull('size', true) ?? vision.numbersOrNull('image_size', true) ?? []
  const architecture = vision.text('timm_model_name', '')
  const isKnown = findTimmArchitecture(architecture.split('.')[0] ?? '') !== null
  if (!isKnown && hints.ignoreFields?.includes('architecture') !== true)
    throw vision.refuse('timm_model_name', "an architecture of timm's that is run")
  const pool = vision.has('timm_pool') ? { global_pool: vision.choice('timm_pool', POOLS, '') } : {}
  return {
    architecture,
    model_args: {
      ...pool,
      ...(vision.has('image_size')
        ? { img_size: [...(vision.numbersOrNull('image_size', true) ?? [])] }
        : {}),
    },
    pretrained_cfg: {
      ...(height === undefined || width === undefined ? {} : { input_size: [3, height, width] }),
      ...(preprocess.mean === undefined ? {} : { mean: preprocess.mean }),
      ...(preprocess.std === undefined ? {} : { std: preprocess.std }),
      interpolation: images.text('interpolation', 'bicubic'),
      crop_mode: images.choice('resize_mode', MODES, 'shortest'),
      crop_pct: 1,
    },
  }
}
