import { expect, test } from 'vitest'
import { toHalf } from '../tensor/float16.js'
import { toInt8Rows } from '../tensor/int8.js'
import { narrowQuery, type StoredRows } from './nearest-rows.js'
import { plainScorer } from './row-scorer.js'

const rows = Float32Array.of(1, 0, 0, 1, 0.5, 0.5, -1, 0, 1, 0)
const halves = (values: Float32Array): StoredRows => ({
  dtype: 'F16',
  bytes: new Uint8Array(toHalf(values).buffer),
})
const inBytes = (values: Float32Array): StoredRows => {
  const { bytes, scales } = toInt8Rows(values, 2)
  return { dtype: 'I8', bytes: new Uint8Array(bytes.buffer), scales }
}

test.each([['F16', halves] as const, ['I8', inBytes] as const])(
  '%s: the nearest come first, of equal ones the earlier',
  async (_, stored) => {
    const blocks = [stored(rows.subarray(0, 4)), stored(rows.subarray(4))]
    const found = await plainScorer.nearestRows(Float32Array.of(2, 1), blocks, 3)
    expect([...found.rows]).toEqual([0, 4, 2])
    for (const [i, score] of [2, 2, 1.5].entries()) expect(found.scores[i]).toBeCloseTo(score, 3)
    expect((await plainScorer.nearestRows(Float32Array.of(2, 1), blocks, 99)).rows.length).toBe(5)
  },
)

test('a query in 15 bits is within half a step of what it was', () => {
  const query = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i * i))
  const { values, scale } = narrowQuery(query)
  for (let i = 0; i < 50; i++)
    expect(Math.abs(values[i] * scale - query[i])).toBeLessThanOrEqual(scale * 0.51)
  expect(narrowQuery(new Float32Array(2))).toEqual({ values: new Int16Array(2), scale: 0 })
})

test('mistakes are told', async () => {
  const query = Float32Array.of(1, 0)
  const ask = (blocks: readonly StoredRows[], count = 1) => plainScorer.nearestRows(query, blocks, count)
  await expect(ask([])).rejects.toThrow(/no rows/)
  await expect(ask([halves(rows)], 0)).rejects.toThrow(/no 0 nearest/)
  await expect(ask([{ dtype: 'F16', bytes: new Uint8Array(6) }])).rejects.toThrow(
    /6 bytes are no rows of 2 numbers in F16/,
  )
  await expect(ask([{ dtype: 'I8', bytes: new Uint8Array(6), scales: new Float32Array(2) }])).rejects.toThrow(
    /3 scales, not 2/,
  )
  await expect(ask([halves(rows), inBytes(rows)])).rejects.toThrow(/F16 and in I8/)
  await expect(ask([halves(Float32Array.of(1, 1, Infinity, 0))])).rejects.toThrow(/Row 1 has no finite score/)
  await expect(plainScorer.nearestRows(Float32Array.of(Number.NaN, 0), [inBytes(rows)], 1)).rejects.toThrow(
    /query holds/,
  )
})
