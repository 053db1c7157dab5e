/**
 * Reads timm's config.json: the architecture that it names, what `model_args` changes of that, and how images are made. Older files have the
 * fields of `pretrained_cfg` at their top. Where there is no file, the name of the weights may be one of timm's.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { nearestNames } from '../../nearest-names.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { judgeFields, unsupportedValue } from '../fields.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { VitHints } from './dialect.js'
import { publishedNameOrNull } from './published-names.js'
import {
  findTimmArchitecture,
  type TimmArchitecture,
  timmArchitectures,
  timmNameOrNull,
} from './timm-architectures.js'
import { TIMM_CONFIG, TIMM_MODEL_ARGS, TIMM_OLD_CONFIG, TIMM_PRETRAINED_CFG } from './timm-fields.js'
import { TimmFile } from './timm-file.js'
import type { TimmTold } from './timm-told.js'

/** Throws `CheckpointError` by the field's name, and `unsupported-network` for an architecture that is computed in another way. */
export function readTimm({ label }: Checkpoint, hints: VitHints, file: PlainRecord | null): TimmTold {
  if (file === null) return toldByName(label)
  const where = `${label}: the config.json beside it`
  // That an architecture of one's own is a plain one is said in the same way, and has been judged by then.
  const ignored = hints.ignoreFields?.filter((name) => name !== 'architecture')
  const context = { label: where, ignored }
  // An architecture of another class has arguments of its own, so that it is refused before they are.
  const architecture = architectureOf(file, hints, where)
  const isOld = file.pretrained_cfg === undefined
  judgeFields(file, isOld ? TIMM_OLD_CONFIG : TIMM_CONFIG, context)
  const args = recordOf(file, 'model_args', where)
  judgeFields(args, TIMM_MODEL_ARGS, context)
  const input = isOld ? file : recordOf(file, 'pretrained_cfg', where)
  if (!isOld) judgeFields(input, TIMM_PRETRAINED_CFG, context)
  return new TimmFile(file, args, input, architecture, where).told()
}

function recordOf(file: PlainRecord, key: string, where: string): PlainRecord {
  const value = file[key] ?? {}
  if (isRecord(value)) return value
  throw unsupportedValue(where, key, value, 'an object of settings is expected')
}

function architectureOf(file: PlainRecord, hints: VitHints, where: string): TimmArchitecture | null {
  const { architecture: name } = file
  // An architecture of one's own is let pass where somebody says that it is a plain one.
  if (typeof name !== 'string' || hints.ignoreFields?.includes('architecture')) return null
  const [stem = name] = name.split('.')
  const found = findTimmArchitecture(stem)
  if (found !== null) return runnable(found, where)
  const known = timmArchitectures().map((one) => one.name)
  const near = nearestNames(stem, known, 1, 3).map((nearest) => ` Is ${nearest} meant?`)
  const dinov3 = /dinov3/.test(stem) ? ' It is DINOv3, which has rotary positions and is not run yet.' : ''
  throw new CheckpointError(
    'unsupported-network',
    `${where} names the architecture ${JSON.stringify(name)}, which is none that timm 1.0.31 builds of its class VisionTransformer; of timm, those are run.${dinov3}${near.join('')} ` +
      "If it is such a network under another name, say so: ignoreFields: ['architecture'] (--ignore-field architecture), with heads (--heads).",
  )
}

/** Of an architecture of the class, the tensors may look as a plain one's while its blocks compute something else. */
function runnable(architecture: TimmArchitecture, where: string): TimmArchitecture {
  const { name, settings } = architecture
  const foreign = ['block', 'attn', 'embed_norm', 'scale_mlp_norm', 'distilled'].find((key) =>
    settings.has(key),
  )
  const mlp = settings.get('mlp')
  if (foreign === undefined && (mlp === undefined || mlp === 'SwiGLUPacked')) return architecture
  const what = foreign === undefined ? `mlp_layer ${mlp}` : `${foreign} ${settings.get(foreign)}`
  throw new CheckpointError(
    'unsupported-network',
    `${where} names timm's ${name}, which has ${what} and computes something else than a plain vision transformer: it is not run yet.`,
  )
}

/** A file's own name counts before that of its folder. */
function toldByName(label: string): TimmTold {
  const published = publishedNameOrNull(label)
  const own = label.split(/[/\\]/).at(-1) ?? label
  const name = timmNameOrNull(own) ?? (published === null ? timmNameOrNull(label) : null)
  const architecture = name === null ? null : runnable(name.architecture, `${label}: its name`)
  const file = new TimmFile({}, {}, {}, architecture, label).told()
  const input = name?.input ?? null
  return {
    ...file,
    // A network of another width under an architecture's name has heads as wide as that one's, as timm's own variants have.
    heads: (width) =>
      architecture === null
        ? (published?.headsByWidth.get(width) ?? null)
        : (architecture.heads * width) / architecture.width,
    // Without a file or a name nothing says how tokens are pooled, and the tensors show a part of it.
    ...(architecture === null ? { pool: undefined, fcNorm: undefined, noEmbedClass: undefined } : {}),
    rule: published?.rule ?? 'antialias',
    finalNorm: undefined,
    check: () => {},
    name,
    sizes: [],
    ...(input === null
      ? { rgbStats: undefined, preparation: undefined }
      : {
          rgbStats: NORMALISATIONS[input.normalisation],
          preparation: { ...input.preparation, size: null },
        }),
  }
}
