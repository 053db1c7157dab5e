import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Box, RgbImage } from '../../image/image.js'
import { prepareImage } from '../../image/prepare-image.js'
import { namedRecipe, type RecipeName } from '../../image/recipe.js'
import { seededRandom } from '../../numerics/seeded-random.js'
import type { Placed } from '../patches-at.js'
import { UPSAMPLINGS } from '../upsample.js'
import { newCanvas } from './canvas.js'
import { categoryColors } from './categories.js'
import { COLOR_MAP_NAMES, colorAt, colorTable } from './color-maps.js'
import { drawBox, drawLine, drawRing } from './draw-lines.js'
import { drawMatches } from './draw-matches.js'
import { drawHeat, drawMask, drawPatchColors, groupSteps, rangeOf } from './draw-patches.js'
import { drawAll } from './draw-pixels.js'
import { drawText, fittedText, textLines, textSize } from './draw-text.js'
import { letterPixels } from './font.js'
import { captioned, contactSheet, legendBar, sideBySide, stacked, swatches } from './layout.js'
import { boxOn, patchMiddle, pixelPlaces } from './placement.js'

const PATCH = 4
const white = (height: number, width: number) => newCanvas(height, width, [255, 255, 255])
const pixel = ({ width, data }: RgbImage, y: number, x: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
]

/** Places a grid by what a recipe really does to a photo. */
function placedBy(name: RecipeName, height: number, width: number, cropFraction = 1): Placed {
  const recipe = namedRecipe(name, {
    modelSize: [16, 16],
    patchSize: PATCH,
    rgbStats: { mean: [0, 0, 0], std: [1, 1, 1] },
    ...(cropFraction === 1 ? {} : { cropFraction }),
  })
  const prepared = prepareImage(white(height, width), recipe)
  const grid = { rows: prepared.height / PATCH, columns: prepared.width / PATCH }
  return {
    grid,
    imageSize: [height, width],
    patchBox: (row, column) =>
      prepared.sourceBox(row * PATCH, column * PATCH, (row + 1) * PATCH, (column + 1) * PATCH),
  }
}

/** Neighbours differ, and none is as dark as what is dimmed. */
const greyOf = (patch: number) => 100 + (patch % 151)

function greys({ grid: { rows, columns } }: Placed): RgbImage {
  const data = Uint8Array.from({ length: rows * columns * 3 }, (_, i) => greyOf(Math.floor(i / 3)))
  return { height: rows, width: columns, data }
}

const contains = (box: Box, y: number, x: number) =>
  y >= box.top && y < box.bottom && x >= box.left && x < box.right

test('each pixel has the colour of the patch whose box holds its middle, and is dimmed where none does, whatever a recipe squashes, crops or pads', () => {
  const cases = fc.record({
    name: fc.constantFrom<RecipeName>('birder', 'birder-simple-crop', 'hugging-face', 'timm', 'native'),
    height: fc.integer({ min: 5, max: 60 }),
    width: fc.integer({ min: 5, max: 60 }),
  })
  fc.assert(
    fc.property(cases, ({ name, height, width }) => {
      const placed = placedBy(name, height, width)
      const drawn = drawPatchColors(white(height, width), placed, greys(placed))
      for (let y = 0; y < height; y += 3)
        for (let x = 0; x < width; x += 3) {
          let expected = Math.round(255 * 0.3)
          for (let patch = 0; patch < placed.grid.rows * placed.grid.columns; patch++) {
            const box = placed.patchBox(Math.floor(patch / placed.grid.columns), patch % placed.grid.columns)
            if (contains(box, y + 0.5, x + 0.5)) expected = greyOf(patch)
          }
          const [found = 0] = pixel(drawn, y, x)
          // A middle that lies on an edge but for rounding may go to either side.
          if (found !== expected) expect(nearEdge(placed, y + 0.5, x + 0.5)).toBe(true)
        }
    }),
    { numRuns: 40 },
  )
})

function nearEdge(placed: Placed, y: number, x: number): boolean {
  const first = placed.patchBox(0, 0)
  const off = (at: number, start: number, pitch: number) => {
    const cells = (at - start) / pitch
    return Math.abs(cells - Math.round(cells)) < 1e-6
  }
  return off(y, first.top, first.bottom - first.top) || off(x, first.left, first.right - first.left)
}

