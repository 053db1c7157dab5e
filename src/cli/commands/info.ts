/** `plumage info` says what a checkpoint is, and what running it takes. */
import { Command } from 'commander'
import { given } from '../../encoder/choose-recipe.js'
import { estimateTiles, type TilesEstimate } from '../../encoder/estimate-tiles.js'
import { shortDigest } from '../../encoder/short-digest.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { tokenWidth } from '../../model/vit-config.js'
import type { FileDescription } from '../../platform/node/describe-model.js'
import { UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { loadListeners } from '../load-chosen-encoder.js'
import { addEngineOptions, loadOptions, type ModelOptions, parseSize } from '../model-options.js'
import { Progress } from '../progress.js'
import {
  assertTileOptions,
  keepOption,
  type TileOptions,
  tilesOrUsage,
  wholeNumber,
} from '../tile-options.js'

interface InfoOptions extends ModelOptions, Pick<TileOptions, 'tiles' | 'tilesOverlap' | 'tilesKeep'> {
  readonly tensors?: boolean
}

export function infoCommand(context: CommandContext): Command {
  const command = new Command('info')
    .description('say what a model is: network, config, tensors, preprocessing, engine and memory')
    .argument(
      '[model]',
      `${DEFAULT_MODEL.name} (in the package), the name of published weights, a path or an address`,
      DEFAULT_MODEL.name,
    )
  return addInfoTiles(addEngineOptions(command))
    .option('--tensors', 'list every tensor')
    .option('--json', 'everything as one JSON object')
    .action((model: string, options: InfoOptions) => info(context, model, options))
}

/** A photo's size must be known here, and a tile's, of which all else is then told. */
function addInfoTiles(command: Command): Command {
  return command
    .option('--tiles <pixels>', 'say what an image of --size takes in tiles of this size', parseSize)
    .option(
      '--tiles-overlap <pixels>',
      'least by which tiles overlap (default: a quarter of a tile)',
      wholeNumber,
    )
    .addOption(keepOption())
}

async function info(context: CommandContext, model: string, options: InfoOptions): Promise<void> {
  assertTileOptions(options)
  const { tiles, size } = options
  if (tiles === undefined || tiles === true) {
    await tell(context, await describedWhileWatched(context, model, options), options)
    return
  }
  if (size === undefined)
    throw new UsageError('--tiles says what a large image takes: add its size, as --size 5000x7000.')
  // All that is told of an image is then told of a tile.
  const description = await describedWhileWatched(context, model, { ...options, size: tiles })
  await tell(context, { ...description, tiled: tiledOf(description, size, options) }, options)
}

function tiledOf(
  { config, input, memory, seconds }: FileDescription,
  size: number | readonly [height: number, width: number],
  { tiles, tilesOverlap: overlap, tilesKeep: keep }: InfoOptions,
): Tiled {
  const { patchSize } = config
  const width = tokenWidth(config)
  const choice = given({ size: tiles === true ? undefined : tiles, overlap, keep })
  const settled = tilesOrUsage(choice, { patchSize, width, size: input.size })
  const sides = typeof size === 'number' ? ([size, size] as const) : size
  const estimate = estimateTiles(sides, settled, { patchSize, width })
  const [rows, columns] = estimate.tiles
  return {
    ...estimate,
    size: sides,
    memory: memory.weights + memory.activations + estimate.map + estimate.working,
    seconds: seconds === null ? null : rows * columns * seconds,
  }
}

/** Is what an image takes in tiles. */
interface Tiled extends TilesEstimate {
  /** Is the size of the image as model input, in pixels. */
  readonly size: readonly [height: number, width: number]
  /** Counts bytes: weights, activations of a tile, levels, a row of tiles, and the map. The runtime itself is not among them. */
  readonly memory: number
  readonly seconds: number | null
}

async function tell(
  context: CommandContext,
  description: FileDescription & { readonly tiled?: Tiled },
  options: InfoOptions,
): Promise<void> {
  const text = options.json
    ? JSON.stringify(description, null, 1)
    : describe(description, options.tensors ?? false)
  context.stdout.write(`${text}\n`)
}

/** A large model is read for a second or more the first time. */
async function describedWhileWatched(
  context: CommandContext,
  model: string,
  options: InfoOptions,
): Promise<FileDescription> {
  const { stderr: stream, isTTY, color, signal } = context
  using progress = new Progress({ stream, isTTY, color, json: false, total: undefined })
  const told = loadListeners(context, options.json ?? false, progress)
  return await context.describeModel(model, { ...loadOptions(options, signal), ...told }, (read, total) =>
    progress.phase(`reading the weights, once, for their identity: ${Math.floor((100 * read) / total)} %`),
  )
}

function bytes(count: number): string {
  return count < 2 ** 20 ? `${(count / 2 ** 10).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`
}

function tiledRows(tiled: Tiled | undefined): [string, string][] {
  if (tiled === undefined) return []
  const { size, tiles, patches, map, memory, seconds } = tiled
  const time = seconds === null ? '' : `, about ${seconds.toFixed(seconds < 10 ? 1 : 0)} s here`
  return [
    [
      'in tiles',
      `${size.join(' x ')} pixels, ${patches.join(' x ')} patches, ${tiles.join(' x ')} such tiles${time}; ${bytes(memory)} in all, of which the map takes ${bytes(map)}, beside the runtime's own`,
    ],
  ]
}

/** @param withTensors adds a line for each */
function describe(description: FileDescription & { readonly tiled?: Tiled }, withTensors: boolean): string {
  const { engine, identity, memory, tensors } = description
  const rows: [string, string][] = [
    ['model', description.source],
    [
      'file',
      `${description.path} (${bytes(description.fileBytes)}, ${description.format}${identity.origin === undefined ? '' : ', matrices in bytes'})`,
    ],
    [
      'network',
      `${description.network ?? 'not named in the file'}, weights laid out as in ${description.dialect}`,
    ],
    ...(description.head === null ? [] : [['head', description.head] as [string, string]]),
    ['identity', `${shortDigest(identity.digest)} (weights ${shortDigest(identity.weights)})`],
    ...(identity.origin === undefined ? [] : [['origin', identity.origin] as [string, string]]),
    ['embedding', embeddingText(description)],
    ['parameters', description.parameters.toLocaleString('en')],
    ['recipe', description.recipe],
    ...description.assumptions.map((sentence): [string, string] => ['assumed', sentence]),
    ['engine', `${engine.name}, ${engine.precision} (${engine.description}; ${engine.reason})`],
    ['packed', description.packed ?? 'no (plumage pack makes the start quicker)'],
    ['input', inputText(description)],
    [
      'memory',
      `${bytes(memory.weights)} of weights, ${bytes(memory.activations)} for one image; ${bytes(memory.attention)} more where the whole attention of a block is asked for`,
    ],
    ...tiledRows(description.tiled),
    [
      'tensors',
      `${tensors.length} of ${[...new Set(tensors.map(({ dtype }) => dtype))].join(', ')}${withTensors ? '' : ' (--tensors lists them)'}`,
    ],
    ...entryRows(description),
    ...leftOverRows(description),
  ]
  const lines = rows.map(([label, value]) => `${label.padEnd(13)}${value}`)
  lines.push(
    '',
    'config',
    ...Object.entries(description.config).map(([key, value]) => `  ${key.padEnd(16)}${setting(value)}`),
  )
  if (withTensors)
    lines.push('', ...tensors.map(({ name, dtype, shape }) => `  ${name}  ${dtype} [${shape.join(', ')}]`))
  return lines.join('\n')
}

function inputText({ input: { size, tokens, flop }, seconds }: FileDescription): string {
  const time =
    seconds === null ? '' : `, about ${seconds < 1 ? seconds.toFixed(3) : seconds.toFixed(1)} s here`
  return `${size.join(' x ')} pixels, ${tokens.toLocaleString('en')} tokens, ${(flop / 1e9).toFixed(1)} GFLOP${time}`
}

function embeddingText({ embedding: { kind, width, kinds } }: FileDescription): string {
  const others = kinds.filter((other) => other !== kind)
  const choice = others.length === 0 ? '' : `; --embedding has ${others.join(', ')} as well`
  return `${kind}, ${width} numbers${choice}`
}

/** A file of both towers is read for the image tower; who looks for texts, or for what a head makes, is told where it is. */
function leftOverRows({ leftOver, dialect }: FileDescription): [string, string][] {
  const { textTower, heads, training, derived, others } = leftOver
  const encoder = TEXT_ENCODERS.get(dialect) ?? 'the library that wrote the file'
  const rows: readonly (readonly [label: string, names: readonly string[], what: string])[] = [
    [
      'text tower',
      textTower,
      `left aside, since Plumage has no text encoder: ${encoder} makes a text's vector, which plumage search --vector takes`,
    ],
    [
      'heads',
      heads,
      "left aside, since Plumage runs no heads but classifiers of each library's own and those of --head: the library that wrote the file takes the features that they read (plumage features --layers), and plumage label --train makes a head for classes of your own",
    ],
    ['training', training, 'of use in training alone'],
  ]
  const rest = [...derived, ...others]
  return [
    ...rows.flatMap(([label, names, what]): [string, string][] =>
      names.length === 0 ? [] : [[label, `${names.length}, ${what}: ${shorten(names)}`]],
    ),
    ['left out', rest.length === 0 ? 'nothing else' : `${rest.length}: ${shorten(rest)}`],
  ]
}

/** Says what of each library embeds texts with such a file. */
const TEXT_ENCODERS: ReadonlyMap<string, string> = new Map([
  ['hugging-face', "get_text_features of transformers' class"],
  ['open-clip', "open_clip's encode_text"],
])

/** Says which network of several it is. */
function entryRows({ choice }: FileDescription): [string, string][] {
  if (choice === null) return []
  const others = choice.others.length === 0 ? '' : ` rather than ${shorten(choice.others)}`
  return [['entry', `${choice.entry}${others} (${choice.reason})`]]
}

function setting(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function shorten(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
