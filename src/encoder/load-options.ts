/** What a model can be loaded with is the same on every platform, and is judged in this one place. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { EngineName, Precision } from '../engine/engine.js'
import { EngineError } from '../engine/engine-error.js'
import type { InstructionSet } from '../engine/native/addon.js'
import type { DownloadProgress } from '../hub/download-progress.js'
import { NORMALISATION_NAMES, type NormalisationName, normalisationOrNull } from '../model/normalisation.js'
import { POSITION_RULES, type PositionRule } from '../model/position-rule.js'
import { EMBEDDING_KINDS, type EmbeddingKind, type RgbStats } from '../model/vit-config.js'
import type { PlainValue } from '../plain-value.js'
import { checkChoice, checkWhole } from './check-options.js'
import { checkRecipeChoice, given, RECIPE_OPTIONS, type RecipeChoice } from './choose-recipe.js'

/** Names an engine, or leaves the choice to the platform. */
export type EngineChoiceName = 'auto' | EngineName
/** Names a precision, or leaves the choice to the engine. */
export type PrecisionChoice = 'auto' | Precision

/** Says which engine computes, and how. */
export interface EngineOptions {
  /**
   * Names what computes. `auto` (default) takes the native engine in Node and WebGPU on a real GPU in a browser, else WebAssembly; never the
   * reference engine, unless its precision is asked for. Only Node has `native`. `webgpu` needs the optional package of that name in Node.
   */
  readonly engine?: EngineChoiceName
  /**
   * Says how products are computed. Embeddings of different precisions are close but not equal, and every result names its own.
   *
   * - `auto` (default): `float32`; on the native engine `high` where that is faster, which is where the processor has matrix tiles (AMX).
   * - `float32`; `high`: operands as two bfloat16 each, as exact as float32 to about 1e-5, on the native engine alone.
   * - `bfloat16`: cosine with float64 at least 0.9995. `int8`: linear layers in bytes, cosine at least 0.995. The WebAssembly engine stores weights so
   *   and computes in float32, but for `int8`, where it multiplies whole numbers.
   * - `float16`: weights kept as halves, on a GPU multiplied as such where it can; of the engines `webgpu` and `wasm`.
   * - `float64`: the reference engine's sums.
   */
  readonly precision?: PrecisionChoice
  /** Counts the threads of the native and the WebAssembly engine; default: what this process or page may use. */
  readonly threads?: number
  /** Forces one of the native engine's paths; default: the fastest that this processor has. Only Node has it. */
  readonly instructionSet?: InstructionSet
  /** Is told when something slower or other than expected was chosen; default: a warning of the process, or in the console. */
  readonly onWarning?: (message: string) => void
}

