// Digests the words of weights, to the bit as src/kernels/digest-words.ts does, which says why it is done so.

// Bytes of the 16 lanes that go together, so that their states stay in registers: of each stripe one line of the cache.
const HALF: usize = 64
const STRIPE: usize = 2 * HALF

@inline function rotated(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by))
}

@inline function mixed(state: v128, words: usize): v128 {
  const sum = i32x4.add(state, i32x4.mul(v128.load(words), i32x4.splat(0x85ebca77)))
  return i32x4.mul(rotated(sum, 13), i32x4.splat(0x9e3779b1))
}

/** Digests `count` words, whole stripes, into the first and second states of all lanes at `states`. */
export function digestStripes(words: usize, count: i32, states: usize): void {
  const end = words + ((<usize>count) << 2)
  for (let half: usize = 0; half < STRIPE; half += HALF) {
    const at = states + half
    let a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48)
    let e = v128.load(at, 128), f = v128.load(at, 144), g = v128.load(at, 160), h = v128.load(at, 176)
    for (let from = words + half; from < end; from += STRIPE) {
      a = mixed(a, from)
      b = mixed(b, from + 16)
      c = mixed(c, from + 32)
      d = mixed(d, from + 48)
      e = i32x4.add(rotated(e, 11), a)
      f = i32x4.add(rotated(f, 11), b)
      g = i32x4.add(rotated(g, 11), c)
      h = i32x4.add(rotated(h, 11), d)
    }
    v128.store(at, a)
    v128.store(at, b, 16)
    v128.store(at, c, 32)
    v128.store(at, d, 48)
    v128.store(at, e, 128)
    v128.store(at, f, 144)
    v128.store(at, g, 160)
    v128.store(at, h, 176)
  }
}
