/** `plumage merge` proves that outputs are all shards of one work, and joins them into one file. */
import { Command, Option } from 'commander'
import type { Merged } from '../../work/merge-shards.js'
import { formatOfPath, OUTPUT_FORMATS, type OutputFormat } from '../../work/output-format.js'
import { IncompleteError, InterruptedError, UsageError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { Progress } from '../progress.js'
import { fileOf, prepareOutput, terminal } from '../run-resumably.js'

interface MergeCommandOptions {
  readonly output: string
  readonly format?: OutputFormat
  readonly partial?: boolean
  readonly restart?: boolean
  readonly json?: boolean
}

export function mergeCommand(context: CommandContext): Command {
  return new Command('merge')
    .argument(
      '<outputs...>',
      'the files that embed or features wrote with --shard, of all shards, in any order',
    )
    .requiredOption(
      '-o, --output <file>',
      'a file, or an object in a bucket (s3:, az:, gs:), ending in .jsonl, .csv, .npy or .parquet',
    )
    .addOption(
      new Option('--format <format>', 'where the name of the output does not tell').choices(OUTPUT_FORMATS),
    )
    .option(
      '--partial',
      'join what is there though shards are missing: these are named, and the exit code is 1',
    )
    .option('--restart', 'replace the output even where it is of other shards')
    .option('--json', 'what was joined as JSON')
    .action((outputs: string[], options: MergeCommandOptions) => merge(context, outputs, options))
}

async function merge(
  context: CommandContext,
  outputs: readonly string[],
  options: MergeCommandOptions,
): Promise<void> {
  const { files, signal, stdout } = context
  const { output, partial = false, restart = false, json = false } = options
  if (output === '-')
    throw new UsageError('--output - is stdout, which cannot appear whole or not at all: name a file.')
  const format = options.format ?? formatOfPath(output)
  const file = fileOf(
    await prepareOutput(context, output),
    output,
    'what is joined appears whole or not at all. Name a file.',
  )
  const { mergeShards } = await import('../../work/merge-shards.js')
  using progress = new Progress({ ...terminal(context), json, total: undefined })
  try {
    progress.phase(`proving ${outputs.length} shards`)
    const merged = await mergeShards({
      shards: outputs,
      output: files.resolve(file),
      format,
      files,
      partial,
      restart,
      signal,
      listener: {
        proven: ({ rows }) => progress.phase(`writing ${rows.count} rows to ${output}`),
        waiting: (message) => progress.notice(message),
      },
    })
    progress.clear()
    stdout.write(json ? `${JSON.stringify({ output, ...merged })}\n` : `${summary(output, merged)}\n`)
    assertComplete(output, merged)
  } catch (error) {
    if (!signal.aborted) throw error
    throw new InterruptedError(`Interrupted. Nothing was written to ${output}; the shards are as they were.`)
  }
}

function summary(output: string, { rows, shards, inputs, unchanged }: Merged): string {
  const was = unchanged ? ', as it was already' : ''
  return `${output} has ${rows.count} rows of ${shards} shards, of ${inputs} inputs${was}; the sum of the names of its rows is ${rows.sum}`
}

function assertComplete(output: string, { missing, failed, inputs }: Merged): void {
  if (missing.length > 0)
    throw new IncompleteError(
      `${output} is a part: ${missing.length === 1 ? 'shard' : 'shards'} ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing${failed === 0 ? '' : `, and ${failed} images failed`}.`,
    )
  if (failed > 0)
    throw new IncompleteError(
      `${failed} images of ${inputs} inputs failed; they are listed in ${output}.errors.jsonl. Run their shards again to retry them, and join again with --restart.`,
    )
}
