/** Runs `writeResumably` for a command: with progress, a summary, and what a person is told when it ends early. */
import { dirname } from 'node:path'
import type { WorkListener } from '../work/encode-inputs.js'
import { asOutputError, OutputError } from '../work/output-error.js'
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
  const { output, paths, json } = options
  using progress = new Progress({ ...terminal(context), json, total: paths.length })
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
    if (failed > 0) throw new IncompleteError(incomplete(failed, paths.length, output))
  } catch (error) {
    const kept = `What was finished is kept in ${output}.parts: run the same command again to go on from there.`
    if (signal.aborted) throw new InterruptedError(`Interrupted. ${kept}`)
    if (error instanceof OutputError && error.code === 'disk-full') {
      throw new IncompleteError(`${error.message} ${kept}`, { cause: error })
    }
    throw error
  }
}

/** Makes the folder that the output is to lie in, before anything is computed. */
export async function prepareOutput({ files }: CommandContext, output: string): Promise<void> {
  const found = await files.look(output).catch(() => null)
  if (found?.kind === 'folder') {
    throw new UsageError(
      `--output ${output} is a folder, expected the name of a file, such as ${output.replace(/\/*$/, '')}/embeddings.jsonl.`,
    )
  }
  await files.makeFolder(dirname(files.resolve(output)), output).catch((error) => {
    throw asOutputError(error)
  })
}

export function terminal({ stderr, isTTY, color }: CommandContext) {
  return { stream: stderr, isTTY, color }
}

/** Shows on the progress line what becomes of each input. */
export function listenerOf(progress: Progress): WorkListener {
  return {
    done: (_path, earlier) => progress.done(earlier),
    failed: ({ path, reason }) => progress.failed(path, reason),
  }
}

function incomplete(failed: number, total: number, output: string): string {
  return (
    `${failed} of ${total} images failed; they are listed in ${output}.errors.jsonl, the others are in ${output}. ` +
    `Run the same command again to retry only these: for this, finished work is kept in ${output}.parts.`
  )
}
