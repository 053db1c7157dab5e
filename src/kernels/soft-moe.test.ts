import { expect, test } from 'vitest'
import { probeAttention } from './probe-attention.js'
import { combineSlots, dispatchTokens } from './soft-moe.js'

test('equal logits send every slot the mean token, and every token the mean slot', () => {
  const logits = new Float32Array(4)
  const out = new Float32Array(4)
  dispatchTokens(logits, Float32Array.of(1, 10, 3, 30), 2, out)
  expect(Array.from(out)).toEqual([2, 20, 2, 20])
  combineSlots(logits, Float32Array.of(0, 4, 8, 0), 2, out)
  expect(Array.from(out)).toEqual([4, 2, 4, 2])
})

test('dispatch is a softmax over tokens, combine one over slots', () => {
  const logits = Float32Array.of(100, 100, 0, 0)
  const dispatched = new Float32Array(4)
  dispatchTokens(logits, Float32Array.of(1, 10, 3, 30), 2, dispatched)
  expect(Array.from(dispatched)).toEqual([1, 10, 1, 10])
  const combined = new Float32Array(4)
  combineSlots(logits, Float32Array.of(0, 4, 8, 0), 2, combined)
  expect(Array.from(combined)).toEqual([4, 2, 4, 2])
})

test('a probe pools only its own share of the columns, with its maps averaged over the heads', () => {
  // Head 0 of latent 0 looks at token 0, head 1 is undecided: weights 3/4 and 1/4. Latent 1 is undecided throughout.
  const latents = Float32Array.of(100, 0, 0, 0)
  const keys = Float32Array.of(1, 0, -1, 0)
  const out = new Float32Array(2)
  probeAttention(latents, keys, Float32Array.of(0, 0, 4, 4), 2, 2, 1, out)
  expect(out[0]).toBeCloseTo(1, 6)
  expect(out[1]).toBe(2)
})
