/** Is what the embeddings of benches rest on whose encoder makes numbers up. */
export const MADE_IDENTITY = {
  digest: 'ab'.repeat(32),
  weights: 'cd'.repeat(32),
  settings: '{}',
  precision: 'float32',
  recipe: 'none',
  model: 'made up',
  engine: 'none',
}
