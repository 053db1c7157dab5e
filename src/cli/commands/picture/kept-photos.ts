/**
 * Goes through photos for what is fitted to all of them together, and then photo by photo, in bounded memory: few photos are kept from the one to the other, of
 * many there is a sample of their patches, and each is computed once more when it is its turn to be drawn.
 */
import { PatchSample } from '../../../picture/patch-sample.js'
import type { EncodedPhoto, PictureWork } from './make-picture.js'

/** Is what of all photos is kept. */
interface KeptPhotos {
  /** Holds the patches to fit to; the first of them is whole, unless it was encoded in tiles. */
  readonly sample: PatchSample
  /** Is the first photo, whole; null where there is none. */
  readonly first: EncodedPhoto | null
  /** Yields all photos, in the order of the inputs. */
  photos(): AsyncIterable<EncodedPhoto>
}

/** Bounds what is kept, so that a few hundred photos of the usual 1024 patches are computed once. */
const KEPT = { patchNumbers: 2 ** 26, photoBytes: 2 ** 29 } as const

export async function keepPhotos(
  work: Pick<PictureWork, 'photos' | 'remark'>,
  most: { readonly patchNumbers: number; readonly photoBytes: number } = KEPT,
): Promise<KeptPhotos> {
  const sample = new PatchSample(most.patchNumbers)
  let kept: EncodedPhoto[] | null = []
  let first: EncodedPhoto | null = null
  let [bytes, count] = [0, 0]
  for await (const found of work.photos()) {
    first ??= found
    count++
    const { tiled, grid, identity } = found.features
    if (tiled === undefined) sample.add(found.features)
    else sample.addRows({ grid, identity }, tiled.patchWidth, (row) => tiled.band(row, row + 1).patches)
    bytes += found.photo.data.byteLength + (tiled ?? found.features.patches).byteLength
    if (bytes > most.photoBytes) kept = null
    kept?.push(found)
  }
  if (sample.step > 1)
    work.remark(
      `Fitted to every ${ordinal(sample.step)} row and column of the patches of ${count} photos: all of them are too many to keep.`,
    )
  const photos = kept
  return {
    sample,
    first,
    photos: async function* () {
      yield* photos ?? work.photos()
    },
  }
}

function ordinal(step: number): string {
  return step === 2 ? 'second' : `${step}th`
}
