/** Makes a vision transformer with pseudo-random weights for profiles, so that no file is needed. */

/** `parseArgs` takes these; the sizes are those of DINOv2's ViT-L/14 unless told otherwise. */
export const SIZE_OPTIONS = {
  width: { type: 'string', default: '1024' },
  heads: { type: 'string', default: '16' },
  depth: { type: 'string', default: '24' },
  patch: { type: 'string', default: '14' },
  size: { type: 'string', default: '518' },
  batch: { type: 'string', default: '1' },
}

/** Gives the sizes as numbers; there are as many `rows` of patches as columns. */
export function sizesFrom(values) {
  const sizes = Object.fromEntries(Object.keys(SIZE_OPTIONS).map((name) => [name, Number(values[name])]))
  return { ...sizes, rows: Math.floor(sizes.size / sizes.patch) }
}

/**
 * @param {{ width: number, heads: number, depth: number, patch: number, rows: number }} sizes
 * @returns what `planVit` takes, and the source of the weights
 */
export function pseudoRandomVit({ width, heads, depth, patch, rows }) {
  const config = {
    channels: 3,
    width,
    heads,
    depth,
    hidden: 4 * width,
    patchSize: patch,
    classToken: true,
    registers: 4,
    preNorm: false,
    norm: 'layerNorm',
    epsilon: 1e-6,
    finalNorm: 'tokens',
    layerScale: true,
    qkvBias: true,
    queryKeyNorm: false,
    attentionNorm: false,
    rotary: null,
    bias: null,
    block: 'preNorm',
    branches: 1,
    pooler: null,
    projection: null,
    positions: { rows, columns: rows, specialRows: false, rule: 'antialias' },
    mlp: 'ffn',
    activation: 'gelu',
    experts: null,
    stem: { kind: 'patchify', bias: true },
    pooling: { kind: 'class' },
    classifier: null,
  }
  // The longest array is that of a wide linear layer, of the positions, or of the patches where a network is tiny.
  const random = new Float32Array(Math.max(4 * width, rows * rows, 3 * patch ** 2) * width)
  for (let i = 0, state = 1; i < random.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    random[i] = state / 2 ** 31
  }
  const weights = {
    read: async (_name, shape) => {
      const count = shape.reduce((product, n) => product * n, 1)
      const scale = shape.length === 2 && shape[0] > 1 ? 1.7 / Math.sqrt(shape[1]) : 1
      return random.subarray(0, count).map((value) => value * scale)
    },
  }
  return { config, weights, positions: random.slice(0, rows * rows * width), random }
}
