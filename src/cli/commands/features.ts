/** `plumage features` writes patch maps and what else a model says about each image, as files that NumPy and safetensors read. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { overlappingIdentity } from '../../encoder/identity-with.js'
import type { StoppedFeatures, TiledFeatures } from '../../encoder/types.js'
import type { NamedArray } from '../../formats/safetensors.js'
import { patchesAlong } from '../../model/overlap.js'
import { nearestNames } from '../../nearest-names.js'
import { outputTarget } from '../../platform/node/files/output-target.js'
import type { EncodeChoices } from '../../work/encode-inputs.js'
import { FEATURE_FORMATS, type FeatureFormat } from '../../work/feature-folder.js'
import type { FileEncoder } from '../../work/file-encoder.js'
import { totalOf, type WorkInput } from '../../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import {
  arrayNames,
  arraysOf,
  FEATURE_KINDS,
  onlyOne,
  tiledArrays,
  type Wanted,
  wantedArrays,
} from '../feature-arrays.js'
import {
  addFrameOptions,
  encoderWith,
  type FilmInputOptions,
  filmWork,
  gatherWithFilms,
} from '../film-inputs.js'
import { addInputs, gatherInputs, shardOption } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import type { Look } from '../look-into.js'
import {
  addLookOptions,
  assertLookOptions,
  type LookOptions,
  namesAsked,
  withSizeLike,
} from '../look-options.js'
import { addImageOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { fileOf, listenerOf, prepareOutput, runResumably, terminal } from '../run-resumably.js'
import {
  addTileOptions,
  assertTileOptions,
  keepOption,
  type TileOptions,
  tiledLoad,
  tilingWith,
} from '../tile-options.js'

interface FeatureOptions extends ModelOptions, Omit<FilmInputOptions, 'json'>, LookOptions, TileOptions {
  readonly output: string
  readonly format?: FeatureFormat
  readonly what?: readonly string[]
  readonly preNorm?: boolean
  readonly layers?: readonly number[]
  readonly batch?: number
  readonly restart?: boolean
  readonly prune?: boolean
}

/** Holds the options with what they come to for the model and the inputs. */
interface ChosenOptions extends FeatureOptions {
  readonly look: Look
  /** Follows the names of the arrays in the work's identity. */
  readonly told: string
}

export function featuresCommand(context: CommandContext): Command {
  const command = addInputs(
    new Command('features').description('write the patch map of each image, [rows, columns, D]'),
  ).requiredOption(
    '-o, --output <folder>',
    'a folder for one file per image, or a file ending in .npy for one array [N, rows, columns, D]; s3://bucket/key, az://container/key and gs://bucket/key as well',
  )
  addTileOptions(addLookOptions(addFrameOptions(addImageOptions(addModelOption(command)))))
    .addOption(keepOption())
    .addOption(
      new Option('--format <format>', 'of the files in the folder (default: npy)').choices(FEATURE_FORMATS),
    )
    .option(
      '--what <list>',
      `what to write: ${FEATURE_KINDS.join(', ')} (default: patches; all three with safetensors)`,
      parseKinds,
    )
    .option('--pre-norm', 'the patch map before the final norm')
    .option('--layers <list>', 'hidden layers, [tokens, D]: 0 is the first block, -1 the last', parseLayers)
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .addOption(shardOption())
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'write anew what is there already')
    .option('--prune', 'drop rows of one array whose images are not among the inputs')
  return command.action((inputs: string[], options: FeatureOptions) => features(context, inputs, options))
}

