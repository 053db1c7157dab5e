/** `plumage embed` writes one vector per image, as lines on stdout or as a file that an interrupted run can be continued into. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { compareNames } from '../../compare-names.js'
import { given } from '../../encoder/choose-recipe.js'
import type { Column } from '../../formats/embedding-table.js'
import type { StreamOutput } from '../../platform/node/files/stream-output.js'
import type { EncodeChoices } from '../../work/encode-inputs.js'
import {
  formatOfPath,
  formatOfPathOrNull,
  OUTPUT_FORMATS,
  type OutputFormat,
  type StreamFormat,
} from '../../work/output-format.js'
import { nameOfInputOrNull, totalOf, type WorkInput } from '../../work/work-input.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import { checkColumns, parseColumns } from '../columns.js'
import type { CommandContext } from '../context.js'
import {
  addFrameOptions,
  type FilmInputOptions,
  filmWork,
  gatherWithFilms,
  streamWithFilms,
} from '../film-inputs.js'
import { addInputs, shardOption } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addImageOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { fileOf, listenerOf, prepareOutput, runResumably, terminal } from '../run-resumably.js'

/** Is what standard input holds: an image or a list of paths, or lines of JSON that are answered one by one. */
const INPUT_FORMATS = ['paths', 'jsonl'] as const
type InputFormat = (typeof INPUT_FORMATS)[number]

interface EmbedOptions extends ModelOptions, Omit<FilmInputOptions, 'json'> {
  readonly output?: string
  readonly format?: OutputFormat
  readonly columns?: readonly Column[]
  readonly batch?: number
  readonly inputFormat?: InputFormat
  readonly restart?: boolean
  readonly prune?: boolean
  readonly scenes?: boolean
  readonly sceneThreshold?: number
  readonly keyFrames?: string
}

export function embedCommand(context: CommandContext): Command {
  const command = addInputs(new Command('embed').description('write the embedding of each image'))
  addFrameOptions(addImageOptions(addModelOption(command)))
    .option(
      '-o, --output <file>',
      'a file, or an object in a bucket (s3:, az:, gs:), ending in .jsonl, .csv, .npy or .parquet, a pipe, or - for stdout; default: JSON lines on stdout',
    )
    .addOption(
      new Option('--format <format>', 'where the name of the output does not tell').choices(OUTPUT_FORMATS),
    )
    .option(
      '--columns <list>',
      'what each row has, as path,embedding or sample=path,vector=embedding; also height, width, model, recipe, identity',
      parseColumns,
    )
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .addOption(shardOption())
    .addOption(
      new Option(
        '--input-format <format>',
        'jsonl: answer each line of JSON on stdin ({"path": …}, {"url": …} or {"image": base64}) with one that has its other keys too',
      ).choices(INPUT_FORMATS),
    )
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'forget what earlier runs have written to the output, finished or not')
    .option('--prune', 'drop rows of the output whose images are not among the inputs')
    .option(
      '--scenes',
      'of films, a JSON line for each scene, with the embedding of the frame that stands for it',
    )
    .option(
      '--scene-threshold <distance>',
      'with --scenes: cut where neighbouring frames are farther apart (default: where one distance stands out)',
      distance,
    )
    .option('--key-frames <folder>', 'with --scenes: write the picture of each of these frames')
  return command.action((inputs: string[], options: EmbedOptions) => embed(context, inputs, options))
}

async function embed(
  context: CommandContext,
  inputs: readonly string[],
  options: EmbedOptions,
): Promise<void> {
  const { output, format, scenes, sceneThreshold, keyFrames, inputFormat } = options
  if (inputFormat === 'jsonl') return await answer(context, inputs, options)
  if (scenes) {
    const { writeScenes } = await import('../scenes.js')
    return await writeScenes(context, inputs, options)
  }
  for (const [name, value] of Object.entries({ 'scene-threshold': sceneThreshold, 'key-frames': keyFrames }))
    if (value !== undefined)
      throw new UsageError(`--${name} says how scenes are found or shown: add --scenes.`)
  if (output === undefined && format !== undefined && format !== 'jsonl') {
    throw new UsageError(
      `--format ${format} needs a file: add --output embeddings.${format}, or --output - for stdout.`,
    )
  }
  if (output === undefined || output === '-') {
    const { StreamOutput } = await import('../../platform/node/files/stream-output.js')
    return embedToStream(context, inputs, options, async () => StreamOutput.stdout(context))
  }
  const target = await prepareOutput(context, output)
  if (target.kind === 'special' || target.kind === 'descriptor') {
    const { StreamOutput } = await import('../../platform/node/files/stream-output.js')
    return embedToStream(context, inputs, options, () => StreamOutput.open(target, context))
  }
  await embedToFile(context, inputs, {
    ...options,
    output,
    file: fileOf(target, output, 'it is written into'),
  })
}

