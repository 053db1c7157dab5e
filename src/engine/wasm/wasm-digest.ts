/** Digests weights by the WebAssembly kernels, on the calling thread and in a small memory of their own: for where there is no addon. */
import {
  DIGEST_BLOCK,
  DIGEST_LANES,
  type DigestWords,
  digestLength,
  firstStates,
} from '../../kernels/digest-words.js'
import { FIRST_FREE_ADDRESS, type Kernels } from './kernels.js'

const STATES = 2 * DIGEST_LANES
const WORDS_ADDRESS = FIRST_FREE_ADDRESS + 4 * STATES
/** The memory must have so many pages of 64 KiB: for a block and its states. */
export const DIGEST_PAGES = Math.ceil((WORDS_ADDRESS + 4 * DIGEST_BLOCK) / 2 ** 16)

export function createWasmDigestOn(
  kernels: Pick<Kernels, 'digestStripes'>,
  memory: ArrayBuffer | SharedArrayBuffer,
): DigestWords {
  const states = new Int32Array(memory, FIRST_FREE_ADDRESS, STATES)
  const room = new Int32Array(memory, WORDS_ADDRESS, DIGEST_BLOCK)
  return async (values) => {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length)
    const out = new Int32Array(digestLength(words.length))
    for (let from = 0, to = 0; from < words.length; from += DIGEST_BLOCK, to += STATES) {
      const block = words.subarray(from, from + DIGEST_BLOCK)
      const padded = Math.ceil(block.length / DIGEST_LANES) * DIGEST_LANES
      room.set(block)
      room.fill(0, block.length, padded)
      states.set(firstStates())
      kernels.digestStripes(WORDS_ADDRESS, padded, FIRST_FREE_ADDRESS)
      out.set(states, to)
    }
    return out
  }
}
