/** What pictures say of patches, on patches that are made so that the answer is known. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../numerics/seeded-random.js'
import { fitForeground, foregroundMask } from './foreground.js'
import { clusterPatches } from './patch-clusters.js'
import { colorPatches, fitPatchColors, PATCH_COLOR_METHODS, patchColorValues } from './patch-colors.js'
import type { PatchMap } from './patch-map.js'
import { commonDirection, patchSimilarity, similarPatches } from './patch-similarity.js'
import { type Placed, patchesAt } from './patches-at.js'
import { readPatchColors, writePatchColors } from './saved-colors.js'
import { tokenNorms } from './token-norms.js'
import { upsample } from './upsample.js'

const WIDTH = 12
const ours = { digest: 'a'.repeat(64), model: 'ours' }

/** Makes a photo of 6 x 8 patches: a thing of 3 x 4 in the middle that varies, on a background that hardly does. */
function photo(seed: number, identity?: PatchMap['identity']): PatchMap & { readonly isThing: Uint8Array } {
  const random = seededRandom(seed)
  const patches = new Float32Array(48 * WIDTH)
  const isThing = new Uint8Array(48)
  for (let patch = 0; patch < 48; patch++) {
    const [row, column] = [Math.floor(patch / 8), patch % 8]
    const thing = row >= 2 && row < 5 && column >= 2 && column < 6
    isThing[patch] = thing ? 1 : 0
    for (let i = 0; i < WIDTH; i++) patches[patch * WIDTH + i] = (random() - 0.5) * (thing ? 1 : 0.2)
    patches[patch * WIDTH] = thing ? 6 : -2
    // Parts of the thing differ by where they are.
    patches[patch * WIDTH + 1] = (patches[patch * WIDTH + 1] ?? 0) + (thing ? column - 3.5 : 0)
  }
  return { patches, grid: { rows: 6, columns: 8 }, isThing, ...(identity && { identity }) }
}

test('the foreground is the thing, in photos that were there and in one that was not, whichever way the component points', async () => {
  const { cut, separability } = await fitForeground([photo(1), photo(2)])
  expect(separability).toBeGreaterThan(0.9)
  if (cut === null) throw new Error('nothing was cut')
  for (const one of [photo(1), photo(9)]) expect(foregroundMask(one, cut)).toEqual(one.isThing)
  const turned = (map: PatchMap): PatchMap => ({ ...map, patches: map.patches.map((value) => -value) })
  const other = await fitForeground([turned(photo(1)), turned(photo(2))])
  if (other.cut === null) throw new Error('nothing was cut')
  expect(foregroundMask(turned(photo(1)), other.cut)).toEqual(photo(1).isThing)
})

test('nothing is cut off where two groups are not there, unless somebody clicks', async () => {
  // One patch of fifty is far away and all others are evenly many steps apart: groups explain less than six tenths.
  const values = Array.from({ length: 100 }, (_, i) => Math.sign(i - 50) * Math.abs((i - 50) / 50) ** 9)
  const map: PatchMap = {
    patches: Float32Array.from(values.flatMap((value) => [value, 0, 0])),
    grid: { rows: 10, columns: 10 },
  }
  const { cut, separability } = await fitForeground([map])
  expect(separability).toBeLessThan(0.6)
  expect(cut).toBeNull()
  const clicked = await fitForeground([map], { clicks: [{ map: 0, patch: 99 }] })
  if (clicked.cut === null) throw new Error('a click cuts')
  expect(foregroundMask(map, clicked.cut)[99]).toBe(1)
  const low = await fitForeground([map], { clicks: [{ map: 0, patch: 0 }] })
  if (low.cut === null) throw new Error('a click cuts')
  expect([foregroundMask(map, low.cut)[0], foregroundMask(map, low.cut)[99]]).toEqual([1, 0])
  await expect(fitForeground([map], { clicks: [{ map: 1, patch: 0 }] })).rejects.toThrow(
    /no patch 0 in photo 1 of 1/,
  )
})

