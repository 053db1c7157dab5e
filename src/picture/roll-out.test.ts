import { expect, test } from 'vitest'
import type { AttentionMap } from '../encoder/types.js'
import { attentionRollout } from '../numerics/attention-rollout.js'
import { attentionValues } from './attention-values.js'
import { rollOut } from './roll-out.js'

/** Makes the attention of a class token, a register and four patches, as two heads have it. */
function attentionMap(layer: number): AttentionMap {
  const weight = (head: number, row: number, key: number) =>
    ((1 + head + 3 * row + 7 * key + 5 * layer) % 11) + 1
  const values = (keys: readonly number[]) =>
    Float32Array.from(
      [0, 1].flatMap((head) =>
        [0, 1, 2, 3, 4, 5].flatMap((row) => {
          const sum = [0, 1, 2, 3, 4, 5].reduce((all, key) => all + weight(head, row, key), 0)
          return keys.map((key) => weight(head, row, key) / sum)
        }),
      ),
    )
  return {
    layer,
    heads: 'each',
    headCount: 2,
    rows: [
      { kind: 'class' },
      { kind: 'register', index: 0 },
      ...[0, 1, 2, 3].map((at) => ({ kind: 'patch', row: Math.floor(at / 2), column: at % 2 }) as const),
    ] as AttentionMap['rows'],
    toClass: values([0]),
    toRegisters: values([1]),
    toPatches: values([2, 3, 4, 5]),
  }
}
const grid = { rows: 2, columns: 2 }

function whole({ toClass, toRegisters, toPatches }: AttentionMap): Float32Array {
  const out = Array.from({ length: 12 }, (_, row) => [
    toClass[row] ?? 0,
    toRegisters[row] ?? 0,
    ...toPatches.subarray(row * 4, row * 4 + 4),
  ])
  return Float32Array.from(out.flat())
}

test('the parts of a map become the matrices that attention is rolled out of, in whichever order the layers are named', () => {
  const maps = [attentionMap(0), attentionMap(1), attentionMap(2)]
  const wanted = attentionRollout(maps.map(whole), {
    special: 2,
    tokens: 6,
    headFusion: 'mean',
    discardRatio: 0.5,
  })
  const options = { headFusion: 'mean', discardRatio: 0.5 } as const
  expect(rollOut({ attention: maps, grid }, options)).toEqual(wanted)
  expect(rollOut({ attention: maps.toReversed(), grid }, options)).toEqual(wanted)
})

test('a gap between layers, rows that are missing and no attention at all are told', () => {
  const maps = [attentionMap(0), attentionMap(2)]
  expect(() => rollOut({ attention: maps, grid })).toThrow('layer 1 is not there')
  expect(() => rollOut({ grid })).toThrow("from: 'all'")
  const one = { ...attentionMap(0), rows: attentionMap(0).rows.slice(0, 1) }
  expect(() => rollOut({ attention: [one], grid })).toThrow('of all 5 tokens, and has that of 1')
  expect(() => rollOut({ attention: maps, grid }, { discardRate: 1 } as object)).toThrow('discardRatio')
})

test('what a token looks at is given for each head and as their mean', () => {
  const map = attentionMap(0)
  const [first, second] = [attentionValues(map, 3, 0), attentionValues(map, 3, 1)]
  expect([...first]).toEqual([...map.toPatches.subarray(12, 16)])
  const mean = attentionValues(map, 3)
  for (const [at, value] of mean.entries())
    expect(value).toBeCloseTo(((first[at] ?? 0) + (second[at] ?? 0)) / 2, 6)
  expect(() => attentionValues(map, 6)).toThrow('no row 6')
  expect(() => attentionValues(map, 0, 2)).toThrow('no head 2')
})
