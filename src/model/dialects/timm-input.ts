/** Reads how images are made from timm's config.json: from its pretrained_cfg, or from the file itself where it is an older one. */
import type { FractionPreparation } from '../../image/preparation.js'
import { FILTERS, type Filter } from '../../kernels/resample-filter.js'
import { unsupportedValue } from '../fields.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { RgbStats } from '../vit-config.js'
import type { ConfigReader } from './config-reader.js'

export type Size = readonly [height: number, width: number]

export function isSide(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 16384
}

/** Gives null where nothing says it. */
export function inputSizeOf(input: ConfigReader, where: string): Size | null {
  const sizes = input.numbersOrNull('input_size')
  if (sizes === null) return null
  const [channels, height, width, ...others] = sizes
  if (isSide(channels) && isSide(height) && isSide(width) && others.length === 0) return [height, width]
  throw unsupportedValue(where, 'input_size', sizes, 'channels, height and width are expected')
}

export function levelsOf(input: ConfigReader, where: string): RgbStats {
  const levels = (key: string, fallback: readonly number[]): readonly number[] => {
    const found = input.numbersOrNull(key)
    if (found === null || found.length === 0) return fallback
    if (found.length === 3 && found.every(Number.isFinite)) return found
    throw unsupportedValue(where, key, found, 'three numbers are expected')
  }
  const mean = levels('mean', NORMALISATIONS.imagenet.mean)
  const std = levels('std', NORMALISATIONS.imagenet.std)
  if (std.every((value) => value !== 0)) return { mean, std }
  throw unsupportedValue(where, 'std', std, 'no channel can be divided by 0')
}

/** Holds what else tells the size of an input. */
interface InputSizes {
  readonly args: ConfigReader
  readonly inputSize: Size | null
  /** Is the size that the network is built for. */
  readonly imgSize: Size | null
}

/** Follows `resolve_data_config` with its defaults: 224, bicubic, 0.875, centre. */
export function preparationOf(
  input: ConfigReader,
  where: string,
  { args, inputSize, imgSize }: InputSizes,
): FractionPreparation {
  const filters: ReadonlyMap<string, Filter> = new Map(FILTERS.map((filter) => [filter, filter]))
  const modes = new Map((['center', 'squash', 'border'] as const).map((mode) => [mode, mode]))
  const cropFraction = input.number('crop_pct', 0.875) || 0.875
  if (cropFraction > 1)
    throw unsupportedValue(where, 'crop_pct', cropFraction, 'a part in (0, 1] is expected')
  // timm takes img_size for the input's size where the two differ, and the network takes one size only.
  const isFree = args.flag('dynamic_img_size', false) || !args.flag('strict_img_size', true)
  const isFixed = input.flag('fixed_input_size', false) && !isFree
  return {
    kind: 'fraction',
    size: (isFixed ? imgSize : null) ?? inputSize ?? imgSize ?? [224, 224],
    cropFraction,
    mode: input.choice('crop_mode', modes, 'center'),
    filter: input.choice('interpolation', filters, 'bicubic'),
  }
}
