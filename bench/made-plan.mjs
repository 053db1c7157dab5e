/** Holds what jobs of benches are made with whose encoder makes numbers up. */

/** Is what their embeddings rest on. */
const MADE_IDENTITY = {
  digest: 'ab'.repeat(32),
  weights: 'cd'.repeat(32),
  settings: '{}',
  precision: 'float32',
  recipe: 'none',
  model: 'made up',
  engine: 'none',
}

export const WIDTH = 384
export const ROWS_PER_PART = 6000

/** Is what a plan of them is made with, beside its source, its storage and the hash. */
export const MADE_PLAN = {
  identity: MADE_IDENTITY,
  width: WIDTH,
  model: { source: 'made up', options: {} },
  settings: { dtype: 'float16', rowsPerPart: ROWS_PER_PART, maxFailed: 0.01, unique: false },
  queue: null,
  tryConditionalWrites: async () => {},
}
