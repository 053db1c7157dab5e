import { expect, test } from 'vitest'
import type { Plan } from '../engine/plan.js'
import { largestLiveSet } from './describe-model.js'

/** x feeds a and b, both of which sum up to y. */
const DIAMOND: Plan = {
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map([
    ['x', [1, 5]],
    ['a', [1, 70]],
    ['b', [1, 30]],
    ['y', [1, 30]],
  ]),
  steps: [
    { op: 'linear', input: 'x', output: 'a', weight: 'w', bias: null },
    { op: 'linear', input: 'a', output: 'b', weight: 'v', bias: null },
    { op: 'add', input: 'b', branch: 'b', output: 'y' },
  ],
  weights: new Map(),
  constants: new Map(),
}

test('a slot counts from the step that writes it to the last that reads it', () => {
  // a and b at once; x has gone by then, and a has gone before y comes.
  expect(largestLiveSet(DIAMOND, ['y'])).toBe(70 + 30)
})

test('an output counts to the end', () => {
  expect(largestLiveSet(DIAMOND, ['a', 'y'])).toBe(70 + 30 + 30)
})

test('a slot without a shape is named', () => {
  expect(() => largestLiveSet({ ...DIAMOND, slots: new Map() }, ['y'])).toThrow(/its slot x/)
})
