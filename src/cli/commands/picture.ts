/** `plumage picture` shows what a model finds in photos; each kind of picture has a file in `picture/`. */
import { Command } from 'commander'
import type { CommandContext } from '../context.js'

/** @param words of the command line: where none of them means this command, what draws is not loaded, since others begin sooner without it */
export async function pictureCommand(context: CommandContext, words: readonly string[]): Promise<Command> {
  const command = new Command('picture').description('show what a model finds in photos')
  if (!words.includes(command.name())) return command
  const { pictureKinds } = await import('./picture/kinds.js')
  for (const kind of pictureKinds(context)) command.addCommand(kind)
  return command
}
