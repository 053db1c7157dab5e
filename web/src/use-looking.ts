/** Finds what a place of a photo looks at, by the attention of its patch in the last block. The photo is computed once more, with the rows of all its patches. */
import type { Features } from 'plumage/browser'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PatchPlace, Photo } from './photo.js'
import { brightened } from './shares.js'

/** Is the place that is pointed at. */
export interface Looking {
  readonly place: PatchPlace
  /** Tells whether it stays when the pointer leaves the photo. */
  readonly isKept: boolean
}

/** Holds the rows of one photo and one choice of heads. */
interface Rows {
  readonly features: Features
  readonly head: number | null
  /** [patches, patches]. It is null where the network gives none. */
  readonly weights: Float32Array | null
}

/** Computes a photo with the attention of all its patches, by one head or, for null, by the mean of all: [patches, patches]. */
export type LookFrom = (photo: Photo, head: number | null) => Promise<Float32Array>

/** Gives the photo that is pointed at with how much of each patch is shown; null until it is known. */
export function useLooking(
  photos: readonly Photo[],
  place: PatchPlace | null,
  head: number | null,
  lookFrom: LookFrom,
): ReadonlyMap<number, Float32Array> | null {
  const [rows, setRows] = useState<Rows | null>(null)
  const asked = useRef<Omit<Rows, 'weights'> | null>(null)
  const photo = place === null ? undefined : photos.find(({ id }) => id === place.photo)
  const features = photo?.features ?? null
  useEffect(() => {
    if (photo === undefined || features === null) return
    if (asked.current?.features === features && asked.current.head === head) return
    const own = { features, head }
    asked.current = own
    void lookFrom(photo, head)
      .catch(() => null)
      .then((weights) => asked.current === own && setRows({ ...own, weights }))
  }, [photo, features, head, lookFrom])
  if (place === null || features === null || rows?.features !== features || rows.head !== head) return null
  const count = features.grid.rows * features.grid.columns
  const patch = place.row * features.grid.columns + place.column
  const row = rows.weights?.subarray(patch * count, (patch + 1) * count)
  return row?.length === count ? new Map([[place.photo, brightened(row)]]) : null
}