async function features(
  context: CommandContext,
  inputs: readonly string[],
  asked: FeatureOptions,
): Promise<void> {
  const options = withSizeLike(asked)
  const stacked = /\.npy$/i.test(options.output)
  if (stacked && options.format === 'safetensors') {
    throw new UsageError(
      `${options.output} is one npy array; with --format safetensors the output is a folder.`,
    )
  }
  const format = stacked ? 'npy' : options.format
  assertLookOptions(options)
  assertTileOptions(options)
  if (options.tiles !== undefined) return await tiledFeatures(context, inputs, options)
  wantedArrays(options, format, namesAsked(options))
  if (options.prune && !stacked) {
    throw new UsageError('--prune is for one array (--output x.npy): a folder keeps its files.')
  }
  const place = await placeOf(context, options.output, stacked)
  const found = await gatherWithFilms(context, inputs, options)
  using loaded = await loadChosenEncoder(context, options)
  checkLayers(options.layers ?? [], loaded.depth)
  const { lookingInto } = await import('../look-into.js')
  const look = lookingInto(options, loaded)
  const wanted = wantedArrays(options, format, look)
  const film = await filmWork(found, loaded, options)
  const { stride = loaded.patchSize } = look.choice
  const encoder =
    stride < loaded.patchSize
      ? encoderWith(film.encoder, overlappingIdentity(film.encoder.identity, stride, options.positions))
      : film.encoder
  const chosen = { ...options, output: place, look, told: `${look.what}${film.what}` }
  if (stacked) await writeStack(context, found, encoder, wanted, chosen)
  else {
    const { width } = encoder
    const of = format ?? 'npy'
    await writeFolder(context, found, encoder, {
      ...chosen,
      format: of,
      arraysOf: (features) => arraysOf(features, wanted, width, of),
      what: `${arrayNames(wanted).join(' ')}${chosen.told}`,
      encode: encodeChoices(chosen),
    })
  }
}

/** Says what of the options is not had of tiles, and why. */
function assertTileable(options: FeatureOptions): void {
  const { attention, facets, stride, like, layers, every, from, to, batch } = options
  const [refused] = Object.keys(
    given({
      '--attention': attention,
      '--facets': facets,
      '--stride': stride,
      '--like': like,
      '--layers': layers,
      '--batch': batch,
      '--every': every,
      '--from': from,
      '--to': to,
    }),
  )
  if (refused !== undefined)
    throw new UsageError(
      `${refused} is not had with --tiles, of which each has seen a part of the photo: leave one of the two out.`,
    )
  const other = options.what?.find((kind) => kind !== 'patches')
  if (other !== undefined)
    throw new UsageError(
      `--what ${other}: each tile has its own, and no model was trained to make one of them. With --tiles there are patches alone.`,
    )
  if (/\.npy$/i.test(options.output))
    throw new UsageError(
      `--tiles: ${options.output} is one array, and photos have maps of many sizes. Name a folder.`,
    )
}

/** Writes the map of each photo, made tile by tile. */
async function tiledFeatures(
  context: CommandContext,
  inputs: readonly string[],
  options: FeatureOptions,
): Promise<void> {
  assertTileable(options)
  const { format = 'npy', preNorm = false } = options
  const kinds = options.what ?? (format === 'npy' && preNorm ? [] : ['patches'])
  const names = [...kinds, ...(preNorm ? ['patches_pre_norm'] : [])]
  if (format === 'npy') onlyOne(names)
  const output = await placeOf(context, options.output, false)
  const found = await gatherInputs(context, inputs, { ...options, films: null })
  using loaded = await loadChosenEncoder(context, tiledLoad(options))
  await writeFolder<TiledFeatures>(context, found, tilingWith(loaded, options), {
    ...options,
    output,
    format,
    arraysOf: (map) => tiledArrays(map, names),
    what: names.join(' '),
    encode: preNorm ? { preNorm } : {},
  })
}

/** What is neither file nor folder has no room for features, and is told before anything is computed. */
async function placeOf(context: CommandContext, output: string, stacked: boolean): Promise<string> {
  if (stacked) {
    const why =
      'an npy array says first how many rows it has, and its names go into a second file. Name a file.'
    return fileOf(await prepareOutput(context, output), output, why)
  }
  if (output === '-') {
    throw new UsageError(
      '--output - is stdout, which takes no files: name a folder, or a file ending in .npy.',
    )
  }
  const { kind } = await outputTarget(context.files.resolve(output))
  if (kind === 'folder' || kind === 'file') return output
  throw new UsageError(
    `--output ${output} is a pipe or a device; expected a folder, which gets a file for each image.`,
  )
}

