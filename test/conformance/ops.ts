/**
 * Compares every op, on every path and in every precision of every engine that runs here, with the reference engine. A new op is rows in cases.ts;
 * nothing else changes.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.js'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { ENGINE_VARIANTS, NOT_TRIED } from '../support/engines.js'
import type { Case } from './case.js'
import { casesFor, runCase } from './cases.js'
import { named, outputOf, planOf, pseudoRandom, relativeError, weights } from './one-step.js'

for (const line of NOT_TRIED) console.warn(`not run: ${line}`)

/**
 * Rounding the operands of a product can make errors of this size, beside the largest value: 2^-9 for each of two, growing with what follows
 * the product; bytes have 2^-8 of the largest of a row. `high` rounds to 2^-17; halves of weights to 2^-11.
 */
const NARROW = { high: 5e-5, bfloat16: 0.03, float16: 0.004, int8: 0.06 } as const

const expectations = new Map<Case, Promise<Float32Array>>()

function expected(row: Case): Promise<Float32Array> {
  const known = expectations.get(row) ?? runCase(createReferenceEngine(), row)
  expectations.set(row, known)
  return known
}

function isLinear({ make }: Case): boolean {
  return make().plan.steps.every(({ op }) => op === 'linear')
}

describe.each(ENGINE_VARIANTS.map(named))('ops, %s', (_, { precision, ...variant }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await variant.engine()
  })
  // A GPU's ways to multiply are the affair of linear layers alone, and an emulation is slow to compile them.
  const isWay = variant.name.startsWith('webgpu') && precision !== 'float32'
  const [engineName = ''] = variant.name.split(',')
  const cases = casesFor(engineName)
  const rows = isWay ? cases.filter(isLinear) : cases
  test.each(rows.map(named))('%s agrees with the reference', async (_, row) => {
    const actual = await runCase(engine, row)
    expect(relativeError(actual, await expected(row))).toBeLessThanOrEqual(
      precision === 'float32' ? row.tolerance : Math.max(row.tolerance, NARROW[precision]),
    )
  })

  // Bfloat16 holds these values, so that scores are exact and only their size, up to 1000, is on trial.
  test('attention stands scores whose exponentials no float can hold', async () => {
    const [tokens, width] = [70, 64]
    const { plan, output } = planOf(
      [tokens, 3 * width],
      [
        {
          op: 'attention',
          input: 'x',
          output: 'y',
          heads: 2,
          scale: 40,
          queryNorm: null,
          keyNorm: null,
          rotary: null,
          bias: null,
          mask: null,
          groups: 1,
        },
      ],
      { y: [tokens, width] },
      {},
    )
    const pixels = pseudoRandom(tokens * 3 * width, 3).map((value) => Math.round(value * 8) / 8)
    const on = async (someEngine: Engine) => {
      using model = await someEngine.load(plan, weights)
      using program = model.compile(plan, [output])
      return outputOf(await program.run(pixels), output)
    }
    const error = relativeError(await on(engine), await on(createReferenceEngine()))
    expect(error).toBeLessThanOrEqual(precision === 'float32' ? 1e-4 : 0.01)
  })
})