test('a photo may be drawn at any scale: what counts are the shares of its sides', () => {
  const placed = placedBy('birder', 40, 80)
  const { rows, columns } = pixelPlaces(white(20, 20), placed)
  expect([...rows]).toEqual(Array.from({ length: 20 }, (_, y) => Math.floor(y / 5)))
  expect([...columns]).toEqual(Array.from({ length: 20 }, (_, x) => Math.floor(x / 5)))
  expect(patchMiddle(white(20, 20), placed, 5)).toEqual({ x: 7.5, y: 7.5 })
  expect(boxOn(white(20, 20), placed, { top: 10, left: 20, bottom: 30, right: 40 })).toEqual({
    top: 5,
    left: 5,
    bottom: 15,
    right: 10,
  })
})

test('of patches that overlap, a pixel belongs to the one whose middle is nearest', () => {
  const placed: Placed = {
    grid: { rows: 1, columns: 3 },
    imageSize: [4, 8],
    patchBox: (_row, column) => ({ top: 0, left: 2 * column, bottom: 4, right: 2 * column + 4 }),
  }
  expect([...pixelPlaces(white(4, 8), placed).columns]).toEqual([0, 0, 0, 1, 1, 2, 2, 2])
})

const upsampled = fc.record({
  way: fc.constantFrom(...UPSAMPLINGS),
  name: fc.constantFrom<RecipeName>('birder', 'birder-simple-crop', 'hugging-face', 'timm', 'native'),
  height: fc.integer({ min: 5, max: 60 }),
  width: fc.integer({ min: 5, max: 60 }),
  scale: fc.constantFrom(0.4, 1, 2.3),
  seed: fc.integer(),
})

/** Draws on a photo of noise. */
function noise(height: number, width: number, seed: number): RgbImage {
  const random = seededRandom(seed)
  return { height, width, data: Uint8Array.from({ length: height * width * 3 }, () => random() * 256) }
}

test('upsampled, what all patches share stays what it is in each pixel, and the same pixels are dimmed as without', () => {
  fc.assert(
    fc.property(upsampled, ({ way, name, height, width, scale, seed }) => {
      const placed = placedBy(name, height, width)
      const photo = noise(
        Math.max(1, Math.round(height * scale)),
        Math.max(1, Math.round(width * scale)),
        seed,
      )
      const values = new Float32Array(placed.grid.rows * placed.grid.columns).fill(0.7)
      const range = [0, 1] as const
      const heat = (upsample?: typeof way) => drawHeat(photo, placed, values, { range, upsample }).data
      expect(heat(way)).toEqual(heat())
      const colors = {
        height: placed.grid.rows,
        width: placed.grid.columns,
        data: new Uint8Array(values.length * 3).fill(200),
      }
      const shown = { opacity: 0.6 }
      expect(drawPatchColors(photo, placed, colors, { ...shown, upsample: way }).data).toEqual(
        drawPatchColors(photo, placed, colors, shown).data,
      )
      const mask = new Uint8Array(values.length).fill(1)
      expect(drawMask(photo, placed, mask, { upsample: way }).data).toEqual(
        drawMask(photo, placed, mask).data,
      )
    }),
    { numRuns: 60 },
  )
})

test('upsampled, each patch keeps its value in its middle and goes over into the next evenly, wherever a recipe put it', () => {
  // The grid covers columns 4 to 28 of 32: 3 patches of 8 pixels.
  const placed: Placed = {
    grid: { rows: 1, columns: 3 },
    imageSize: [1, 32],
    patchBox: (_row, column) => ({ top: 0, left: 4 + 8 * column, bottom: 1, right: 12 + 8 * column }),
  }
  const colors = { height: 1, width: 3, data: Uint8Array.of(0, 0, 0, 100, 100, 100, 200, 200, 200) }
  const drawn = drawPatchColors(white(1, 32), placed, colors, { upsample: 'bicubic' })
  const reds = Array.from({ length: 32 }, (_, x) => pixel(drawn, 0, x)[0] ?? 0)
  expect([...reds.slice(0, 4), ...reds.slice(28)]).toEqual(new Array(8).fill(77))
  // Pixels 15 and 16 lie half a pixel beside the middle of the second patch.
  expect((reds[15] ?? 0) + (reds[16] ?? 0)).toBe(200)
  expect(reds.slice(8, 24)).toEqual(reds.slice(8, 24).toSorted((a, b) => a - b))
  expect(new Set(reds.slice(8, 24)).size).toBe(16)
})

test('upsampled, the colour of what is masked does not run into what is shown', () => {
  const placed = placedBy('birder', 16, 16)
  const mask = Uint8Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 1 : 0))
  const data = Uint8Array.from({ length: 48 }, (_, i) => (mask[Math.floor(i / 3)] === 1 ? 180 : 0))
  for (const upsample of UPSAMPLINGS) {
    const drawn = drawPatchColors(white(16, 16), placed, { height: 4, width: 4, data }, { mask, upsample })
    for (let x = 0; x < 16; x++) expect(pixel(drawn, 5, x)[0]).toBe(x < 8 ? 180 : 77)
  }
})

