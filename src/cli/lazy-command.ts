/** Leaves a command unloaded until it is the one that is meant: every other begins sooner. */
import { Command } from 'commander'
import type { CommandContext } from './context.js'

/** Makes a command of the program. */
export type MakeCommand = (context: CommandContext, words: readonly string[]) => Command | Promise<Command>

/** Gives a command of which no more is known than its name and what it is for, unless the words name it. */
export function lazyCommand(
  name: string,
  description: string,
  load: () => Promise<MakeCommand>,
): MakeCommand {
  return async (context, words) => {
    if (!words.includes(name)) return new Command(name).description(description)
    const make = await load()
    return (await make(context, words)).description(description)
  }
}
