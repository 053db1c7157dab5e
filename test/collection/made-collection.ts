/** Makes collections of made rows, for tests of what is done with them. */
import type { About } from '../../src/collection/store.js'

export function aboutFor(width: number, more: Partial<About> = {}): About {
  return {
    format: 1,
    identity: {
      digest: 'd'.repeat(64),
      weights: 'w'.repeat(64),
      settings: '{}',
      precision: 'float32',
      recipe: 'made',
      model: 'made',
      engine: 'none',
    },
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
