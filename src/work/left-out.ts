/** Counts by kind the images that a folder has and that are not taken, and says so in one line. Other files, such as texts, are nobody's loss. */
import { isRawName } from '../image/camera-raw.js'
import { CAMERA_RAW, type FileKind, nameOfKind, UNDECODED_NAMES } from '../image/image-format.js'
import { endingOf, HEIC_EXTENSIONS, UNDECODED_EXTENSIONS } from './image-extensions.js'

const PHOTO_ENDINGS: ReadonlySet<string> = new Set([...HEIC_EXTENSIONS, ...UNDECODED_EXTENSIONS])
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

  /** `left out: 3 HEIC, 1 JPEG XL`; null where nothing was. */
  line(): string | null {
    return leftOutLineOrNull(this.counts)
  }
}

/** Says in one line what was left out; null where nothing was. */
export function leftOutLineOrNull(counts: LeftOut['counts']): string | null {
  const kinds = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (kinds.length === 0) return null
  const shown = kinds
    .slice(0, MOST_KINDS)
    .map(([kind, count]) => `${count} ${kind === FILM_KIND && count > 1 ? 'films' : kind}`)
  const others = kinds.slice(MOST_KINDS).reduce((sum, [, count]) => sum + count, 0)
  return `left out: ${[...shown, ...(others > 0 ? [`${others} of other kinds`] : [])].join(', ')}`
}

/** Tells photos that would be taken if they were converted from others that are left out. */
export function isConvertible(kind: string): boolean {
  return UNDECODED_NAMES.includes(kind) || UNDECODED_EXTENSIONS.includes(kind)
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
