/**
 * Says how sharp (libvips) is asked for pixels so that they are those of Pillow: nothing shrinks on load, no colour profile is applied, and alpha is
 * dropped and not blended, or laid on white by Pillow's own rounding.
 */
import { createRequire } from 'node:module'
import type { Metadata, OutputInfo, Sharp, SharpConstructor, SharpOptions } from 'sharp'
import type { RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import type { ImageFormat } from '../../image/image-format.js'
import { isCutOff } from '../../image/is-cut-off.js'
import type { Transparency } from '../../image/preparation.js'
import {
  type Colour,
  gifColoursOrNull,
  hiddenColourOfPng,
  isPngWithoutAlpha,
  transparentColourOfPng,
} from '../../image/transparent-colour.js'
import {
  bytesFrom16Bits,
  rgbFrom8Bits,
  rgbFrom16Bits,
  rgbFromCmyk,
  rgbOnColour,
  rgbOnWhite,
  rgbWithWhiteFor,
} from '../../kernels/to-rgb.js'
import { requireHere } from './package-files.js'

/** What is cut off or broken is an error, what libjpeg merely warns about is not. Our own limit of pixels comes before libvips' one. */
export const READING: SharpOptions = { failOn: 'error', limitInputPixels: false, ignoreIcc: true, pages: 1 }

let loading: Promise<SharpConstructor> | undefined

/**
 * Loads sharp when it is first used: most commands need no decoder. Images are decoded a few at a time beside the engine's threads, and none is decoded
 * twice. Throws `ImageError` `unsupported` where it cannot be loaded.
 */
export function loadSharp(): Promise<SharpConstructor> {
  loading ??= import('sharp').then(
    ({ default: sharp }) => {
      sharp.cache(false)
      sharp.concurrency(1)
      return sharp
    },
    (cause) => {
      // sharp's own advice comes after the reason, and is about npm alone.
      const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split(
        '\nPossible solutions',
      )
      throw new ImageError(
        'unsupported',
        `Images cannot be decoded: the package sharp does not load (${reason.replaceAll('\n', ': ')}). Install it for this system, keep it in node_modules beside the program, and leave it out of what a bundler puts together.`,
        { cause },
      )
    },
  )
  return loading
}

/** Is the part of sharp's addon that says how libvips runs. */
interface SharpAddon {
  cache(memory: number, files: number, items: number): unknown
  concurrency(threads: number): unknown
  /** Is there on x86-64 alone. */
  _isUsingX64V2?(): boolean
}

/**
 * Starts libvips by sharp's addon alone where that can be had, else by the whole of sharp: this one's own modules take four times as long to load, and
 * JPEG needs none of them. Gives the path of the libvips that `isLoaded` says is this process's. Throws as `loadSharp`.
 */
export async function loadLibvips(isLoaded: (path: string) => boolean): Promise<string | undefined> {
  const found = SYSTEMS.find(startLibvips)
  if (found === undefined) await loadSharp()
  return libvipsPaths().find(isLoaded)
}

const { platform, arch } = process
/** Names the systems whose libvips may be there; of several one can be loaded. */
const SYSTEMS = [`${platform}-${arch}`, `${platform}musl-${arch}`]

/** sharp itself takes the same addon later, where it is needed, and sets it up in the same way. */
function startLibvips(system: string): boolean {
  try {
    const addon = requireOfSharp()(`@img/sharp-${system}/sharp.node`) as SharpAddon
    if (addon._isUsingX64V2?.() === false) return false
    addon.cache(0, 0, 0)
    addon.concurrency(1)
    return true
  } catch {
    return false
  }
}

function libvipsPaths(): readonly string[] {
  return SYSTEMS.flatMap((system) => {
    try {
      return [requireOfSharp().resolve(`@img/sharp-libvips-${system}/binary`)]
    } catch {
      return []
    }
  })
}

function requireOfSharp(): NodeJS.Require {
  return createRequire(requireHere().resolve('sharp'))
}

/** Says what libvips is asked for, and how that becomes RGB. */
export interface WayToRgb {
  readonly stored: Sharp
  readonly depth: 'uchar' | 'ushort'
  /** Takes the levels as bytes, row by row. */
  readonly rgbFrom: (levels: Uint8Array, channels: number) => Uint8Array
  readonly transparent: Colour | null
}

export function wayToRgb(
  image: Sharp,
  metadata: Metadata,
  bytes: Uint8Array,
  format: ImageFormat,
  transparency: Transparency,
): WayToRgb {
  const laid = transparency === 'white' ? wayOnWhiteOrNull(image, metadata, bytes, format) : null
  return laid ?? wayAsStored(image, metadata, bytes, format, transparency)
}

/** Gives null where nothing is to be laid on white. What a PNG has that libvips makes alpha of, Pillow paints white by its colour. */
function wayOnWhiteOrNull(
  image: Sharp,
  { space, depth, hasAlpha = false }: Metadata,
  bytes: Uint8Array,
  format: ImageFormat,
): WayToRgb | null {
  if (!hasAlpha || space === 'cmyk' || isPngWithoutAlpha(bytes, format)) return null
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) {
    const rgbFrom = (levels: Uint8Array, channels: number) => {
      const upper = bytesFrom16Bits(wordsOf(levels), false)
      return rgbOnWhite(rgbFrom8Bits(upper, channels), upper, channels, channels - 1)
    }
    return { stored: image.toColourspace(space), depth, rgbFrom, transparent: null }
  }
  const rgbFrom = (levels: Uint8Array) => rgbOnWhite(rgbFrom8Bits(levels, 4), levels, 4, 3)
  return { stored: image.toColourspace('srgb').ensureAlpha(), depth: 'uchar', rgbFrom, transparent: null }
}

