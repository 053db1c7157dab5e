import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gifColoursOrNull, transparentColourOfPng } from './transparent-colour.js'

/** Makes a PNG as far as its transparency goes; checksums are the decoder's business. */
function png(depth: number, colourType: number, chunks: Record<string, number[]>): Uint8Array {
  const chunk = (name: string, body: number[]) => [
    0,
    0,
    0,
    body.length,
    ...Buffer.from(name),
    ...body,
    0,
    0,
    0,
    0,
  ]
  const header = [0, 0, 0, 1, 0, 0, 0, 1, depth, colourType, 0, 0, 0]
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10],
    ...chunk('IHDR', header),
    ...Object.entries(chunks).flatMap(([name, body]) => chunk(name, body)),
    ...chunk('IDAT', []),
    ...chunk('tRNS', [0]),
  ])
}

const PALETTE = [1, 2, 3, 40, 50, 60, 7, 8, 9]

test('a palette has a transparent colour where one entry is wholly transparent and the others are not at all', () => {
  const colour = (...alphas: number[]) => transparentColourOfPng(png(8, 3, { PLTE: PALETTE, tRNS: alphas }))
  expect(colour(255, 0)).toEqual([40, 50, 60])
  expect(colour(255, 0, 255)).toEqual([40, 50, 60])
  expect(colour(0, 0)).toBe(null)
  expect(colour(128, 0)).toBe(null)
  expect(colour(255, 254)).toBe(null)
  expect(colour(255, 255, 255, 0)).toBe(null)
})

test('16-bit and 1-bit images have none, for Pillow does not carry theirs over to RGB', () => {
  expect(transparentColourOfPng(png(8, 0, { tRNS: [0, 7] }))).toEqual([7, 7, 7])
  expect(transparentColourOfPng(png(8, 2, { tRNS: [0, 7, 0, 8, 0, 9] }))).toEqual([7, 8, 9])
  expect(transparentColourOfPng(png(16, 0, { tRNS: [0, 7] }))).toBe(null)
  expect(transparentColourOfPng(png(1, 0, { tRNS: [0, 1] }))).toBe(null)
  expect(transparentColourOfPng(png(8, 2, { tRNS: [0, 7] }))).toBe(null)
})

test('what stands behind the pixels does not count', () => {
  expect(transparentColourOfPng(png(8, 3, { PLTE: PALETTE }))).toBe(null)
})

test("a GIF's first frame: its own colours before the screen's, past extensions of any kind", () => {
  const screen = [...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 1, 1, 1, 2, 2, 2]
  const comment = [0x21, 0xfe, 3, 0x21, 0xf9, 4, 2, 0x2c, 0x2c, 0]
  const control = (flags: number, index: number) => [0x21, 0xf9, 4, flags, 0, 0, index, 0]
  const frame = (flags: number, ...table: number[]) => [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, flags, ...table]
  const coloursOf = (...parts: number[][]) => gifColoursOrNull(Uint8Array.from([...screen, ...parts.flat()]))

  expect(coloursOf(comment, control(1, 1), frame(0))).toEqual({
    background: [2, 2, 2],
    transparent: [2, 2, 2],
  })
  expect(coloursOf(control(1, 1), comment, frame(0x80, 3, 3, 3, 4, 4, 4))).toEqual({
    background: [4, 4, 4],
    transparent: [4, 4, 4],
  })
  expect(coloursOf(control(0, 1), frame(0))).toEqual({ background: [1, 1, 1], transparent: null })
  expect(coloursOf(control(1, 9), frame(0))).toBe(null)
  expect(coloursOf(comment)).toBe(null)
})

test('cut or random bytes have an answer in good time', () => {
  const whole = png(8, 3, { PLTE: PALETTE, tRNS: [255, 0] })
  for (let length = 0; length < whole.length; length++) transparentColourOfPng(whole.subarray(0, length))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      transparentColourOfPng(bytes)
      gifColoursOrNull(bytes)
      gifColoursOrNull(Uint8Array.of(...Buffer.from('GIF89a'), ...bytes))
    }),
  )
})
