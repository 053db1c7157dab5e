/** `plumage embed --input-format jsonl` answers each line of JSON on stdin with one on stdout. */

import { given } from '../encoder/choose-recipe.js'
import type { Column } from '../formats/embedding-table.js'
import type { StreamOutput } from '../platform/node/files/stream-output.js'
import type { OutputFormat } from '../work/output-format.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import type { FrameOptions } from './film-inputs.js'
import { loadChosenEncoder } from './load-chosen-encoder.js'
import type { ModelOptions } from './model-options.js'
import { Progress } from './progress.js'
import { listenerOf, terminal } from './run-resumably.js'

interface LineOptions extends ModelOptions, FrameOptions {
  readonly format?: OutputFormat
  readonly columns?: readonly Column[]
  readonly batch?: number
  readonly restart?: boolean
  readonly prune?: boolean
  readonly null?: boolean
  readonly films?: boolean | null
  readonly scenes?: boolean
  readonly shard?: unknown
}

/** @param output is where the answers go */
export async function embedLines(
  context: CommandContext,
  inputs: readonly string[],
  options: LineOptions,
  output: StreamOutput,
): Promise<void> {
  assertLineOptions(inputs, options)
  const { columns, batch, json = false } = options
  const { answerLines } = await import('../work/answer-lines.js')
  await using encoder = await loadChosenEncoder(context, options)
  using progress = new Progress({ ...terminal(context), json, total: undefined })
  try {
    const { computed, failed } = await answerLines({
      stream: context.stdin,
      files: context.files,
      encoder,
      ...given({ columns }),
      write: (chunk) => output.write(chunk),
      encode: given({ batch }),
      listener: listenerOf(progress),
      signal: context.signal,
    })
    progress.finish(`${computed} embedded`, {})
    if (failed > 0)
      throw new IncompleteError(`${failed} of ${computed + failed} lines failed; their answers say why.`)
  } catch (error) {
    if (!context.signal.aborted) throw error
    throw new InterruptedError('Interrupted. Each line that was answered is whole; give the others again.')
  }
}

function assertLineOptions(inputs: readonly string[], options: LineOptions): void {
  if (inputs.some((input) => input !== '-'))
    throw new UsageError('--input-format jsonl reads lines of JSON on stdin: name no other input.')
  const { format, columns, restart, prune, films, scenes, shard, every, from, to, toneMap } = options
  if (format !== undefined && format !== 'jsonl')
    throw new UsageError(`--input-format jsonl answers in JSON lines: leave --format ${format} out.`)
  if (columns?.some(({ holds }) => holds === 'path'))
    throw new UsageError(
      '--columns: the keys of each line come back by themselves, path among them: leave it out.',
    )
  const isNull = options.null
  const [refused] = Object.entries({
    restart,
    prune,
    null: isNull,
    films,
    scenes,
    shard,
    every,
    from,
    to,
    'tone-map': toneMap,
  })
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name]) => name)
  if (refused !== undefined)
    throw new UsageError(
      `--${refused} is not had with --input-format jsonl, where each line is one image and has one answer.`,
    )
}
