/** A plan that contradicts itself is refused by the name of the step, and of what does not fit. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomPlan } from '../../../test/support/random-plan.js'
import type { Plan, Step } from '../plan.js'
import { checkStep } from './check-step.js'

const norm = { kind: 'layerNorm', weight: 'eight', bias: null, epsilon: 1e-6 } as const
const moe = {
  op: 'softMoe',
  input: 'a',
  output: 'b',
  tokenNorm: norm,
  slots: 'four rows',
  experts: [{ weight1: 'matrix', bias1: 'eight', weight2: 'matrix', bias2: 'eight' }],
  kind: 'gelu',
} as const

/** Each says what is wrong with its step. */
const cut = {
  op: 'patchify',
  layout: 'planes',
  input: 'x',
  output: 'b',
  channels: 2,
  height: 4,
  width: 4,
  patch: 2,
  stride: 2,
} as const

const CONTRADICTIONS: readonly (readonly [string, Step])[] = [
  ['rows: 4, expected 3', { op: 'linear', input: 'a', output: 'three', weight: 'matrix', bias: null }],
  [
    'weight wide is \\[16, 8\\], expected \\[8, 8\\]',
    { op: 'linear', input: 'a', output: 'b', weight: 'wide', bias: null },
  ],
  [
    'weight sixteen is \\[16\\], expected \\[8\\]',
    { op: 'linear', input: 'a', output: 'b', weight: 'matrix', bias: 'sixteen' },
  ],
  ['no weight named nowhere', { op: 'linear', input: 'a', output: 'b', weight: 'nowhere', bias: null }],
  ['no slot or constant named nowhere', { op: 'activation', input: 'nowhere', output: 'b', kind: 'relu' }],
  ['slot deep should be', { op: 'activation', input: 'deep', output: 'b', kind: 'relu' }],
  ['slot empty is empty', { op: 'activation', input: 'empty', output: 'empty', kind: 'relu' }],
  ['a is \\[4, 8\\], three is \\[3, 8\\]', { op: 'add', input: 'a', branch: 'b', output: 'three' }],
  ['table is \\[4, 16\\]', { op: 'add', input: 'a', branch: 'table', output: 'b' }],
  ['expected \\[8\\]', { op: 'scale', input: 'a', output: 'b', gamma: 'sixteen' }],
  ['expected \\[8\\]', { op: 'norm', input: 'a', output: 'b', ...norm, weight: 'sixteen' }],
  [
    'width of q, k and v: 8, expected 24',
    {
      op: 'attention',
      input: 'a',
      output: 'b',
      heads: 1,
      scale: 1,
      queryNorm: null,
      keyNorm: null,
      rotary: null,
      bias: null,
      mask: null,
      groups: 1,
    },
  ],
  ['rows 2 to 6 of 4', { op: 'sliceRows', input: 'a', output: 'b', from: 2, to: 6 }],
  ['3 groups do not divide 4', { op: 'meanRows', input: 'a', output: 'three' }],
  ['rows: 4, expected 2', { op: 'stackRows', inputs: ['a', 'a'], output: 'b' }],
  ['expected \\[4, 8\\]', { op: 'broadcast', weight: 'matrix', output: 'b' }],
  [
    'width of k and v: 8, expected 16',
    { op: 'crossAttention', query: 'a', keyValue: 'b', output: 'b', heads: 1, scale: 1 },
  ],
  [
    '3 heads do not divide 8',
    { op: 'crossAttention', query: 'a', keyValue: 'table', output: 'b', heads: 3, scale: 1 },
  ],
  [
    '16 latents do not divide 8',
    { op: 'probeAttention', latents: 'wide', keys: 'a', values: 'b', output: 'one', heads: 2, scale: 1 },
  ],
  ['it names no weight|0 experts', { ...moe, experts: [] }],
  ['weight slots is no table', { ...moe, slots: 'slots' }],
  [
    'constant table is \\[4, 16\\], expected \\[4, 8\\]',
    { op: 'assembleTokens', input: 'a', output: 'b', classToken: null, registers: null, positions: 'table' },
  ],
  [
    'values of the constant short: 3, expected 32',
    { op: 'assembleTokens', input: 'a', output: 'b', classToken: null, registers: null, positions: 'short' },
  ],
  [
    'rows: 5, expected 4',
    { op: 'assembleTokens', input: 'a', output: 'b', classToken: 'eight', registers: null, positions: null },
  ],
  ['planes are cut from an input only', { ...cut, input: 'a' }],
  ['a stride of 0 pixels', { ...cut, stride: 0 }],
  ['rows: 4, expected 9', { ...cut, stride: 1 }],
]

const looking = {
  op: 'attentionWeights',
  input: 'qkv',
  output: 'weights',
  heads: 2,
  scale: 1,
  queryNorm: null,
  keyNorm: null,
  rotary: null,
  bias: null,
  mask: null,
  groups: 1,
  rows: 'first rows',
  chosen: null,
  fusion: 'none',
} as const

