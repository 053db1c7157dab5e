/**
 * Makes rows that lie as embeddings of photos do, from a seed: the same numbers on every machine. What is taken from real ones: variances that fall as a power of
 * their rank, in directions that are no axes; kinds of things whose sizes follow Zipf's law; scenes of a few photos within a kind; and bursts, photos that nearly
 * are each other. The numbers below were chosen, not fitted.
 */
import { dist } from './dist.mjs'

const { unitRows } = await dist('numerics/lengths.js')

/** Is how much of a row's variance is that of its kind, its scene and its own; a burst has less of its own. */
const SHARES = { common: 0.12, kind: 0.4, scene: 0.3, own: 0.18, burst: 0.02 }
const KINDS = 2000
/** The k-th kind is drawn in proportion to 1 / (k + ZIPF). */
const ZIPF = 8
/** The variance of the i-th direction is (i + 1) to this power: between kinds, and within them. */
const FALL = { kind: -1, within: -0.6 }
/** A scene has one photo more with this probability, and is a burst with the other. */
const STAYS = 0.8
const BURST = 0.12
const BLOCK = 20_000

/**
 * Gives blocks of rows [some, width] of length 1; `count` in all. Rows of one seed and of another lie around the same kinds.
 *
 * @param {{ count: number, width: number, seed?: number, products: import('../src/numerics/products.js').Products }} options
 */
export async function* madeEmbeddings({ count, width, seed = 1, products }) {
  const numbers = generator(seed)
  const spectrum = (fall) => {
    const roots = Float32Array.from({ length: width }, (_, i) => (i + 1) ** (fall / 2))
    const length = Math.hypot(...roots)
    return roots.map((root) => root / length)
  }
  const [between, within] = [spectrum(FALL.kind), spectrum(FALL.within)]
  const rotation = rotationOf(width)
  const kinds = noise(generator(77), KINDS * width, between)
  const common = noise(generator(78), width, between)
  const upTo = cumulative(KINDS)
  const scene = { left: 0, kind: 0, isBurst: false, centre: new Float32Array(width) }
  for (let first = 0; first < count; first += BLOCK) {
    const rows = new Float32Array(Math.min(BLOCK, count - first) * width)
    for (let at = 0; at < rows.length; at += width) {
      if (scene.left === 0) nextScene()
      scene.left--
      const own = Math.sqrt(scene.isBurst ? SHARES.burst : SHARES.own)
      for (let i = 0; i < width; i++) rows[at + i] = scene.centre[i] + own * numbers.normal() * within[i]
    }
    yield unitRows(await products.similarity(rows, rotation, width), width)
  }

  function nextScene() {
    const drawn = numbers.uniform() * upTo[KINDS - 1]
    let [low, high] = [0, KINDS - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle] < drawn) low = middle + 1
      else high = middle
    }
    scene.left = 1
    while (numbers.uniform() < STAYS) scene.left++
    scene.isBurst = numbers.uniform() < BURST
    const [c, k, s] = [SHARES.common, SHARES.kind, SHARES.scene].map(Math.sqrt)
    for (let i = 0; i < width; i++)
      scene.centre[i] = c * common[i] + k * kinds[low * width + i] + s * numbers.normal() * within[i]
  }
}

function cumulative(count) {
  let sum = 0
  return Float64Array.from({ length: count }, (_, k) => (sum += 1 / (k + ZIPF)))
}

function noise(numbers, length, roots) {
  return Float32Array.from({ length }, (_, i) => numbers.normal() * roots[i % roots.length])
}

/** Gives rows at right angles (Gram and Schmidt), so that no direction of the spectrum is an axis. */
function rotationOf(width) {
  const numbers = generator(79)
  const rows = Float64Array.from({ length: width * width }, () => numbers.normal())
  for (let at = 0; at < rows.length; at += width) {
    for (let before = 0; before < at; before += width) {
      let along = 0
      for (let i = 0; i < width; i++) along += rows[at + i] * rows[before + i]
      for (let i = 0; i < width; i++) rows[at + i] -= along * rows[before + i]
    }
    let square = 0
    for (let i = 0; i < width; i++) square += rows[at + i] ** 2
    for (let i = 0; i < width; i++) rows[at + i] /= Math.sqrt(square)
  }
  return Float32Array.from(rows)
}

/** Gives numbers by xorshift; four bytes of one, added up, nearly are of a normal distribution. */
function generator(seed) {
  let state = Math.imul(seed + 1, 0x85ebca77) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state
  }
  // Numbers that begin alike are passed over.
  for (let i = 0; i < 20; i++) next()
  /** Four bytes have this deviation. */
  const deviation = 2 * Math.sqrt((256 * 256 - 1) / 12)
  return {
    uniform: () => (next() >>> 0) / 2 ** 32,
    normal() {
      const bits = next()
      return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / deviation
    },
  }
}
