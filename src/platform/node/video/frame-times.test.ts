import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstPtsOf, frameChooser, selectExpression, type TimeBase, timeText } from './frame-times.js'

const TIME_BASES: readonly TimeBase[] = [
  [1, 90_000],
  [1, 1000],
  [1001, 30_000],
  [1, 12_800],
  [1, 1_000_000],
]
const choices = fc.record({
  every: fc.option(fc.integer({ min: 1000, max: 5_000_000 })),
  from: fc.integer({ min: 0, max: 3_000_000 }),
  to: fc.constant(null),
})
const stamps = fc
  .uniqueArray(fc.integer({ min: 0, max: 2 ** 32 }), { minLength: 1, maxLength: 60 })
  .map((found) => found.sort((a, b) => a - b))

/** Computes ffmpeg's expression as it does, in float64. */
function selectedByFfmpeg(expression: string, pts: readonly number[]): readonly number[] {
  const text = expression
    .replaceAll('prev_selected_pts', 'prev')
    .replace('if(isnan(prev),1,', 'whether(Number.isNaN(prev),1,')
  const run = new Function(...['pts', 'prev', 'gte', 'gt', 'floor', 'whether'], `return ${text}`) as (
    ...args: unknown[]
  ) => number
  const chosen: number[] = []
  let prev = Number.NaN
  const gte = (a: number, b: number) => Number(a >= b)
  const gt = (a: number, b: number) => Number(a > b)
  const whether = (is: boolean, a: number, b: number) => (is ? a : b)
  for (const each of pts) {
    if (run(each, prev, gte, gt, Math.floor, whether) === 0) continue
    prev = each
    chosen.push(each)
  }
  return chosen
}

test('ffmpeg, which counts in float64, is told to choose the very frames that whole numbers choose', () => {
  fc.assert(
    fc.property(choices, fc.constantFrom(...TIME_BASES), stamps, (choice, timeBase, pts) => {
      const isChosen = frameChooser(choice, timeBase)
      expect(selectedByFfmpeg(selectExpression(choice, timeBase), pts)).toEqual(pts.filter(isChosen))
    }),
  )
})

test('of each stretch there is one frame at most, its first, and none is left out that begins a stretch', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), stamps, (every, pts) => {
      const isChosen = frameChooser({ every: every * 1000, from: 0, to: null }, [1, 1000])
      const found = pts.filter(isChosen).map((each) => Math.floor(each / every))
      expect(found).toEqual([...new Set(pts.map((each) => Math.floor(each / every)))])
    }),
  )
})

test('the first tick of a time is the first one that has this time as its text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 }), fc.constantFrom(...TIME_BASES), (pts, timeBase) => {
      const time = timeText(pts, timeBase)
      const first = firstPtsOf(time, timeBase)
      expect(timeText(first, timeBase)).toBe(time)
      if (first > 0) expect(timeText(first - 1, timeBase)).not.toBe(time)
    }),
  )
})

test('what ffmpeg chooses from a chosen frame on is what it chooses where it is read from the start', () => {
  fc.assert(
    fc.property(choices, fc.constantFrom(...TIME_BASES), stamps, fc.nat(), (choice, timeBase, pts, at) => {
      const chosen = selectedByFfmpeg(selectExpression(choice, timeBase), pts)
      if (chosen.length === 0) return
      const index = at % chosen.length
      const first = chosen[index] ?? 0
      const entered = selectedByFfmpeg(selectExpression(choice, timeBase, first), pts)
      expect(entered).toEqual(chosen.slice(index))
    }),
  )
})

test('a time has three decimals, and a player that goes there shows this frame', () => {
  expect(timeText(0, [1, 90_000])).toBe('0.000')
  expect(timeText(45_000, [1, 90_000])).toBe('0.500')
  // Two thirds of a second begin before 0.667 and after 0.666.
  expect(timeText(2, [1, 3])).toBe('0.667')
  expect(timeText(1, [1, 3])).toBe('0.334')
  expect(timeText(3_600_000, [1, 1000])).toBe('3600.000')
})
