/** Makes numbers that look random and are the same on every machine, for what must be drawn and yet give the same answer each time. */

/** Gives numbers from 0 up to but without 1. The generator is mulberry32 (T. Ettinger, public domain), whose state is 32 bits. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