async function answer(
  context: CommandContext,
  inputs: readonly string[],
  options: EmbedOptions,
): Promise<void> {
  const { output = '-' } = options
  const { StreamOutput } = await import('../../platform/node/files/stream-output.js')
  const { embedLines } = await import('../embed-lines.js')
  if (output === '-') return await embedLines(context, inputs, options, StreamOutput.stdout(context))
  const target = await prepareOutput(context, output)
  if (target.kind !== 'special' && target.kind !== 'descriptor')
    throw new UsageError(
      `--input-format jsonl answers line by line, and --output ${output} would appear as a whole: use > ${output} instead.`,
    )
  await using stream = await StreamOutput.open(target, context)
  await embedLines(context, inputs, options, stream)
}

async function embedToFile(
  context: CommandContext,
  names: readonly string[],
  options: EmbedOptions & { readonly output: string; readonly file: string },
): Promise<void> {
  const format = options.format ?? formatOfPath(options.output)
  const { columns } = options
  checkColumns(columns, format)
  const inputs = await gatherWithFilms(context, names, options)
  using loaded = await loadChosenEncoder(context, options)
  const { encoder, what } = await filmWork(inputs, loaded, options)
  await runResumably(context, {
    output: options.file,
    format,
    ...(columns === undefined ? {} : { columns }),
    inputs,
    encoder,
    shape: [encoder.embeddingWidth],
    what: `embedding${what}`,
    valuesOf: ({ embedding }) => embedding,
    encode: encodeChoices(options),
    restart: options.restart ?? false,
    prune: options.prune ?? false,
    json: options.json ?? false,
    ...given({ shard: options.shard }),
  })
}

/** Nothing is kept: what was written has reached whoever reads it. */
async function embedToStream(
  context: CommandContext,
  names: readonly string[],
  options: EmbedOptions,
  open: () => Promise<StreamOutput>,
): Promise<void> {
  const format = streamFormat(options)
  const { columns } = options
  checkColumns(columns, format)
  const inputs = await streamedInputs(context, names, options, format)
  await using output = await open()
  if (format === 'parquet' && output.isTerminal) {
    throw new UsageError(
      'Parquet is no text, and stdout is a terminal: add --output embeddings.parquet, or a pipe.',
    )
  }
  const { writeStream } = await import('../../work/write-stream.js')
  using loaded = await loadChosenEncoder(context, options)
  const { encoder } = await filmWork(inputs, loaded, options)
  using progress = new Progress({
    ...terminal(context),
    json: options.json ?? false,
    total: totalOf(inputs),
  })
  try {
    const { computed, failed } = await writeStream({
      inputs,
      files: context.files,
      encoder,
      format,
      ...(columns === undefined ? {} : { columns }),
      write: (chunk) => output.write(chunk),
      encode: encodeChoices(options),
      listener: listenerOf(progress),
      signal: context.signal,
    })
    progress.finish(`${computed} embedded`, {})
    if (failed > 0) throw new IncompleteError(`${failed} of ${computed + failed} images failed.`)
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError(
      'Interrupted. Work that goes to a file (--output) can be continued; this cannot.',
    )
  }
}

function streamFormat({ output, format, restart, prune }: EmbedOptions): StreamFormat {
  for (const [option, given] of Object.entries({ restart, prune })) {
    if (given) throw new UsageError(`--${option} needs --output to be a file: only such work is kept.`)
  }
  const found = format ?? (output === undefined ? null : formatOfPathOrNull(output)) ?? 'jsonl'
  if (found !== 'npy') return found
  throw new UsageError(
    'npy needs a file: an array says first how many rows it has, and its names go into a second file. Choose --format jsonl, csv or parquet.',
  )
}

/** A list on stdin may still be growing: its images are done as they come, but for csv, which is sorted. */
async function streamedInputs(
  context: CommandContext,
  names: readonly string[],
  options: EmbedOptions,
  format: StreamFormat,
): Promise<readonly WorkInput[] | AsyncIterable<WorkInput>> {
  if (format !== 'csv') return await streamWithFilms(context, names, options)
  const inputs = await gatherWithFilms(context, names, options)
  return [...inputs].sort((a, b) => compareNames(nameOfInputOrNull(a) ?? '', nameOfInputOrNull(b) ?? ''))
}

function distance(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 2) return value
  throw new InvalidArgumentError(
    `Expected a distance from 0 to 2 (1 minus the cosine), such as 0.3; found ${text}.`,
  )
}

function encodeChoices({ batch }: EmbedOptions): EncodeChoices {
  return batch === undefined ? {} : { batch }
}