async function writeStack(
  context: CommandContext,
  inputs: readonly WorkInput[],
  encoder: FileEncoder,
  wanted: Wanted,
  options: ChosenOptions,
): Promise<void> {
  const name = onlyOne(arrayNames(wanted))
  const shape = shapeOf(name, encoder, options.look.choice.stride)
  await runResumably(context, {
    output: options.output,
    format: 'npy',
    inputs,
    encoder,
    shape,
    what: `${name}${options.told}`,
    valuesOf: (found) => {
      const array = onlyOne(arraysOf(found, wanted, encoder.width, 'npy'))
      if (array.shape.join() === shape.join() && array.values instanceof Float32Array) return array.values
      throw new Error(
        `its ${name} is [${array.shape.join(', ')}] where the array has [${shape.join(', ')}] per image: ` +
          'give a folder as --output, or a --size',
      )
    },
    encode: encodeChoices(options),
    restart: options.restart ?? false,
    prune: options.prune ?? false,
    json: options.json ?? false,
    ...given({ shard: options.shard }),
  })
}

/** Says what goes into the files of a folder. */
interface FolderOptions<Found extends StoppedFeatures>
  extends Pick<FeatureOptions, 'output' | 'restart' | 'json'> {
  readonly format: FeatureFormat
  readonly arraysOf: (features: Found) => readonly NamedArray[]
  readonly what: string
  readonly encode: EncodeChoices
}

async function writeFolder<Found extends StoppedFeatures>(
  context: CommandContext,
  inputs: readonly WorkInput[],
  encoder: FileEncoder<Found>,
  options: FolderOptions<Found>,
): Promise<void> {
  const { format, what, encode } = options
  const { writeFeatureFiles } = await import('../../work/write-feature-files.js')
  using progress = new Progress({ ...terminal(context), json: options.json ?? false, total: totalOf(inputs) })
  try {
    const result = await writeFeatureFiles({
      folder: context.files.resolve(options.output),
      format,
      inputs,
      files: context.files,
      encoder,
      arraysOf: options.arraysOf,
      what,
      restart: options.restart ?? false,
      encode,
      listener: listenerOf(progress),
      signal: context.signal,
    })
    progress.finish(`${result.written} files written to ${options.output}, ${result.earlier} were there`, {
      ...result,
    })
    if (result.failed > 0) {
      throw new IncompleteError(
        `${result.failed} of ${result.written + result.earlier + result.failed} images failed. Run the same command again to retry only these.`,
      )
    }
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError(
      `Interrupted. The files in ${options.output} are whole: run the same command again to add the others.`,
    )
  }
}

function encodeChoices({ batch, preNorm, layers, look }: ChosenOptions): EncodeChoices {
  return {
    ...look.choice,
    ...(batch === undefined ? {} : { batch }),
    ...(preNorm ? { preNorm } : {}),
    ...(layers === undefined ? {} : { layers }),
  }
}

/** Gives the shape of the array that one image has, at the input size of the encoder. */
function shapeOf(
  name: string,
  { width: channels, embeddingWidth, patchSize, registers, size }: FileEncoder,
  stride = patchSize,
): readonly number[] {
  const [height, width] = size
  if (name === 'embedding') return [embeddingWidth]
  if (name === 'registers') return [registers, channels]
  if (name !== 'patches' && name !== 'patches_pre_norm') {
    throw new UsageError(
      'Hidden layers, attention and facets cannot be stacked into one array: give a folder as --output.',
    )
  }
  const along = (side: number) => patchesAlong(side, patchSize, stride)
  return [along(height), along(width), channels]
}

function checkLayers(layers: readonly number[], depth: number): void {
  const wrong = layers.find((layer) => layer >= depth || layer < -depth)
  if (wrong === undefined) return
  throw new UsageError(
    `--layers ${wrong}: this network has ${depth} layers, numbered 0 to ${depth - 1} or -${depth} to -1.`,
  )
}

function parseKinds(text: string): readonly string[] {
  const kinds = text.split(',').map((kind) => kind.trim())
  const unknown = kinds.find((kind) => !(FEATURE_KINDS as readonly string[]).includes(kind))
  if (unknown === undefined) return kinds
  const [nearest] = nearestNames(unknown, FEATURE_KINDS, 1)
  throw new InvalidArgumentError(
    `Expected some of ${FEATURE_KINDS.join(', ')}, separated by commas; found ${unknown}. Did you mean ${nearest}?`,
  )
}

function parseLayers(text: string): readonly number[] {
  const layers = text.split(',').map(Number)
  if (layers.every(Number.isSafeInteger) && text.trim() !== '') return layers
  throw new InvalidArgumentError(`Expected numbers separated by commas, such as 0,5,-1; found ${text}.`)
}
