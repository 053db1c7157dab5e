/**
 * Whether a GPU computes what it should: a small network is run on it and on the reference engine. Drivers that overflow silently or reorder
 * what they must not are the field's best-known failure, and an embedding shows nothing of it.
 */
import type { WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { Plan, SlotName } from '../plan.js'
import { createReferenceEngine } from '../reference/reference-engine.js'

type Run = (
  plan: Plan,
  weights: WeightSource,
  output: SlotName,
  pixels: Float32Array,
  batch: number,
) => Promise<Float32Array>

const TOKENS = 70
const WIDTH = 72
const HIDDEN = 160
const BATCH = 2
/** Two products, two norms and an attention in float32, relative to the largest value; halves of the weights would be beyond it. */
const TOLERANCE = 2e-5

/** Throws `wrong-result`. */
export async function verifyDevice(name: string, run: Run): Promise<void> {
  const plan = smallPlan()
  const pixels = noise(BATCH * TOKENS * WIDTH, 1)
  const reference = createReferenceEngine()
  using model = await reference.load(plan, WEIGHTS)
  using program = model.compile(plan, ['y'])
  const expected = (await program.run(pixels, { batch: BATCH })).get('y') ?? new Float32Array()
  const actual = await run(plan, WEIGHTS, 'y', pixels, BATCH)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i])
    // Also where it is not a number.
    if (!(difference <= worst)) worst = difference
  }
  if (worst <= TOLERANCE * largest) return
  throw new EngineError(
    'wrong-result',
    `The GPU (${name}) computes wrongly: off by ${(worst / largest).toExponential(1)} of the largest value, where ${TOLERANCE} is allowed. ` +
      'Use another engine, and update the graphics driver.',
  )
}

/** A block as vision transformers have it, with an attention so sharp and values so large that halves would overflow. */
function smallPlan(): Plan {
  const slot = (width: number) => [TOKENS, width] as const
  return {
    input: 'x',
    slots: new Map([
      ['x', slot(WIDTH)],
      ['normed', slot(WIDTH)],
      ['qkv', slot(3 * WIDTH)],
      ['attended', slot(WIDTH)],
      ['projected', slot(WIDTH)],
      ['scaled', slot(WIDTH)],
      ['sum', slot(WIDTH)],
      ['normed again', slot(WIDTH)],
      ['hidden', slot(HIDDEN)],
      ['active', slot(HIDDEN)],
      ['out', slot(WIDTH)],
      ['y', slot(WIDTH)],
    ]),
    steps: [
      {
        op: 'norm',
        input: 'x',
        output: 'normed',
        kind: 'layerNorm',
        weight: 'norm',
        bias: 'bias',
        epsilon: 1e-6,
      },
      { op: 'linear', input: 'normed', output: 'qkv', weight: 'qkv', bias: 'qkv bias' },
      {
        op: 'attention',
        input: 'qkv',
        output: 'attended',
        heads: 2,
        scale: 1,
        queryNorm: null,
        keyNorm: null,
      },
      { op: 'linear', input: 'attended', output: 'projected', weight: 'proj', bias: null },
      { op: 'scale', input: 'projected', output: 'scaled', gamma: 'norm' },
      { op: 'add', input: 'x', branch: 'scaled', output: 'sum' },
      {
        op: 'norm',
        input: 'sum',
        output: 'normed again',
        kind: 'rmsNorm',
        weight: 'norm',
        bias: null,
        epsilon: 1e-6,
      },
      { op: 'linear', input: 'normed again', output: 'hidden', weight: 'up', bias: 'up bias' },
      { op: 'activation', input: 'hidden', output: 'active', kind: 'gelu' },
      { op: 'linear', input: 'active', output: 'out', weight: 'down', bias: 'bias' },
      { op: 'add', input: 'sum', branch: 'out', output: 'y' },
    ],
    weights: new Map([
      ['norm', [WIDTH]],
      ['bias', [WIDTH]],
      ['qkv', [3 * WIDTH, WIDTH]],
      ['qkv bias', [3 * WIDTH]],
      ['proj', [WIDTH, WIDTH]],
      ['up', [HIDDEN, WIDTH]],
      ['up bias', [HIDDEN]],
      ['down', [WIDTH, HIDDEN]],
    ]),
    constants: new Map(),
  }
}

/** Eighths, which halves hold exactly: the way that weights are kept is not what is tried here. */
const WEIGHTS: WeightSource = {
  read: async (name, shape) => {
    const length = shape.reduce((product, side) => product * side, 1)
    const size = name === 'down' ? 512 : 1
    return noise(length, length).map((value) => (Math.round(value * 8) / 8) * size)
  },
}

/** Uniform in [-1, 1), the same every time. */
function noise(length: number, seed: number): Float32Array {
  let state = seed | 1
  return Float32Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 31
  })
}
