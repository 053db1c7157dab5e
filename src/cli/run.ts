/** Runs one command line. This is the only place where an error is printed and an exit code chosen. */
import { CommanderError } from 'commander'
import { nearestNames } from '../nearest-names.js'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { createProgram } from './program.js'

/** Is the whole table: whatever ends a run, but for an interrupt, means that it could not be done. */
export const EXIT = {
  /** All was done. */
  done: 0,
  /** The run went to its end, and some of it failed: inputs, or comparisons. */
  incomplete: 1,
  /** The command line asks for what cannot be had, or nothing could be done: no such model, no place for the output, a full disk, no network. */
  impossible: 2,
  interrupted: 130,
} as const

/** @param args what follows the program's name. Never throws. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    const program = await createProgram(context, args)
    await program.parseAsync(args, { from: 'user' })
    return EXIT.done
  } catch (error) {
    const text = messageOf(error, context)
    if (text !== null) print({ error: text, code: codeOf(error, context) }, args.includes('--json'), context)
    return exitCodeOf(error, context)
  }
}

function exitCodeOf(error: unknown, { signal }: CommandContext): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done
  if (error instanceof InterruptedError || signal.aborted) return EXIT.interrupted
  return error instanceof IncompleteError ? EXIT.incomplete : EXIT.impossible
}

/** Gives null where everything has been said. */
function messageOf(error: unknown, { signal }: CommandContext): string | null {
  if (error instanceof CommanderError) {
    // Help and version have been printed.
    if (error.exitCode === 0 || error.code === 'commander.help') return null
    return `${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}${meantChoice(error.message)} (plumage --help, or plumage <command> --help, tells what there is.)`
  }
  if (signal.aborted && !(error instanceof InterruptedError)) return 'Interrupted.'
  // These two are never a person's doing: whoever mends it needs the place.
  if (error instanceof TypeError || error instanceof ReferenceError)
    return `This is a mistake in plumage. ${error.stack}`
  return error instanceof Error ? error.message : String(error)
}

/** Commander says which choices there are, and not which is the nearest. */
function meantChoice(message: string): string {
  const [, found, choices] = /argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s.exec(message) ?? []
  const [nearest] =
    found === undefined ? [] : nearestNames(found, choices?.split(', ') ?? [], 1, found.length - 1)
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`
}

/** Gives what programs branch on: the code of a named error or of the system's, and else what kind of an end it is. */
function codeOf(error: unknown, { signal }: CommandContext): string {
  if (error instanceof InterruptedError || signal.aborted) return 'interrupted'
  if (error instanceof IncompleteError) return 'incomplete'
  // Which of commander's many codes it is does not matter: the command line has to be mended.
  if (error instanceof CommanderError || error instanceof UsageError || error instanceof RangeError)
    return 'usage'
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'internal'
}

interface ToldError {
  readonly error: string
  readonly code: string
}

function print({ error, code }: ToldError, json: boolean, { stderr }: CommandContext): void {
  stderr.write(json ? `${JSON.stringify({ event: 'error', code, error })}\n` : `plumage: ${error}\n`)
}
