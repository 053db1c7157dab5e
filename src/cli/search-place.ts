/**
 * Searches by a place in a photo. Where the collections have regions, these are compared with it; else the ten photos that are most alike as a whole are looked at
 * anew, as far as five seconds reach, and each is told as soon as it is there.
 */
import { findPlace, placeVector } from '../collection/regions/find-place.js'
import { searchRegions } from '../collection/regions/search-regions.js'
import { type RankedPhoto, searchPhotos } from '../collection/search/search-photos.js'
import type { CollectionSet } from '../collection/set/collection-set.js'
import { given } from '../encoder/choose-recipe.js'
import type { Features } from '../encoder/types.js'
import { contentOf } from '../platform/node/collection/content-of.js'
import { openRegionsOfSetOrNull } from '../platform/node/collection/index-regions.js'
import type { FileEncoder } from '../work/file-encoder.js'
import { UsageError } from './cli-error.js'
import { type GivenPlace, patchesIn } from './commands/picture/parse-place.js'
import type { CommandContext } from './context.js'
import { counted } from './counted.js'
import { isPhotoAddress } from './photo-place.js'
import { printable } from './progress.js'
import { photoPathOf } from './search-output.js'

export interface PlaceQuery {
  /** Leads to the photo. */
  readonly photo: string
  readonly option: '--box' | '--point'
  readonly place: GivenPlace
}

export interface PlaceOptions {
  readonly count: number
  readonly where?: string
  readonly minSimilarity?: number
  readonly withSelf?: boolean
}

/** Without regions so many photos are looked at, for so long. */
const LOOKED_AT = 10
const PATIENCE_MS = 5000

/** Throws `UsageError` for a photo that cannot be read, and for a place outside of it. */
export async function* searchPlace(
  context: CommandContext,
  set: CollectionSet,
  encoder: FileEncoder,
  { photo, option, place }: PlaceQuery,
  options: PlaceOptions,
): AsyncGenerator<RankedPhoto> {
  const { signal } = context
  const features = await featuresOf(encoder, photo, signal)
  const query = placeVector(features, patchesIn(option, place, { path: printable(photo), features }))
  // What lies elsewhere was read, and is not read again to be left out of the results.
  const content = isPhotoAddress(photo) ? undefined : await contentOf(photo)
  const regions = await openRegionsOfSetOrNull(set, { signal })
  if (regions === null) {
    const whole = { embedding: features.embedding, ...given({ content }) }
    return yield* lookAnew(context, set, encoder, { query, whole }, options)
  }
  await using _opened = regions
  const { count, where, minSimilarity, withSelf } = options
  const choice = given({ where, minSimilarity, without: withSelf ? undefined : content })
  let left = count
  for await (const found of searchRegions(set, regions, query, { ...choice, signal })) {
    yield found
    if (--left === 0) return
  }
}

async function featuresOf(encoder: FileEncoder, photo: string, signal: AbortSignal): Promise<Features> {
  async function* sources() {
    yield photo
  }
  for await (const { features, error } of encoder.encodeAll(sources(), { signal })) {
    if (features !== undefined) return features
    throw new UsageError(
      `What is searched for cannot be read: ${printable(photo)}: ${printable(error.message)}`,
    )
  }
  throw new Error(`the encoder gave nothing for ${photo}`)
}

async function* lookAnew(
  { signal, stderr }: CommandContext,
  set: CollectionSet,
  encoder: FileEncoder,
  {
    query,
    whole,
  }: { readonly query: Float32Array; readonly whole: { embedding: Float32Array; content?: string } },
  { count, where, minSimilarity = Number.NEGATIVE_INFINITY, withSelf = false }: PlaceOptions,
): AsyncGenerator<RankedPhoto> {
  const most = Math.min(count, LOOKED_AT)
  const choice = { count: most, withSelf, signal, ...given({ where }) }
  const { photos } = await searchPhotos(set, { like: [whole] }, choice)
  const paths = photos.map((photo) => photoPathOf(set, photo))
  async function* sources() {
    yield* paths
  }
  const patience = AbortSignal.timeout(PATIENCE_MS)
  let looked = 0
  try {
    const both = AbortSignal.any([signal, patience])
    for await (const { index, features, error } of encoder.encodeAll(sources(), {
      signal: both,
      order: 'ready',
      batch: 1,
    })) {
      looked++
      const photo = photos[index]
      if (features === undefined || photo === undefined) {
        stderr.write(`${printable(paths[index] ?? '')} cannot be read: ${printable(error?.message ?? '')}\n`)
        continue
      }
      const { similarity, box } = findPlace(features, query)
      if (similarity >= minSimilarity) yield { ...photo, similarity, share: null, box }
    }
  } catch (error) {
    if (signal.aborted || !patience.aborted) throw error
  }
  const ended = looked < photos.length ? `, as many as in ${PATIENCE_MS / 1000} s` : ''
  const advice = 'plumage index --regions <folders> makes regions, by which all photos are searched.'
  stderr.write(
    `${set.members.length === 1 ? 'The collection has' : 'The collections have'} no regions: ${looked} of the ${counted(photos.length, 'photo')} most alike as a whole looked at${ended}. ${advice}\n`,
  )
}
