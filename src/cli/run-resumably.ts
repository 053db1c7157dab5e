/** Runs `writeResumably` for a command: with progress, a summary, and what a person is told when it ends early. */
import { dirname } from 'node:path'
import { type OutputTarget, outputTarget } from '../platform/node/files/output-target.js'
import { OBJECT } from '../platform/node/storage/object-path.js'
import type { WorkListener } from '../work/encode-inputs.js'
import { asOutputError, OutputError } from '../work/output-error.js'
import { totalOf } from '../work/work-input.js'
import type { ResumableOptions } from '../work/write-resumably.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { Progress } from './progress.js'

export interface RunOptions extends Omit<ResumableOptions, 'files' | 'listener' | 'signal' | 'clock'> {
  readonly json: boolean
}

export async function runResumably(context: CommandContext, options: RunOptions): Promise<void> {
  const { writeResumably } = await import('../work/write-resumably.js')
  const { files, signal } = context
  const { output, inputs, json } = options
  using progress = new Progress({ ...terminal(context), json, total: totalOf(inputs) })
  try {
    const result = await writeResumably({
      ...options,
      files,
      signal,
      output: files.resolve(output),
      listener: { ...listenerOf(progress), assembling: () => progress.phase(`writing ${output}`) },
    })
    const { written, failed, unchanged, computed } = result
    const news = unchanged
      ? ' was finished already (--restart does it again)'
      : `: ${computed} computed in this run`
    progress.finish(`${output} has ${written} rows${news}`, { ...result, output })
    if (failed > 0) throw new IncompleteError(incomplete(failed, totalOf(inputs) ?? written + failed, output))
  } catch (error) {
    const kept = `What was finished is kept in ${output}.parts: run the same command again to go on from there.`
    if (signal.aborted) throw new InterruptedError(`Interrupted. ${kept}`)
    if (error instanceof OutputError && error.code === 'disk-full') {
      throw new OutputError('disk-full', `${error.message} ${kept}`, { cause: error })
    }
    throw error
  }
}

/**
 * Tells what the output is, before anything is computed. A file's name comes back as it was typed, or where links lead to, and its folder is
 * made.
 */
export async function prepareOutput({ files }: CommandContext, output: string): Promise<OutputTarget> {
  if (OBJECT.test(output)) return { kind: 'file', path: output, mode: null }
  try {
    const full = files.resolve(output)
    const target = await outputTarget(full)
    if (target.kind !== 'file') return target
    await files.makeFolder(dirname(target.path), output)
    const again = await outputTarget(full)
    return again.kind === 'file' && again.path === full ? { ...again, path: output } : again
  } catch (error) {
    throw asOutputError(error)
  }
}

/** Throws `UsageError` unless the output is a file. @param why says of what is none why it cannot be one */
export function fileOf(target: OutputTarget, output: string, why: string): string {
  if (target.kind === 'file') return target.path
  if (target.kind === 'folder') {
    throw new UsageError(
      `--output ${output} is a folder, expected the name of a file, such as ${output.replace(/\/*$/, '')}/embeddings.jsonl.`,
    )
  }
  throw new UsageError(`--output ${output} is a pipe or a device: ${why}`)
}

export function terminal({ stderr, isTTY, color }: CommandContext) {
  return { stream: stderr, isTTY, color }
}

/** Shows on the progress line what becomes of each input. */
export function listenerOf(progress: Progress): WorkListener {
  return {
    done: (_path, earlier) => progress.done(earlier),
    encoding: ({ seconds }) => progress.spent(seconds),
    failed: ({ path, reason }) => progress.failed(path, reason),
    waiting: (message) => progress.notice(message),
  }
}

function incomplete(failed: number, total: number, output: string): string {
  return (
    `${failed} of ${total} images failed; they are listed in ${output}.errors.jsonl, the others are in ${output}. ` +
    `Run the same command again to retry only these: for this, finished work is kept in ${output}.parts.`
  )
}
