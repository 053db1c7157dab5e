import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attentionRollout, fuseHeads, type RolloutFusion } from './attention-rollout.js'
import { seededRandom } from './seeded-random.js'

/** Makes attention [H, T, T] whose rows sum to 1. */
function attention(heads: number, tokens: number, seed: number): Float32Array {
  const random = seededRandom(seed)
  const out = Float32Array.from({ length: heads * tokens * tokens }, () => random() ** 4)
  for (let row = 0; row < out.length; row += tokens) {
    const sum = out.subarray(row, row + tokens).reduce((all, one) => all + one, 0)
    for (let i = row; i < row + tokens; i++) out[i] = (out[i] ?? 0) / sum
  }
  return out
}

/** Follows Birder's code to the letter: matrix by matrix from the first layer on, with values sorted to find what is left out. */
function asWritten(
  layers: readonly Float32Array[],
  tokens: number,
  special: number,
  fusion: RolloutFusion,
  ratio: number,
) {
  let result: number[][] = Array.from({ length: tokens }, (_, i) =>
    Array.from({ length: tokens }, (_, j) => (i === j ? 1 : 0)),
  )
  for (const layer of layers) {
    const fused = fuseHeads(layer, tokens, fusion)
    const between = Array.from({ length: tokens * tokens }, (_, i) => i).filter(
      (i) => i >= special * tokens && i % tokens >= special,
    )
    between.sort((a, b) => (fused[a] ?? 0) - (fused[b] ?? 0))
    for (const i of between.slice(0, Math.trunc(between.length * ratio))) fused[i] = 0
    const half = (i: number, j: number) => ((fused[i * tokens + j] ?? 0) + (i === j ? 1 : 0)) / 2
    const all = Array.from({ length: tokens }, (_, j) => j)
    result = all.map((i) => {
      const sum = all.reduce((total, j) => total + half(i, j), 0)
      return all.map((j) => all.reduce((total, k) => total + (half(i, k) / sum) * (result[k]?.[j] ?? 0), 0))
    })
  }
  const sources = special > 0 ? special : tokens
  const mask = Array.from({ length: tokens - special }, (_, j) =>
    result.slice(0, sources).reduce((sum, row) => sum + (row[special + j] ?? 0) / sources, 0),
  )
  const largest = Math.max(...mask)
  return mask.map((value) => value / (largest + 1e-8))
}

test('from the last layer back comes out what matrices from the first one on give', () => {
  const settings = fc.record({
    special: fc.nat(4),
    patches: fc.integer({ min: 1, max: 12 }),
    fusion: fc.constantFrom('mean', 'max', 'min'),
    ratio: fc.constantFrom(0, 0.3, 0.9, 1),
    depth: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(1e6),
  })
  fc.assert(
    fc.property(settings, ({ special, patches, fusion, ratio, depth, seed }) => {
      const tokens = special + patches
      const layers = Array.from({ length: depth }, (_, i) => attention(3, tokens, seed + i))
      const found = attentionRollout(layers, { special, tokens, headFusion: fusion, discardRatio: ratio })
      const wanted = asWritten(layers, tokens, special, fusion, ratio)
      expect(found).toHaveLength(patches)
      for (const [at, value] of wanted.entries()) expect(found[at]).toBeCloseTo(value, 5)
    }),
  )
})

test('layers stay as they are, and mistakes are told', () => {
  const layer = attention(2, 6, 1)
  const before = layer.slice()
  attentionRollout([layer], { special: 1, tokens: 6 })
  expect(layer).toEqual(before)
  expect(() => attentionRollout([], { special: 1, tokens: 6 })).toThrow('there is none')
  expect(() => attentionRollout([layer], { special: 1, tokens: 5 })).toThrow('no heads of 5 x 5')
  expect(() => attentionRollout([layer], { special: 1, tokens: 6, discardRatio: 1.5 })).toThrow('got 1.5')
})

test('of equal weights exactly as many are left out as the share says', () => {
  const even = new Float32Array(25).fill(0.2)
  const found = attentionRollout([even], { special: 1, tokens: 5, discardRatio: 0.5 })
  expect([...found]).toEqual([1, 1, 1, 1].map((one) => expect.closeTo(one, 6)))
})
