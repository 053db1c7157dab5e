/** The options by which every command chooses a model, an engine and a preprocessing. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { EngineChoiceName, LoadOptions, PrecisionChoice } from '../encoder/load-options.js'
import { RECIPE_NAMES, type RecipeName } from '../image/recipe.js'
import { ENGINE_CHOICES, PRECISION_CHOICES } from '../platform/node/engine-choices.js'

/** What computes. */
export interface ComputeOptions {
  readonly engine: EngineChoiceName
  readonly precision?: PrecisionChoice
  readonly threads?: number
}

export interface ModelOptions extends ComputeOptions {
  readonly model: string
  readonly size?: number | [height: number, width: number]
  readonly recipe?: RecipeName
  readonly exif: boolean
  readonly maxPixels?: number
  readonly offline?: boolean
  /** Progress as JSON lines. */
  readonly json?: boolean
}

/** For commands that take the model as `--model`; `info` takes it as its argument. */
export function addModelOption(command: Command): Command {
  return command.option(
    '-m, --model <model>',
    'mini (in the package), the name of published weights, or a path',
    'mini',
  )
}

export function addComputeOptions(command: Command): Command {
  return command
    .addOption(new Option('--engine <engine>', 'what computes').choices(ENGINE_CHOICES).default('auto'))
    .addOption(precisionOption())
    .option('--threads <n>', 'threads of the engine', positiveInteger)
}

/** Without it, what `auto` means to the engine that is chosen. */
export function precisionOption(): Option {
  return new Option('--precision <precision>', 'how products are computed').choices(PRECISION_CHOICES)
}

export function addEngineOptions(command: Command): Command {
  return addComputeOptions(command.option('--offline', 'never download'))
    .option('--size <pixels>', 'input size: 224, or 224x336 for height x width', parseSize)
    .addOption(
      new Option('--recipe <name>', 'how images become input; default: as the model was trained').choices(
        RECIPE_NAMES,
      ),
    )
    .option('--max-pixels <n>', 'largest image that is decoded (default: 268 million)', positiveInteger)
    .option('--no-exif', 'take the pixels as stored, not upright')
}

export function loadOptions(options: ModelOptions, signal: AbortSignal): LoadOptions {
  const { offline, engine, precision, threads, size, recipe, exif, maxPixels } = options
  return {
    engine,
    orientation: exif ? 'apply' : 'ignore',
    signal,
    ...(offline === undefined ? {} : { offline }),
    ...(precision === undefined ? {} : { precision }),
    ...(threads === undefined ? {} : { threads }),
    ...(size === undefined ? {} : { size }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
    ...(recipe === undefined ? {} : { recipe }),
  }
}

/** For commander: a whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError(`Expected a whole number from 1, such as 8; found ${text}.`)
}

/** For commander: one side, or height x width. */
export function parseSize(text: string): number | [number, number] {
  const sides = text.split(/[x,]/).map(Number)
  if (sides.length <= 2 && sides.every((side) => Number.isSafeInteger(side) && side > 0 && side <= 16384)) {
    return sides.length === 1 ? sides[0] : [sides[0], sides[1]]
  }
  throw new InvalidArgumentError(
    `Expected pixels such as 224, or height x width such as 224x336; found ${text}.`,
  )
}
