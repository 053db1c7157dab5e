/** Holds the options by which every command chooses a model, an engine and a preprocessing. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../encoder/choose-recipe.js'
import type { EngineChoiceName, LoadOptions, PrecisionChoice } from '../encoder/load-options.js'
import { DEFAULT_MODEL } from '../hub/default-model.js'
import { TRANSPARENCIES, type Transparency } from '../image/preparation.js'
import { DECODE_MODES, type DecodeMode, RECIPE_NAMES, type RecipeName } from '../image/recipe.js'
import { NORMALISATION_NAMES, type NormalisationName, normalisationOrNull } from '../model/normalisation.js'
import { POSITION_RULES, type PositionRule } from '../model/position-rule.js'
import { EMBEDDING_KINDS, type EmbeddingKind, type RgbStats } from '../model/vit-config.js'
import { ENGINE_CHOICES, PRECISION_CHOICES } from '../platform/node/engine-choices.js'

export interface ComputeOptions {
  readonly engine: EngineChoiceName
  readonly precision?: PrecisionChoice
  readonly threads?: number
}

export interface ModelOptions extends ComputeOptions {
  readonly model: string
  readonly size?: number | [height: number, width: number]
  readonly shortest?: number
  readonly longest?: number
  readonly scale?: number
  readonly maxTokens?: number
  readonly maxPatches?: number
  readonly recipe?: RecipeName
  readonly cropFraction?: number
  readonly decode?: DecodeMode
  readonly network?: string
  readonly entry?: string
  readonly subfolder?: string
  readonly heads?: number
  readonly patchSize?: number
  readonly trainedSize?: number | [height: number, width: number]
  readonly normalisation?: NormalisationName | RgbStats
  readonly positions?: PositionRule
  readonly embedding?: EmbeddingKind
  readonly head?: string
  readonly headPooling?: 'mean' | 'max'
  readonly headPatchLayer?: number
  readonly ignoreField?: readonly string[]
  readonly exif: boolean
  readonly transparency?: Transparency
  readonly maxPixels?: number
  readonly maxFileBytes?: number
  readonly fetchTimeoutMs?: number
  readonly allowPrivateAddresses?: boolean
  readonly offline?: boolean
  /** Turns progress into JSON lines. */
  readonly json?: boolean
}

/** Serves commands that take the model as `--model`; `info` takes it as its argument. */
export function addModelOption(command: Command): Command {
  return command.option(
    '-m, --model <model>',
    `${DEFAULT_MODEL.name} (in the package), the name of published weights, a path, or an address (s3:, az:, gs:, https:, file:)`,
    DEFAULT_MODEL.name,
  )
}

export function addComputeOptions(command: Command): Command {
  return command
    .addOption(new Option('--engine <engine>', 'what computes').choices(ENGINE_CHOICES).default('auto'))
    .addOption(precisionOption())
    .option('--threads <n>', 'threads of the engine', positiveInteger)
}

/** Without the option, the engine that is chosen decides. */
export function precisionOption(): Option {
  return new Option('--precision <precision>', 'how products are computed').choices(PRECISION_CHOICES)
}

/** Serves commands that decode images: `info` has none. */
export function addImageOptions(command: Command): Command {
  return addFetchOptions(
    addEngineOptions(command).option(
      '--max-pixels <n>',
      'largest image that is decoded (default: 268 million)',
      positiveInteger,
    ),
  )
}

/** Adds the limits within which images are fetched from addresses. */
export function addFetchOptions(command: Command): Command {
  return command
    .option(
      '--max-file-bytes <n>',
      'longest file that an address may give (default: 256 MiB)',
      positiveInteger,
    )
    .option(
      '--fetch-timeout-ms <n>',
      'longest time that an address may take (default: 60000)',
      positiveInteger,
    )
    .option('--allow-private-addresses', 'let addresses lead to this machine and its own network')
}

export function addEngineOptions(command: Command): Command {
  return addToldOptions(addComputeOptions(command.option('--offline', 'never download')))
    .option('--size <pixels>', 'input size: 224, or 224x336 for height x width', parseSize)
    .option(
      '--shortest <pixels>',
      'scale each image so that its shortest edge has this length, and crop nothing',
      positiveInteger,
    )
    .option('--longest <pixels>', 'the same for its longest edge', positiveInteger)
    .option('--scale <factor>', "multiply both sides of each image; 1 keeps a photo's own size", factor)
    .option(
      '--max-tokens <n>',
      'most tokens that an image may have: larger ones are refused (default: 32768)',
      positiveInteger,
    )
    .addOption(
      new Option('--recipe <name>', 'how images become input; default: as the model was trained').choices(
        RECIPE_NAMES,
      ),
    )
    .option(
      '--crop-fraction <part>',
      'part of each side that a crop keeps; default: as the model says',
      fraction,
    )
    .addOption(
      new Option(
        '--decode <mode>',
        'scaled decodes large JPEG at a half, a quarter or an eighth: faster, and other numbers; default: whole',
      ).choices(DECODE_MODES),
    )
    .option('--no-exif', 'take the pixels as stored, not upright')
    .addOption(
      new Option(
        '--transparency <what>',
        'what becomes of transparent pixels: drop takes their colours as stored, white lays them on white; default: as the library of the model does',
      ).choices(TRANSPARENCIES),
    )
}

