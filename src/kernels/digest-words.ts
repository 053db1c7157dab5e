/**
 * Digests the bits of weights quickly, in lanes that vector units compute side by side. The native and the WebAssembly kernels give the same
 * words; this is the slow truth.
 *
 * A block of values is read in stripes of 32 words, one for each lane. A lane has two states: the first is changed as a lane of xxHash32 is
 * (Y. Collet, https://github.com/Cyan4973/xxHash), by a multiplication, a sum and a rotation, each of which can be undone; so one word that
 * has changed has always changed the state, whatever follows. The second state adds up what the first has been: two or more changes that
 * cancel each other in one lane would have to do so in 64 bits, which by accident happens once in 2^64. The last stripe is filled up with zeros;
 * the count of values is for the caller to keep.
 *
 * It tells weights apart, and is no proof against somebody who makes two sets of weights that it should take for one.
 */

/** Counts the lanes, each of which has two words. */
export const DIGEST_LANES = 32
/** Counts the values of a block, which has states of its own, so that blocks can be digested apart. */
export const DIGEST_BLOCK = 2 ** 18

/** Gives the states of each block: first those of all lanes, then their second ones. The values are read until the promise settles. */
export type DigestWords = (values: Float32Array) => Promise<Int32Array>

export function digestWords(values: Float32Array): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length)
  const states = new Int32Array(digestLength(values.length))
  for (let block = 0, from = 0; from < words.length; block++, from += DIGEST_BLOCK) {
    const own = states.subarray(block * 2 * DIGEST_LANES, (block + 1) * 2 * DIGEST_LANES)
    digestBlock(words.subarray(from, from + DIGEST_BLOCK), own)
  }
  return states
}

/** Counts the words that the digest of so many values has. */
export function digestLength(values: number): number {
  return Math.ceil(values / DIGEST_BLOCK) * 2 * DIGEST_LANES
}

/** Gives the states that a block begins with. */
export function firstStates(): Int32Array {
  const states = new Int32Array(2 * DIGEST_LANES)
  for (let lane = 0; lane < DIGEST_LANES; lane++) {
    states[lane] = Math.imul(lane + 1, 0xc2b2ae3d)
    states[DIGEST_LANES + lane] = Math.imul(lane + 1, 0x27d4eb2f)
  }
  return states
}

function digestBlock(words: Int32Array, states: Int32Array): void {
  states.set(firstStates())
  const whole = words.length - (words.length % DIGEST_LANES)
  for (let i = 0; i < whole; i += DIGEST_LANES) digestStripe(words, i, states)
  if (whole === words.length) return
  const last = new Int32Array(DIGEST_LANES)
  last.set(words.subarray(whole))
  digestStripe(last, 0, states)
}

function digestStripe(words: Int32Array, from: number, states: Int32Array): void {
  for (let lane = 0; lane < DIGEST_LANES; lane++) {
    const mixed = (states[lane] + Math.imul(words[from + lane], 0x85ebca77)) | 0
    const first = Math.imul((mixed << 13) | (mixed >>> 19), 0x9e3779b1)
    const second = states[DIGEST_LANES + lane]
    states[lane] = first
    states[DIGEST_LANES + lane] = ((second << 11) | (second >>> 21)) + first
  }
}
