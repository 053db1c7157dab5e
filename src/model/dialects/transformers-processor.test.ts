import { expect, test } from 'vitest'
import type { PlainRecord, PlainValue } from '../../plain-value.js'
import { processorFileOf, readProcessor } from './transformers-processor.js'

const fileOf = (settings: PlainValue) => ({ name: 'preprocessor_config.json', settings })
const read = (settings: PlainValue) => readProcessor(fileOf(settings), 'model.safetensors')
const edges = (settings: PlainRecord) => {
  const { preparation } = read(settings)
  if (preparation.kind !== 'edges') throw new Error('A preparation in edges is expected.')
  return { resize: preparation.resize, crop: preparation.crop }
}

test("what DINOv2's file says is 256 and a crop of 224, and so is what it leaves out", () => {
  const published = {
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.485, 0.456, 0.406],
    image_processor_type: 'BitImageProcessor',
    image_std: [0.229, 0.224, 0.225],
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 256 },
  }
  const { preparation, rgbStats } = read(published)
  expect(preparation).toEqual({
    kind: 'edges',
    resize: 256,
    crop: [224, 224],
    filter: 'bicubic',
    rescale: 'divide',
  })
  expect(rgbStats).toEqual({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })
  const { crop_size: _, do_center_crop: __, resample: ___, ...less } = published
  expect(read(less).preparation).toEqual(preparation)
})

test('a class that the file names has defaults of its own, and null is as good as absent', () => {
  expect(read({}).rgbStats.mean).toEqual([0.48145466, 0.4578275, 0.40821073])
  const vit = read({ image_processor_type: 'ViTImageProcessor', do_center_crop: null, crop_size: null })
  expect(vit.preparation).toMatchObject({ resize: [224, 224], crop: null, filter: 'bilinear' })
  expect(vit.rgbStats).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] })
  expect(read({ image_processor_type: 'ViTImageProcessorFast' })).toEqual(vit)
  expect(read({ feature_extractor_type: 'ViTFeatureExtractor' })).toEqual(vit)
  expect(edges({ image_processor_type: 'DeiTImageProcessor' })).toEqual({
    resize: [256, 256],
    crop: [224, 224],
  })
})

test('sizes come as a number, as a list, as an edge, or as two sides', () => {
  expect(edges({ size: 300, crop_size: 280 })).toEqual({ resize: 300, crop: [280, 280] })
  expect(edges({ size: 300, default_to_square: true })).toMatchObject({ resize: [300, 300] })
  expect(edges({ size: [300, 280], crop_size: [280, 266] })).toEqual({ resize: [300, 280], crop: [280, 266] })
  expect(edges({ size: { height: 518, width: 518, longest_edge: null }, do_center_crop: false })).toEqual({
    resize: [518, 518],
    crop: null,
  })
  expect(edges({ do_resize: false, crop_size: 98 })).toEqual({ resize: null, crop: [98, 98] })
})

test('ConvNeXT crops what is smaller than 384 from an edge that its crop_pct makes, and squashes the rest', () => {
  const convNext = (size: number, more: PlainRecord = {}) =>
    edges({ image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: size }, ...more })
  expect(convNext(224)).toEqual({ resize: 256, crop: [224, 224] })
  expect(convNext(112, { crop_pct: 0.9 })).toEqual({ resize: 124, crop: [112, 112] })
  expect(convNext(384)).toEqual({ resize: [384, 384], crop: null })
})

test.each([
  [0, 'nearest'],
  [1, 'lanczos'],
  [2, 'bilinear'],
  [3, 'bicubic'],
  [4, 'box'],
  [5, 'hamming'],
] as const)("resample %i is Pillow's %s", (resample, filter) => {
  expect(read({ resample }).preparation.filter).toBe(filter)
})

test('levels are as the file makes them: another factor, none, no mean and deviation, one number for all', () => {
  expect(read({ rescale_factor: 1 / 127.5 }).preparation.rescale).toBe(1 / 127.5)
  expect(read({ do_rescale: false }).preparation.rescale).toBe(1)
  expect(read({ do_normalize: false }).rgbStats).toEqual({ mean: [0, 0, 0], std: [1, 1, 1] })
  expect(read({ image_mean: 0.5, image_std: [0.25] }).rgbStats).toEqual({
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
  })
})

