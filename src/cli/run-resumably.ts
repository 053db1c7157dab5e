/** From a command's options to `writeResumably`: progress, summary, and what a person is told when it ends early. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Features } from '../encoder/types.js'
import type { FileEncoder } from '../platform/node/output/file-encoder.js'
import { explainWriteError, OutputError } from '../platform/node/output/output-error.js'
import type { OutputFormat } from '../platform/node/output/output-format.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { Progress } from './progress.js'

export interface RunOptions {
  readonly output: string
  readonly format: OutputFormat
  readonly paths: readonly string[]
  readonly encoder: FileEncoder
  readonly shape: readonly number[]
  readonly what: string
  readonly valuesOf: (features: Features) => Float32Array
  readonly encode: {
    readonly batch?: number
    readonly preNorm?: boolean
    readonly layers?: readonly number[]
  }
  readonly restart: boolean
  readonly json: boolean
}

export async function runResumably(context: CommandContext, options: RunOptions): Promise<void> {
  const { writeResumably } = await import('../platform/node/output/write-resumably.js')
  const { output, paths, json } = options
  using progress = new Progress({ ...terminal(context), json, total: paths.length })
  try {
    const result = await writeResumably({
      ...options,
      output: resolve(context.cwd, output),
      cwd: context.cwd,
      signal: context.signal,
      listener: {
        done: (_path, earlier) => progress.done(earlier),
        failed: ({ path, reason }) => progress.failed(path, reason),
        assembling: () => progress.phase(`writing ${output}`),
      },
    })
    const { written, failed, unchanged, computed } = result
    const news = unchanged
      ? ' was finished already (--restart does it again)'
      : `: ${computed} computed in this run`
    progress.finish(`${output} has ${written} rows${news}`, { ...result, output })
    if (failed > 0) throw new IncompleteError(incomplete(failed, paths.length, output))
  } catch (error) {
    const kept = `What was finished is kept in ${output}.parts: run the same command again to go on from there.`
    if (context.signal.aborted) throw new InterruptedError(`Interrupted. ${kept}`)
    if (error instanceof OutputError && error.code === 'disk-full') {
      throw new IncompleteError(`${error.message} ${kept}`, { cause: error })
    }
    throw error
  }
}

/** Makes the folder that the output is to lie in, before anything is computed. */
export async function prepareOutput(context: CommandContext, output: string): Promise<void> {
  const path = resolve(context.cwd, output)
  if ((await stat(path).catch(() => null))?.isDirectory()) {
    throw new UsageError(
      `--output ${output} is a folder, expected the name of a file, such as ${output.replace(/\/*$/, '')}/embeddings.jsonl.`,
    )
  }
  try {
    await mkdir(dirname(path), { recursive: true })
  } catch (error) {
    throw explainWriteError(error, output)
  }
}

export function terminal({ stderr, isTTY, color }: CommandContext) {
  return { stream: stderr, isTTY, color }
}

function incomplete(failed: number, total: number, output: string): string {
  return (
    `${failed} of ${total} images failed; they are listed in ${output}.errors.jsonl, the others are in ${output}. ` +
    `Run the same command again to retry only these: for this, finished work is kept in ${output}.parts.`
  )
}