function wayAsStored(
  image: Sharp,
  { space, depth, channels = 3, hasAlpha = false }: Metadata,
  bytes: Uint8Array,
  format: ImageFormat,
  transparency: Transparency,
): WayToRgb {
  const hidden = transparency === 'white' && format === 'png' ? hiddenColourOfPng(bytes) : null
  const whitened = (rgb: Uint8Array) => (hidden === null ? rgb : rgbWithWhiteFor(rgb, hidden))
  if (space === 'cmyk') {
    const stored = image.pipelineColourspace('cmyk').toColourspace('cmyk')
    return { stored, depth: 'uchar', rgbFrom: rgbFromCmyk, transparent: null }
  }
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) {
    // A PNG of colour type 0 may have one transparent level, which libvips turns into alpha and Pillow does not.
    const grey = format === 'png' ? bytes[25] === 0 : channels - (hasAlpha ? 1 : 0) === 1
    const rgbFrom = (levels: Uint8Array, found: number) =>
      whitened(rgbFrom16Bits(wordsOf(levels), found, grey))
    return { stored: image.toColourspace(space), depth: 'ushort', rgbFrom, transparent: null }
  }
  if (format === 'gif' && hasAlpha) {
    const { background, transparent } = gifColoursOrNull(bytes) ?? { background: BLACK, transparent: null }
    const stored = image.toColourspace('srgb').ensureAlpha()
    return { stored, depth: 'uchar', rgbFrom: (levels) => rgbOnColour(levels, background), transparent }
  }
  return {
    stored: image.removeAlpha().toColourspace('srgb'),
    depth: 'uchar',
    rgbFrom: (levels, found) => whitened(rgbFrom8Bits(levels, found)),
    transparent: format === 'png' && transparency === 'drop' ? transparentColourOfPng(bytes) : null,
  }
}

const BLACK: Colour = [0, 0, 0]

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, byteLength / 2)
}

/** Takes what sharp has written by that way. */
export function rgbImageFrom(
  { rgbFrom }: WayToRgb,
  data: Uint8Array,
  { height, width, channels }: OutputInfo,
): RgbImage {
  const levels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { height, width, data: rgbFrom(levels, channels) }
}

/** Puts what libvips says into our words; damage is only claimed where the file or the decoder shows it. */
export function decodingError(
  label: string,
  cause: unknown,
  bytes: Uint8Array,
  format: ImageFormat,
): unknown {
  if (cause instanceof ImageError) return cause
  const reason = String(cause instanceof Error ? cause.message : cause)
    .replace(/\n.*/s, '')
    .trim()
  if (isCutOff(bytes, format)) {
    const found = `${label} is cut off: it ends before its image does (${reason}).`
    return new ImageError('truncated', `${found} Was it copied or downloaded completely?`, { cause })
  }
  if (/limit/i.test(reason)) {
    return new ImageError('too-large', `${label} is larger than its decoder allows (${reason}).`, { cause })
  }
  if (/unsupported (?!image format|marker)|not (supported|configured)|support for/i.test(reason)) {
    return new ImageError(
      'unsupported',
      `${label} is of a kind that is not decoded (${reason}). Convert it to JPEG or PNG.`,
      { cause },
    )
  }
  if (DAMAGE.test(reason)) {
    return new ImageError(
      'truncated',
      `${label} is damaged or cut off (${reason}). Was it copied or downloaded completely?`,
      { cause },
    )
  }
  return new ImageError(
    'undecodable',
    `${label} cannot be decoded (${reason}): it is damaged, or of a kind that the decoder does not know. ` +
      'Where other programs show it, convert it to JPEG or PNG with one of them.',
    { cause },
  )
}

const DAMAGE =
  /corrupt|damaged|premature|truncat|invalid|unexpected|end of (file|stream|data)|read error|bogus|too short|not enough|bad |unable to decode|unsupported marker|overflow/i
