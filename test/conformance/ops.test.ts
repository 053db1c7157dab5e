/**
 * Every op, on every path of every engine that runs here, against the reference engine. A new path is one line in `paths`; a new op is
 * rows in cases.ts. Nothing else changes.
 */
import { describe, expect, test } from 'vitest'
import { createReferenceEngine } from '../../src/engine/reference/reference-engine.js'
import { createNativeEngine, nativeAvailability } from '../../src/platform/node/native/index.js'
import { elementCount } from '../../src/tensor/shape.js'
import { CASES, type Case } from './cases.js'
import { pseudoRandom, relativeError, weights } from './one-step.js'

const ALL = ['avx512', 'avx2', 'generic'] as const
const { instructionSets } = nativeAvailability()
const paths = ALL.filter((path) => instructionSets.includes(path))
for (const path of ALL) if (!paths.includes(path)) console.warn(`not run: ${path} (this processor lacks it)`)

const BATCH = 2
const expectations = new Map<Case, Promise<Float32Array>>()

async function runOn(
  engine: ReturnType<typeof createReferenceEngine>,
  { make }: Case,
): Promise<Float32Array> {
  const { plan, output } = make()
  using model = await engine.load(plan, weights)
  using program = model.compile(plan, [output])
  const pixels = pseudoRandom(BATCH * elementCount(plan.slots.get('x') ?? []), 7)
  return (await program.run(pixels, { batch: BATCH })).get(output) ?? new Float32Array()
}

function expected(row: Case): Promise<Float32Array> {
  const known = expectations.get(row) ?? runOn(createReferenceEngine(), row)
  expectations.set(row, known)
  return known
}

describe.each(paths)('native engine, %s', (instructionSet) => {
  const engine = createNativeEngine({ instructionSet })
  test.each(CASES)('$name agrees with the reference', async (row) => {
    const actual = await runOn(engine, row)
    expect(relativeError(actual, await expected(row))).toBeLessThanOrEqual(row.tolerance)
  })
})
