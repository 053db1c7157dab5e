/** `plumage embed`: one vector per image, as lines on stdout or as a file that an interrupted run can be continued into. */
import { once } from 'node:events'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { FileEncoder } from '../../platform/node/output/file-encoder.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { gatherInputs, streamInputs } from '../gather-inputs.js'
import { loadChosenEncoder } from '../load-chosen-encoder.js'
import { addEngineOptions, addModelOption, type ModelOptions, positiveInteger } from '../model-options.js'
import { Progress } from '../progress.js'
import { prepareOutput, runResumably, terminal } from '../run-resumably.js'

const FORMATS = ['jsonl', 'csv', 'npy', 'parquet'] as const

interface EmbedOptions extends ModelOptions {
  readonly output?: string
  readonly format?: (typeof FORMATS)[number]
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
    .addOption(new Option('--format <format>', 'where the name of the output does not tell').choices(FORMATS))
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
  const { formatOfPath } = await import('../../platform/node/output/output-format.js')
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
    encode: options.batch === undefined ? {} : { batch: options.batch },
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
  using encoder = await loadChosenEncoder(context, options)
  using progress = new Progress({
    ...terminal(context),
    json: options.json ?? false,
    total: Array.isArray(paths) ? paths.length : undefined,
  })
  try {
    const { done, failed } = await printLines(context, encoder, paths, options, progress)
    progress.finish(`${done} embedded`, {})
    if (failed > 0) throw new IncompleteError(`${failed} of ${done + failed} images failed.`)
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError(
      'Interrupted. Work that goes to a file (--output) can be continued; this cannot.',
    )
  }
}

async function printLines(
  context: CommandContext,
  encoder: FileEncoder,
  paths: Iterable<string> | AsyncIterable<string>,
  options: EmbedOptions,
  progress: Progress,
): Promise<{ done: number; failed: number }> {
  const [{ jsonLine }, { lookAt }] = await Promise.all([
    import('../../platform/node/output/write-jsonl.js'),
    import('../../platform/node/input/look-at.js'),
  ])
  const { stdout, signal } = context
  const given = new Map<number, string>()
  const count = { done: 0, failed: 0 }
  const fail = (path: string, reason: string) => {
    count.failed++
    progress.failed(path, reason)
  }
  async function* sources() {
    let index = 0
    for await (const path of paths) {
      const input = await lookAt(path, context.cwd)
      if (input instanceof Error) {
        fail(path, input.message)
        continue
      }
      given.set(index++, path)
      yield resolve(context.cwd, path)
    }
  }
  const batch = options.batch === undefined ? {} : { batch: options.batch }
  for await (const { index, source, features, error } of encoder.encodeAll(sources(), { ...batch, signal })) {
    const path = given.get(index) ?? String(source)
    given.delete(index)
    if (features === undefined) {
      fail(path, error.message)
      continue
    }
    const [height, width] = features.imageSize
    if (!stdout.write(jsonLine({ path, height, width, values: features.embedding })))
      await once(stdout, 'drain', { signal })
    count.done++
    progress.done()
  }
  return count
}
