/**
 * Reads what timm builds a network with: an argument of `model_args` in its config.json, else what its architecture sets, else what the class does by
 * default. Also holds how timm's classes call what they all have, since each has words of its own.
 */
import type { PlainRecord } from '../../plain-value.js'
import type { ConfigReader } from './config-reader.js'
import type { TimmArchitecture, TimmClass } from './timm-architectures.js'

/** Names the arguments of a class for parts that the weights show too; null for a part that it never has. */
interface TimmArguments {
  readonly registers: string | null
  readonly preNorm: string | null
  readonly attentionNorm: string | null
  readonly mlpNorm: string | null
  /** Tells whether a network has a class token where nothing says so. */
  readonly classToken: boolean
}

export const TIMM_ARGUMENTS: Readonly<Record<TimmClass, TimmArguments>> = {
  VisionTransformer: {
    registers: 'reg_tokens',
    preNorm: 'pre_norm',
    attentionNorm: 'scale_attn_norm',
    mlpNorm: 'scale_mlp_norm',
    classToken: true,
  },
  Eva: {
    registers: 'num_reg_tokens',
    preNorm: 'use_pre_transformer_norm',
    attentionNorm: 'scale_attn_inner',
    mlpNorm: 'scale_mlp',
    classToken: true,
  },
  Beit: { registers: null, preNorm: null, attentionNorm: null, mlpNorm: 'scale_mlp', classToken: true },
  VisionTransformerRelPos: {
    registers: null,
    preNorm: null,
    attentionNorm: null,
    mlpNorm: null,
    classToken: false,
  },
  NaFlexVit: {
    registers: 'reg_tokens',
    preNorm: 'pre_norm',
    attentionNorm: 'scale_attn_inner_norm',
    mlpNorm: 'scale_mlp_norm',
    classToken: false,
  },
}

export class TimmSettings {
  readonly #values: PlainRecord
  readonly args: ConfigReader
  readonly #architecture: TimmArchitecture | null

  constructor(values: PlainRecord, args: ConfigReader, architecture: TimmArchitecture | null) {
    this.#values = values
    this.args = args
    this.#architecture = architecture
  }

  /** Tells whether the file has the argument, also as null. */
  has(key: string): boolean {
    return Object.hasOwn(this.#values, key)
  }

  /**
   * Gives what the architecture sets. An argument counts before the architecture, also where it is null: Python's None is then the class's own default.
   */
  built(key: string, short = key): string | undefined {
    return this.has(key) ? undefined : this.#architecture?.settings.get(short)
  }

  flag(key: string, fallback: boolean, short = key): boolean {
    const set = this.built(key, short)
    return this.args.flag(key, set === undefined ? fallback : set === 'yes')
  }

  number(key: string, fallback: number, short = key): number {
    return this.args.number(key, Number(this.built(key, short) ?? fallback))
  }

  choice<Choice>(key: string, choices: ReadonlyMap<string, Choice>, fallback: string, short = key): Choice {
    return this.args.choice(key, choices, this.built(key, short) ?? fallback)
  }

  /** Gives one side or both; null where nothing says any. */
  sidesOrNull(key: string, short = key): readonly [number, number] | null {
    const side = this.built(key, short)
    const [height, width = height, ...others] =
      this.args.numbersOrNull(key, true) ?? (side === undefined ? [] : [Number(side)])
    if (height === undefined || width === undefined) return null
    if ([height, width].every((one) => Number.isInteger(one) && one > 0) && others.length === 0)
      return [height, width]
    throw this.args.refuse(key, 'one side, or height and width')
  }
}
