/**
 * Tells by their names alone which files of a folder are one photo: its raw twin, what programs note beside it (.xmp, .aae, Google's .json) and the moving
 * part of a Live Photo go with it, and are never rows of their own.
 */
import { compareNames } from '../compare-names.js'
import { isRawName } from '../image/camera-raw.js'
import { endingOf, HEIC_EXTENSIONS, IMAGE_EXTENSIONS, JPEG_EXTENSIONS } from '../work/image-extensions.js'

/** Is a photo with all that belongs to it. */
export interface Asset {
  /** Names the photo. */
  readonly photo: string
  /** Name the other files, in the order of their names. */
  readonly sidecars: readonly string[]
}

/** The first of several twins is the photo; raw photos come last. */
const PHOTO_ENDINGS: readonly string[] = [
  ...JPEG_EXTENSIONS,
  ...HEIC_EXTENSIONS,
  ...IMAGE_EXTENSIONS.slice(JPEG_EXTENSIONS.length),
  ...['.jxl', '.jp2', '.psd'],
]
const FILM_ENDINGS = ['.mov', '.mp4']
const NOTE_ENDINGS = ['.xmp', '.aae', '.json']

/** Google's name of a photo's notes, of which long names leave a part: so many characters are left in front of `.json`. */
const TAKEOUT = '.supplemental-metadata'
const TAKEOUT_LENGTH = 46

/** Gives the photos among these names, in the order of their names. What belongs to none is not among what it gives. */
export function assetsOf(names: readonly string[]): readonly Asset[] {
  return new Folder(names).assets()
}

class Folder {
  readonly #names: ReadonlySet<string>
  /** Holds the photo that each file belongs to, by name. */
  readonly #owner = new Map<string, string>()
  readonly #byStem: ReadonlyMap<string, readonly string[]>
  /** Holds photos and films by the title that Google gives them. */
  readonly #byTitle = new Map<string, string>()
  /** Holds those whose titles are too long to be whole in the names of their notes; null where several begin alike. */
  readonly #byBeginning = new Map<string, string | null>()

  constructor(names: readonly string[]) {
    const sorted = [...new Set(names)].sort(compareNames)
    this.#names = new Set(sorted)
    const photos = sorted.filter(isPhotoName)
    this.#byStem = groupBy(photos, stemOf)
    for (const twins of this.#byStem.values()) this.#pair(twins)
    const films = sorted.filter((name) => FILM_ENDINGS.includes(endingOf(name)))
    for (const film of films) this.#give(film, this.#liveOrNull(stemOf(film)))
    for (const name of [...photos, ...films]) this.#note(name)
    for (const name of sorted)
      if (NOTE_ENDINGS.includes(endingOf(name))) this.#give(name, this.#notedOrNull(name))
  }

  assets(): readonly Asset[] {
    const found = new Map<string, string[]>()
    for (const [name, photo] of this.#owner) {
      const sidecars = found.get(photo) ?? []
      found.set(photo, sidecars)
      if (name !== photo) sidecars.push(name)
    }
    return [...found]
      .map(([photo, sidecars]) => ({ photo, sidecars: sidecars.sort(compareNames) }))
      .sort((a, b) => compareNames(a.photo, b.photo))
  }

  #give(name: string, photo: string | null): void {
    if (photo !== null) this.#owner.set(name, photo)
  }

  /** Photos that are no twins may share a stem, such as `a.jpg` and `a.png`: only raw photos are another's twin. */
  #pair(twins: readonly string[]): void {
    const first = this.#firstOf(twins)
    for (const name of twins) this.#owner.set(name, isRawName(name) ? first : name)
  }

  #firstOf(twins: readonly string[], rankOf = rank): string {
    return twins.reduce((best, name) => (rankOf(name) < rankOf(best) ? name : best))
  }

  /** A telephone's moving part and edits belong to the HEIC where there is one. */
  #liveOrNull(stem: string): string | null {
    const twins = this.#byStem.get(stem)
    return twins === undefined ? null : this.#ownerOrNull(this.#firstOf(twins, liveRank))
  }

  #ownerOrNull(name: string): string | null {
    return this.#owner.get(name) ?? null
  }

  #note(name: string): void {
    const title = titleOf(name)
    if (!this.#byTitle.has(title)) this.#byTitle.set(title, name)
    const beginning = title.slice(0, TAKEOUT_LENGTH)
    if (beginning !== title) this.#byBeginning.set(beginning, this.#byBeginning.has(beginning) ? null : name)
  }

  #notedOrNull(name: string): string | null {
    const base = stemOf(name)
    const ending = endingOf(name)
    if (ending === '.aae')
      return this.#liveOrNull(base) ?? this.#liveOrNull(base.replace(/^(IMG_)O(?=\d)/i, '$1'))
    // `a.jpg.xmp` names the very file, and `a.xmp` all that are called so.
    const named = this.#names.has(base) ? this.#ownerOrNull(base) : null
    const twins = this.#byStem.get(base)
    const found = named ?? (twins === undefined ? null : this.#ownerOrNull(this.#firstOf(twins)))
    return found ?? (ending === '.json' ? this.#takeoutOrNull(base) : null)
  }

  /** Reads `a.jpg.supplemental-metadata`, `a.jpg.suppl`, `a.jpg(1)` for `a(1).jpg`, and the beginning of a name that is too long. */
  #takeoutOrNull(base: string): string | null {
    const [, before = base, counter = ''] = /^(.*)(\(\d+\))$/s.exec(base) ?? []
    for (let length = TAKEOUT.length; length >= 0; length--) {
      if (!before.endsWith(TAKEOUT.slice(0, length))) continue
      const found = this.#byTitle.get(before.slice(0, before.length - length) + counter)
      if (found !== undefined) return this.#ownerOrNull(found)
    }
    const cut = base.length === TAKEOUT_LENGTH ? this.#byBeginning.get(base) : undefined
    return cut === undefined || cut === null ? null : this.#ownerOrNull(cut)
  }
}

/** Google counts photos of one name behind the stem, and their notes behind the ending: `a(1).jpg` is `a.jpg(1)` there. */
function titleOf(name: string): string {
  const [, stem, counter, ending] = /^(.*)(\(\d+\))(\.[^.]*)$/s.exec(name) ?? []
  return stem === undefined ? name : `${stem}${ending}${counter}`
}

function isPhotoName(name: string): boolean {
  return PHOTO_ENDINGS.includes(endingOf(name)) || isRawName(name)
}

function rank(name: string): number {
  const at = PHOTO_ENDINGS.indexOf(endingOf(name))
  return at < 0 ? PHOTO_ENDINGS.length : at
}

function liveRank(name: string): number {
  return HEIC_EXTENSIONS.includes(endingOf(name)) ? -1 : rank(name)
}

function stemOf(name: string): string {
  return name.slice(0, name.length - endingOf(name).length)
}

function groupBy(names: readonly string[], keyOf: (name: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const group = groups.get(keyOf(name))
    if (group === undefined) groups.set(keyOf(name), [name])
    else group.push(name)
  }
  return groups
}
