/** `plumage collection` looks after collections; each thing that it does has a file in `collection/`. */
import { Command } from 'commander'
import type { CommandContext } from '../context.js'

/** @param words of the command line: where none of them means this command, what it does is not loaded, since others begin sooner without it */
export async function collectionCommand(context: CommandContext, words: readonly string[]): Promise<Command> {
  const command = new Command('collection').description('look after a collection of photos')
  if (!words.includes(command.name())) return command
  const { collectionKinds } = await import('./collection/kinds.js')
  for (const kind of collectionKinds(context)) command.addCommand(kind)
  return command
}
