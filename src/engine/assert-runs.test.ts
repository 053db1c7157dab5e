import { expect, test } from 'vitest'
import { casesFor } from '../../test/conformance/cases.js'
import { weights } from '../../test/conformance/one-step.js'
import { createWasmEngine } from '../platform/node/wasm/index.js'
import { isPortable } from './assert-runs.js'
import { plainArithmetic } from './lowered/arithmetic.js'
import { lowerPlan } from './lowered/lower-plan.js'
import { OPS, type OpRow } from './ops.js'

test('a plan is portable where every engine has its operations', () => {
  for (const { name, make } of casesFor('native')) {
    const { plan, output } = make()
    const rows = lowerPlan(plan, [output], plainArithmetic()).ops.map(({ kind }): OpRow => OPS[kind])
    expect(plan.steps.every(isPortable), name).toBe(rows.every(({ isNativeAlone }) => !isNativeAlone))
  }
})

test('WebAssembly refuses routed experts by name before it reads a weight, and says who runs them', async () => {
  const [routed] = casesFor('native').filter(({ name }) => name.startsWith('routedExperts'))
  if (routed === undefined) return expect.unreachable('there are cases of routed experts')
  await using engine = createWasmEngine({ threads: 1 })
  let reads = 0
  const counting = {
    ...weights,
    read: (...what: Parameters<typeof weights.read>) => {
      reads++
      return weights.read(...what)
    },
  }
  await expect(engine.load(routed.make().plan, counting)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/wasm engine cannot run routed experts.*native and the reference engine/),
  })
  expect(reads).toBe(0)
})
