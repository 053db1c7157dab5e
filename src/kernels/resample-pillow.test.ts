import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resamplePillow, resampleTorch } from './resample-pillow.js'

type Size = readonly [height: number, width: number]
type Resample = (data: Uint8Array, from: Size, to: Size) => Uint8Array

const resamplers: readonly (readonly [string, Resample])[] = [
  ['Pillow 13', (data, from, to) => resamplePillow(data, from, to)],
  ['Pillow to 12.1', (data, from, to) => resamplePillow(data, from, to, { order: 'horizontal-first' })],
  ['torch', resampleTorch],
]

/** Writes grey as RGB, so that expected values stay readable. */
const grey = (...levels: number[]) => Uint8Array.from(levels.flatMap((level) => [level, level, level]))
const redOf = (data: Uint8Array) => Array.from(data).filter((_, i) => i % 3 === 0)
const noise = (length: number, seed = 1) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24)

const side = fc.integer({ min: 1, max: 40 })
const size = fc.tuple(side, side)

describe.each(resamplers)('%s', (_, resample) => {
  test('a constant image stays constant at every size', () => {
    fc.assert(
      fc.property(size, size, fc.integer({ min: 0, max: 255 }), (from, to, level) => {
        const out = resample(new Uint8Array(from[0] * from[1] * 3).fill(level), from, to)
        expect(out).toEqual(new Uint8Array(to[0] * to[1] * 3).fill(level))
      }),
    )
  })

  test('the same size gives the very same bytes', () => {
    fc.assert(
      fc.property(size, ([height, width]) => {
        const data = noise(height * width * 3)
        expect(resample(data, [height, width], [height, width])).toEqual(data)
      }),
    )
  })

  test('a side that stays the same is not smoothed: rows remain independent when only the width changes', () => {
    const black = new Uint8Array(3 * 8 * 3)
    const middleRow = black.slice().fill(255, 8 * 3, 2 * 8 * 3)
    const out = redOf(resample(middleRow, [3, 8], [3, 4]))
    expect(out).toEqual([0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0])
  })

  test('channels are not mixed', () => {
    fc.assert(
      fc.property(size, size, (from, to) => {
        const data = noise(from[0] * from[1] * 3)
        const red = Uint8Array.from(data, (level, i) => (i % 3 === 0 ? level : 0))
        const out = resample(red, from, to)
        expect(out.every((level, i) => i % 3 === 0 || level === 0)).toBe(true)
        expect(redOf(out)).toEqual(redOf(resample(data, from, to)))
      }),
    )
  })

  test('mirrored in, mirrored out', () => {
    const mirrored = (data: Uint8Array) => grey(...redOf(data).reverse())
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 30 }),
        side,
        (levels, to) => {
          const data = grey(...levels)
          const out = resample(data, [1, levels.length], [1, to])
          expect(resample(mirrored(data), [1, levels.length], [1, to])).toEqual(mirrored(out))
        },
      ),
    )
  })

  test('the input is left as it was', () => {
    const data = noise(10 * 12 * 3)
    resample(data, [10, 12], [5, 7])
    expect(data).toEqual(noise(10 * 12 * 3))
  })
})

test('a ramp doubled is Pillow 0 2 7 13 18 23: pixels are areas, not points', () => {
  const ramp = grey(0, 10, 20, 30, 40, 50, 60, 70)
  expect(redOf(resamplePillow(ramp, [1, 8], [1, 16])).slice(0, 6)).toEqual([0, 2, 7, 13, 18, 23])
})

test('overshoot beside an edge is cut off at 0 and 255, not wrapped', () => {
  const edge = grey(0, 0, 0, 0, 255, 255, 255, 255)
  const out = redOf(resamplePillow(edge, [1, 8], [1, 32]))
  expect(out.slice(0, 8)).toEqual(new Array(8).fill(0))
  expect(out.slice(-8)).toEqual(new Array(8).fill(255))
  expect(out).toEqual(out.toSorted((a, b) => a - b))
})

describe('the order of the passes', () => {
  const from = (height: number, width: number) => noise(height * width * 3)
  const differ = (height: number, width: number, to: Size) => {
    const data = from(height, width)
    const [newer, older] = (['pillow-13', 'horizontal-first'] as const).map((order) =>
      resamplePillow(data, [height, width], to, { order }),
    )
    return Buffer.compare(newer, older) !== 0
  }

  test('shows where the height shrinks by more than twice as many pixels as the width', () => {
    expect(differ(60, 20, [10, 10])).toBe(true)
    expect(differ(60, 5, [10, 10])).toBe(true)
  })

  test('is horizontal first at exactly twice as many, and wherever the height grows', () => {
    expect(differ(50, 30, [10, 10])).toBe(false)
    expect(differ(51, 30, [10, 10])).toBe(true)
    expect(differ(5, 30, [10, 10])).toBe(false)
  })
})

test('torch is within 2 levels of Pillow with the horizontal pass first', () => {
  fc.assert(
    fc.property(size, size, fc.nat(), (from, to, seed) => {
      const data = noise(from[0] * from[1] * 3, seed)
      const pillow = resamplePillow(data, from, to, { order: 'horizontal-first' })
      const torch = resampleTorch(data, from, to)
      expect(torch.every((level, i) => Math.abs(level - pillow[i]) <= 2)).toBe(true)
    }),
  )
})

test('grey in one channel is the same as grey in three', () => {
  fc.assert(
    fc.property(size, size, (from, to) => {
      const levels = noise(from[0] * from[1])
      const one = resamplePillow(levels, from, to, { channels: 1 })
      expect(Array.from(one)).toEqual(redOf(resamplePillow(grey(...levels), from, to)))
    }),
  )
})

describe('the slow truth', () => {
  /** Computes one axis by its formula, with float64 weights of the widened cubic and one rounding. */
  const line = (levels: readonly number[], to: number): number[] => {
    const scale = levels.length / to
    const widening = Math.max(scale, 1)
    const cubic = (x: number) =>
      x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0
    return Array.from({ length: to }, (_, i) => {
      const weights = levels.map((_, x) => cubic(Math.abs(x + 0.5 - (i + 0.5) * scale) / widening))
      const sum = weights.reduce((total, weight, x) => total + weight * levels[x], 0)
      return Math.min(Math.max(Math.round(sum / weights.reduce((a, b) => a + b)), 0), 255)
    })
  }

  test('both passes are within a level of it, at every scale', () => {
    const levels = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 120 })
    fc.assert(
      fc.property(levels, fc.integer({ min: 1, max: 120 }), (from, to) => {
        const expected = line(from, to)
        const wide = redOf(resamplePillow(grey(...from), [1, from.length], [1, to]))
        const high = redOf(resamplePillow(grey(...from), [from.length, 1], [to, 1]))
        expect(high).toEqual(wide)
        expect(wide.every((level, i) => Math.abs(level - expected[i]) <= 1)).toBe(true)
      }),
    )
  })
})
