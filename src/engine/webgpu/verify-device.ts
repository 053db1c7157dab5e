/**
 * Tries whether a GPU computes what it should: small networks are run on it and on the reference engine, one of them with each tile of products.
 * Drivers that overflow silently or reorder what they must not are the field's best-known failure, and an embedding shows nothing of it.
 */
import { elementCount } from '../../tensor/shape.js'
import type { WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { Plan, SlotName, Step } from '../plan.js'
import { createReferenceEngine } from '../reference/reference-engine.js'
import type { ShaderSupport } from './shader-support.js'

type Run = (
  plan: Plan,
  weights: WeightSource,
  output: SlotName,
  pixels: Float32Array<ArrayBuffer>,
  batch: number,
  onlyTile: number | null,
) => Promise<Float32Array>

const TOKENS = 70
/** Makes heads that matrix units can hold. */
const WIDTH = 128
const BATCH = 2
/** Two products, two norms and an attention in float32 stay within this of the largest value; halves of the weights would be beyond it. */
const TOLERANCE = 2e-5
/** They stay within this with operands of products rounded to halves, by 2^-11 at most. What a score is off by grows with its size: scores are small then. */
const HALF_TOLERANCE = 5e-3

const HALF_SCALE = 1 / 64
/** So small a network does not take these by itself. */
const LARGER_TILES = [0, 1]

/** Throws `wrong-result`. */
export async function verifyDevice(name: string, { half }: ShaderSupport, run: Run): Promise<void> {
  const scale = half ? HALF_SCALE : 1
  await compare(name, half, smallPlan(scale), 'y', run, [null])
  await compare(name, half, productsPlan(scale), 'attended', run, LARGER_TILES)
  if (half) await verifyOverflow(name, run)
}

async function compare(
  name: string,
  half: boolean,
  plan: Plan,
  output: SlotName,
  run: Run,
  tiles: readonly (number | null)[],
): Promise<void> {
  const pixels = noise(BATCH * TOKENS * WIDTH, 1)
  const reference = createReferenceEngine()
  using model = await reference.load(plan, WEIGHTS)
  using program = model.compile(plan, [output])
  const expected = (await program.run(pixels, { batch: BATCH })).get(output)
  if (expected === undefined) throw new Error(`The reference engine gave no values for ${output}.`)
  const found = tiles.map((onlyTile) => run(plan, WEIGHTS, output, pixels, BATCH, onlyTile))
  for (const actual of await Promise.all(found)) assertClose(name, half, actual, expected)
}

function assertClose(name: string, half: boolean, actual: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let worst = 0
  for (const [i, wanted] of expected.entries()) {
    const difference = Math.abs((actual[i] ?? Number.NaN) - wanted)
    // What is not a number is the worst of all.
    if (!(difference <= worst)) worst = difference
  }
  const tolerance = half ? HALF_TOLERANCE : TOLERANCE
  if (!(worst <= tolerance * largest)) {
    const off = (worst / largest).toExponential(1)
    throw wrongResult(name, `off by ${off} of the largest value, where ${tolerance} is allowed`)
  }
}

/** What no half can hold must not pass for a number: the result tells of it by being none. */
async function verifyOverflow(name: string, run: Run): Promise<void> {
  const plan: Plan = {
    inputs: [{ kind: 'pixels', slot: 'x' }],
    slots: new Map([
      ['x', [TOKENS, WIDTH]],
      ['y', [TOKENS, WIDTH]],
    ]),
    steps: [{ op: 'linear', input: 'x', output: 'y', weight: 'proj', bias: 'bias' }],
    weights: new Map([
      ['proj', [WIDTH, WIDTH]],
      ['bias', [WIDTH]],
    ]),
    constants: new Map(),
  }
  const ones: WeightSource = {
    read: async (_, shape) => new Float32Array(elementCount(shape)).fill(1),
  }
  const result = await run(plan, ones, 'y', new Float32Array(TOKENS * WIDTH).fill(1e6), 1, null)
  if (result.some(Number.isFinite))
    throw wrongResult(name, 'values beyond the range of halves become other numbers')
}

function wrongResult(name: string, what: string): EngineError {
  return new EngineError(
    'wrong-result',
    `The GPU (${name}) computes wrongly: ${what}. Use another engine, and update the graphics driver.`,
  )
}

function attention(scale: number): Step {
  return {
    op: 'attention',
    input: 'qkv',
    output: 'attended',
    heads: 2,
    scale,
    queryNorm: null,
    keyNorm: null,
    rotary: null,
    bias: null,
    mask: null,
    groups: 1,
  }
}

/** Has the products of a block alone. */
function productsPlan(scale: number): Plan {
  return {
    inputs: [{ kind: 'pixels', slot: 'x' }],
    slots: new Map([
      ['x', [TOKENS, WIDTH]],
      ['qkv', [TOKENS, 3 * WIDTH]],
      ['attended', [TOKENS, WIDTH]],
    ]),
    steps: [{ op: 'linear', input: 'x', output: 'qkv', weight: 'qkv', bias: 'qkv bias' }, attention(scale)],
    weights: new Map([
      ['qkv', [3 * WIDTH, WIDTH]],
      ['qkv bias', [3 * WIDTH]],
    ]),
    constants: new Map(),
  }
}

/**
 * Has what vision transformers are made of, with an attention so sharp and values so large that halves would overflow. Two kinds of linear layers
 * between them have all that may follow a product: on some drivers each kind takes seconds to compile.
 */
function smallPlan(scale: number): Plan {
  const slot = (width: number) => [TOKENS, width] as const
  return {
    inputs: [{ kind: 'pixels', slot: 'x' }],
    slots: new Map([
      ['x', slot(WIDTH)],
      ['normed', slot(WIDTH)],
      ['qkv', slot(3 * WIDTH)],
      ['attended', slot(WIDTH)],
      ['projected', slot(WIDTH)],
      ['active', slot(WIDTH)],
      ['scaled', slot(WIDTH)],
      ['sum', slot(WIDTH)],
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
      attention(scale),
      { op: 'linear', input: 'attended', output: 'projected', weight: 'large', bias: 'bias' },
      { op: 'activation', input: 'projected', output: 'active', kind: 'gelu' },
      { op: 'scale', input: 'active', output: 'scaled', gamma: 'norm' },
      { op: 'add', input: 'x', branch: 'scaled', output: 'sum' },
      {
        op: 'norm',
        input: 'sum',
        output: 'y',
        kind: 'rmsNorm',
        weight: 'norm',
        bias: null,
        epsilon: 1e-6,
      },
    ],
    weights: new Map([
      ['norm', [WIDTH]],
      ['bias', [WIDTH]],
      ['qkv', [3 * WIDTH, WIDTH]],
      ['qkv bias', [3 * WIDTH]],
      ['large', [WIDTH, WIDTH]],
    ]),
    constants: new Map(),
  }
}

/** Gives eighths, which halves hold exactly: the way that weights are kept is not what is tried here. */
const WEIGHTS: WeightSource = {
  read: async (name, shape) => {
    const length = elementCount(shape)
    const size = name === 'large' ? 512 : 1
    return noise(length, length).map((value) => (Math.round(value * 8) / 8) * size)
  },
}

/** Gives numbers uniform in [-1, 1), the same every time. */
function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed | 1
  return Float32Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 31
  })
}
