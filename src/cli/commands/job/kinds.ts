/** Puts together what `plumage job` does. */
import type { Command } from 'commander'
import type { CommandContext } from '../../context.js'
import { addCreate } from './create.js'
import { addFinish } from './finish.js'
import { addFollowing } from './follow.js'

export function addJobCommands(command: Command, context: CommandContext): void {
  addCreate(command, context)
  addFollowing(command, context)
  addFinish(command, context)
}
