/** Runs whole networks on every path: with all values as outputs nothing is fused, with the last one everything is; both must be right. */
import { afterAll, describe, expect, test } from 'vitest'
import type { WeightSource } from '../../src/engine/engine.js'
import type { SlotName } from '../../src/engine/plan.js'
import { inputLength } from '../../src/engine/plan-lookup.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { planVit, type VitPlan } from '../../src/model/plan-vit.js'
import { PLAIN, type RoutedExperts, type VitConfig } from '../../src/model/vit-config.js'
import { createNativeEngine } from '../../src/platform/node/native/index.js'
import { createWasmEngine } from '../../src/platform/node/wasm/index.js'
import { ENGINE_VARIANTS, type EngineVariant } from '../support/engines.js'
import { named, outputOf, pseudoRandom, relativeError, weights } from './one-step.js'

const GRID = { rows: 3, columns: 4 }
const BASE: VitConfig = {
  ...PLAIN,
  network: null,
  size: [21, 28],
  channels: 3,
  patchSize: 7,
  width: 48,
  depth: 2,
  heads: 3,
  hidden: 80,
  classToken: true,
  registers: 4,
  epsilon: 1e-6,
  layerScale: true,
  mlp: 'ffn',
  activation: 'gelu',
  pooling: { kind: 'class' },
  classifier: { kind: 'linear', classes: 10, bias: true },
  positions: { rows: 3, columns: 4, specialRows: false, rule: 'antialias' },
  rgbStats: { mean: [0, 0, 0], std: [1, 1, 1] },
}
const VARIANTS: Readonly<Record<string, Partial<VitConfig>>> = {
  'DINOv2 with registers': {},
  SwiGLU: { mlp: 'swiglu', activation: 'silu' },
  'normed SwiGLU, q and k normed, merged heads normed': {
    mlp: 'normSwiglu',
    activation: 'silu',
    queryKeyNorm: true,
    attentionNorm: true,
  },
  'RMS norm, norm in front, no layer scale': { norm: 'rmsNorm', layerScale: false, preNorm: true },
  'mean pooling, norm after it': { pooling: { kind: 'mean' }, finalNorm: 'pooled' },
  'attention pooling': {
    pooling: {
      kind: 'attention',
      heads: 4,
      epsilon: 1e-6,
      hidden: 64,
      activation: 'gelu',
      specialTokens: true,
    },
  },
  'probe pooling': { pooling: { kind: 'probe', heads: 4, latents: 4, specialTokens: false } },
  'soft mixture of experts': { mlp: 'softMoe', experts: { count: 4, slots: 3 } },
  'hMLP stem': { stem: { kind: 'hmlp', norm: 'layerNorm' }, patchSize: 16 },
}
const FINE: RoutedExperts = {
  blocks: [1],
  count: 5,
  hidden: 56,
  routing: { kind: 'sigmoid', choices: 2 },
  fine: { bias: true, shared: 1, special: 2, scale: 1.5 },
}
/** Are of the native engine alone. */
const ROUTED_VARIANTS: Readonly<Record<string, Partial<VitConfig>>> = {
  'tokens choose experts, others answer special tokens and all': { experts: FINE },
  'experts choose tokens': {
    experts: {
      ...FINE,
      routing: { kind: 'byExperts', capacityFactor: 1.5 },
      fine: { bias: false, shared: 0, special: 0, scale: 1 },
    },
  },
  'experts whose room ends': {
    experts: {
      ...FINE,
      routing: { kind: 'softmax', choices: 2, capacityFactor: 0.7, multipleOf: 1 },
      fine: null,
    },
  },
}
/** Some 20 products follow each other, each of them within 2e-6 at worst and 3e-7 as a rule. */
const TOLERANCE = 2e-6

function positionTables(rows: number, width: number) {
  return new Map([['positions', { shape: [rows, width], values: pseudoRandom(rows * width, 5) }]])
}

function vit(variant: Partial<VitConfig>): VitPlan {
  return planVit({ ...BASE, ...variant }, GRID, positionTables(12, BASE.width))
}

function pixelsFor({ plan }: VitPlan, batch: number): Float32Array {
  return pseudoRandom(batch * inputLength(plan), 9)
}

const expectations = new Map<Partial<VitConfig>, Promise<ReadonlyMap<SlotName, Float32Array>>>()

/** Computes every value of a network on the reference engine, for a batch of two and once for all engines. */
function expectedOf(variant: Partial<VitConfig>): Promise<ReadonlyMap<SlotName, Float32Array>> {
  const compute = async () => {
    const made = vit(variant)
    using reference = await createReferenceEngine().load(made.plan, weights)
    return await reference
      .compile(made.plan, [...made.plan.slots.keys()])
      .run(pixelsFor(made, 2), { batch: 2 })
  }
  const known = expectations.get(variant) ?? compute()
  expectations.set(variant, known)
  return known
}