/** Says how a model is loaded, by what it computes, and how images are prepared. An option that the platform lacks is refused by name. */
export interface LoadOptions extends EngineOptions, RecipeChoice {
  /** Names Birder's network, for a file whose name does not begin with it; default: as the file says. */
  readonly network?: string
  /**
   * Names the network, where a checkpoint holds several, by what stands in front of its tensors' names, such as `model.teacher.backbone`, or by the
   * end of that; a dot is the top. Default: of a model and its moving average the average, of a teacher and a student the teacher.
   */
  readonly entry?: string
  /** Names the folder within a repository, or within a folder, that the model lies in, as transformers' `subfolder` does; default: it lies at the top. */
  readonly subfolder?: string
  /** Overrides entries of the file's config, spelt as Birder does; default: none. */
  readonly config?: { readonly [key: string]: PlainValue }
  /** Counts the attention heads, for a file that does not say; default: as the file or its network's name says. */
  readonly heads?: number
  /**
   * Is the side of a patch in pixels, for a network that takes patches of other sizes than its own (Birder's FlexiViT classes, and NaFlex with
   * `naflex_patch_resampling`); default: its own. It is part of the identity.
   */
  readonly patchSize?: number
  /** Gives the trained input size in pixels, one side or (height, width), for a file that does not say and whose positions make no square. */
  readonly trainedSize?: number | readonly [height: number, width: number]
  /** Says what levels the network was trained with, by name or as mean and deviation of red, green and blue; default: as the model's files say. */
  readonly normalisation?: NormalisationName | RgbStats
  /**
   * Says what stands for a whole image: the class token, the mean of the patches, both side by side (`class-mean`), what the network's own pooling gives
   * (`pooled`), or that projected to the space which it shares with texts (`projected`). Default: what the library that wrote the file gives. It is part
   * of the identity, and a network that lacks it is refused.
   */
  readonly embedding?: EmbeddingKind
  /**
   * Leads to the file of a head that stands on the model. Of dino.txt's on the image's side, whose file is called `…_vision_head.pth`, embedding, class token
   * and patch tokens are then those behind it; a linear classifier of DINO's or DINOv2's (`…_linearweights.pth`, `…_linear_head.pth`) gives class scores
   * beside them. In Node it is a path, in a browser an address. It is part of the identity.
   */
  readonly head?: string
  /** Says how the head pools patches, which its file does not; default `mean`, as published. It is part of the identity. */
  readonly headPooling?: 'mean' | 'max'
  /** Says of which block, counted from the last, 1, the head takes patches, which its file does not; default 1, as published. It is part of the identity. */
  readonly headPatchLayer?: number
  /** Names fields of the model's files that are not known here and change nothing: without it such a file is refused. */
  readonly ignoreFields?: readonly string[]
  /** Says how positions are resampled for another size; default: the way of the library that wrote the file. */
  readonly positions?: PositionRule
  /** Bounds the pixels of an image that is decoded; default: 268 million. */
  readonly maxPixels?: number
  /** Bounds the bytes of an image that comes from an address, a Blob or a stream; default: 256 MiB. */
  readonly maxFileBytes?: number
  /** Bounds the time that an image's address may take, in milliseconds; default: a minute. */
  readonly fetchTimeoutMs?: number
  /** Lets addresses of images lead to this machine and its own network, which is refused otherwise; default `false`. Only Node has it. */
  readonly allowPrivateAddresses?: boolean
  /** Gives the 64 hexadecimal digits that the file of an address must have. Only a browser has it: Node takes no addresses. */
  readonly sha256?: string
  /** Never reaches for the network; default: as `HF_HUB_OFFLINE` says. Only Node has it. */
  readonly offline?: boolean
  /** Is told about a download. */
  readonly onProgress?: (progress: DownloadProgress) => void
  /** Ends the loading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const ENGINE_OPTIONS = {
  engine: true,
  precision: true,
  threads: true,
  instructionSet: true,
  onWarning: true,
} satisfies OptionNames<EngineOptions>

const LOAD_OPTIONS = {
  ...ENGINE_OPTIONS,
  ...RECIPE_OPTIONS,
  network: true,
  entry: true,
  subfolder: true,
  config: true,
  heads: true,
  patchSize: true,
  trainedSize: true,
  normalisation: true,
  embedding: true,
  head: true,
  headPooling: true,
  headPatchLayer: true,
  ignoreFields: true,
  positions: true,
  maxPixels: true,
  maxFileBytes: true,
  allowPrivateAddresses: true,
  fetchTimeoutMs: true,
  sha256: true,
  offline: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<LoadOptions>

/** Picks what concerns the engine from all that concerns a load. */
export function engineOptionsOf(options: EngineOptions): EngineOptions {
  const { engine, precision, threads, instructionSet, onWarning } = options
  return given({ engine, precision, threads, instructionSet, onWarning })
}

/** Says what of the options a platform has. */
export interface LoadOffer {
  /** Names the platform within a sentence. */
  readonly platform: string
  readonly engines: readonly EngineChoiceName[]
  readonly precisions: readonly PrecisionChoice[]
  /** Says of each option that the platform lacks what there is instead, as a sentence. */
  readonly instead: { readonly [Name in keyof LoadOptions]?: string }
}

/** Throws RangeError for an option or a choice that is none, or that this platform does not have: nothing is ignored silently. */
export function checkLoadOptions(options: LoadOptions, offer: LoadOffer): void {
  checkOptionNames(options, LOAD_OPTIONS)
  checkEngineOptions(options, offer)
  checkRecipeChoice(options)
  checkChoice('embedding', options.embedding, EMBEDDING_KINDS)
  checkChoice('positions', options.positions, POSITION_RULES)
  checkWhole('maxPixels', options.maxPixels, 1)
  checkWhole('maxFileBytes', options.maxFileBytes, 1)
  checkWhole('fetchTimeoutMs', options.fetchTimeoutMs, 1)
  checkWhole('heads', options.heads, 1)
  checkWhole('patchSize', options.patchSize, 1)
  checkHead(options)
  checkModelOptions(options)
}

function checkHead({ head, headPooling, headPatchLayer }: LoadOptions): void {
  checkChoice('headPooling', headPooling, ['mean', 'max'])
  checkWhole('headPatchLayer', headPatchLayer, 1)
  if (head !== undefined && (typeof head !== 'string' || head === ''))
    throw new RangeError(
      `The option head is ${JSON.stringify(head)}; it must be a text that leads to a file: a path in Node, an address in a browser.`,
    )
  if (head !== undefined || (headPooling === undefined && headPatchLayer === undefined)) return
  throw new RangeError(
    'The options headPooling and headPatchLayer say how a head is put on: give its file as the option head (--head).',
  )
}

/** Throws RangeError for what no model can be told. */
function checkModelOptions({ trainedSize, normalisation, ignoreFields }: LoadOptions): void {
  if (trainedSize !== undefined) {
    const sides = typeof trainedSize === 'number' ? [trainedSize, trainedSize] : trainedSize
    if (!Array.isArray(sides) || sides.length !== 2) {
      throw new RangeError(
        `The option trainedSize is ${JSON.stringify(trainedSize)}; it must be one side or [height, width] in pixels.`,
      )
    }
    for (const side of sides) checkWhole('trainedSize', side, 1)
  }
  if (normalisation !== undefined && normalisationOrNull(normalisation) === null) {
    throw new RangeError(
      `The option normalisation is ${JSON.stringify(normalisation)}; it can be ${NORMALISATION_NAMES.join(', ')}, or mean and std of three channels.`,
    )
  }
  const isList = Array.isArray(ignoreFields) && ignoreFields.every((field) => typeof field === 'string')
  if (ignoreFields !== undefined && !isList) {
    throw new RangeError(`The option ignoreFields is ${JSON.stringify(ignoreFields)}; it is a list of names.`)
  }
}

/** Throws RangeError as `checkLoadOptions`. */
export function checkEngineOptions(options: EngineOptions, offer: LoadOffer): void {
  checkChoice('engine', options.engine, offer.engines)
  checkChoice('precision', options.precision, offer.precisions)
  for (const [option, instead] of Object.entries(offer.instead)) {
    if ((options as { readonly [option: string]: unknown })[option] === undefined) continue
    throw new RangeError(`There is no option ${option} in ${offer.platform}: ${instead}`)
  }
}

/**
 * Gives the precision as one that the engine has; undefined for `auto`, which leaves it to the engine. Throws `EngineError` `unsupported` for
 * another one.
 */
export function precisionAmong<Has extends Precision>(
  engine: EngineName,
  precision: PrecisionChoice,
  has: readonly Has[],
): Has | undefined {
  const found = has.find((name) => name === precision)
  if (precision === 'auto' || found !== undefined) return found
  throw new EngineError(
    'unsupported',
    `The ${engine} engine has no precision ${precision}; it has ${has.join(', ')}.`,
  )
}
