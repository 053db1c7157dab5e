/** Lists the inputs of a command before any of the work, so that a mistyped folder is told at once and the time left can be known. */
import { collectImages } from '../work/collect-images.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'

interface InputOptions {
  /** Says that paths on standard input end in NUL. */
  readonly null?: boolean
}

export async function gatherInputs(
  context: CommandContext,
  inputs: readonly string[],
  options: InputOptions,
): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const path of streamInputs(context, inputs, options)) paths.push(path)
  return paths
}

/** Gives the same paths, one by one as they become known. */
export async function* streamInputs(
  context: CommandContext,
  inputs: readonly string[],
  options: InputOptions,
): AsyncGenerator<string> {
  if (inputs.length === 0) {
    throw new UsageError(
      'No image was named. Give files, folders, globs such as "photos/**/*.jpg", or - for a list on stdin.',
    )
  }
  const { files, stdin, signal } = context
  yield* collectImages(inputs, { files, list: stdin, signal, separator: options.null ? '\0' : '\n' })
}
