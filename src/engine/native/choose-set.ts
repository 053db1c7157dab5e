/** Chooses the instruction set whose kernels are taken, among those that were built and that this processor runs. */
import { EngineError } from '../engine-error.js'
import type { Addon, InstructionSet } from './addon.js'
import { callAddon } from './addon-error.js'

export type KnownSet = ReturnType<Addon['info']>['instructionSets'][number]

/**
 * @param asked forces one. Default: the fastest
 * @throws `EngineError` `unavailable` where there are no kernels for it
 */
export function chooseSet(addon: Addon, asked?: InstructionSet): KnownSet {
  const { instructionSets } = callAddon(() => addon.info())
  const chosen = instructionSets.find(({ name }) => asked === undefined || name === asked)
  if (chosen !== undefined) return chosen
  const known = instructionSets.map(({ name }) => name).join(', ')
  throw new EngineError(
    'unavailable',
    `The native engine cannot run ${asked ?? 'here'}: it has kernels for ${known === '' ? 'no set of instructions of this processor' : known}. ` +
      "Those of all that this processor has are built by the package's scripts/build-native.mjs.",
  )
}
