/** Holds the options that all pictures share: inputs, model, where the picture goes, and how large it is. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_MODEL } from '../../../hub/default-model.js'
import { COLOR_MAP_NAMES, type ColorMapName } from '../../../picture/draw/color-maps.js'
import { UPSAMPLINGS, type Upsampling } from '../../../picture/upsample.js'
import { PICTURE_FORMATS, type PictureFormat } from '../../../platform/node/picture/picture-formats.js'
import { addFrameOptions, type FrameOptions } from '../../film-inputs.js'
import { addInputs, type InputOptions } from '../../gather-inputs.js'
import type { LikeOptions } from '../../look-like.js'
import { addImageOptions, type ModelOptions, positiveInteger } from '../../model-options.js'
import { addTileOptions, keepOption, type TileOptions } from '../../tile-options.js'

/** Says where the colours go: beside the photo, over it, or alone. */
export const LAYOUTS = ['beside', 'over', 'alone'] as const
export type Layout = (typeof LAYOUTS)[number]

export interface PairOptions
  extends Omit<ModelOptions, 'model'>,
    Omit<InputOptions, 'json'>,
    TileOptions,
    FrameOptions,
    LikeOptions {
  readonly model?: string
  readonly output?: string
  readonly format?: PictureFormat
  readonly side?: number
  readonly patches?: number
  readonly upsample: 'none' | Upsampling
  readonly caption: boolean
  readonly restart?: boolean
}

export interface PictureOptions extends PairOptions {
  readonly layout: Layout
  readonly opacity?: number
}

export interface HeatMapOptions extends PictureOptions {
  readonly map: ColorMapName
}

/** Pictures of two photos have no layout: both lie side by side. */
export function addPairOptions(command: Command): Command {
  addInputs(command)
    .option(
      '-o, --output <file or folder>',
      'a file ending in .png, .jpg or .webp, or a folder for a picture of each photo; s3://bucket/key, az://container/key and gs://bucket/key as well; default: shown in the terminal',
    )
    .option(
      '-m, --model <model>',
      `the name of published weights, a path or an address; default: the best for pictures among those on this machine, else ${DEFAULT_MODEL.name} (in the package)`,
    )
  return addTileOptions(addImageOptions(command))
    .addOption(keepOption('float16'))
    .option(
      '--patches <n>',
      'most patches of a photo, whose aspect is kept (default: 1024, unless --size or --recipe says otherwise)',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--upsample <way>',
        'how pixels have values of their own between those of patches: by a cubic, or from near patches whose colour is like theirs',
      )
        .choices(['none', ...UPSAMPLINGS])
        .default('none'),
    )
    .option('--side <pixels>', 'longest side of each photo as it is drawn', positiveInteger)
    .addOption(
      new Option('--format <format>', 'of the files in a folder (default: png)').choices(PICTURE_FORMATS),
    )
    .option('--no-caption', 'leave out what stands below pictures')
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'replace a file that is there, whoever made it')
}

/** Adds all that pictures of single photos share. @param frames are those of `addFrameOptions` */
export function addPictureOptions(command: Command, frames?: Parameters<typeof addFrameOptions>[1]): Command {
  return addFrameOptions(addPairOptions(command), frames)
    .addOption(
      new Option('--layout <layout>', 'where colours go: beside the photo, over it, or alone')
        .choices(LAYOUTS)
        .default('beside'),
    )
    .option(
      '--opacity <share>',
      'of the colours, from 0 to 1',
      numberWithin(0, 1, 'a number from 0 to 1, such as 0.6'),
    )
}

export function addMapOption(command: Command): Command {
  return command.addOption(
    new Option('--map <colours>', 'of numbers; people who see two of three colours can read all of them')
      .choices(COLOR_MAP_NAMES)
      .default('viridis'),
  )
}

export function inexactOption(): Option {
  return new Option(
    '--inexact',
    'take attention as it is where int8 multiplies in bytes, which is refused otherwise: rows are up to 0.01 off in their cosine',
  )
}

/** Makes a reader of numbers of a range, for commander. @param what says what is expected, with an example */
export function numberWithin(least: number, most: number, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected ${what}; found ${text}.`)
  }
}
