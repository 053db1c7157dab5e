/**
 * Reads timm's config.json: the architecture that it names, what `model_args` changes of that, and how images are made. Older files have the
 * fields of `pretrained_cfg` at their top. Where there is no file, the name of the weights may be one of timm's.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { nearestNames } from '../../nearest-names.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { TIMM_CLASS_ARGS } from '../families/timm-class-args.js'
import { judgeFields, unsupportedValue } from '../fields.js'
import type { VitHints } from './dialect.js'
import { publishedNameOrNull } from './published-names.js'
import {
  findTimmArchitecture,
  type TimmArchitecture,
  timmArchitectures,
  timmNameOrNull,
} from './timm-architectures.js'
import { TIMM_CONFIG, TIMM_OLD_CONFIG, TIMM_PRETRAINED_CFG } from './timm-fields.js'
import { TimmFile } from './timm-file.js'
import type { TimmTold } from './timm-told.js'

/** Throws `CheckpointError` by the field's name, and `unsupported-network` for an architecture that is computed in another way. */
export function readTimm({ label }: Checkpoint, hints: VitHints, file: PlainRecord | null): TimmTold {
  if (file === null) return toldByName(label, hints.architecture)
  const where = `${label}: the config.json beside it`
  // That an architecture of one's own is a plain one is said in the same way, and has been judged by then.
  const ignored = hints.ignoreFields?.filter((name) => name !== 'architecture')
  const context = { label: where, ignored }
  // An architecture of another class has arguments of its own, so that it is refused before they are.
  const architecture = architectureOf(file, hints, where)
  const isOld = file.pretrained_cfg === undefined
  judgeFields(file, isOld ? TIMM_OLD_CONFIG : TIMM_CONFIG, context)
  const args = recordOf(file, 'model_args', where)
  judgeFields(args, TIMM_CLASS_ARGS[architecture?.class ?? 'VisionTransformer'], context)
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
  const name = hints.architecture ?? file.architecture
  // An architecture of one's own is let pass where somebody says that it is a plain one; what was asked for by its name is none.
  const isOwn = hints.architecture === undefined && hints.ignoreFields?.includes('architecture')
  if (typeof name !== 'string' || isOwn) return null
  const [stem = name] = name.split('.')
  const found = findTimmArchitecture(stem)
  if (found !== null) return runnable(found, where)
  const known = timmArchitectures().map((one) => one.name)
  const near = nearestNames(stem, known, 1, 3).map((nearest) => ` Is ${nearest} meant?`)
  throw new CheckpointError(
    'unsupported-network',
    `${where} names the architecture ${JSON.stringify(name)}, which is none that timm 1.0.31 builds of its classes VisionTransformer, Eva, Beit, VisionTransformerRelPos and NaFlexVit; of timm, those are run.${near.join('')} ` +
      "If it is a network of the first of these under another name, say so: ignoreFields: ['architecture'] (--ignore-field architecture), with heads (--heads).",
  )
}

/** Of some architectures the tensors may look as a plain one's while its blocks compute something else. */
const FOREIGN: readonly (readonly [key: string, computed: readonly string[], what: string])[] = [
  ['block', ['ResPostBlock', 'ParallelThingsBlock', 'ParallelScalingBlock'], 'blocks of the kind'],
  ['attn', [], 'attention of the kind'],
  ['mlp', ['SwiGLUPacked', 'SwiGLU'], 'a feed-forward net of the kind'],
  ['kv_heads', [], 'fewer heads for keys and values than for queries:'],
  ['positions', [], 'positions of the kind'],
]

function runnable(architecture: TimmArchitecture, where: string): TimmArchitecture {
  const { name, settings } = architecture
  for (const [key, computed, what] of FOREIGN) {
    const set = settings.get(key)
    if (set === undefined || computed.includes(set)) continue
    throw new CheckpointError(
      'unsupported-network',
      `${where} names timm's ${name}, which has ${what} ${set} and computes something else than the networks that are run: it is not run yet.`,
    )
  }
  return architecture
}

/** The name that was asked for counts before the file's own, and that before the one of its folder. */
function toldByName(label: string, asked: string | undefined): TimmTold {
  const published = publishedNameOrNull(label)
  const own = asked ?? label.split(/[/\\]/).at(-1) ?? label
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
          rgbStats: input.normalisation.stats,
          preparation: { ...input.preparation, size: null },
        }),
  }
}
