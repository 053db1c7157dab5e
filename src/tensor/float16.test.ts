import { expect, test } from 'vitest'
import { float16ToFloat32, toHalf } from './float16.js'

test('every half is its own nearest half; every NaN stays one', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, half) => half)
  const widened = new Float32Array(bits.length)
  float16ToFloat32(bits, widened)
  const narrowed = toHalf(widened)
  const wrong = [...bits.keys()].filter((half) =>
    Number.isNaN(widened[half]) ? (narrowed[half] & 0x7fff) <= 0x7c00 : narrowed[half] !== half,
  )
  expect(wrong).toEqual([])
})

test('a value between two halves goes to the nearer one, from the middle to the even one', () => {
  // Around 1 halves are 2^-10 apart, below 2^-14 they are 2^-24 apart.
  const values = [
    1 + 0.4 / 1024,
    1 + 0.5 / 1024,
    1 + 1.5 / 1024,
    0.5 * 2 ** -24,
    1.5 * 2 ** -24,
    65519,
    65520,
  ]
  expect(Array.from(toHalf(Float32Array.from(values)))).toEqual([
    0x3c00, 0x3c00, 0x3c02, 0x0000, 0x0002, 0x7bff, 0x7c00,
  ])
})
