/** Finds photos of one split (a test set, say) that are in another one as well, as the same picture or nearly: what was measured on them was seen in training. */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import { columnOf } from '../columns.js'
import {
  type ComparedPhotos,
  comparePhotos,
  onePerPicture,
  type Photo,
  photosOf,
  type ReadPicture,
  withVectors,
} from './compare-photos.js'
import type { Copy, UnreadCopy } from './copy.js'
import { Different } from './decisions.js'
import { DUPLICATE_KINDS, type DuplicateKind, type DuplicatePair } from './duplicate-group.js'
import { compareSettings, type DuplicateOptions } from './find-duplicates.js'

/** Says between which photos nothing may leak. */
export interface LeakageOptions extends Omit<DuplicateOptions, 'keep'> {
  /** Names the column that tells photos of one split from those of another; photos without a value are left out. */
  readonly split?: string
  /** Is another collection, of the same model, of which nothing may be in the first: give it or `split`. */
  readonly other?: Collection
}

/** Is a photo that is in two splits. */
export interface Leak {
  /** Is the photo in the split that has fewer. */
  readonly copy: Copy
  /** Names its split, or is the label of its collection. */
  readonly split: string
  /** Is the photo of another split that is most like it. */
  readonly other: Copy
  /** Names the other's split. */
  readonly otherSplit: string
  /** Says how alike they are. */
  readonly kind: DuplicateKind
  /** Is the cosine of their embeddings. */
  readonly similarity: number
  /** Says in words what the first is beside the second, where that was proven. */
  readonly words: string
}

/** Holds what was found. */
export interface FoundLeakage {
  /** Lists each photo once, with the other that shows most surely that it leaks; the surest first. */
  readonly leaks: readonly Leak[]
  /** Counts the photos of each split. */
  readonly splits: Readonly<Record<string, number>>
  /** Counts the pairs that were tried on their pixels. */
  readonly tried: number
  /** Counts the pairs that `mostTries` left untried. */
  readonly untried: number
  /** Is the share of nearest neighbours that were found, measured on some photos: 1 up to 200,000 photos, where all are compared with all. */
  readonly recall: number
  /** Lists photos that could not be read again, with the reason. */
  readonly unread: readonly UnreadCopy[]
}

const OPTIONS = {
  split: true,
  other: true,
  near: true,
  alike: true,
  tryFrom: true,
  mostTries: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<LeakageOptions>

/**
 * Finds what leaks. Throws `CollectionError` `unknown-column`, `other-identity` for a collection of another model, `empty` where there are not two splits; RangeError for options that make no
 * sense; the signal's reason.
 */
export async function findLeakageWith(
  collection: Collection,
  read: ReadPicture,
  options: LeakageOptions,
): Promise<FoundLeakage> {
  checkOptionNames(options, OPTIONS)
  const { split, other, signal } = options
  if ((split === undefined) === (other === undefined))
    throw new RangeError(
      'Say between what nothing may leak: a column by `split`, or another collection by `other`.',
    )
  const all = await splitPhotos(collection, options)
  const names = all.map((photo) => splitOf(photo))
  const splits: Record<string, number> = {}
  for (const name of names) splits[name] = (splits[name] ?? 0) + 1
  if (Object.keys(splits).length < 2) throw onlyOne(split, splits)
  const different = Different.read(await collection.store.log('decisions').read())
  // Files of the same pixels in one split are one picture; in two splits they are the surest leak.
  const compared = await withVectors(onePerSplit(all), signal)
  if (compared === null) throw onlyOne(split, splits)
  const counts = (a: Photo, b: Photo) => splitOf(a) !== splitOf(b) && a.copy.pixels !== b.copy.pixels
  const settings = { ...compareSettings(options, all.length), different, read, counts }
  const { pairs, ...rest } = await comparePhotos(compared, settings)
  const leaks = [...exactLeaks(compared.photos, splits), ...pairLeaks(compared, pairs, splits)]
  return { leaks: surestOfEach(leaks), splits, ...rest }
}

async function splitPhotos(
  collection: Collection,
  { split, other, signal }: LeakageOptions,
): Promise<readonly Photo[]> {
  if (split !== undefined) {
    columnOf(split, collection.columns)
    return (await photosOf(collection, { split, signal })).filter((photo) => photo.split !== null)
  }
  if (other === undefined) return []
  collection.assertSame(other.about.identity)
  return [...(await photosOf(collection, { signal })), ...(await photosOf(other, { signal }))]
}

function splitOf({ split, collection }: Photo): string {
  return split ?? collection.store.label
}

function onePerSplit(photos: readonly Photo[]): readonly Photo[] {
  const names = [...new Set(photos.map(splitOf))]
  return names.flatMap((name) => onePerPicture(photos.filter((photo) => splitOf(photo) === name)))
}

type Splits = Readonly<Record<string, number>>

function exactLeaks(photos: readonly Photo[], splits: Splits): readonly Leak[] {
  const first = new Map<string, Photo>()
  return photos.flatMap((photo): Leak[] => {
    const same = first.get(photo.copy.pixels)
    if (same === undefined) {
      first.set(photo.copy.pixels, photo)
      return []
    }
    const isIdentical = same.copy.content === photo.copy.content
    const kind = isIdentical ? 'identical' : 'same-pixels'
    const words = isIdentical ? 'the same bytes' : 'the same pixels, other metadata'
    const [leaking, other] = isOfSmaller(photo, same, splits) ? [photo, same] : [same, photo]
    return [leakOf(leaking, other, kind, 1, words)]
  })
}

function pairLeaks(
  { photos }: ComparedPhotos,
  pairs: readonly DuplicatePair[],
  splits: Splits,
): readonly Leak[] {
  return pairs.flatMap(({ first, second, kind, similarity, words }): Leak[] => {
    const [a, b] = [photos[first], photos[second]]
    if (a === undefined || b === undefined) return []
    return isOfSmaller(a, b, splits)
      ? [leakOf(a, b, kind, similarity, words?.first ?? '')]
      : [leakOf(b, a, kind, similarity, words?.second ?? '')]
  })
}

/** Tells whether the first is of the smaller split, which is the one that is tested on; of equal ones, of the first by name. */
function isOfSmaller(a: Photo, b: Photo, splits: Splits): boolean {
  const [first, second] = [splitOf(a), splitOf(b)]
  return (splits[first] ?? 0) - (splits[second] ?? 0) < (first < second ? 1 : 0)
}

function leakOf(photo: Photo, other: Photo, kind: DuplicateKind, similarity: number, words: string): Leak {
  const [split, otherSplit] = [splitOf(photo), splitOf(other)]
  return { copy: photo.copy, split, other: other.copy, otherSplit, kind, similarity, words }
}

function surestOfEach(leaks: readonly Leak[]): readonly Leak[] {
  const rank = ({ kind }: Leak) => DUPLICATE_KINDS.indexOf(kind)
  const sorted = [...leaks].sort((a, b) => rank(a) - rank(b) || b.similarity - a.similarity)
  const seen = new Set<string>()
  return sorted.filter(({ copy, split }) => {
    const key = `${split} ${copy.id}`
    return !seen.has(key) && seen.add(key)
  })
}

function onlyOne(split: string | undefined, splits: Splits): CollectionError {
  const found = Object.keys(splits).map((name) => JSON.stringify(name))
  const where = split === undefined ? 'the two collections' : `the column ${split}`
  return new CollectionError(
    'empty',
    `There must be photos in two splits at least; ${where} has ${found.length === 0 ? 'none' : `only ${found.join()}`}.`,
  )
}
