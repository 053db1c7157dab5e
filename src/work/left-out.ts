/** Counts by kind the images that a folder has and that are not taken, and says so in one line. Other files, such as texts, are nobody's loss. */
import { isRawName } from '../image/camera-raw.js'
import { CAMERA_RAW, type FileKind, nameOfKind } from '../image/image-format.js'

/** Photos are called so that have another format, or one that is not known by its beginning. */
const PHOTO_ENDINGS: ReadonlySet<string> = new Set(
  '.heic .heif .hif .bmp .dib .jxl .jp2 .j2k .jpx .jxr .psd .ico .svg .ppm .pgm .pbm .pnm .qoi .exr .hdr .tga .xcf'.split(
    ' ',
  ),
)
/** Counts raw photos of all cameras together. */
export const RAW_KIND = 'camera raw'
/** Counts the films of folders and lists. */
export const FILM_KIND = 'film'
/** So many kinds are named. */
const MOST_KINDS = 12

export class LeftOut {
  readonly #counts = new Map<string, number>()

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  /** Holds the number of each kind. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** `left out: 3 HEIC, 1 BMP`; null where nothing was. */
  line(): string | null {
    if (this.#counts.size === 0) return null
    const kinds = [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    const shown = kinds
      .slice(0, MOST_KINDS)
      .map(([kind, count]) => `${count} ${kind === FILM_KIND && count > 1 ? 'films' : kind}`)
    const others = kinds.slice(MOST_KINDS).reduce((sum, [, count]) => sum + count, 0)
    return `left out: ${[...shown, ...(others > 0 ? [`${others} of other kinds`] : [])].join(', ')}`
  }
}

/** Names what kind of photo is left out; null for what is none. @param kind is known by the first bytes */
export function leftOutKindOrNull(name: string, kind: FileKind | null): string | null {
  const isRaw =
    kind === null
      ? isRawName(name)
      : kind.format === CAMERA_RAW.format || (kind.decoder !== 'none' && isRawName(name))
  if (isRaw) return RAW_KIND
  const ending = endingOf(name)
  const isPhoto = PHOTO_ENDINGS.has(ending)
  if (kind === null) return isPhoto ? ending : null
  if (kind.decoder !== 'none') return nameOfKind(kind)
  // A drawing as text begins as any other XML does, such as what programs lay beside photos.
  const isOther = !kind.isImage || (kind.format === 'SVG' && ending !== '.svg')
  if (isOther) return isPhoto ? ending : null
  // What has no short name of its own is called by its ending.
  return /^a /.test(kind.format) && ending !== '' ? ending : nameOfKind(kind)
}

function endingOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot).toLowerCase() : ''
}
