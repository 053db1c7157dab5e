/** Holds the options by which commands cut photos into tiles, and what they come to for an encoder. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../encoder/choose-recipe.js'
import { tiledIdentity } from '../encoder/identity-with.js'
import { type SettledTiles, settleTiles } from '../encoder/tiles.js'
import type {
  EncodeAllOptions,
  EncodeResult,
  StoppedFeatures,
  TileChoice,
  TiledFeatures,
} from '../encoder/types.js'
import type { FileEncoder, FileSource } from '../work/file-encoder.js'
import { UsageError } from './cli-error.js'
import { encoderWith } from './film-inputs.js'
import { isSized } from './look-like.js'
import { type ModelOptions, parseSize, positiveInteger } from './model-options.js'

export interface TileOptions {
  /** Is true where the tiles are of the trained size. */
  readonly tiles?: true | number | [height: number, width: number]
  readonly tilesOverlap?: number
  readonly tilesKeep?: 'float32' | 'float16'
  readonly tilesBytes?: number
}

export function addTileOptions(command: Command): Command {
  return command
    .option(
      '--tiles [pixels]',
      'encode large photos in tiles of this size (default: the trained one) and put their patches together; photos keep their size unless told otherwise',
      parseSize,
    )
    .option(
      '--tiles-overlap <pixels>',
      'least by which tiles overlap (default: a quarter of a tile)',
      wholeNumber,
    )
    .option(
      '--tiles-bytes <n>',
      'most bytes that the patch map of one photo may have (default: 1 GiB)',
      positiveInteger,
    )
}

/** @param own is what is taken where nothing is said */
export function keepOption(own: 'float32' | 'float16' = 'float32'): Option {
  return new Option('--tiles-keep <type>', `how patches of tiles are kept (default: ${own})`).choices([
    'float32',
    'float16',
  ])
}

/** Throws UsageError for options that say something about tiles where there are none. */
export function assertTileOptions({ tiles, tilesOverlap, tilesKeep, tilesBytes }: TileOptions): void {
  const [lone] = Object.keys(
    given({ '--tiles-overlap': tilesOverlap, '--tiles-keep': tilesKeep, '--tiles-bytes': tilesBytes }),
  )
  if (tiles === undefined && lone !== undefined)
    throw new UsageError(`${lone} says something about tiles: add --tiles, or leave it out.`)
}

/** Lets photos keep their own size where nothing else says how large they become: a photo of the trained size would be one tile. */
export function tiledLoad<Options extends Omit<ModelOptions, 'model'> & TileOptions>(
  options: Options,
): Options {
  return options.tiles === undefined || isSized(options) ? options : { ...options, scale: 1 }
}

/** Has an encoder work in tiles, one photo at a time, since each may be large. Throws UsageError for tiles that there cannot be. */
export function tilingWith(encoder: FileEncoder, options: TileOptions): FileEncoder<TiledFeatures> {
  const { tiles, tilesOverlap: overlap, tilesKeep: keep, tilesBytes: maxBytes } = options
  const choice = given({ size: tiles === true ? undefined : tiles, overlap, keep, maxBytes })
  const settled = tilesOrUsage(choice, encoder)
  return {
    ...encoderWith(encoder, tiledIdentity(encoder.identity, settled)),
    async *encodeAll(sources, { preNorm, signal }: EncodeAllOptions = {}) {
      let index = 0
      for await (const source of sources) {
        const encode = { ...given({ preNorm, signal }), tiles: settled }
        for await (const result of encoder.encodeAll(only(source), encode))
          yield { ...tiledResult(result), index }
        index++
      }
    },
  }
}

/** Throws UsageError for tiles that there cannot be. */
export function tilesOrUsage(
  choice: TileChoice,
  encoder: Pick<FileEncoder, 'patchSize' | 'size' | 'width'>,
): SettledTiles {
  try {
    return settleTiles(choice, encoder)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`${error.message} On the command line these are --tiles and --tiles-overlap.`)
  }
}

async function* only(source: FileSource): AsyncGenerator<FileSource> {
  yield source
}

function tiledResult(result: EncodeResult<unknown, StoppedFeatures>): EncodeResult<unknown, TiledFeatures> {
  const { features } = result
  if (features === undefined) return result
  if (!isTiled(features)) throw new Error('the encoder gave no tiled features')
  return { ...result, features }
}

function isTiled(features: StoppedFeatures): features is TiledFeatures {
  return 'tiles' in features && 'band' in features
}

/** Reads a whole number from 0, for commander. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError(`Expected a whole number from 0, such as 112; found ${text}.`)
}
