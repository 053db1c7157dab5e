/** Holds the page's cut between things and their background to its laws; it needs no browser. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foregroundShares } from '../../web/src/foreground.js'

const SIDE = 8
const grid = { rows: SIDE, columns: SIDE }

/** Makes a map with a square of one level in the middle of another, each scattered a little. */
function squareOn(thing: number, background: number, scatter: readonly number[]) {
  const levels = Uint8Array.from({ length: SIDE * SIDE }, (_, patch) => {
    const isInside = [Math.floor(patch / SIDE), patch % SIDE].every((place) => place > 1 && place < 6)
    return (isInside ? thing : background) + (scatter[patch % scatter.length] ?? 0)
  })
  return { levels, grid }
}
const scatter = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 9 })

test('what lies in the middle is a thing and what lies at the edges is not, whichever has the higher level', () => {
  fc.assert(
    fc.property(scatter, fc.boolean(), (scatter, isBright) => {
      const [thing, background] = isBright ? [200, 60] : [60, 200]
      const shares = foregroundShares([squareOn(thing, background, scatter)])
      expect(shares[thing]).toBe(1)
      expect(shares[background]).toBe(0)
    }),
  )
})

test('nothing is cut off where there are not two groups, or one of them is a handful of patches', () => {
  const even = { levels: Uint8Array.from({ length: SIDE * SIDE }, (_, patch) => 4 * patch), grid }
  const odd = { levels: new Uint8Array(SIDE * SIDE).fill(100).fill(200, 27, 28), grid }
  const flat = { levels: new Uint8Array(SIDE * SIDE).fill(7), grid }
  for (const map of [odd, flat]) expect(foregroundShares([map]).every((share) => share === 1)).toBe(true)
  // Evenly spread levels are two groups as far as Otsu's measure goes (0.75): the cut is the fade between them.
  const shares = foregroundShares([even])
  expect([...shares].every((share) => share >= 0 && share <= 1)).toBe(true)
})

test('a share changes smoothly from one level to the next', () => {
  const shares = foregroundShares([squareOn(180, 70, [0])])
  for (const [level, share] of [...shares].entries()) {
    if (level > 0) expect(Math.abs(share - (shares[level - 1] ?? 0))).toBeLessThan(0.08)
  }
})
