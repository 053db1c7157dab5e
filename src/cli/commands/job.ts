/** `plumage job` makes work for any number of machines, and looks after it; each thing that it does has a file in `job/`. */
import { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addJobCommands } from './job/kinds.js'

export function jobCommand(context: CommandContext): Command {
  const command = new Command('job')
  addJobCommands(command, context)
  return command
}
