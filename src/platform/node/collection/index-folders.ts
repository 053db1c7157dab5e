/** Brings a collection up to date with folders on this machine, and with what lies below prefixes of buckets. */
import { basename, sep } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import type { FoundPhoto, Scope } from '../../../collection/find-photos.js'
import { type IndexChoice, type IndexCounts, indexPhotos } from '../../../collection/index-photos.js'
import { given } from '../../../encoder/choose-recipe.js'
import type { FileKind } from '../../../image/image-format.js'
import { isAddress } from '../../../is-address.js'
import type { PlainRecord } from '../../../plain-value.js'
import { hasHeicDecoder } from '../heic/heic-decoder.js'
import { findFfmpeg } from '../video/find-ffmpeg.js'
import { frameIdentity } from '../video/frame-settings.js'
import type { VideoFrameOptions } from '../video/video-frames.js'
import { isFilmName, isVideoName } from '../video/video-name.js'
import { examineWith, type PhotoEncoder, transparencyOf } from './examine-photos.js'
import { RegionKeeper } from './index-regions.js'
import { IndexedPlaces } from './indexed-places.js'
import { measureAnew } from './measure-anew.js'
import { photoBytes } from './photo-bytes.js'
import { readTold } from './read-told.js'

/** Says how a collection is brought up to date. */
export interface IndexFoldersOptions extends IndexChoice {
  /** Larger images are refused before they are decoded; the default is 268 million pixels. */
  readonly maxPixels?: number
  /** Takes films as well: each frame that these options choose has a row. Default: films are passed over, and frames that are there stay. */
  readonly video?: Pick<VideoFrameOptions, 'every' | 'from' | 'to' | 'toneMap'>
  /** Makes regions of each photo as well, by which places in photos are searched for; `full` keeps all their patches too (`indexRegions`). Default: where the collection has some, they are kept up to date. */
  readonly regions?: boolean | 'full'
}

const OPTIONS = {
  retryFailed: true,
  prune: true,
  listener: true,
  signal: true,
  maxPixels: true,
  video: true,
  regions: true,
} satisfies OptionNames<IndexFoldersOptions>

/**
 * Embeds the photos in these folders, and below these addresses (`s3://bucket/photos`), that are new or have changed; a photo that was moved or renamed keeps its row, and one that is not there any more is marked
 * as gone. A folder within one that the collection knows is a part of it; any other becomes a root, named after the folder. An interrupted run is gone on with
 * by the next.
 *
 * @throws `CollectionError` `other-identity` where the encoder is not the one that the collection was made with, `root-missing` where there is no such folder,
 *   `read-only`; what the encoder throws; the signal's reason
 */
export async function indexFolders(
  collection: Collection,
  folders: readonly string[],
  encoder: PhotoEncoder,
  options: IndexFoldersOptions = {},
): Promise<IndexCounts> {
  checkOptionNames(options, OPTIONS)
  collection.assertSame(encoder.identity)
  const { maxPixels, video, regions = false, ...choice } = options
  const files = new IndexedPlaces(process.cwd())
  const scopes: Scope[] = []
  for (const folder of folders) {
    const place = await files.add(folder, choice.signal)
    if (video !== undefined && isAddress(place))
      throw new RangeError(
        `Films are taken from folders of this machine alone, and ${place} is none: leave video (--video) out.`,
      )
    // What cannot be seen is not gone.
    if ((await files.look(place))?.kind !== 'folder') throw missingRoot(folder, isAddress(place))
    scopes.push(await scopeOf(collection, place))
  }
  const hasHeic = hasHeicDecoder()
  const decodes = ({ decoder }: FileKind) => decoder === 'own' || (decoder === 'optional' && hasHeic)
  if (video !== undefined) await noteFilms(collection, video)
  // Programs have some endings of films too: what is only counted is counted where nothing else is called so.
  const films =
    video === undefined ? { take: false, isNamed: isFilmName } : { take: true, isNamed: isVideoName }
  const { signal } = choice
  await using keeper = await RegionKeeper.open(collection, given({ full: regions === 'full', signal }))
  const onFeatures = regions || keeper.isThere ? keeper.add.bind(keeper) : undefined
  const examine = examineWith(encoder, { maxPixels, video, onFeatures })
  const tell = async (photo: FoundPhoto) => readTold(await photoBytes(photo.full, choice.signal), photo)
  const counts = await indexPhotos(collection, { ...choice, files, scopes, decodes, films, examine, tell })
  const transparency = transparencyOf(encoder.identity)
  const measured = await measureAnew(collection, { transparency, maxPixels, signal })
  if (measured !== null) choice.listener?.measured?.(measured)
  if (onFeatures === undefined) return counts
  const onDone = (path: string) => choice.listener?.done?.(path)
  await keeper.complete(encoder, given({ maxPixels, onDone }))
  return counts
}

function missingRoot(folder: string, isObject: boolean): CollectionError {
  return new CollectionError(
    'root-missing',
    isObject
      ? `There is no object below ${folder}: correct it, or say where its photos lie now (plumage collection root <name> ${folder}).`
      : `There is no folder ${folder}: connect its disk, or say where its photos lie now (plumage collection root <name> <folder>).`,
  )
}

/** Frames that were taken or made otherwise are others: all films of a collection are taken alike. */
async function noteFilms(
  collection: Collection,
  { toneMap, every, from, to }: NonNullable<IndexFoldersOptions['video']>,
): Promise<void> {
  const { version } = await findFfmpeg()
  const choice = given({ every, from, to })
  const films = { ...frameIdentity(version, given({ toneMap })), choice } as PlainRecord
  const { about } = collection
  if (about.films === undefined) return await collection.store.setAbout({ ...about, films })
  if (JSON.stringify(about.films) === JSON.stringify(films)) return
  throw new CollectionError(
    'other-identity',
    `The frames in ${collection.store.label} were taken with ${JSON.stringify(about.films)}, and would be taken with ${JSON.stringify(films)} now. ` +
      'Take them in the same way, or make another collection.',
  )
}

async function scopeOf(collection: Collection, folder: string): Promise<Scope> {
  const { roots } = collection.about
  const known = Object.entries(roots).find(([, path]) => folder === path || folder.startsWith(withEnd(path)))
  if (known !== undefined) {
    const [root, path] = known
    const within = folder === path ? '' : folder.slice(withEnd(path).length)
    return { root, within: isAddress(folder) ? within : within.split(sep).join('/'), folder }
  }
  return { root: await newRoot(collection, folder), within: '', folder }
}

/** Gives the name of the root that this folder is, which it becomes where it is none. */
export async function rootOf(collection: Collection, folder: string): Promise<string> {
  const known = Object.entries(collection.about.roots).find(([, path]) => path === folder)
  return known?.[0] ?? (await newRoot(collection, folder))
}

async function newRoot(collection: Collection, folder: string): Promise<string> {
  const { roots } = collection.about
  const base = basename(folder) || 'photos'
  let root = base
  for (let next = 2; Object.hasOwn(roots, root); next++) root = `${base}-${next}`
  await collection.store.setAbout({ ...collection.about, roots: { ...roots, [root]: folder } })
  return root
}

function withEnd(folder: string): string {
  const end = isAddress(folder) ? '/' : sep
  return folder.endsWith(end) ? folder : folder + end
}