/** Adds what can be told of a model whose files do not tell it. */
export function addToldOptions(command: Command): Command {
  return addTellingOptions(command)
    .option(
      '--patch-size <n>',
      'side of a patch in pixels, for a network that takes others than its own (FlexiViT)',
      positiveInteger,
    )
    .addOption(
      new Option('--positions <rule>', 'how positions are resampled for other sizes').choices(POSITION_RULES),
    )
    .addOption(
      new Option(
        '--embedding <kind>',
        'what stands for a whole image; default: as the library of the model has it',
      ).choices(EMBEDDING_KINDS),
    )
    .option(
      '--head <file>',
      "a head that stands on the model: dino.txt's (…_vision_head.pth), or a classifier of DINO's or DINOv2's (…_linear_head.pth)",
    )
    .addOption(
      new Option('--head-pooling <kind>', 'how the head pools patches; default: mean').choices([
        'mean',
        'max',
      ]),
    )
    .option(
      '--head-patch-layer <n>',
      'of which block, counted from the last, the head takes patches; default: 1',
      positiveInteger,
    )
}

/** Adds what can be told of a network itself, whatever is made of it. */
export function addTellingOptions(command: Command): Command {
  return command
    .option('--network <name>', "Birder's network, where the file's name does not begin with it")
    .option('--entry <name>', 'which network of a checkpoint that holds several, such as teacher.backbone')
    .option('--subfolder <name>', 'folder within a repository or folder that the model lies in')
    .option('--heads <n>', 'attention heads, where the files do not say', positiveInteger)
    .option(
      '--trained-size <pixels>',
      'size that the model was trained at, where the files do not say',
      parseSize,
    )
    .option(
      '--normalisation <levels>',
      `levels that the model was trained with: ${NORMALISATION_NAMES.join(', ')}, or R,G,B/R,G,B for mean/deviation`,
      parseNormalisation,
    )
    .option(
      '--ignore-field <name>',
      "a field of the model's files that is not known here and changes nothing (can be repeated)",
      (name: string, names: readonly string[] = []) => [...names, name],
    )
}

export function loadOptions(options: ModelOptions, signal: AbortSignal): LoadOptions {
  const { offline, engine, precision, threads, size, recipe, cropFraction, exif, maxPixels } = options
  const { decode, shortest, longest, scale, maxTokens, maxPatches } = options
  const { network, entry, heads, trainedSize, normalisation, positions, ignoreField: ignoreFields } = options
  const { embedding, patchSize, subfolder, head, headPooling, headPatchLayer } = options
  const { transparency, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses } = options
  const orientation = exif ? 'apply' : 'ignore'
  const told = given({
    network,
    entry,
    subfolder,
    heads,
    patchSize,
    trainedSize,
    normalisation,
    positions,
    embedding,
    head,
    headPooling,
    headPatchLayer,
    ignoreFields,
  })
  const chosen = given({ offline, precision, threads, size, recipe, cropFraction, maxPixels, decode })
  const scaled = given({ shortest, longest, scale, maxTokens, maxPatches })
  const decoding = given({ transparency, maxFileBytes, fetchTimeoutMs, allowPrivateAddresses })
  return { engine, orientation, signal, ...told, ...chosen, ...scaled, ...decoding }
}

/** Reads a whole number from 1, for commander. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError(`Expected a whole number from 1, such as 8; found ${text}.`)
}

function fraction(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 1) return value
  throw new InvalidArgumentError(`Expected a part of the image such as 0.9; found ${text}.`)
}

function factor(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError(`Expected a factor above 0 such as 0.5; found ${text}.`)
}

function parseNormalisation(text: string): NormalisationName | RgbStats {
  const [mean, std, ...others] = text.split('/').map((levels) => levels.split(',').map(Number))
  const levels = others.length === 0 ? normalisationOrNull({ mean, std }) : null
  const found = NORMALISATION_NAMES.find((name) => name === text) ?? levels
  if (found !== null) return found
  throw new InvalidArgumentError(
    `Expected ${NORMALISATION_NAMES.join(', ')}, or means and deviations such as 0.5,0.5,0.5/0.5,0.5,0.5; found ${text}.`,
  )
}

/** Reads one side, or height x width, for commander. */
export function parseSize(text: string): number | [number, number] {
  const sides = text.split(/[x,]/).map(Number)
  const [height, width, ...others] = sides
  const isWhole = sides.every((side) => Number.isSafeInteger(side) && side > 0 && side <= 16384)
  if (height !== undefined && others.length === 0 && isWhole) {
    return width === undefined ? height : [height, width]
  }
  throw new InvalidArgumentError(
    `Expected pixels such as 224, or height x width such as 224x336; found ${text}.`,
  )
}
