/**
 * Has an output lie in a folder that is there, whatever the command: a mistyped one is told before any work, with the nearest that there is, and nothing is made of that name. An
 * output that is a folder itself is made.
 */
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { isAddress } from '../is-address.js'
import { meantBeside } from '../work/meant-beside.js'
import { UsageError } from './cli-error.js'
import type { CommandContext } from './context.js'

/** Name what is written, in every command that has them. */
export const OUTPUT_OPTIONS: ReadonlySet<string> = new Set([
  'output',
  'into',
  'mirror',
  'moveTo',
  'report',
  'saveColors',
  'keyFrames',
  'train',
  'confusion',
])
/** Have an option `--to` that names a place; elsewhere it is a time in a film, or a library. */
export const WRITE_TO: readonly string[] = ['index', 'collection import', 'job create']
/** Have an output among their arguments, at this place. */
export const OUTPUT_ARGUMENTS: Readonly<Record<string, number>> = { convert: 1, 'collection export': 0 }

/** Throws `UsageError` where the folder of an output is not there. */
export async function assertParents(context: CommandContext, command: Command): Promise<void> {
  const name = nameOf(command)
  for (const option of command.options) {
    const key = option.attributeName()
    const isOutput = OUTPUT_OPTIONS.has(key) || (key === 'to' && WRITE_TO.includes(name))
    const value: unknown = isOutput ? command.getOptionValue(key) : undefined
    if (typeof value === 'string') await assertParent(context, option.long ?? `--${key}`, value)
  }
  const place = OUTPUT_ARGUMENTS[name]
  const argument: unknown = place === undefined ? undefined : command.processedArgs[place]
  if (typeof argument === 'string') await assertParent(context, 'the output', argument)
}

/** Gives `collection export`; nothing stands for the program itself. */
export function nameOf(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

async function assertParent({ files, cwd }: CommandContext, what: string, output: string): Promise<void> {
  if (isAddress(output) && !/^file:/i.test(output)) return
  const folder = dirname(resolve(cwd, files.resolve(output)))
  // What cannot be looked at is told by whoever writes there.
  const isMissing = (path: string) =>
    files.look(path).then(
      (found) => found === null,
      () => false,
    )
  if (!(await isMissing(folder))) return
  let missing = folder
  while (await isMissing(dirname(missing))) missing = dirname(missing)
  const parent = dirname(missing)
  const shown = (path: string) => (isAbsolute(output) ? path : relative(cwd, path) || '.')
  const meant = await meantBeside(files, shown(missing), ({ kind }) => kind === 'folder')
  throw new UsageError(
    `${what} ${output} lies in a folder that is not there: ${shown(parent)} has no ${nameIn(parent, missing)}.${meant} Otherwise make it: mkdir -p ${asWord(shown(folder))}`,
  )
}

/** Gives a path as a shell takes it. */
function asWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

function nameIn(folder: string, path: string): string {
  return relative(folder, path)
}
