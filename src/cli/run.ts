/** Runs one command line. This is the only place where an error is printed and an exit code chosen. */
import { CommanderError } from 'commander'
import { IncompleteError, InterruptedError, UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'
import { createProgram } from './program.js'

export const EXIT = { done: 0, incomplete: 1, usage: 2, interrupted: 130 } as const

/** Lists the errors of other rooms that a different command line would avoid. */
const USAGE_ERRORS: ReadonlySet<string> = new Set([
  'InputError nothing-found',
  'InputError unreadable-folder',
  'OutputError unknown-format',
  'OutputError other-identity',
  'OutputError not-writable',
  'HubError unknown-model',
  'CheckpointError not-found',
  'EngineError wrong-size',
  'EngineError unavailable',
  'EngineError unsupported',
  'ImageError wrong-size',
])

/** @param args what follows the program's name. Never throws. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return EXIT.done
  } catch (error) {
    const text = messageOf(error, context)
    if (text !== null) print(text, args.includes('--json'), context)
    return exitCodeOf(error, context)
  }
}

function exitCodeOf(error: unknown, { signal }: CommandContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof InterruptedError || signal.aborted) return EXIT.interrupted
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof IncompleteError) return EXIT.incomplete
  const { name, code } = error as { name?: string; code?: string }
  return USAGE_ERRORS.has(`${name} ${code}`) ? EXIT.usage : EXIT.incomplete
}

/** Gives null where everything has been said. */
function messageOf(error: unknown, { signal }: CommandContext): string | null {
  if (error instanceof CommanderError) {
    // Help and version have been printed.
    if (error.exitCode === 0 || error.code === 'commander.help') return null
    return `${error.message.replace(/^error: /, '').replaceAll('\n', ' ')} (plumage --help, or plumage <command> --help, tells what there is.)`
  }
  if (signal.aborted && !(error instanceof InterruptedError)) return 'Interrupted.'
  // These two are never a person's doing: whoever mends it needs the place.
  if (error instanceof TypeError || error instanceof ReferenceError)
    return `This is a mistake in plumage. ${error.stack}`
  return error instanceof Error ? error.message : String(error)
}

function print(text: string, json: boolean, { stderr }: CommandContext): void {
  stderr.write(json ? `${JSON.stringify({ event: 'error', error: text })}\n` : `plumage: ${text}\n`)
}
