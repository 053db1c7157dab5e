/** `plumage job` makes work for any number of machines, and looks after it; each thing that it does has a file in `job/`. */
import { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addJobCommands } from './job/kinds.js'
import { assertJob } from './job/place.js'

export function jobCommand(context: CommandContext): Command {
  const command = new Command('job')
  command.hook('preAction', async (_, action) => {
    const [place] = action.processedArgs
    if (action.name() !== 'create' && action.name() !== 'list') await assertJob(context, String(place))
  })
  addJobCommands(command, context)
  return command
}
