/**
 * Reads preprocessor_config.json as transformers 5.24 does (image_processing_backends.py): a setting that is absent or null is that of the class
 * which the file names. Older versions' slow classes passed over settings that they did not know; the newest do what the file says.
 */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { EdgePreparation, MultiplePreparation, PatchPreparation } from '../../image/preparation.js'
import { isRecord, type PlainRecord, type PlainValue } from '../../plain-value.js'
import { judgeFields, unsupportedValue } from '../fields.js'
import { NORMALISATIONS } from '../normalisation.js'
import type { RgbStats } from '../vit-config.js'
import { ConfigReader } from './config-reader.js'
import type { VitHints } from './dialect.js'
import { TRANSFORMERS_PROCESSOR } from './transformers-fields.js'

type Size = readonly [height: number, width: number]
type Filter = EdgePreparation['filter']

/** Pillow numbers its filters so. */
const FILTER_NUMBERS: readonly Filter[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']

/** What a class does where its file leaves a setting out. */
interface ProcessorClass {
  readonly size: PlainRecord
  readonly square: boolean
  readonly filter: Filter
  /** Is null where the class does not crop. */
  readonly crop: Size | null
  readonly cropFraction?: number
  /** Gives every image a size of its own, of so many patches of this side at most. */
  readonly patches?: { readonly size: number; readonly most: number }
  /** Takes sides to multiples. */
  readonly multiples?: true
  readonly resampler?: EdgePreparation['resampler']
  readonly stats: RgbStats
}

const { half, clip, imagenet } = NORMALISATIONS
const SQUARE_224: PlainRecord = { height: 224, width: 224 }
const CLIP_LIKE: ProcessorClass = {
  size: { shortest_edge: 224 },
  square: false,
  filter: 'bicubic',
  crop: [224, 224],
  stats: clip,
}
const VIT_LIKE: ProcessorClass = {
  size: SQUARE_224,
  square: true,
  filter: 'bilinear',
  crop: null,
  stats: half,
}

/** Each class by its name without `ImageProcessor`. */
const CLASSES: ReadonlyMap<string, ProcessorClass> = new Map<string, ProcessorClass>([
  ['Bit', CLIP_LIKE],
  ['CLIP', CLIP_LIKE],
  ['ViT', VIT_LIKE],
  ['Beit', { ...VIT_LIKE, filter: 'bicubic' }],
  ['Siglip', { ...VIT_LIKE, filter: 'bicubic', square: false }],
  ['DeiT', { ...VIT_LIKE, filter: 'bicubic', size: { height: 256, width: 256 }, crop: [224, 224] }],
  // It rescales before it resizes, so that nothing is rounded to 8 bits.
  ['DINOv3ViT', { ...VIT_LIKE, stats: imagenet, resampler: 'torch-float32' }],
  // Neither of it nor of DINOv3's is there a class on Pillow.
  [
    'Tipsv2',
    {
      ...VIT_LIKE,
      size: { height: 448, width: 448 },
      stats: NORMALISATIONS.none,
      resampler: 'torch-uint8',
    },
  ],
  ['DPT', { ...VIT_LIKE, filter: 'bicubic', size: { height: 384, width: 384 }, multiples: true }],
  ['Siglip2', { ...VIT_LIKE, patches: { size: 16, most: 256 } }],
  [
    'ConvNext',
    { ...VIT_LIKE, filter: 'bicubic', size: { shortest_edge: 384 }, square: false, cropFraction: 224 / 256 },
  ],
])

export interface Processor {
  /** Leaves out what no file of a processor says: it depends on the version of transformers. */
  readonly preparation:
    | Omit<EdgePreparation, 'transparency'>
    | Omit<MultiplePreparation, 'transparency'>
    | Omit<PatchPreparation, 'transparency'>
  readonly rgbStats: RgbStats
}

/** Is the image processor as one of the files beside the weights has it. */
export interface ProcessorFile {
  /** Names the file. */
  readonly name: string
  readonly settings: PlainValue
}

/**
 * Gives the image processor that the files beside the weights have, or null where they have none. What processor_config.json has counts before what
 * preprocessor_config.json has (image_processing_base.py); an older one has no image processor in it.
 */
export function processorFileOf({ processorFile, preprocessorFile }: VitHints): ProcessorFile | null {
  const nested = isRecord(processorFile) ? (processorFile.image_processor ?? null) : null
  if (nested !== null) return { name: 'processor_config.json', settings: nested }
  if (preprocessorFile === undefined) return null
  return { name: 'preprocessor_config.json', settings: preprocessorFile }
}

/** @param patchSize is that of the network, which the file must not contradict; null where it is not known. Throws `CheckpointError` by the field's name for what is not followed here. */
export function readProcessor(
  { name, settings }: ProcessorFile,
  label: string,
  ignored?: readonly string[],
  patchSize: number | null = null,
): Processor {
  const where = `${label}: the ${name} beside it`
  if (!isRecord(settings)) throw new CheckpointError('malformed', `${where} is no object of settings.`)
  judgeFields(settings, TRANSFORMERS_PROCESSOR, { label: where, ignored })
  return new ProcessorReader(settings, where, patchSize).read()
}

class ProcessorReader {
  readonly #file: PlainRecord
  readonly #where: string
  readonly #reader: ConfigReader
  readonly #class: ProcessorClass

  readonly #patchSize: number | null

  constructor(file: PlainRecord, where: string, patchSize: number | null) {
    this.#patchSize = patchSize
    this.#file = file
    this.#where = where
    this.#reader = new ConfigReader(file, where)
    this.#class = this.#classOf()
  }

  read(): Processor {
    const rescale = this.#rescale()
    const filter = this.#filter()
    const { patches, multiples, resampler } = this.#class
    const rgbStats = this.#stats()
    const how = { filter, rescale, ...(resampler === undefined ? {} : { resampler }) }
    if (patches === undefined)
      this.#refuseFieldsOf(['patch_size', 'max_num_patches'], 'Siglip2ImageProcessor')
    if (multiples === undefined)
      this.#refuseFieldsOf(
        ['ensure_multiple_of', 'keep_aspect_ratio', 'do_pad', 'size_divisor'],
        'DPTImageProcessor',
      )
    if (patches !== undefined)
      return { preparation: { kind: 'patches', ...how, maxPatches: this.#patches(patches) }, rgbStats }
    if (multiples !== undefined)
      return { preparation: { kind: 'multiples', ...how, ...this.#multiples() }, rgbStats }
    return { preparation: { kind: 'edges', ...how, ...this.#edges() }, rgbStats }
  }

  #refuse(key: string, expected: string): CheckpointError {
    return unsupportedValue(this.#where, key, this.#file[key] ?? null, expected)
  }

  /** The patch of the network is what images are cut by, so that the class must have the same. */
  #patches({ size, most }: { readonly size: number; readonly most: number }): number {
    this.#refuseFieldsOf(['size', 'do_center_crop', 'crop_size', 'crop_pct'], 'other classes')
    if (!this.#reader.flag('do_resize', true)) throw this.#refuse('do_resize', 'every image is resized here')
    const patch = this.#reader.number('patch_size', size)
    if (this.#patchSize !== null && patch !== this.#patchSize)
      throw this.#refuse('patch_size', `the network has patches of ${this.#patchSize}`)
    return this.#reader.has('max_num_patches') ? this.#reader.positive('max_num_patches') : most
  }

  /** The class on torchvision crops and the one on Pillow does not, so that a file which asks for a crop has no one meaning. */
  #multiples(): Pick<MultiplePreparation, 'resize' | 'divisor'> {
    this.#refuseFieldsOf(['do_center_crop', 'crop_pct'], 'other classes')
    return { resize: this.#multiplesOfSides(), divisor: this.#divisor() }
  }

  #multiplesOfSides(): MultiplePreparation['resize'] {
    if (!this.#reader.flag('do_resize', true)) return null
    const size = this.#resize()
    if (typeof size === 'number') throw this.#refuse('size', 'DPTImageProcessor takes height and width')
    const multiple = this.#reader.has('ensure_multiple_of') ? this.#reader.positive('ensure_multiple_of') : 1
    return { size, multiple, keepRatio: this.#reader.flag('keep_aspect_ratio', false) }
  }

  #divisor(): number {
    if (!this.#reader.flag('do_pad', false)) return 1
    if (this.#reader.has('size_divisor')) return this.#reader.positive('size_divisor')
    throw this.#refuse('do_pad', 'size_divisor does not say to a multiple of what')
  }

  #refuseFieldsOf(keys: readonly string[], owner: string): void {
    const found = keys.find((key) => this.#reader.has(key) && this.#file[key] !== false)
    if (found !== undefined) throw this.#refuse(found, `only the files of ${owner} have it`)
  }

  /** DINOv2's own class is Bit's, which transformers takes where the file names none. */
  #classOf(): ProcessorClass {
    const key = this.#reader.has('image_processor_type') ? 'image_processor_type' : 'feature_extractor_type'
    const named = this.#reader.text(key, 'BitImageProcessor')
    const found = CLASSES.get(named.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, ''))
    if (found !== undefined) return found
    const known = [...CLASSES.keys()].map((name) => `${name}ImageProcessor`).join(', ')
    throw this.#refuse(key, `the classes whose work is done here are ${known}`)
  }

  #filter(): Filter {
    if (!this.#reader.has('resample')) return this.#class.filter
    const filter = FILTER_NUMBERS[this.#reader.number('resample', 3)]
    const isOfTorch = this.#class.resampler !== undefined
    if (isOfTorch && filter !== 'bilinear' && filter !== 'bicubic')
      throw this.#refuse('resample', "of torch's filters bilinear (2) and bicubic (3) are computed here")
    if (filter !== undefined) return filter
    throw this.#refuse('resample', `Pillow's filters have the numbers 0 to ${FILTER_NUMBERS.length - 1}`)
  }

  #rescale(): EdgePreparation['rescale'] {
    if (!this.#reader.flag('do_rescale', true)) return 1
    if (!this.#reader.has('rescale_factor')) return 'divide'
    const factor = this.#reader.number('rescale_factor', 1 / 255)
    if (!(factor > 0)) throw this.#refuse('rescale_factor', 'a factor above 0 is expected')
    return Math.abs(factor * 255 - 1) < 1e-6 ? 'divide' : factor
  }

  #stats(): RgbStats {
    if (!this.#reader.flag('do_normalize', true)) return NORMALISATIONS.none
    const mean = this.#levels('image_mean', this.#class.stats.mean)
    const std = this.#levels('image_std', this.#class.stats.std)
    if (std.some((value) => value === 0)) throw this.#refuse('image_std', 'no channel can be divided by 0')
    return { mean, std }
  }

  #levels(key: string, fallback: readonly number[]): readonly number[] {
    const levels = this.#reader.numbersOrNull(key, true)
    if (levels === null) return fallback
    const [first, ...others] = levels
    const finite = levels.every((level) => Number.isFinite(level))
    if (first !== undefined && others.length === 0 && finite) return [first, first, first]
    if (levels.length === 3 && finite) return levels
    throw this.#refuse(key, 'one number is expected, or one for each of three channels')
  }

  /** ConvNeXT crops below 384 only, from an edge that its crop_pct makes; above it squashes. */
  #edges(): Pick<EdgePreparation, 'resize' | 'crop'> {
    const resize = this.#reader.flag('do_resize', true) ? this.#resize() : null
    const ownCrop = this.#crop()
    const { cropFraction } = this.#class
    if (cropFraction === undefined) {
      if (this.#reader.has('crop_pct'))
        throw this.#refuse('crop_pct', "only ConvNextImageProcessor's files have it")
      return this.#fixed(resize, ownCrop)
    }
    if (typeof resize !== 'number') throw this.#refuse('size', 'ConvNextImageProcessor takes a shortest_edge')
    if (resize >= 384) return this.#fixed([resize, resize], ownCrop)
    const fraction = this.#reader.number('crop_pct', cropFraction)
    if (!(fraction > 0 && fraction <= 1)) throw this.#refuse('crop_pct', 'a part in (0, 1] is expected')
    if (ownCrop !== null) throw this.#refuse('do_center_crop', 'ConvNextImageProcessor has cropped already')
    return { resize: Math.trunc(resize / fraction), crop: [resize, resize] }
  }

  #fixed(
    resize: EdgePreparation['resize'],
    crop: EdgePreparation['crop'],
  ): Pick<EdgePreparation, 'resize' | 'crop'> {
    if (crop !== null || Array.isArray(resize)) return { resize, crop }
    const what = resize === null ? 'neither resizes nor crops' : 'resizes the shortest edge and does not crop'
    throw new CheckpointError(
      'unsupported-field',
      `${this.#where} ${what} (do_resize, size, do_center_crop), so that every image has a size of its own. ` +
        'Name a recipe instead: recipe (--recipe) native keeps the shape of each image, birder squashes it.',
    )
  }

  #resize(): number | Size {
    const { size: classSize, square } = this.#class
    const size = this.#reader.has('size') ? this.#file.size : classSize
    if (typeof size === 'number') {
      const side = this.#pixels('size', size)
      return this.#reader.flag('default_to_square', square) ? [side, side] : side
    }
    if (Array.isArray(size)) return this.#sides('size', { height: size[0], width: size[1] })
    if (!isRecord(size)) throw this.#refuse('size', 'a number or an object of sides is expected')
    const keys = Object.keys(size).filter((key) => size[key] !== null)
    if (keys.join() === 'shortest_edge') return this.#pixels('size', size.shortest_edge)
    return this.#sides('size', size)
  }

  #crop(): Size | null {
    const { crop: classCrop } = this.#class
    if (!this.#reader.flag('do_center_crop', classCrop !== null)) return null
    if (!this.#reader.has('crop_size')) {
      if (classCrop !== null) return classCrop
      throw this.#refuse('do_center_crop', 'crop_size does not say how large the crop is')
    }
    const { crop_size: size } = this.#file
    if (typeof size === 'number') return this.#sides('crop_size', { height: size, width: size })
    if (Array.isArray(size)) return this.#sides('crop_size', { height: size[0], width: size[1] })
    return this.#sides('crop_size', size)
  }

  /** Both sides and nothing else: an edge that bounds the other way would give every image a size of its own. */
  #sides(
    key: string,
    size: PlainValue | { readonly [side: string]: PlainValue | undefined } | undefined,
  ): Size {
    const given: PlainRecord = isRecord(size as PlainValue) ? (size as PlainRecord) : {}
    const { height, width, ...others } = given
    if (Object.values(others).some((value) => value !== null && value !== undefined))
      throw this.#refuse(key, 'height and width are expected, or shortest_edge alone')
    return [this.#pixels(key, height), this.#pixels(key, width)]
  }

  #pixels(key: string, value: PlainValue | undefined): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 16384) return value
    throw this.#refuse(key, 'whole numbers of pixels from 1 to 16384 are expected')
  }
}

/** Is what transformers' DINOv2 networks are published with, for a folder without the file. */
export const DINOV2_STATS: RgbStats = imagenet
