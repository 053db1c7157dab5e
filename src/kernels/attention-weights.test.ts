import { expect, test } from 'vitest'
import { attentionWeights } from './attention-weights.js'

/** Says by hundreds, tens and ones which head, row and key a weight is of. */
function marked(head: number, row: number, weights: Float64Array): void {
  for (let n = 0; n < weights.length; n++) weights[n] = 100 * head + 10 * row + n
}

test('each head has its rows one below the other, in the order asked for', () => {
  const out = new Float32Array(2 * 2 * 3)
  attentionWeights(marked, [4, 1], [2, 0], 'none', out)
  expect(Array.from(out)).toEqual([420, 421, 422, 400, 401, 402, 120, 121, 122, 100, 101, 102])
})

test.each([
  ['mean', [270, 271, 250, 251]],
  ['max', [420, 421, 400, 401]],
  ['min', [120, 121, 100, 101]],
] as const)('heads are joined by their %s, value by value', (fusion, expected) => {
  const out = new Float32Array(4)
  attentionWeights(marked, [4, 1], [2, 0], fusion, out)
  expect(Array.from(out)).toEqual(expected)
})