const WEIGHTS: readonly (readonly [message: string, step: Step])[] = [
  ['3 operands do not divide 8', { ...looking, input: 'a' }],
  ['keys: 4, expected 2', { ...looking, groups: 2 }],
  ['rows of weights: 4, expected 2', { ...looking, fusion: 'max' }],
  ['rows of weights: 4, expected 8', { ...looking, rows: null }],
  ['constant fifth row holds 4, expected 0 to 3', { ...looking, rows: 'fifth row' }],
  ['constant first rows holds 1, expected 0 to 0', { ...looking, heads: 1, chosen: 'first rows' }],
  ['no constant named nowhere', { ...looking, chosen: 'nowhere' }],
  [
    'keys: 8, expected 4',
    {
      op: 'crossAttentionWeights',
      query: 'b',
      keyValue: 'table',
      output: 'b',
      heads: 1,
      scale: 1,
      chosen: null,
      fusion: 'none',
    },
  ],
]

const pass = { height: 2, width: 2, kernel: 1, stride: 1, padding: 0 } as const
const conv = { op: 'conv2d', input: 'a', output: 'b', weight: 'matrix', bias: null, ...pass } as const
const back = { ...conv, op: 'transposedConv2d' } as const
const take = { op: 'takeRow', input: 'a', ids: 'ids', output: 'one', choice: { kind: 'largest' } } as const
const resize = {
  op: 'resize',
  input: 'a',
  output: 'b',
  height: 2,
  width: 2,
  rows: 'taps',
  columns: 'taps',
} as const

const MAPS: readonly (readonly [message: string, step: Step])[] = [
  ['pixels: 4, expected 6', { ...conv, width: 3 }],
  ['kernel: 3, expected 1 to 2', { ...conv, kernel: 3 }],
  ['stride: 0, expected 1', { ...conv, stride: 0 }],
  ['padding: 1, expected 0 to 0', { ...conv, padding: 1 }],
  ['padding: -1, expected 0 to 0', { ...conv, padding: -1 }],
  ['places of the kernel: 4, expected 1', { ...conv, stride: 2 }],
  ['weight matrix is \\[8, 8\\], expected \\[8, 72\\]', { ...conv, kernel: 3, padding: 1 }],
  ['weight sixteen is \\[16\\], expected \\[8\\]', { ...conv, bias: 'sixteen' }],
  ['pixels: 4, expected 2', { ...back, height: 1 }],
  ['places of the kernel: 3, expected 4', { ...back, input: 'three' }],
  ['weight matrix is \\[8, 8\\], expected \\[72, 8\\]', { ...back, kernel: 3, padding: 1 }],
  ['rows of ids: 4, expected 3', { ...take, input: 'three' }],
  ['width of ids: 8, expected 1', { ...take, ids: 'b' }],
  ['rows: 4, expected 1', { ...take, output: 'b' }],
  ['id: -1, expected 0', { ...take, choice: { kind: 'first', id: -1 } }],
  ['id: 16777217, expected 0', { ...take, choice: { kind: 'first', id: 2 ** 24 + 1 } }],
  ['pixels: 4, expected 2', { ...resize, height: 1 }],
  ['constant far holds 2, expected 0 to 1', { ...resize, columns: 'far' }],
  ['constant between holds 0.5, expected 0 to 1', { ...resize, rows: 'between' }],
  ['taps of columns: 8, expected 1', { ...resize, columns: 'table' }],
  ['pixels: 3, expected 4', { ...resize, output: 'three' }],
]

const plan = (steps: readonly Step[]): Plan => ({
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map([
    ['x', [2, 4, 4]],
    ['a', [4, 8]],
    ['b', [4, 8]],
    ['three', [3, 8]],
    ['one', [1, 8]],
    ['deep', [2, 2, 8]],
    ['empty', [0, 8]],
    ['qkv', [4, 24]],
    ['weights', [4, 4]],
    ['ids', [4, 1]],
  ]),
  weights: new Map([
    ['matrix', [8, 8]],
    ['wide', [16, 8]],
    ['eight', [8]],
    ['sixteen', [16]],
    ['four rows', [4, 8]],
    ['slots', [3]],
  ]),
  constants: new Map([
    ['table', { shape: [4, 16], values: new Float32Array(64) }],
    ['first rows', { shape: [2, 1], values: Float32Array.of(0, 1) }],
    ['fifth row', { shape: [2, 1], values: Float32Array.of(0, 4) }],
    ['taps', { shape: [2, 2], values: Float32Array.of(0, 1, 1, 1) }],
    ['far', { shape: [2, 2], values: Float32Array.of(0, 1, 2, 1) }],
    ['between', { shape: [2, 2], values: Float32Array.of(0, 1, 0.5, 1) }],
    ['short', { shape: [4, 8], values: new Float32Array(3) }],
  ]),
  steps,
})

test.each([...CONTRADICTIONS, ...WEIGHTS, ...MAPS])('%s', (message, step) => {
  expect(() => checkStep(step, plan([step]))).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(message) }),
  )
})

test('a plan that fits passes', () => {
  fc.assert(
    fc.property(randomPlan('every'), ({ plan }) => {
      for (const step of plan.steps) checkStep(step, plan)
    }),
  )
})