test.each<readonly [PlainRecord, string]>([
  [{ resample: 6 }, 'resample'],
  [{ resample: 'bicubic' }, 'resample'],
  [{ size: { longest_edge: 518 } }, 'size'],
  [{ size: { shortest_edge: 256, longest_edge: 518 } }, 'size'],
  [{ size: { shortest_edge: '256' } }, 'size'],
  [{ size: 2.5 }, 'size'],
  [{ crop_size: { height: 0, width: 224 } }, 'crop_size'],
  [{ crop_size: { height: 224 } }, 'crop_size'],
  [{ do_center_crop: false }, 'do_center_crop'],
  [{ do_resize: false, do_center_crop: false }, 'do_resize'],
  [{ do_center_crop: 'yes' }, 'do_center_crop'],
  [{ crop_pct: 0.9 }, 'crop_pct'],
  [{ rescale_factor: 0 }, 'rescale_factor'],
  [{ image_mean: 'imagenet' }, 'image_mean'],
  [{ image_mean: [0.5, 0.5] }, 'image_mean'],
  [{ image_std: [0.5, 0, 0.5] }, 'image_std'],
  [{ image_processor_type: 'SamImageProcessorFast' }, 'image_processor_type'],
  [{ do_pad: true }, 'do_pad'],
  [{ size_divisor: 14 }, 'size_divisor'],
  [{ keep_aspect_ratio: true }, 'keep_aspect_ratio'],
  [{ image_processor_type: 'DPTImageProcessor', do_pad: true }, 'do_pad'],
  [{ image_processor_type: 'DPTImageProcessor', ensure_multiple_of: 0 }, 'ensure_multiple_of'],
  [{ image_processor_type: 'DPTImageProcessor', size: { shortest_edge: 518 } }, 'size'],
  [{ image_processor_type: 'DPTImageProcessor', do_center_crop: true, crop_size: 28 }, 'do_center_crop'],
  [{ rescale_offset: true }, 'rescale_offset'],
])('%j is refused by its name rather than passed over', (settings, name) => {
  expect(() => read(settings)).toThrow(
    expect.objectContaining({ name: 'CheckpointError', message: expect.stringContaining(name) }),
  )
})

test('a file that is no object is refused', () => {
  for (const file of [null, 'bicubic', [3]]) expect(() => read(file)).toThrow(/no object of settings/)
})

test("DINOv3's class rescales before it resizes, and SigLIP 2's gives each image a size of its own", () => {
  const dinov3 = read({ image_processor_type: 'DINOv3ViTImageProcessorFast' }).preparation
  expect(dinov3).toMatchObject({ kind: 'edges', resize: [224, 224], crop: null, resampler: 'torch-float32' })
  const patches = { image_processor_type: 'Siglip2ImageProcessor', max_num_patches: 100 }
  expect(read(patches).preparation).toMatchObject({
    kind: 'patches',
    maxPatches: 100,
    filter: 'bilinear',
  })
  expect(() => read({ ...patches, size: { height: 224, width: 224 } })).toThrow('size')
  expect(() => read({ image_processor_type: 'ViTImageProcessor', max_num_patches: 100 })).toThrow('max_num')
  expect(() => readProcessor(fileOf({ ...patches, patch_size: 14 }), 'model.safetensors', [], 16)).toThrow(
    'of 16',
  )
})

test("DPT's class takes sides to multiples, and may pad what it does not resize", () => {
  const depthAnything = {
    image_processor_type: 'DPTImageProcessor',
    size: { height: 518, width: 518 },
    ensure_multiple_of: 14,
    keep_aspect_ratio: true,
    do_pad: false,
    size_divisor: 14,
  }
  expect(read(depthAnything)).toEqual({
    preparation: {
      kind: 'multiples',
      resize: { size: [518, 518], multiple: 14, keepRatio: true },
      divisor: 1,
      filter: 'bicubic',
      rescale: 'divide',
    },
    rgbStats: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  })
  const padded = {
    feature_extractor_type: 'DPTFeatureExtractor',
    do_resize: false,
    do_pad: true,
    size_divisor: 14,
  }
  expect(read(padded).preparation).toMatchObject({ resize: null, divisor: 14 })
  expect(read({ feature_extractor_type: 'DPTFeatureExtractor' }).preparation).toMatchObject({
    resize: { size: [384, 384], multiple: 1, keepRatio: false },
  })
})

test('the image processor of processor_config.json counts before preprocessor_config.json, where it has one', () => {
  const nested = { image_processor: { size: 4 }, processor_class: 'CLIPProcessor' }
  const preprocessorFile = { size: 2 }
  const name = 'processor_config.json'
  expect(processorFileOf({ processorFile: nested })).toEqual({ name, settings: { size: 4 } })
  expect(processorFileOf({ processorFile: nested, preprocessorFile })).toEqual({
    name,
    settings: { size: 4 },
  })
  for (const older of [{ processor_class: 'CLIPProcessor' }, { image_processor: null }, {}])
    expect(processorFileOf({ processorFile: older, preprocessorFile })).toEqual(fileOf(preprocessorFile))
  expect(processorFileOf({ processorFile: {} })).toBeNull()
  const unknown = processorFileOf({ processorFile: { image_processor: { sizes: 4 } } })
  expect(() => unknown && readProcessor(unknown, 'model.safetensors')).toThrow(
    /the processor_config\.json beside it has a field sizes/,
  )
})

test('classes that are there on torchvision alone resize as it does, by its filters', () => {
  for (const [name, resampler] of [
    ['Tipsv2', 'torch-uint8'],
    ['DINOv3ViT', 'torch-float32'],
  ] as const) {
    const image_processor_type = `${name}ImageProcessor`
    expect(read({ image_processor_type }).preparation).toMatchObject({ resampler, filter: 'bilinear' })
    expect(read({ image_processor_type, resample: 3 }).preparation).toMatchObject({ filter: 'bicubic' })
    for (const resample of [0, 1, 4])
      expect(() => read({ image_processor_type, resample })).toThrow(/resample is \d, and of torch's filters/)
  }
  expect(read({ image_processor_type: 'ViTImageProcessor' }).preparation).not.toHaveProperty('resampler')
})

test("what DPT's class does where its file says no levels is a half of each", () => {
  const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
  expect(read({ image_processor_type: 'DPTImageProcessor' }).rgbStats).toEqual(half)
})
