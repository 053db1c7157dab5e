import { expect, test } from 'vitest'
import type { StepOf } from '../engine/step-table.js'
import { hasExperts } from './plan-experts.js'
import { planVit } from './plan-vit.js'
import { PLAIN, type RoutedExperts, type VitConfig } from './vit-config.js'

const experts: RoutedExperts = {
  blocks: [1],
  count: 4,
  hidden: 8,
  routing: { kind: 'softmax', choices: 2, capacityFactor: 4, multipleOf: 4 },
  fine: null,
}
const BASE: VitConfig = {
  ...PLAIN,
  network: null,
  size: [16, 16],
  channels: 3,
  patchSize: 4,
  width: 8,
  depth: 3,
  heads: 2,
  hidden: 16,
  classToken: true,
  registers: 0,
  epsilon: 1e-6,
  layerScale: false,
  mlp: 'ffn',
  activation: 'gelu',
  experts,
  pooling: { kind: 'class' },
  positions: null,
  rgbStats: { mean: [0, 0, 0], std: [1, 1, 1] },
}

function planOf(changes: Partial<VitConfig>) {
  const { plan } = planVit({ ...BASE, ...changes }, { rows: 4, columns: 4 }, null)
  const routes = plan.steps.filter((step): step is StepOf<'route'> => step.op === 'route')
  return { plan, routes }
}

test('the blocks that are named have experts, and no others', () => {
  expect([0, 1, 2].filter((block) => hasExperts(BASE, block))).toEqual([1])
  expect(planOf({}).routes.map(({ output }) => output)).toEqual(['encoder.block.1.mlp.router'])
})

test.each([
  // Seventeen tokens choose two of four experts, with room for four times as many: 34, up to fours.
  [experts.routing, 36],
  [{ kind: 'softmax', choices: 2, capacityFactor: 4, multipleOf: 1 }, 34],
  [{ kind: 'softmax', choices: 1, capacityFactor: 0.01, multipleOf: 1 }, 1],
  [{ kind: 'byExperts', capacityFactor: 2 }, 9],
] as const)('%j is room for %i tokens', (routing, capacity) => {
  const [route] = planOf({ experts: { ...experts, routing } }).routes
  expect(route?.choice).toMatchObject({ capacity })
})

test('where room ends, registers queue in front of the class token, as in Birder, and get their answers in their own places', () => {
  const { plan } = planOf({ registers: 2 })
  const index = (name: string) => [...(plan.constants.get(name)?.values ?? [])].slice(0, 5)
  expect(index('encoder.block.1.mlp.queue.index')).toEqual([1, 2, 0, 3, 4])
  expect(index('encoder.block.1.mlp.index')).toEqual([2, 0, 1, 3, 4])
})

test('experts for special tokens leave these out of the routing', () => {
  const fine = { bias: false, shared: 1, special: 1, scale: 1 }
  const routing = { kind: 'byExperts', capacityFactor: 1 } as const
  const [route] = planOf({ registers: 2, experts: { ...experts, routing, fine } }).routes
  expect(route).toMatchObject({ firstRow: 3, choice: { capacity: 4 } })
})