test('upsampled groups have their own colours alone, and the same group in the middle of each patch', () => {
  const placed = placedBy('birder', 16, 16)
  const random = seededRandom(5)
  const scores = Float32Array.from({ length: 48 }, random)
  const groups = categoryColors(3)
  const plain = drawAll(groupSteps(white(36, 36), placed, { scores, groups }))
  const drawn = drawAll(groupSteps(white(36, 36), placed, { scores, groups }, { upsample: 'bicubic' }))
  const names = groups.map(String)
  for (let y = 0; y < 36; y++)
    for (let x = 0; x < 36; x++) expect(names).toContain(String(pixel(drawn, y, x)))
  // Of 9 pixels a side the fifth is the middle.
  for (const y of [4, 13, 22, 31])
    for (const x of [4, 13, 22, 31]) expect(pixel(plain, y, x)).toEqual(pixel(drawn, y, x))
})

test('a mask lets the photo show through, dimmed where it is 0 and as it is where it is 1', () => {
  const placed = placedBy('birder', 16, 16)
  const mask = Uint8Array.from({ length: 16 }, (_, i) => i % 2)
  const drawn = drawMask(white(16, 16), placed, mask)
  expect(pixel(drawn, 0, 0)).toEqual([77, 77, 77])
  expect(pixel(drawn, 0, 4)).toEqual([255, 255, 255])
})

test('half of a colour is the middle between it and the photo', () => {
  const placed = placedBy('birder', 16, 16)
  const black = { height: 4, width: 4, data: new Uint8Array(48) }
  expect(pixel(drawPatchColors(white(16, 16), placed, black, { opacity: 0.5 }), 3, 3)).toEqual([
    128, 128, 128,
  ])
})

test('numbers go from the first to the last colour of a map, and equal ones have the middle one', () => {
  const placed = placedBy('birder', 16, 16)
  const values = Float32Array.from({ length: 16 }, (_, i) => i - 8)
  const drawn = drawHeat(white(16, 16), placed, values)
  expect(pixel(drawn, 0, 0)).toEqual([68, 1, 84])
  expect(pixel(drawn, 15, 15)).toEqual([253, 231, 37])
  const same = drawHeat(white(16, 16), placed, new Float32Array(16), { map: 'magma' })
  expect(pixel(same, 0, 0)).toEqual([...colorAt(colorTable('magma'), 0.5)])
  const fixed = drawHeat(white(16, 16), placed, values, { range: [-100, -50] })
  expect(pixel(fixed, 0, 0)).toEqual([253, 231, 37])
  expect(rangeOf(Float32Array.of(Number.NaN, 2, 1))).toEqual([1, 2])
})

test('maps become lighter with every step, so that they can be read without colours', () => {
  for (const name of COLOR_MAP_NAMES) {
    const table = colorTable(name)
    const lightness = Array.from({ length: 256 }, (_, i) => {
      const [red, green, blue] = colorAt(table, i / 255).map((level) => (level / 255) ** 2.2)
      return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0)
    })
    for (const [i, one] of lightness.entries())
      expect(one).toBeGreaterThanOrEqual((lightness[i - 1] ?? 0) - 0.002)
  }
  expect(new Set(categoryColors(7).map(String)).size).toBe(7)
  expect(new Set(categoryColors(20).map(String)).size).toBe(20)
})

test('what is for another grid, and an unknown option, is told', () => {
  const placed = placedBy('birder', 16, 16)
  const photo = white(16, 16)
  expect(() => drawHeat(photo, placed, new Float32Array(15))).toThrow(/15 numbers.*4 x 4 patches/)
  expect(() => drawMask(photo, placed, new Uint8Array(3))).toThrow(/mask.*3/)
  expect(() => drawPatchColors(photo, placed, greys({ ...placed, grid: { rows: 2, columns: 4 } }))).toThrow(
    /2 x 4 patches/,
  )
  const values = new Float32Array(16)
  expect(() => drawHeat(photo, placed, values, { opacty: 1 } as object)).toThrow(/opacity/)
  expect(() => drawHeat(photo, placed, values, { opacity: 40 })).toThrow(/from 0 to 1/)
  expect(() => drawHeat(photo, placed, values, { map: 'virdis' as 'viridis' })).toThrow(/mean viridis/)
})

