/** Describes the patches of one photo, and holds that those of several belong together. */
import type { Features } from '../encoder/types.js'
import type { PatchGrid } from '../model/positions.js'
import { PictureError } from './picture-error.js'

/** Holds the patches of an image, as `Features` does: [rows * columns, D], row by row. */
export interface PatchMap {
  /** float32 [rows * columns, D]. */
  readonly patches: Float32Array
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
  /** Says which model they are of; where it is known, patches of two models are not mixed. */
  readonly identity?: ModelIdentity
}

/** Tells one model's numbers from another's: `Features.identity` is one. */
export type ModelIdentity = Pick<Features['identity'], 'digest' | 'model'>

/** Gives the numbers of a patch, D. */
export function widthOf({ patches, grid }: PatchMap): number {
  return patches.length / (grid.rows * grid.columns)
}

/**
 * Gives the numbers of a patch, D, and the model of several maps; the model is null where no map says it. Throws `PictureError`: `nothing-there` without
 * patches, `mixed-models` where they differ.
 */
export function commonOf(maps: readonly PatchMap[]): {
  readonly width: number
  readonly identity: ModelIdentity | null
} {
  const [first] = maps
  if (first === undefined || maps.every(({ patches }) => patches.length === 0))
    throw new PictureError('nothing-there', 'There are no patches. Give at least one photo.')
  const width = widthOf(first)
  const identity = maps.find((map) => map.identity !== undefined)?.identity ?? null
  for (const map of maps) {
    if (widthOf(map) !== width)
      throw new PictureError(
        'mixed-models',
        `Patches of ${width} and of ${widthOf(map)} numbers have nothing in common. Take one model for all photos.`,
      )
    assertModel(map.identity, identity)
  }
  return { width, identity }
}

/** Throws `PictureError` `mixed-models` where two models are known and differ. */
export function assertModel(one: ModelIdentity | undefined, other: ModelIdentity | null): void {
  if (one === undefined || other === null || one.digest === other.digest) return
  const names =
    one.model === other.model
      ? `two settings of ${one.model} (digests ${one.digest.slice(0, 12)} and ${other.digest.slice(0, 12)})`
      : `${one.model} and ${other.model}`
  throw new PictureError(
    'mixed-models',
    `Patches of ${names} do not compare: encode all photos in the same way.`,
  )
}

/** Copies the patches that a mask [rows * columns] chooses, one behind the other. */
export function chosenRows(
  { patches }: Pick<PatchMap, 'patches'>,
  width: number,
  mask: Uint8Array,
): Float32Array {
  const count = mask.reduce((sum, chosen) => sum + (chosen === 0 ? 0 : 1), 0)
  const rows = new Float32Array(count * width)
  let to = 0
  for (const [patch, chosen] of mask.entries()) {
    if (chosen === 0) continue
    rows.set(patches.subarray(patch * width, (patch + 1) * width), to)
    to += width
  }
  return rows
}
