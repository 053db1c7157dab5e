import { expect, test } from 'vitest'
import { readProcessorSizes } from './processor-file.js'

const sizes = (settings: object) => readProcessorSizes({ size: { shortest_edge: 256 }, ...settings })

test('without a file, or without the settings, it is DINOv2: 256 and a crop of 224', () => {
  const usual = { resize: 256, crop: [224, 224] }
  expect(readProcessorSizes(undefined)).toEqual(usual)
  expect(readProcessorSizes({})).toEqual(usual)
  expect(sizes({ resample: 3, rescale_factor: 0.00392156862745098, do_resize: true })).toEqual(usual)
})

test('sizes come as a number, as an edge, or as two sides', () => {
  expect(sizes({ size: 300, crop_size: 280 })).toEqual({ resize: 300, crop: [280, 280] })
  expect(sizes({ size: { shortest_edge: 300 }, crop_size: { height: 280, width: 266 } })).toEqual({
    resize: 300,
    crop: [280, 266],
  })
  expect(sizes({ size: { height: 518, width: 518 }, do_center_crop: false })).toEqual({
    resize: [518, 518],
    crop: null,
  })
})

test.each([
  [{ resample: 2 }, /resample 2/],
  [{ do_normalize: false }, /do_normalize/],
  [{ rescale_factor: 1 }, /rescale_factor 1/],
  [{ do_center_crop: false }, /does not crop/],
  [{ size: { longest_edge: 518 } }, /undefined in size/],
  [{ size: { shortest_edge: '256' } }, /"256" in size/],
  [{ crop_size: { height: 0, width: 224 } }, /0 in crop_size/],
])('%j is refused by name rather than passed over', (settings, message) => {
  expect(() => sizes(settings)).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(message) }),
  )
})

test('a file that is no object is refused', () => {
  for (const file of [null, 'bicubic', [3]]) {
    expect(() => readProcessorSizes(file)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  }
})
