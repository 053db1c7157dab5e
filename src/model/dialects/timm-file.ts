/** Reads the parts of timm's config.json that tell of a network, beside the architecture that they change. */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { PlainRecord } from '../../plain-value.js'
import { unsupportedValue } from '../fields.js'
import type { VitConfig } from '../vit-config.js'
import { agree, agreeOnPatch } from './agree.js'
import { ConfigReader } from './config-reader.js'
import type { TimmArchitecture, TimmClass } from './timm-architectures.js'
import { inputSizeOf, isSide, levelsOf, preparationOf, type Size } from './timm-input.js'
import { TIMM_ARGUMENTS, TimmSettings } from './timm-settings.js'
import type { TimmPool, TimmShown, TimmTold } from './timm-told.js'

/** timm's names of activations (layers/create_act.py) for those that are computed here. */
export const TIMM_ACTIVATIONS: ReadonlyMap<string, ActivationKind> = new Map<string, ActivationKind>([
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

const POOLS: ReadonlyMap<string, TimmPool> = new Map(
  (['token', 'avg', 'max', 'avgmax', 'map', ''] as const).map((pool) => [pool, pool]),
)

export class TimmFile {
  readonly #file: PlainRecord
  readonly #args: ConfigReader
  readonly #input: ConfigReader
  readonly #has: (key: string) => boolean
  readonly #settings: TimmSettings
  readonly #architecture: TimmArchitecture | null
  readonly #class: TimmClass
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
    this.#settings = new TimmSettings(args, this.#args, architecture)
    this.#has = (key) => this.#settings.has(key)
    this.#architecture = architecture
    this.#class = architecture?.class ?? 'VisionTransformer'
    this.#where = where
  }

  told(): TimmTold {
    const imgSize = this.#imgSize()
    const inputSize = inputSizeOf(this.#input, this.#where)
    const norm = this.#norm()
    const isPlain = this.#class === 'VisionTransformer'
    return {
      class: this.#class,
      settings: this.#settings,
      isPostNorm: this.#isPostNorm(),
      heads: this.#args.has('num_heads')
        ? this.#args.positive('num_heads')
        : (this.#architecture?.heads ?? (() => null)),
      ...norm,
      activation: this.#activation(),
      rule: 'antialias',
      pool: this.#pool(),
      includePrefix: this.#settings.flag('pool_include_prefix', false),
      // The weights show which norm there is. A plain one's arguments are held against that, since its files need not agree with what timm makes of them.
      fcNorm: isPlain ? this.#fcNorm() : undefined,
      finalNorm: isPlain ? this.#settings.flag('final_norm', true) : undefined,
      noEmbedClass: this.#settings.flag('no_embed_class', false),
      sizes:
        imgSize === null ? [...(inputSize === null ? [] : [inputSize]), ...this.#usualSize()] : [imgSize],
      rgbStats: levelsOf(this.#input, this.#where),
      unsaidSize: inputSize === null ? imgSize : null,
      preparation: preparationOf(this.#input, this.#where, { args: this.#args, inputSize, imgSize }),
      check: (config, shown) => this.#check(config, shown),
      name: null,
    }
  }

  /** Names of tensors are the same whether norms stand in front of a block's branches or behind them. */
  #isPostNorm(): boolean {
    if (this.#class === 'Eva')
      return this.#settings.flag('use_post_norm', false) || this.#block() === 'ResPostBlock'
    return this.#block() === 'ResPostBlock'
  }

  #block(): string | undefined {
    const key = this.#class === 'Eva' ? 'use_post_norm' : 'block_fn'
    return this.#settings.built(key, 'block')
  }

  #activation(): ActivationKind | undefined {
    const set = this.#settings.built('act_layer', 'act')
    if (!this.#args.has('act_layer')) return set === undefined ? undefined : TIMM_ACTIVATIONS.get(set)
    return this.#args.choice('act_layer', TIMM_ACTIVATIONS, 'gelu')
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
    if (named !== '' && this.#settings.built('embed_norm_layer', 'embed_norm') === 'yes')
      throw unsupportedValue(
        this.#where,
        'model_args.norm_layer',
        this.#args.text('norm_layer', ''),
        'the norm on patches alone keeps the epsilon of the architecture beside it, where one is computed for all norms here: leave it out',
      )
    if (named !== '') return { epsilon: 1e-6, rmsNorm: named === 'rmsnorm' }
    const epsilon = Number(this.#settings.built('norm_layer', 'eps') ?? 1e-6)
    const known = this.#has('norm_layer') || this.#architecture !== null
    return { epsilon, rmsNorm: known ? this.#settings.built('norm_layer', 'norm') === 'rmsNorm' : undefined }
  }

  /** timm writes the pooling at the file's top for people to read, and builds by the arguments: where they differ somebody expects another. */
  #pool(): TimmPool | undefined {
    const own = new ConfigReader(this.#file, this.#where)
    const shown = own.has('global_pool') ? own.choice('global_pool', POOLS, 'token') : undefined
    const built = this.#args.has('global_pool')
      ? this.#args.choice('global_pool', POOLS, 'token')
      : POOLS.get(
          this.#settings.built('global_pool', 'pool') ??
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
    const set = this.#settings.built('fc_norm')
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

  /** Heads, epsilon and pooling come from the architecture, so that one of other weights would be computed without a word. */
  #checkArchitecture(config: VitConfig): void {
    if (this.#architecture === null) return
    const { name, width } = this.#architecture
    const registers = TIMM_ARGUMENTS[this.#class].registers ?? ''
    const told: readonly (readonly [key: string, what: string, built: number | null, shown: number])[] = [
      ['embed_dim', 'a width', width, config.width],
      ['patch_size', 'a patch', numberInName(name, 'patch'), config.patchSize],
      [registers, 'a number of registers', numberInName(name, 'reg'), config.registers],
    ]
    for (const [key, what, built, shown] of told)
      if (!this.#has(key) && built !== null && built !== shown)
        throw this.#otherArchitecture(`${what} of ${built}`, shown, key)
  }

  #agreeFlag(key: string, fallback: boolean, shown: boolean): void {
    if (this.#args.has(key)) {
      agree(this.#args, key, shown)
    } else if (this.#architecture !== null) {
      const built = this.#settings.flag(key, fallback)
      if (built !== shown) throw this.#otherArchitecture(`${key} ${built}`, shown, key)
    }
  }

  #otherArchitecture(built: string, shown: number | boolean | string, key: string): CheckpointError {
    return new CheckpointError(
      'contradiction',
      `${this.#where}: its architecture ${JSON.stringify(this.#architecture?.name)} has ${built}, and the weights show ${shown}. ` +
        `The config belongs to another network than the weights, or its model_args lack ${key}.`,
    )
  }

  #check(config: VitConfig, shown: TimmShown): void {
    const args = this.#args
    const [channels = config.channels] = this.#input.numbersOrNull('input_size') ?? []
    if (channels !== config.channels) throw this.#input.contradicts('input_size', config.channels)
    this.#checkArchitecture(config)
    this.#checkParts(config, shown)
    agreeOnPatch(args, config)
    // Norms behind the branches are scaled by it when they are made.
    if (
      this.#has('init_values') &&
      config.block !== 'postNorm' &&
      args.has('init_values') !== config.layerScale
    )
      throw args.contradicts('init_values', config.layerScale)
    this.#checkRatio(config, shown)
    this.#agreeFlag('class_token', TIMM_ARGUMENTS[this.#class].classToken, config.classToken)
    const { positions, classifier } = config
    if (positions !== null && this.#class !== 'NaFlexVit' && (config.classToken || config.registers > 0))
      this.#agreeFlag('no_embed_class', false, !positions.specialRows)
    if (classifier === null) return
    agree(args, 'num_classes', classifier.classes)
    agree(new ConfigReader(this.#file, this.#where), 'num_classes', classifier.classes)
  }

  /** What arguments and weights both tell must be the same. */
  #checkParts(config: VitConfig, { hasNorm, hasPooledNorm, further }: TimmShown): void {
    const args = this.#args
    const names = TIMM_ARGUMENTS[this.#class]
    const told: readonly (readonly [key: string | null, shown: number | boolean])[] = [
      ['embed_dim', config.width],
      ['depth', config.depth],
      ['in_chans', config.channels],
      ['qkv_bias', config.qkvBias],
      ['qk_norm', config.queryKeyNorm],
      ['use_fc_norm', hasPooledNorm],
      [names.registers, config.registers],
      [names.attentionNorm, config.attentionNorm],
      [names.preNorm, config.preNorm],
      [names.mlpNorm, config.mlp === 'normFfn' || config.mlp === 'normSwiglu'],
    ]
    for (const [key, shown] of [...told, ...Object.entries(further)])
      if (key !== null) agree(args, key, shown)
    if (config.block === 'postNorm' && config.layerScale)
      throw this.#otherArchitecture('norms behind its branches', 'a layer scale too', 'use_post_norm')
    if (this.#class === 'Eva' || this.#class === 'Beit')
      this.#agreeFlag('use_abs_pos_emb', true, config.positions !== null)
    // The weights have the norm wherever final_norm did not leave it out.
    if (!args.flag('final_norm', true) && hasNorm) throw args.contradicts('final_norm', true)
    const last = hasNorm && !hasPooledNorm
    if (this.#class === 'Eva') agree(args, 'use_post_transformer_norm', last)
    if (this.#class === 'NaFlexVit') agree(args, 'final_norm', hasNorm)
    if (['VisionTransformerRelPos', 'NaFlexVit'].includes(this.#class) && hasNorm)
      agree(args, 'fc_norm', hasPooledNorm)
  }

  #checkRatio({ width, mlp }: VitConfig, { mlpRows, pooledRows }: TimmShown): void {
    const args = this.#args
    const columns = (key: string) => Math.trunc(width * args.number(key, 4))
    if (
      pooledRows !== null &&
      args.has('attn_pool_mlp_ratio') &&
      columns('attn_pool_mlp_ratio') !== pooledRows
    )
      throw args.contradicts('attn_pool_mlp_ratio', pooledRows / width)
    if (!args.has('mlp_ratio')) return
    const hidden = columns('mlp_ratio')
    const most = this.#class === 'Eva' && mlp === 'swiglu' ? hidden + MOST_ALIGNED : hidden
    if (mlpRows < hidden || mlpRows > most) throw args.contradicts('mlp_ratio', mlpRows / width)
  }
}

/** Rounding the hidden width of a gated net up to a multiple (swiglu_align_to) adds no more than this. */
const MOST_ALIGNED = 63

/** Gives the number behind a word of an architecture's name, such as 16 of patch16. */
function numberInName(name: string, word: string): number | null {
  const found = new RegExp(`_${word}(\\d+)(_|$)`).exec(name)
  return found === null ? null : Number(found[1])
}
