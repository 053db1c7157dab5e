/** The cases follow the table of operations: one that no case tries fails here by its name, before any engine runs. */
import { expect, test } from 'vitest'
import { Arithmetic } from '../../src/engine/lowered/arithmetic.js'
import { lowerPlan } from '../../src/engine/lowered/lower-plan.js'
import { ACTIVATION_ALIASES, ACTIVATIONS, OPS } from '../../src/engine/ops.js'
import { casesFor } from './cases.js'

/** Products of bytes and narrow attention, which make the most of formats. */
const NARROW = new Arithmetic('int8', [
  null,
  null,
  { rows: 1, attention: 1, between: 1 },
  { rows: 3, attention: 1, between: 1 },
])

const plans = casesFor('native').map(({ make }) => make())
const ops = plans.flatMap(({ plan, output }) => lowerPlan(plan, [output], NARROW).ops)

test.each(Object.keys(OPS))('a case has the operation %s', (kind) => {
  expect(ops.some((op) => op.kind === kind)).toBe(true)
})

test.each([...ACTIVATIONS, ...Object.keys(ACTIVATION_ALIASES)])('a case has the activation %s', (kind) => {
  expect(ops.some(({ activation }) => activation === kind)).toBe(true)
})