test('a line covers its length times its width, in whatever direction it goes', () => {
  const inside = fc.double({ min: 15, max: 85, noNaN: true })
  fc.assert(
    fc.property(inside, inside, inside, inside, (x1, y1, x2, y2) => {
      const canvas = newCanvas(100, 100, [0, 0, 0])
      drawLine(canvas, { x: x1, y: y1 }, { x: x2, y: y2 }, { color: [255, 255, 255], width: 4 })
      const covered = canvas.data.reduce((sum, level) => sum + level, 0) / 765
      // Both ends are round.
      const expected = Math.hypot(x2 - x1, y2 - y1) * 4 + Math.PI * 4
      expect(Math.abs(covered - expected)).toBeLessThan(0.05 * expected + 2)
    }),
    { numRuns: 60 },
  )
})

test('boxes and rings are drawn where they lie, and what lies outside is left out', () => {
  const canvas = newCanvas(20, 20, [0, 0, 0])
  drawBox(canvas, { top: 5, left: 5, bottom: 15, right: 15 }, { color: [255, 0, 0], width: 2 })
  expect(pixel(canvas, 5, 10)).toEqual([255, 0, 0])
  expect(pixel(canvas, 10, 10)).toEqual([0, 0, 0])
  drawRing(canvas, { x: 0, y: 0 }, 10, { color: [0, 255, 0], width: 2 })
  expect(pixel(canvas, 0, 10)[1]).toBeGreaterThan(100)
})

test('pairs that disagree lie below those that agree', () => {
  const placed = placedBy('birder', 16, 16)
  const photo = white(160, 160)
  const matches = [
    { from: 0, to: 15, isInlier: true },
    { from: 0, to: 15, isInlier: false },
  ]
  const drawn = drawMatches({ photo, placed }, { photo, placed }, matches)
  expect([drawn.height, drawn.width]).toEqual([160, 336])
  const { x, y } = patchMiddle(photo, placed, 0)
  const next = pixel(drawn, Math.round(y + 20), Math.round(x + (20 * (336 - 40)) / 120))
  expect(next[2]).toBeLessThan(120)
})

test('every letter has a shape of its own, marks are left out, and what is unknown is a box', () => {
  const letters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  const shapes = new Set([...letters, '×', '→', 'µ'].map((letter) => letterPixels(letter).join()))
  expect(shapes.size).toBe(98)
  expect(letterPixels('é')).toEqual(letterPixels('e'))
  expect(letterPixels('Ü')).toEqual(letterPixels('U'))
  expect(letterPixels('猫')).toEqual(letterPixels('🐈'))
  expect(letterPixels('猫')).not.toEqual(letterPixels('?'))
})

test('texts fit: names are shortened in the middle, lines are broken at spaces', () => {
  expect(textSize('abc', 2)).toEqual({ height: 18, width: 36 })
  expect(fittedText('a-long-name.jpg', 60, 1)).toBe('a-lon….jpg')
  expect(fittedText('short', 60, 1)).toBe('short')
  expect(textLines('one two three', 48, 1)).toEqual(['one two', 'three'])
  const canvas = newCanvas(9, 6, [0, 0, 0])
  drawText(canvas, 'T', 0, 0, { scale: 1, color: [255, 255, 255] })
  expect(Array.from({ length: 6 }, (_, x) => pixel(canvas, 0, x)[0])).toEqual([255, 255, 255, 255, 255, 0])
})

test('pictures are put together without losing any of them', () => {
  const [a, b] = [white(10, 20), white(30, 10)]
  expect(sideBySide([a, b], 5)).toMatchObject({ height: 30, width: 35 })
  expect(stacked([a, b], 5)).toMatchObject({ height: 45, width: 20 })
  expect(contactSheet([a, b, a], 2, 5)).toMatchObject({ height: 45, width: 45 })
  expect(captioned(white(10, 100), 'a caption of two lines', 1)).toMatchObject({ width: 100 })
  expect(legendBar({ map: 'cividis', range: [0, 1], title: 'x' }, 200).width).toBe(200)
  expect(swatches([{ color: [1, 2, 3], text: 'x' }], 100).width).toBe(100)
})

test('a legend that is too long for its picture goes on in a second line, and loses nothing', () => {
  const entry = (text: string) => [{ color: [255, 0, 0] as const, text }]
  const wide = swatches(entry('1: 12 patches'), 400, 2)
  const narrow = swatches(entry('1: 12 patches'), 120, 2)
  const lit = ({ data }: RgbImage) => data.reduce((sum, value) => sum + (value > 200 ? 1 : 0), 0)
  expect(narrow.height).toBeGreaterThan(wide.height)
  expect(lit(narrow)).toBe(lit(wide))
})
