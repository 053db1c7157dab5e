/** Finds the instruction set that a function of the addon is to use where it needs no engine. */
import { EngineError } from '../engine-error.js'
import type { Addon, InstructionSet } from './addon.js'
import { callAddon } from './addon-error.js'

/** Gives the one asked for, else the fastest that this processor has. Throws `EngineError` `unavailable` without it. */
export function chosenInstructionSet(
  addon: Addon,
  instructionSet: InstructionSet | undefined,
): InstructionSet {
  const { instructionSets } = callAddon(() => addon.info())
  const known = instructionSets.map(({ name }) => name)
  const [chosen] = instructionSet === undefined ? known : known.filter((name) => name === instructionSet)
  if (chosen !== undefined) return chosen
  throw new EngineError(
    'unavailable',
    `This processor cannot run ${instructionSet}; it runs ${known.join(', ')}.`,
  )
}
