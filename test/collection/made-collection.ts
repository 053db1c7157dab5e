/** Makes collections of made rows, for tests of what is done with them. */
import { createHash } from 'node:crypto'
import type { About } from '../../src/collection/store.js'
import type { Identity } from '../../src/encoder/types.js'
import { unitRows } from '../../src/numerics/lengths.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'

export function aboutFor(width: number, more: Partial<About> = {}): About {
  return {
    format: 1,
    identity: identityOfMade(),
    model: { source: 'small', options: {} },
    width,
    dtype: 'float16',
    roots: {},
    columns: [],
    ...more,
  }
}

/** Gives an id whose order is that of the numbers. */
export function idOf(at: number): string {
  return at.toString(16).padStart(32, '0')
}

/** Is as an encoder's identity is: the digest is that of weights and settings. */
export function identityOfMade(): Identity {
  const weights = 'ab'.repeat(32)
  const settings = '{}'
  const digest = createHash('sha256').update(`${weights}\n${settings}`).digest('hex')
  return { digest, weights, settings, precision: 'float32', recipe: 'made', model: 'made', engine: 'none' }
}

/** Gives rows [count, width] of length 1 that lie around forty directions, which are the same for every seed. */
export function rowsAroundDirections(count: number, width: number, seed: number): Float32Array {
  const random = seededRandom(7)
  const centres = Float32Array.from({ length: 40 * width }, () => random() - 0.5)
  const own = seededRandom(seed)
  const rows = Float32Array.from(
    { length: count * width },
    (_, i) => (own() - 0.5) * 0.5 + (centres[(Math.floor(i / width) % 40) * width + (i % width)] ?? 0),
  )
  return unitRows(rows, width)
}