test('what is clicked is never cut off', async () => {
  const map = photo(3)
  const patches = fc.array(fc.integer({ min: 0, max: 47 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(patches, async (chosen) => {
      const { cut } = await fitForeground([map], { clicks: chosen.map((patch) => ({ map: 0, patch })) })
      if (cut === null) throw new Error('a click cuts')
      const mask = foregroundMask(map, cut)
      for (const patch of chosen) expect(mask[patch]).toBe(1)
    }),
    { numRuns: 50 },
  )
})

test.each(PATCH_COLOR_METHODS)(
  '%s: colours that were saved are the same, to the bit, and fit a photo that came later',
  async (method) => {
    const colors = await fitPatchColors([photo(1, ours), photo(2, ours)], { method })
    const read = readPatchColors(writePatchColors(colors))
    expect(read).toEqual(colors)
    expect(colorPatches(photo(5, ours), read)).toEqual(colorPatches(photo(5, ours), colors))
    expect(await fitPatchColors([photo(1, ours), photo(2, ours)], { method })).toEqual(colors)
  },
)

test('dinov2 and dinov3 leave the background black and give the thing all colours', async () => {
  const map = photo(4)
  for (const method of ['dinov2', 'dinov3'] as const) {
    const values = patchColorValues(map, await fitPatchColors([map], { method }))
    const things = [...map.isThing.keys()].filter((patch) => map.isThing[patch] === 1)
    for (const patch of map.isThing.keys())
      if (map.isThing[patch] === 0) expect([...values.subarray(3 * patch, 3 * patch + 3)]).toEqual([0, 0, 0])
    const reds = things.map((patch) => values[3 * patch] ?? 0)
    if (method === 'dinov2') expect([Math.min(...reds), Math.max(...reds)]).toEqual([0, 1])
    // Whitened values have a mean of 0 and a deviation of 1: about two thirds lie between the sigmoids of -2 and 2.
    else expect(reds.filter((red) => red > 0.12 && red < 0.88).length / reds.length).toBeGreaterThan(0.4)
  }
})

test('two models, or two settings of one, are not mixed: neither in a fit nor afterwards', async () => {
  const theirs = { digest: 'b'.repeat(64), model: 'theirs' }
  await expect(fitPatchColors([photo(1, ours), photo(2, theirs)])).rejects.toMatchObject({
    code: 'mixed-models',
    message: expect.stringMatching(/theirs and ours/),
  })
  const colors = await fitPatchColors([photo(1, ours)])
  expect(() => colorPatches(photo(1, { ...theirs, model: 'ours' }), colors)).toThrow(/two settings of ours/)
  // Patches that say nothing of their model are taken at their word.
  expect(colorPatches(photo(1), colors)).toEqual(colorPatches(photo(1, ours), colors))
})

test('what was not saved here is refused by what is wrong with it', async () => {
  const good = JSON.parse(writePatchColors(await fitPatchColors([photo(1, ours)], { method: 'dinov2' })))
  const read = (change: object) => () => readPatchColors(JSON.stringify({ ...good, ...change }))
  expect(() => readPatchColors('{')).toThrow(/no JSON/)
  expect(() => readPatchColors('[]')).toThrow(/no object/)
  expect(read({ format: 'x' })).toThrow(/format/)
  expect(read({ version: 2 })).toThrow(/version is 2/)
  expect(read({ method: 'dinov4' })).toThrow(/method is "dinov4"/)
  expect(read({ mean: [1, null] })).toThrow(/mean is no list/)
  expect(read({ components: [1] })).toThrow(/components has 1 numbers, not 36/)
  expect(read({ foreground: { separability: 1, cut: { mean: [1] } } })).toThrow(/mean has 1 numbers, not 12/)
  expect(read({ fittedOn: { digest: 1 } })).toThrow(/fittedOn/)
})

/** A photo of 100 x 70 pixels whose middle 80 x 60 was used, in patches of 10. */
const placed: Placed = {
  grid: { rows: 6, columns: 8 },
  imageSize: [70, 100],
  patchBox: (row, column) => ({
    top: 5 + 10 * row,
    left: 10 + 10 * column,
    bottom: 15 + 10 * row,
    right: 20 + 10 * column,
  }),
}

test('a point, a box and a mask of the photo are the patches that have seen them', () => {
  expect(patchesAt(placed, { x: 35, y: 29 })).toEqual([2 * 8 + 2])
  expect(patchesAt(placed, { left: 20, top: 14, right: 41, bottom: 27 })).toEqual([9, 10])
  expect(patchesAt(placed, { left: 21, top: 16, right: 22, bottom: 17 })).toEqual([9])
  const mask = new Uint8Array(7000)
  for (let y = 15; y < 25; y++) mask.fill(1, y * 100 + 20, y * 100 + 36)
  expect(patchesAt(placed, { mask })).toEqual([9, 10])
})

test('a place where no patch is, is told', () => {
  const at = (place: Parameters<typeof patchesAt>[1]) => () => patchesAt(placed, place)
  expect(at({ x: 100, y: 3 })).toThrow(/outside the photo of 100 x 70/)
  expect(at({ x: 3, y: 3 })).toThrow(/cropped away/)
  expect(at({ x: Number.NaN, y: 3 })).toThrow(/outside/)
  expect(at({ left: 5, top: 5, right: 5, bottom: 9 })).toThrow(/empty/)
  expect(at({ left: -1, top: 5, right: 5, bottom: 9 })).toThrow(/reaches outside/)
  expect(at({ mask: new Uint8Array(7000) })).toThrow(/mask is empty/)
  expect(at({ mask: new Uint8Array(9) })).toThrow(/mask of 9 pixels/)
  expect(at({ mask: new Uint8Array(7000).fill(1, 0, 5) })).toThrow(/cropped away/)
})

test('what patches have in common finds them, within a photo and across', async () => {
  const [one, two] = [photo(1), photo(2)]
  const things = [...one.isThing.keys()].filter((patch) => one.isThing[patch] === 1)
  const query = commonDirection(one, things)
  expect(Math.hypot(...query)).toBeCloseTo(1, 6)
  const found = await similarPatches(query, [one, two])
  for (const [map, cosines] of found.entries()) {
    const plain = patchSimilarity(query, [one, two][map] ?? one)
    for (const [patch, cosine] of cosines.entries()) {
      expect(cosine).toBeCloseTo(plain[patch] ?? 0, 5)
      expect(cosine > 0).toBe(one.isThing[patch] === 1)
    }
  }
  const single = await similarPatches(commonDirection(one, [20]), [one])
  expect(single[0]?.[20]).toBeCloseTo(1, 6)
  expect(() => commonDirection(one, [48])).toThrow(/no patch 48 in a grid of 6 x 8/)
  expect(() => commonDirection(one, [])).toThrow(/no direction in common/)
  await expect(similarPatches(new Float32Array(3), [one])).rejects.toThrow(/query of 3 numbers/)
})

test('groups that several photos share come first, and a photo of its own kind has a group of its own', async () => {
  const alone: PatchMap = {
    patches: Float32Array.from({ length: 48 * WIDTH }, (_, i) => (i % WIDTH === 5 ? 9 : 0)),
    grid: { rows: 6, columns: 8 },
  }
  const maps = [photo(1), photo(2), alone]
  const { count, labels, counts } = await clusterPatches(maps, 3, { seed: 1 })
  expect(count).toBe(3)
  expect(counts.map((own) => own.filter((n) => n > 0).length)).toEqual([2, 2, 1])
  expect(new Set(labels[2])).toEqual(new Set([2]))
  for (const map of [0, 1])
    expect(labels[map]?.map((label) => (label === 0 ? 0 : 1))).toEqual(Int32Array.from(photo(1).isThing))
})

test('tokens that are much longer than others are told', () => {
  const map = photo(1)
  const patches = map.patches.map((value, i) => (Math.floor(i / WIDTH) === 7 ? value * 10 : value))
  const { norms, outliers, median } = tokenNorms({ patches, grid: map.grid })
  expect(outliers[7]).toBe(1)
  expect(outliers[6]).toBe(0)
  expect(norms[7]).toBeGreaterThan(9 * median)
})

test('few numbers a patch become pixels, more are refused', () => {
  const guide = { height: 12, width: 16, data: new Uint8Array(12 * 16 * 3) }
  const grid = { rows: 6, columns: 8 }
  expect(upsample({ values: new Float32Array(48 * 16), grid }, guide, 'bicubic').length).toBe(12 * 16 * 16)
  const asked = (length: number, way: string) => () =>
    upsample({ values: new Float32Array(length), grid }, guide, way as 'bicubic')
  expect(asked(48 * 17, 'bicubic')).toThrow(/17 numbers a patch are too many/)
  expect(asked(49, 'bicubic')).toThrow(/49 values of 6 x 8/)
  expect(asked(48, 'anyup')).toThrow(/no upsampling anyup/)
})
