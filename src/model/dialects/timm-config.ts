/**
 * Reads timm's config.json: the architecture that it names, what `model_args` changes of that, and how images are made. Older files have the
 * fields of `pretrained_cfg` at their top. Where there is no file, the name of the weights may be one of timm's.
 */
import { type Checkpoint, isRecord, type PlainRecord } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { FractionPreparation } from '../../image/preparation.js'
import { FILTERS, type Filter } from '../../kernels/resample-filter.js'
import { judgeFields, unsupportedValue } from '../fields.js'
import { nearestNames } from '../nearest-names.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { PositionRule } from '../positions.js'
import type { RgbStats, VitConfig } from '../vit-config.js'
import { agree } from './agree.js'
import { ConfigReader } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { publishedNameOrNull } from './published-names.js'
import {
  findTimmArchitecture,
  type TimmArchitecture,
  type TimmName,
  timmArchitectureNames,
  timmNameOrNull,
} from './timm-architectures.js'
import { TIMM_CONFIG, TIMM_MODEL_ARGS, TIMM_OLD_CONFIG, TIMM_PRETRAINED_CFG } from './timm-fields.js'

type Size = readonly [height: number, width: number]

/** timm's names of activations (layers/create_act.py) for those that are computed here. */
const ACTIVATIONS: ReadonlyMap<string, ActivationKind> = new Map<string, ActivationKind>([
  ...(
    [
      'identity',
      'relu',
      'relu6',
      'leaky_relu',
      'elu',
      'celu',
      'selu',
      'gelu',
      'gelu_tanh',
      'quick_gelu',
      'silu',
      'mish',
      'sigmoid',
      'tanh',
      'hard_sigmoid',
      'hard_swish',
    ] as const
  ).map((name): [string, ActivationKind] => [name, name]),
  ['swish', 'silu'],
  ['hardsigmoid', 'hard_sigmoid'],
  ['hardswish', 'hard_swish'],
])

export type TimmPool = 'token' | 'avg' | 'max' | 'avgmax' | 'map' | ''
const POOLS: ReadonlyMap<string, TimmPool> = new Map(
  (['token', 'avg', 'max', 'avgmax', 'map', ''] as const).map((pool) => [pool, pool]),
)

/** Is what files or a name tell of a network; undefined stands for what they do not tell. */
export interface TimmTold {
  readonly heads: number | ((width: number) => number | null)
  readonly epsilon: number
  readonly rmsNorm: boolean | undefined
  readonly activation: ActivationKind | undefined
  /** Says how positions are resampled. */
  readonly rule: PositionRule
  readonly pool: TimmPool | undefined
  readonly includePrefix: boolean
  /** Is null where timm decides it by the pooling. */
  readonly fcNorm: boolean | null | undefined
  readonly finalNorm: boolean | undefined
  readonly noEmbedClass: boolean | undefined
  readonly sizes: readonly Size[]
  readonly rgbStats: RgbStats | undefined
  readonly preparation: FractionPreparation | undefined
  /** Throws `contradiction` where the file says something else about the network than its tensors. */
  readonly check: (config: VitConfig, shown: TimmShown) => void
  /** Is the name that was found, where there is no file. */
  readonly name: TimmName | null
}

/** Is what tensors show beside a network's config. */
interface TimmShown {
  /** Counts the rows of the feed-forward net's first matrix. */
  readonly mlpRows: number
  /** Says whether there is a last norm, on tokens or on what is pooled. */
  readonly hasNorm: boolean
}