const exact = ENGINE_VARIANTS.filter(({ precision }) => precision === 'float32')

describe.each(exact.map(named))('networks, %s', (_, { engine, name }) => {
  const variants = { ...VARIANTS, ...(name.startsWith('native') ? ROUTED_VARIANTS : {}) }
  test.each(Object.entries(variants))('%s: every value, and the last ones alone', async (_, variant) => {
    const made = vit(variant)
    const { plan, slots } = made
    const everything = [...plan.slots.keys()]
    const last = slots.logits === null ? [slots.tokens] : [slots.tokens, slots.logits]
    const pixels = pixelsFor(made, 2)
    const expected = await expectedOf(variant)
    using model = await (await engine()).load(plan, weights)
    for (const outputs of [everything, last]) {
      using program = model.compile(plan, outputs)
      const actual = await program.run(pixels, { batch: 2 })
      expect([...actual.keys()].sort()).toEqual([...outputs].sort())
      for (const [slot, values] of actual) {
        const error = relativeError(values, outputOf(expected, slot))
        expect(error, slot).toBeLessThanOrEqual(TOLERANCE)
      }
    }
  })
})

/** An emulated GPU would take minutes. */
const onProcessors = exact.filter(({ name }) => !name.startsWith('webgpu'))

/** The golden cases of the real network are run by the fastest path, with which the others are compared here: all blocks of it are alike. */
describe('two blocks as large as those of ViT-L', () => {
  const large: VitConfig = { ...BASE, size: [224, 224], patchSize: 14, width: 1024, heads: 16, hidden: 4096 }
  const { plan, slots } = planVit(large, { rows: 16, columns: 16 }, positionTables(256, 1024))
  const pixels = pseudoRandom(3 * 224 * 224, 9)
  const kept = new Map<string, Promise<Float32Array>>()
  /** Makes each weight once for all paths. */
  const lasting: WeightSource = {
    read: (name, shape) => {
      const known = kept.get(name) ?? weights.read(name, shape)
      kept.set(name, known)
      return known
    },
  }
  afterAll(() => kept.clear())
  const tokensOn = async ({ engine }: EngineVariant) => {
    using model = await (await engine()).load(plan, lasting)
    using program = model.compile(plan, [slots.tokens])
    return outputOf(await program.run(pixels), slots.tokens)
  }
  const [first, ...others] = onProcessors
  let expected: Promise<Float32Array> | undefined
  test.each(others.map(named))('%s: its long sums are those of the fastest path', async (_, other) => {
    if (first === undefined) return expect.unreachable('the others come after it')
    expected ??= tokensOn(first)
    expect(relativeError(await tokensOn(other), await expected)).toBeLessThanOrEqual(TOLERANCE)
  })
})

test.each([
  ['native', 2, createNativeEngine, {}],
  ['native', 3, createNativeEngine, {}],
  ['native with routed experts', 3, createNativeEngine, { experts: FINE }],
  ['wasm', 2, createWasmEngine, {}],
  ['wasm', 3, createWasmEngine, {}],
] as const)('%s: %i threads give the same bits as one', async (_, threads, create, variant) => {
  const made = vit(variant)
  const pixels = pixelsFor(made, 3)
  const run = async (count: number) => {
    using model = await create({ threads: count }).load(made.plan, weights)
    using program = model.compile(made.plan, [made.slots.tokens])
    return (await program.run(pixels, { batch: 3 })).get(made.slots.tokens)
  }
  expect(await run(threads)).toEqual(await run(1))
})

const SOFT: Partial<VitConfig> = { mlp: 'softMoe', experts: { count: 4, slots: 3 } }
test.each([
  ['native', createNativeEngine, SOFT],
  ...Object.values(ROUTED_VARIANTS).map(
    (variant) => ['native, routed', createNativeEngine, variant] as const,
  ),
  ['wasm', createWasmEngine, SOFT],
] as const)(
  '%s: a batch gives the same bits as its images one by one, whatever ran before',
  async (_, create, variant) => {
    const made = vit(variant)
    const batch = 5
    const pixels = pixelsFor(made, batch)
    using model = await create().load(made.plan, weights)
    using program = model.compile(made.plan, [made.slots.tokens])
    const whole = outputOf(await program.run(pixels, { batch }), made.slots.tokens)
    const size = pixels.length / batch
    for (let image = 0; image < batch; image++) {
      const single = await program.run(pixels.subarray(image * size, (image + 1) * size))
      const length = whole.length / batch
      expect(single.get(made.slots.tokens)).toEqual(whole.slice(image * length, (image + 1) * length))
    }
  },
)
