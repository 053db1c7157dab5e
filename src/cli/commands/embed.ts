/** `plumage embed` writes one vector per image, as lines on stdout or as a file that an interrupted run can be continued into. */
import { once } from 'node:events'
import { Command, Option } from 'commander'
import type { EncodeChoices } from '../../work/encode-inputs.js'
import { formatOfPath, OUTPUT_FORMATS, type OutputFormat } from '../../work/output-format.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { gatherInputs, streamInputs } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addEngineOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { listenerOf, prepareOutput, runResumably, terminal } from '../run-resumably.js'

interface EmbedOptions extends ModelOptions {
  readonly output?: string
  readonly format?: OutputFormat
  readonly batch?: number
  readonly null?: boolean
  readonly restart?: boolean
}

export function embedCommand(context: CommandContext): Command {
  const command = new Command('embed')
    .description('write the embedding of each image')
    .argument('[inputs...]', 'images, folders (with all below), globs, or - for a list of paths on stdin')
  addEngineOptions(addModelOption(command))
    .option(
      '-o, --output <file>',
      'a file ending in .jsonl, .csv, .npy or .parquet; default: JSON lines on stdout',
    )
    .addOption(
      new Option('--format <format>', 'where the name of the output does not tell').choices(OUTPUT_FORMATS),
    )
    .option('--batch <n>', 'images per run of the engine', positiveInteger)
    .option('-0, --null', 'paths on stdin end in NUL, as from find -print0')
    .option('--json', 'progress as JSON lines on stderr')
    .option('--restart', 'forget what an earlier, interrupted run has done')
  return command.action((inputs: string[], options: EmbedOptions) => embed(context, inputs, options))
}

async function embed(
  context: CommandContext,
  inputs: readonly string[],
  options: EmbedOptions,
): Promise<void> {
  if (options.output === undefined) return embedToStdout(context, inputs, options)
  const { output } = options
  const format = options.format ?? formatOfPath(output)
  const paths = await gatherInputs(context, inputs, options)
  await prepareOutput(context, output)
  using encoder = await loadChosenEncoder(context, options)
  await runResumably(context, {
    output,
    format,
    paths,
    encoder,
    shape: [encoder.width],
    what: 'embedding',
    valuesOf: ({ embedding }) => embedding,
    encode: encodeChoices(options),
    restart: options.restart ?? false,
    json: options.json ?? false,
  })
}

/** Nothing is kept: what was written has reached whoever reads it. */
async function embedToStdout(
  context: CommandContext,
  inputs: readonly string[],
  options: EmbedOptions,
): Promise<void> {
  if (options.format !== undefined && options.format !== 'jsonl') {
    throw new UsageError(
      `--format ${options.format} needs a file: add --output embeddings.${options.format}.`,
    )
  }
  if (options.restart)
    throw new UsageError('--restart needs --output: only work that goes to a file is kept.')
  // A list on stdin may still be growing: its images are done as they come.
  const live = inputs.length === 1 && inputs[0] === '-'
  const paths = live ? streamInputs(context, inputs, options) : await gatherInputs(context, inputs, options)
  const { writeLines } = await import('../../work/write-lines.js')
  using encoder = await loadChosenEncoder(context, options)
  using progress = new Progress({
    ...terminal(context),
    json: options.json ?? false,
    total: Array.isArray(paths) ? paths.length : undefined,
  })
  try {
    const { computed, failed } = await writeLines({
      paths,
      files: context.files,
      encoder,
      write: (line) => print(line, context),
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

/** Resolves when the reader has taken what was written before: lines must not pile up in memory. */
async function print(line: string, { stdout, signal }: CommandContext): Promise<void> {
  if (!stdout.write(line)) await once(stdout, 'drain', { signal })
}

function encodeChoices({ batch }: EmbedOptions): EncodeChoices {
  return batch === undefined ? {} : { batch }
}
