/**
 * Decodes HEIC, the photos of telephones, with libheif-js (libheif and libde265 in WebAssembly), which is installed by whoever wants it: it is under the LGPL
 * and the codec under patents, so that it does not come with this package.
 */
import { assertNotTooLarge } from '../../image/decodable.js'
import type { RgbImage } from '../../image/image.js'
import { ImageError } from '../../image/image-error.js'
import { rgbFrom8Bits } from '../../kernels/to-rgb.js'

/** Is what is used of libheif-js, which has no types of its own for this. */
interface Libheif {
  readonly ready?: Promise<unknown>
  readonly HeifDecoder: new () => {
    readonly decoder: { delete(): void } | null
    decode(file: Uint8Array): readonly HeifImage[]
  }
}

interface HeifImage {
  is_primary(): boolean
  get_width(): number
  get_height(): number
  display(image: HeifPixels, done: (image: HeifPixels | null) => void): void
  free(): void
}

interface HeifPixels {
  readonly data: Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** Tells whether the optional package is installed, without loading it. */
export function hasHeicDecoder(): boolean {
  try {
    import.meta.resolve(PACKAGE)
    return true
  } catch {
    return false
  }
}

/** Says what to do about a HEIC where there is no decoder, in a sentence. */
export const HEIC_ADVICE =
  'Install the optional package that decodes it, `npm install libheif-js`, beside plumage; or convert it to JPEG.'

const PACKAGE = 'libheif-js/wasm-bundle.js'

/** Gives the primary image, upright, as libheif turns it. Throws `ImageError` `unsupported` where the package is missing; `truncated`, `too-large`. */
export async function decodeHeic(bytes: Uint8Array, label: string, maxPixels: number): Promise<RgbImage> {
  const { HeifDecoder } = await loadLibheif(label)
  const decoder = new HeifDecoder()
  let images: readonly HeifImage[] = []
  try {
    images = decoder.decode(bytes)
    const image = images.find((one) => one.is_primary()) ?? images[0]
    if (image === undefined) throw damaged(label, 'there is no image in it')
    const [width, height] = [image.get_width(), image.get_height()]
    assertNotTooLarge({ width, height }, maxPixels, label)
    const data = new Uint8ClampedArray(width * height * 4)
    const pixels = await new Promise<HeifPixels | null>((resolve) => {
      image.display({ data, width, height }, resolve)
    })
    if (pixels === null) throw damaged(label, 'libheif could not decode it')
    return { width, height, data: rgbFrom8Bits(new Uint8Array(pixels.data.buffer), 4) }
  } catch (cause) {
    throw cause instanceof ImageError ? cause : damaged(label, String(cause), cause)
  } finally {
    for (const image of images) image.free()
    decoder.decoder?.delete()
  }
}

let loading: Promise<Libheif> | undefined

async function loadLibheif(label: string): Promise<Libheif> {
  loading ??= import(PACKAGE).then(async ({ default: libheif }: { default: Libheif }) => {
    await libheif.ready
    return libheif
  })
  try {
    return await loading
  } catch (cause) {
    // It may be installed while this process runs.
    loading = undefined
    throw new ImageError('unsupported', `${label} is HEIC, which is not decoded here. ${HEIC_ADVICE}`, {
      cause,
    })
  }
}

function damaged(label: string, reason: string, cause?: unknown): ImageError {
  const message = `${label} is damaged or cut off: ${reason}. Was it copied or downloaded completely?`
  return new ImageError('truncated', message, { cause })
}
