/** Digests weights by the C++ kernels, on the threads that read files. */
import { type DigestWords, digestLength } from '../../kernels/digest-words.js'
import type { Addon, InstructionSet } from './addon.js'
import { callAddon, engineErrorOf, settling } from './addon-error.js'
import { chooseSet } from './choose-set.js'

/**
 * @param instructionSet forces a path. Default: the fastest that this processor has
 * @throws `EngineError` `unavailable` without the instruction set
 */
export function createNativeDigestOn(addon: Addon, instructionSet?: InstructionSet): DigestWords {
  const { name: chosen } = chooseSet(addon, instructionSet)
  return async (values) => {
    const states = new Int32Array(digestLength(values.length))
    // Nothing is allocated for it, so that there is no memory that could be refused.
    const needed = () => 'Digesting weights needs memory, which the system refuses.'
    try {
      await new Promise<number>((resolve, reject) => {
        const settle = settling(resolve, reject, { needed })
        callAddon(() => addon.digest(chosen, [settle, values, states]))
      })
    } catch (error) {
      throw engineErrorOf(error)
    }
    return states
  }
}
