import { expect, test } from 'vitest'
import { mixExperts } from './mix-experts.js'

test("a token gets its experts' answers, weighted; an expert sees the tokens that go to it alone", () => {
  const seen: number[][] = []
  const out = new Float32Array(3)
  mixExperts(
    Float32Array.of(1, 2, 3),
    Float32Array.of(0.5, 0.25, 0, 0, 0, 1),
    2,
    2,
    (expert, rows, count) => {
      seen.push([expert, ...rows])
      expect(count).toBe(rows.length)
      return rows.map((value) => value * 10 ** expert)
    },
    out,
  )
  expect(seen).toEqual([
    [0, 1],
    [1, 1, 3],
  ])
  expect([...out]).toEqual([2 * (0.5 * 1 + 0.25 * 10), 0, 2 * 30])
})
