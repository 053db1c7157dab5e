import { describe, expect, test } from 'vitest'
import { planVit } from '../model/plan-vit.js'
import { readVit } from '../model/read-vit.js'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { countFlop } from './count-flop.js'
import type { Plan, Step } from './plan.js'

function planOf(network: string, side: number) {
  const { config } = readVit(hashedCheckpoint(network, [side, side], 'flop'), { network })
  const cells = side / config.patchSize
  return planVit(config, { rows: cells, columns: cells }, null)
}

describe('a plain network counts as the formula for its kind says', () => {
  test.each([
    ['vit_reg4_l14_nps_ls', 518, 1024, 24, 1.017],
    ['vit_reg4_l14_nps_ls', 224, 1024, 24, 0.165],
    ['vit_reg4_s14_nps_ls', 518, 384, 12, 0.0939],
  ])('%s at %i', (network, side, width, depth, tera) => {
    const { plan, slots } = planOf(network, side)
    const patches = (side / 14) ** 2
    const tokens = patches + 5
    const linear = 2 * tokens * 12 * width ** 2
    const attention = 4 * tokens ** 2 * width
    const flop = countFlop(plan, [slots.embedding, slots.tokens])
    expect(flop).toBe(depth * (linear + attention) + 2 * patches * width * 3 * 14 ** 2)
    expect(flop / 1e12).toBeCloseTo(tera, 3)
  })
})

test('what the outputs do not need is no work', () => {
  const { plan, slots } = planOf('vit_reg4_s14_nps_ls', 224)
  const all = countFlop(plan, [slots.tokens])
  const half = countFlop(plan, [slots.blocks[5]])
  const stem = countFlop(plan, ['conv_proj'])
  expect(half - stem).toBe((all - stem) / 2)
  expect(stem).toBe(2 * 256 * 384 * 588)
})

describe('the other products, by hand', () => {
  const norm = { kind: 'rmsNorm', weight: 'norm', bias: null, epsilon: 1e-6 } as const
  const expert = { weight1: 'up', bias1: 'up.bias', weight2: 'down', bias2: 'down.bias' }
  const plan = (step: Step): Plan => ({
    slots: new Map([
      ['query', [2, 8]],
      ['both', [5, 16]],
      ['tokens', [5, 8]],
      ['crossed', [2, 8]],
      ['weights', [2, 5]],
      ['qkv', [5, 24]],
      ['looks', [6, 5]],
      ['pooled', [1, 8]],
      ['mixed', [5, 8]],
      ['picture', [4, 8]],
      ['map', [4, 5]],
    ]),
    weights: new Map([
      ['latents', [4, 8]],
      ['slots', [6, 8]],
      ['up', [32, 8]],
      ['down', [8, 32]],
      ['kernels', [5, 72]],
      ['back', [72, 5]],
    ]),
    steps: [step],
    inputs: [{ kind: 'level', slot: 'tokens' }],
    constants: new Map([
      ['second head', { shape: [1, 1], values: Float32Array.of(1) }],
      ['three rows', { shape: [3, 1], values: Float32Array.of(0, 1, 2) }],
    ]),
  })

  test('two queries on five keys and values of width 8', () => {
    const step = {
      op: 'crossAttention',
      query: 'query',
      keyValue: 'both',
      output: 'crossed',
      heads: 2,
      scale: 1,
    } as const
    expect(countFlop(plan(step), ['crossed'])).toBe(2 * (2 * 5 * 8 + 2 * 5 * 8))
  })

  test('the scores of two queries on five keys, of one head of two or of both', () => {
    const step = {
      op: 'crossAttentionWeights',
      query: 'query',
      keyValue: 'both',
      output: 'weights',
      heads: 2,
      scale: 1,
      chosen: null,
      fusion: 'mean',
    } as const
    expect(countFlop(plan(step), ['weights'])).toBe(2 * (2 * 5 * 8))
    expect(countFlop(plan({ ...step, chosen: 'second head' }), ['weights'])).toBe(2 * (2 * 5 * 4))
    expect(countFlop(plan({ ...step, fusion: 'none', chosen: 'second head' }), ['weights'])).toBe(
      2 * (2 * 5 * 4),
    )
  })

  test('the scores of three of five tokens', () => {
    const step = {
      op: 'attentionWeights',
      input: 'qkv',
      output: 'looks',
      heads: 2,
      scale: 1,
      queryNorm: null,
      keyNorm: null,
      rotary: null,
      bias: null,
      mask: null,
      groups: 1,
      rows: 'three rows',
      chosen: null,
      fusion: 'none',
    } as const
    expect(countFlop(plan(step), ['looks'])).toBe(2 * (3 * 5 * 8))
  })

  test('four latents on five keys, and one pass over the values', () => {
    const [keys, values] = ['tokens', 'tokens']
    const step = {
      op: 'probeAttention',
      latents: 'latents',
      keys,
      values,
      output: 'pooled',
      heads: 2,
      scale: 1,
    } as const
    expect(countFlop(plan(step), ['pooled'])).toBe(2 * (4 * 5 * 8 + 5 * 8))
  })

  test('two experts with three slots each', () => {
    const step = {
      op: 'softMoe',
      input: 'tokens',
      output: 'mixed',
      tokenNorm: norm,
      slots: 'slots',
      experts: [expert, expert],
      kind: 'gelu',
    } as const
    expect(countFlop(plan(step), ['mixed'])).toBe(2 * (3 * 5 * 6 * 8 + 6 * (2 * 32 * 8)))
  })

  test('a kernel of 3 on 2 x 2 pixels of 8 channels, there and back', () => {
    const pass = { height: 2, width: 2, kernel: 3, stride: 1, padding: 1, bias: null } as const
    const conv = { op: 'conv2d', input: 'picture', output: 'map', weight: 'kernels', ...pass } as const
    expect(countFlop(plan(conv), ['map'])).toBe(2 * (4 * 9 * 8 * 5))
    const back = { ...conv, op: 'transposedConv2d', input: 'map', output: 'picture' } as const
    expect(countFlop(plan({ ...back, weight: 'back' }), ['picture'])).toBe(2 * (4 * 5 * 9 * 8))
  })

  test('a norm alone is none', () => {
    const step = { op: 'norm', input: 'tokens', output: 'mixed', ...norm } as const
    expect(countFlop(plan(step), ['mixed'])).toBe(0)
  })
})
