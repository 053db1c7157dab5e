/** Reads what `preprocessor_config.json` of a Hugging Face model asks for. What no recipe here follows is refused, not passed over. */
import { ImageError } from './image-error.js'

/** `resize` is the shortest edge's length, or both sides; `crop` is null where what the resize gives is kept whole. */
export interface ProcessorSizes {
  readonly resize: number | readonly [height: number, width: number]
  readonly crop: readonly [height: number, width: number] | null
}

/** Hugging Face's and Facebook's evaluations of DINOv2 crop 224 from 256. */
export const EVALUATION_SIZES = { resize: 256, crop: [224, 224] } as const satisfies ProcessorSizes

type Settings = Readonly<Record<string, unknown>>

/** Pillow numbers its filters; this is the bicubic one. */
const BICUBIC = 3

/** Settings that are left out take BitImageProcessor's defaults for DINOv2. Throws `ImageError` `unsupported`. */
export function readProcessorSizes(file: unknown): ProcessorSizes {
  if (file === undefined) return EVALUATION_SIZES
  if (!isSettings(file)) throw unsupported('is no object of settings')
  if ((file.resample ?? BICUBIC) !== BICUBIC) {
    throw unsupported(`has resample ${JSON.stringify(file.resample)}; only ${BICUBIC}, bicubic, is there`)
  }
  for (const step of ['do_resize', 'do_rescale', 'do_normalize']) {
    if (file[step] === false) throw unsupported(`turns ${step} off`)
  }
  const factor = file.rescale_factor ?? 1 / 255
  if (typeof factor !== 'number' || Math.abs(factor * 255 - 1) > 1e-6) {
    throw unsupported(`has rescale_factor ${JSON.stringify(factor)}, where 1 / 255 is expected`)
  }
  const resize = readResize(file.size ?? EVALUATION_SIZES.resize)
  const crops = file.do_center_crop !== false
  if (!crops && typeof resize === 'number') {
    throw unsupported(
      'resizes the shortest edge and does not crop, so that every image has a size of its own',
    )
  }
  const crop = crops ? readSides(file.crop_size ?? EVALUATION_SIZES.crop[0], 'crop_size') : null
  return { resize, crop }
}

function readResize(size: unknown): ProcessorSizes['resize'] {
  if (typeof size === 'number') return pixels(size, 'size')
  if (isSettings(size) && size.shortest_edge !== undefined) return pixels(size.shortest_edge, 'size')
  return readSides(size, 'size')
}

function readSides(size: unknown, name: string): readonly [number, number] {
  if (typeof size === 'number') return [pixels(size, name), pixels(size, name)]
  if (!isSettings(size)) throw unsupported(`has ${name} ${JSON.stringify(size)}`)
  return [pixels(size.height, name), pixels(size.width ?? size.height, name)]
}

function pixels(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value
  throw unsupported(`has ${JSON.stringify(value)} in ${name}, where a whole number of pixels is expected`)
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unsupported(what: string): ImageError {
  return new ImageError(
    'unsupported',
    `preprocessor_config.json ${what}. Choose another recipe, such as timm or birder, or correct the file.`,
  )
}