/** Throws `CheckpointError` by the field's name, and `unsupported-network` for an architecture that is computed in another way. */
export function readTimm({ label }: Checkpoint, hints: VitHints, file: PlainRecord | null): TimmTold {
  if (file === null) return toldByName(timmNameOrNull(label), label)
  const where = `${label}: the config.json beside it`
  const context = { label: where, ignored: hints.ignoreFields }
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
  const near = nearestNames(stem, timmArchitectureNames(), 1, 3).map((nearest) => ` Is ${nearest} meant?`)
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

function toldByName(name: TimmName | null, label: string): TimmTold {
  const architecture = name === null ? null : runnable(name.architecture, `${label}: its name`)
  const file = new TimmFile({}, {}, {}, architecture, label).told()
  const input = name?.input ?? null
  const published = publishedNameOrNull(label)
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

class TimmFile {
  readonly #file: PlainRecord
  readonly #args: ConfigReader
  readonly #input: ConfigReader
  readonly #has: (key: string) => boolean
  readonly #architecture: TimmArchitecture | null
  readonly #where: string

  constructor(
    file: PlainRecord,
    args: PlainRecord,
    input: PlainRecord,
    architecture: TimmArchitecture | null,
    where: string,
  ) {
    this.#file = file
    this.#args = new ConfigReader(args, `${where} (model_args)`)
    this.#input = new ConfigReader(input, input === file ? where : `${where} (pretrained_cfg)`)
    this.#has = (key) => Object.hasOwn(args, key)
    this.#architecture = architecture
    this.#where = where
  }

  told(): TimmTold {
    const imgSize = this.#imgSize()
    const inputSize = this.#inputSize()
    const norm = this.#norm()
    return {
      heads: this.#args.has('num_heads')
        ? this.#args.positive('num_heads')
        : (this.#architecture?.heads ?? (() => null)),
      ...norm,
      activation: this.#activation(),
      rule: 'antialias',
      pool: this.#pool(),
      includePrefix: this.#flag('pool_include_prefix', false),
      fcNorm: this.#fcNorm(),
      finalNorm: this.#flag('final_norm', true),
      noEmbedClass: this.#flag('no_embed_class', false),
      sizes:
        imgSize === null ? [...(inputSize === null ? [] : [inputSize]), ...this.#usualSize()] : [imgSize],
      rgbStats: this.#stats(),
      preparation: this.#preparation(inputSize, imgSize),
      check: (config, shown) => this.#check(config, shown),
      name: null,
    }
  }

  /** An argument counts before the architecture, also where it is null: Python's None is then the class's own default. */
  #setting(key: string, short = key): string | undefined {
    return this.#has(key) ? undefined : this.#architecture?.settings.get(short)
  }

  #flag(key: string, fallback: boolean): boolean {
    const set = this.#setting(key)
    return this.#args.flag(key, set === undefined ? fallback : set === 'yes')
  }

  #activation(): ActivationKind | undefined {
    const set = this.#setting('act_layer', 'act')
    if (!this.#args.has('act_layer')) return set === undefined ? undefined : ACTIVATIONS.get(set)
    return this.#args.choice('act_layer', ACTIVATIONS, 'gelu')
  }

  #norm(): Pick<TimmTold, 'epsilon' | 'rmsNorm'> {
    const named = this.#args.text('norm_layer', '').replaceAll('_', '').toLowerCase()
    if (!['', 'layernorm', 'rmsnorm'].includes(named))
      throw unsupportedValue(
        this.#where,
        'model_args.norm_layer',
        this.#args.text('norm_layer', ''),
        'layernorm and rmsnorm are computed here',
      )
    if (named !== '') return { epsilon: 1e-6, rmsNorm: named === 'rmsnorm' }
    const epsilon = Number(this.#setting('norm_layer', 'eps') ?? 1e-6)
    const known = this.#has('norm_layer') || this.#architecture !== null
    return { epsilon, rmsNorm: known ? this.#setting('norm_layer', 'norm') === 'rmsNorm' : undefined }
  }

  /** timm writes the pooling at the file's top for people to read, and builds by the arguments: where they differ somebody expects another. */
  #pool(): TimmPool | undefined {
    const own = new ConfigReader(this.#file, this.#where)
    const shown = own.has('global_pool') ? own.choice('global_pool', POOLS, 'token') : undefined
    const built = this.#args.has('global_pool')
      ? this.#args.choice('global_pool', POOLS, 'token')
      : POOLS.get(
          this.#setting('global_pool', 'pool') ??
            (this.#architecture === null ? (shown ?? 'token') : 'token'),
        )
    if (shown !== undefined && shown !== built) {
      throw new CheckpointError(
        'contradiction',
        `${this.#where}: its global_pool is ${JSON.stringify(shown)}, and timm, which goes by model_args.global_pool and the architecture, pools by ${JSON.stringify(built)}. Write the right one to model_args.global_pool.`,
      )
    }
    return built
  }

  #fcNorm(): boolean | null {
    if (this.#args.has('fc_norm')) return this.#args.flag('fc_norm', false)
    const set = this.#setting('fc_norm')
    return set === undefined ? null : set === 'yes'
  }

  #imgSize(): Size | null {
    const sides = this.#args.numbersOrNull('img_size', true)
    if (sides === null) return null
    const [height, width = height, ...others] = sides
    if (isSide(height) && isSide(width) && others.length === 0) return [height, width]
    throw unsupportedValue(
      this.#where,
      'model_args.img_size',
      sides,
      'one side is expected, or height and width',
    )
  }

  #usualSize(): readonly Size[] {
    if (this.#architecture === null) return []
    const side = Number(this.#architecture.settings.get('img_size') ?? 224)
    return [[side, side]]
  }

  #inputSize(): Size | null {
    const sizes = this.#input.numbersOrNull('input_size')
    if (sizes === null) return null
    const [channels, height, width, ...others] = sizes
    if (isSide(channels) && isSide(height) && isSide(width) && others.length === 0) return [height, width]
    throw unsupportedValue(this.#where, 'input_size', sizes, 'channels, height and width are expected')
  }

  #stats(): RgbStats {
    const levels = (key: string, fallback: readonly number[]): readonly number[] => {
      const found = this.#input.numbersOrNull(key)
      if (found === null || found.length === 0) return fallback
      if (found.length === 3 && found.every(Number.isFinite)) return found
      throw unsupportedValue(this.#where, key, found, 'three numbers are expected')
    }
    const mean = levels('mean', NORMALISATIONS.imagenet.mean)
    const std = levels('std', NORMALISATIONS.imagenet.std)
    if (std.every((value) => value !== 0)) return { mean, std }
    throw unsupportedValue(this.#where, 'std', std, 'no channel can be divided by 0')
  }

  /** Follows `resolve_data_config` with its defaults: 224, bicubic, 0.875, centre. */
  #preparation(inputSize: Size | null, imgSize: Size | null): FractionPreparation {
    const filters: ReadonlyMap<string, Filter> = new Map(FILTERS.map((filter) => [filter, filter]))
    const modes = new Map((['center', 'squash', 'border'] as const).map((mode) => [mode, mode]))
    const cropFraction = this.#input.number('crop_pct', 0.875) || 0.875
    if (cropFraction > 1)
      throw unsupportedValue(this.#where, 'crop_pct', cropFraction, 'a part in (0, 1] is expected')
    // timm takes img_size for the input's size where the two differ, and the network takes one size only.
    const isFree = this.#args.flag('dynamic_img_size', false) || !this.#args.flag('strict_img_size', true)
    const isFixed = this.#input.flag('fixed_input_size', false) && !isFree
    return {
      kind: 'fraction',
      size: (isFixed ? imgSize : null) ?? inputSize ?? imgSize ?? [224, 224],
      cropFraction,
      mode: this.#input.choice('crop_mode', modes, 'center'),
      filter: this.#input.choice('interpolation', filters, 'bicubic'),
    }
  }

  #check(config: VitConfig, { mlpRows, hasNorm }: TimmShown): void {
    const args = this.#args
    agree(args, 'embed_dim', config.width)
    agree(args, 'depth', config.depth)
    agree(args, 'in_chans', config.channels)
    agree(args, 'reg_tokens', config.registers)
    agree(args, 'class_token', config.classToken)
    agree(args, 'qkv_bias', config.qkvBias)
    agree(args, 'qk_norm', config.queryKeyNorm)
    agree(args, 'scale_attn_norm', config.attentionNorm)
    agree(args, 'pre_norm', config.preNorm)
    const [patch, ...others] = args.numbersOrNull('patch_size', true) ?? [config.patchSize]
    if (patch !== config.patchSize || others.some((side) => side !== patch))
      throw args.contradicts('patch_size', config.patchSize)
    if (this.#has('init_values') && args.has('init_values') !== config.layerScale)
      throw args.contradicts('init_values', config.layerScale)
    if (args.has('mlp_ratio') && Math.trunc(config.width * args.number('mlp_ratio', 4)) !== mlpRows)
      throw args.contradicts('mlp_ratio', mlpRows / config.width)
    // The weights have the norm wherever final_norm did not leave it out.
    if (!args.flag('final_norm', true) && hasNorm) throw args.contradicts('final_norm', true)
    const { positions } = config
    if (config.classToken || config.registers > 0)
      agree(args, 'no_embed_class', positions === null || !positions.specialRows)
    const { classifier } = config
    if (classifier === null) return
    agree(args, 'num_classes', classifier.classes)
    agree(new ConfigReader(this.#file, this.#where), 'num_classes', classifier.classes)
  }
}

function isSide(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 16384
}
