/**
 * Finds photos of a collection that are copies of each other, near or alike. Nothing is changed: what is found are groups, each with what is kept.
 */
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import type { Collection } from '../collection.js'
import {
  type CompareOptions,
  comparePhotos,
  onePerPicture,
  photosOf,
  type ReadPicture,
  withVectors,
} from './compare-photos.js'
import type { UnreadCopy } from './copy.js'
import { Different } from './decisions.js'
import { type DuplicateGroup, groupDuplicates } from './duplicate-group.js'
import { KEEP_RULES, type KeepRule } from './keep-rules.js'

/** Says which photos are duplicates. */
export interface DuplicateOptions {
  /** Says which copy is kept, by rules in their order; default `KEEP_RULES`. */
  readonly keep?: readonly KeepRule[]
  /** Is the cosine from which on photos that are no copies are near; default 0.95. What it means depends on the model. */
  readonly near?: number
  /** Is the cosine from which on they are alike; default 0.9. */
  readonly alike?: number
  /** Is the cosine from which on it is tried whether photos are the same picture; default 0.6. Pairs of like hashes are tried in any case. */
  readonly tryFrom?: number
  /** Bounds the pairs that are tried, the most alike first; default: as many as there are photos, and 1000 at least. */
  readonly mostTries?: number
  /** Is told how far the proofs are. */
  readonly onProgress?: (progress: DuplicateProgress) => void
  /** Ends the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says how far the proofs are. */
export interface DuplicateProgress {
  /** Counts the pairs that were tried. */
  readonly tried: number
  /** Counts those that are to be tried. */
  readonly total: number
}

/** Holds what was found. */
export interface FoundDuplicates {
  /** Lists the groups, those of copies first. */
  readonly groups: readonly DuplicateGroup[]
  /** Counts the photos that were looked at. */
  readonly photos: number
  /** Counts the pairs that were tried on their pixels. */
  readonly tried: number
  /** Counts the pairs that `mostTries` left untried. */
  readonly untried: number
  /** Is the share of nearest neighbours that were found, measured on some photos: 1 up to 200,000 photos, where all are compared with all. */
  readonly recall: number
  /** Lists photos that could not be read again, with the reason; they are compared by hash and embedding alone. */
  readonly unread: readonly UnreadCopy[]
}

const OPTIONS = {
  keep: true,
  near: true,
  alike: true,
  tryFrom: true,
  mostTries: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<DuplicateOptions>

const DUPLICATE_DEFAULTS = { near: 0.95, alike: 0.9, tryFrom: 0.6 } as const

const FEWEST_TRIES = 1000

/**
 * Finds duplicates among the photos that are there. Names of one file (links) count as one photo. Throws RangeError for options that make no sense, what the collection throws; the
 * signal's reason.
 */
export async function findDuplicatesWith(
  collection: Collection,
  read: ReadPicture,
  options: DuplicateOptions = {},
): Promise<FoundDuplicates> {
  checkOptionNames(options, OPTIONS)
  const { keep = KEEP_RULES, signal } = options
  const all = await photosOf(collection, { signal })
  const different = Different.read(await collection.store.log('decisions').read())
  const compared = await withVectors(onePerPicture(all), signal)
  if (compared === null) return { groups: [], photos: 0, tried: 0, untried: 0, recall: 1, unread: [] }
  const settings = { ...compareSettings(options, all.length), different, read }
  const { pairs, ...counts } = await comparePhotos(compared, settings)
  // The pictures come first, so that the pairs number them there as well; then their other copies.
  const pictures = new Set(compared.photos)
  const copies = [...pictures, ...all.filter((photo) => !pictures.has(photo))].map(({ copy }) => copy)
  const groups = groupDuplicates(copies, pairs, { rules: keep, different })
  return { groups, photos: all.length, ...counts }
}

/** Gives what is not said its default, and judges it. Throws RangeError. */
export function compareSettings(
  options: Omit<DuplicateOptions, 'keep'>,
  photos: number,
): Omit<CompareOptions, 'different' | 'read'> {
  const { near, alike, tryFrom } = { ...DUPLICATE_DEFAULTS, ...options }
  for (const [name, value] of Object.entries({ near, alike, tryFrom }))
    if (!(value >= -1 && value <= 1)) throw new RangeError(`${name} is a cosine, -1 to 1: got ${value}.`)
  const mostTries = options.mostTries ?? Math.max(FEWEST_TRIES, photos)
  if (!(mostTries >= 0)) throw new RangeError(`mostTries counts pairs: got ${mostTries}.`)
  return { near, alike, tryFrom, mostTries, onProgress: options.onProgress, signal: options.signal }
}
