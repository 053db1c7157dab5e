/**
 * Gives numbers that look drawn by chance and are the same each time: uniform in [0, 1), from a seed (mulberry32 of Tommy Ettinger, in the public
 * domain). It is for samples of an algorithm, not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
