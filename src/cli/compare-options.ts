/** Holds how commands ask for photos to be compared. */
import { type Command, InvalidArgumentError } from 'commander'
import { positiveInteger } from './model-options.js'

/** Is what may be said of it. */
export interface CompareChoice {
  readonly near?: number
  readonly alike?: number
  readonly tryFrom?: number
  readonly tries?: number
}

export function addCompareOptions(command: Command): Command {
  return command
    .option('--near <cosine>', 'similarity from which on photos are near (default: 0.95)', cosine)
    .option('--alike <cosine>', 'similarity from which on they are alike (default: 0.9)', cosine)
    .option(
      '--try-from <cosine>',
      'similarity from which on it is tried whether they are one picture (default: 0.6)',
      cosine,
    )
    .option(
      '--tries <n>',
      'pairs to try, the most alike first (default: as many as there are photos)',
      positiveInteger,
    )
}

/** Gives what was said, under the names of the library. */
export function compareChoice({ near, alike, tryFrom, tries }: CompareChoice) {
  return {
    ...(near === undefined ? {} : { near }),
    ...(alike === undefined ? {} : { alike }),
    ...(tryFrom === undefined ? {} : { tryFrom }),
    ...(tries === undefined ? {} : { mostTries: tries }),
  }
}

function cosine(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= -1 && value <= 1) return value
  throw new InvalidArgumentError('A similarity is a cosine, from -1 to 1.')
}
