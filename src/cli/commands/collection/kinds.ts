/** Lists what can be done with a collection, each of which is a command with a file of its own. */
import type { Command } from 'commander'
import type { CommandContext } from '../../context.js'
import { careCommands } from './care.js'
import { exportCommand } from './export.js'
import { importCommand } from './import.js'

const KINDS = [exportCommand, importCommand]

export function collectionKinds(context: CommandContext): readonly Command[] {
  return [...careCommands(context), ...KINDS.map((make) => make(context))]
}
