/** Measures the error of the vectorised elementary functions and activations, over their whole range, on every path. */
import { describe, expect, test } from 'vitest'
import { type ActivationKind, ACTIVATIONS as ALL, FUNCTIONS } from '../../src/engine/ops.js'
import { ACTIVATIONS } from '../../src/kernels/activation.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { loadAddon } from '../../src/platform/node/native/load-addon.js'
import { ENGINE_VARIANTS } from '../support/engines.js'
import { named, outputOf, planOf, weights } from './one-step.js'

const addon = loadAddon()
const KINDS = Object.keys(ACTIVATIONS) as ActivationKind[]
/** Functions come behind the activations that are made of them. */
const codeOf = (name: (typeof FUNCTIONS)[number]) => ALL.length + FUNCTIONS.indexOf(name)

/** Lists numbers evenly from `low` to `high`, both included. */
function between(low: number, high: number, count = 20_001): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))
}

/** Lists every 4099th float from -0 down to `low`, so that all sizes have their share, and those on both sides of each whole number. */
function floatsDownTo(low: number): Float32Array {
  const bits = new Uint32Array(Float32Array.of(-0, low).buffer)
  const [first = 0, last = 0] = bits
  const all = Array.from({ length: Math.floor((last - first) / 4099) + 1 }, (_, i) => first + 4099 * i)
  const whole = new Uint32Array(Float32Array.from({ length: -low }, (_, i) => -1 - i).buffer)
  return new Float32Array(
    Uint32Array.from([...all, ...[...whole].flatMap((at) => [at - 1, at, at + 1])]).buffer,
  )
}

/** Returns the distance from one float32 to the next at the size of x. */
function ulp(x: number): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23)
}

/** Returns the largest error of y against the truth of x, in units of its own. */
function worst(
  y: Float32Array,
  x: Float32Array,
  truth: (x: number) => number,
  unit: (y: number, x: number) => number,
): number {
  let most = 0
  for (const [i, value] of x.entries()) {
    const wanted = truth(value)
    most = Math.max(most, Math.abs((y[i] ?? Number.NaN) - wanted) / unit(wanted, value))
  }
  return most
}

describe.each(nativeAvailability().instructionSets)('%s', (instructionSet) => {
  const engine = addon.createEngine(instructionSet, 1)
  const evaluate = (code: number, x: Float32Array) => {
    const y = new Float32Array(x.length)
    addon.evaluate(engine, code, x, y)
    return y
  }

  test('exp is within 2 units in the last place from 1e-37 to 3e38', () => {
    const x = between(-85, 88.7)
    expect(worst(evaluate(codeOf('exp'), x), x, Math.exp, ulp)).toBeLessThanOrEqual(2)
  })

  test('exp2 of softmax is within 2 units in the last place down to 2^-125', () => {
    const x = floatsDownTo(-125)
    expect(worst(evaluate(codeOf('exp2'), x), x, (value) => 2 ** value, ulp)).toBeLessThanOrEqual(2)
  })

  test('exp2 of weights that become bfloat16 is within 8e-5 of its value, down to 2^-125', () => {
    const relative = (y: number) => y
    const x = floatsDownTo(-125)
    expect(worst(evaluate(codeOf('exp2Short'), x), x, (value) => 2 ** value, relative)).toBeLessThanOrEqual(
      8e-5,
    )
    expect(evaluate(codeOf('exp2Short'), Float32Array.of(Number.NaN))[0]).toBeNaN()
  })

  test('expm1 is within 3 units in the last place, near 0 too', () => {
    for (const range of [between(-1e-3, 1e-3), between(-20, 80)]) {
      expect(worst(evaluate(codeOf('expm1'), range), range, Math.expm1, ulp)).toBeLessThanOrEqual(3)
    }
  })

  test('gelu for values that become bfloat16 is within 2e-5', () => {
    const absolute = () => 1
    for (const range of [between(-6, 6), between(-100, 100)]) {
      expect(
        worst(evaluate(codeOf('geluShort'), range), range, ACTIVATIONS.gelu, absolute),
      ).toBeLessThanOrEqual(2e-5)
    }
  })
})

const exact = ENGINE_VARIANTS.filter(({ precision }) => precision === 'float32')
describe.each(exact.map(named))('activations, %s', (_, { engine }) => {
  /** Runs a plan of that one step. */
  const evaluate = async (kind: ActivationKind, x: Float32Array) => {
    const step = { op: 'activation', input: 'x', output: 'y', kind } as const
    const { plan, output } = planOf([1, x.length], [step], { y: [1, x.length] })
    using model = await (await engine()).load(plan, weights)
    using program = model.compile(plan, [output])
    return outputOf(await program.run(x), output)
  }

  test.each(KINDS)('%s is within 3e-7 of the larger of its input and its value', async (kind) => {
    const unit = (y: number, x: number) => Math.max(Math.abs(x), Math.abs(y), 1e-30)
    for (const range of [between(-40, 40), between(-6, 6), between(-0.01, 0.01, 20_000)]) {
      const actual = await evaluate(kind, range)
      expect(worst(actual, range, ACTIVATIONS[kind], unit)).toBeLessThanOrEqual(3e-7)
    }
  })

  test.each(KINDS)(
    '%s of infinities is what the formula gives, or its limit; of NaN it is NaN',
    async (kind) => {
      const [none, most = Number.NaN, least] = await evaluate(kind, Float32Array.of(Number.NaN, 1e30, -1e30))
      expect(none).toBeNaN()
      expect(Math.abs(most - Math.fround(ACTIVATIONS[kind](1e30)))).toBeLessThanOrEqual(1e24)
      expect(least).not.toBeNaN()
    },
  )
})
