/** Tries what weights of attention owe beside being right (cases.ts): each row by itself, batches, threads, signals, and the attention that they are of. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import type { Attention, Step } from '../../src/engine/plan.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { createNativeEngine } from '../../src/platform/node/native/index.js'
import { createWasmEngine } from '../../src/platform/node/wasm/index.js'
import { ENGINE_VARIANTS } from '../support/engines.js'
import { named, normWeights, outputOf, planOf, pseudoRandom, type StepPlan, weights } from './one-step.js'

const [TOKENS, HEADS, HEAD_WIDTH] = [167, 2, 64]
const WIDTH = HEADS * HEAD_WIDTH

const ATTENTION: Attention = {
  op: 'attention',
  input: 'x',
  output: 'merged',
  heads: HEADS,
  scale: 3 * HEAD_WIDTH ** -0.5,
  queryNorm: null,
  keyNorm: normWeights('rmsNorm', 'k_norm', false),
  rotary: { table: 'angles', pairs: 'halves' },
  bias: null,
  mask: null,
  groups: 1,
}

/** Looks at an attention in every way: at all rows, at two, and at the mean of the heads. */
function looking(): StepPlan {
  const { op: _, ...same } = ATTENTION
  const look = { ...same, op: 'attentionWeights', rows: null, chosen: null, fusion: 'none' } as const
  const steps: readonly Step[] = [
    { ...look, output: 'all' },
    { ...look, output: 'two', rows: 'rows' },
    ATTENTION,
    { ...look, output: 'mean', fusion: 'mean' },
  ]
  return planOf(
    [TOKENS, 3 * WIDTH],
    steps,
    {
      all: [HEADS * TOKENS, TOKENS],
      two: [HEADS * 2, TOKENS],
      merged: [TOKENS, WIDTH],
      mean: [TOKENS, TOKENS],
    },
    { 'k_norm.weight': [HEAD_WIDTH] },
    {
      angles: { shape: [TOKENS, 2 * HEAD_WIDTH], values: pseudoRandom(TOKENS * 2 * HEAD_WIDTH, 5) },
      rows: { shape: [2, 1], values: Float32Array.of(0, 166) },
    },
  )
}

const LOOKS = ['all', 'two', 'mean'] as const
const PIXELS = TOKENS * 3 * WIDTH

async function run(
  engine: Engine,
  outputs: readonly string[],
  pixels: Float32Array,
  batch = 1,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { plan } = looking()
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, outputs)
  return await program.run(pixels, { batch })
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? Number.NaN), 0)
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b))
}

function rowsOf(values: Float32Array): readonly Float32Array[] {
  return Array.from({ length: values.length / TOKENS }, (_, r) =>
    values.subarray(r * TOKENS, (r + 1) * TOKENS),
  )
}

const pixels = pseudoRandom(2 * PIXELS, 11)
const expected = run(createReferenceEngine(), LOOKS, pixels, 2)

// A GPU's ways to multiply are the affair of linear layers alone.
const VARIANTS = ENGINE_VARIANTS.filter(
  ({ name, precision }) => !name.startsWith('webgpu') || precision === 'float32',
)

describe.each(VARIANTS.map(named))('weights of attention, %s', (_, variant) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await variant.engine()
  })

  test('each row sums to 1 and points where the reference does, to a cosine of 0.999', async () => {
    const found = await run(engine, LOOKS, pixels, 2)
    for (const slot of LOOKS) {
      const wanted = rowsOf(outputOf(await expected, slot))
      for (const [r, row] of rowsOf(outputOf(found, slot)).entries()) {
        const sum = row.reduce((total, value) => total + value, 0)
        expect(Math.abs(sum - 1), `${slot}, row ${r}`).toBeLessThan(1e-5)
        expect(cosine(row, wanted[r] ?? row.subarray(0, 0)), `${slot}, row ${r}`).toBeGreaterThan(0.999)
      }
    }
  })

  test('a batch has the bits of its images one by one', async () => {
    const whole = await run(engine, LOOKS, pixels, 2)
    const first = await run(engine, LOOKS, pixels.subarray(0, PIXELS))
    for (const slot of LOOKS) {
      const values = outputOf(first, slot)
      expect(outputOf(whole, slot).slice(0, values.length)).toEqual(values)
    }
  })

  test('an attention that is looked at has the bits of one that is not', async () => {
    const one = pixels.subarray(0, PIXELS)
    const seen = outputOf(await run(engine, [...LOOKS, 'merged'], one), 'merged')
    expect(seen).toEqual(outputOf(await run(engine, ['merged'], one), 'merged'))
  })
})

test.each([
  ['native', createNativeEngine],
  ['wasm', createWasmEngine],
] as const)('%s: any number of threads gives the same bits of weights', async (_, create) => {
  const alone = await run(create({ threads: 1 }), LOOKS, pixels, 2)
  for (const threads of [2, 3, 7]) {
    expect(await run(create({ threads }), LOOKS, pixels, 2)).toEqual(alone)
  }
})

test('a signal gives up weights while they are made', async () => {
  const [tokens, heads] = [2000, 32]
  const { op: _, ...same } = ATTENTION
  const plain = { ...same, heads, keyNorm: null, rotary: null }
  const { plan, output } = planOf(
    [tokens, 3 * heads * HEAD_WIDTH],
    [{ ...plain, op: 'attentionWeights', output: 'y', rows: null, chosen: null, fusion: 'max' }],
    { y: [tokens, tokens] },
  )
  using model = await createNativeEngine({ threads: 1 }).load(plan, weights)
  using program = model.compile(plan, [output])
  const given = new Float32Array(tokens * 3 * heads * HEAD_WIDTH)
  const controller = new AbortController()
  const reason = new Error('enough')
  const running = program.run(given, { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 5)
  await expect(running).rejects.toBe(reason)
})
