/**
 * Says where patches lie that overlap, which no network was trained with: a smaller stride of the same convolution gives a denser map of features
 * (Amir et al. 2021, "Deep ViT features as dense visual descriptors").
 */
import type { PatchGrid, PositionRule } from './positions.js'
import type { VitConfig } from './vit-config.js'

/** Describes patches that overlap. */
export interface Overlap {
  /** Says how many pixels lie from one patch to the next, less than the patch's side. */
  readonly stride: number
  /** Is the input's (height, width) in pixels, which the grid does not tell. */
  readonly size: readonly [height: number, width: number]
}

/** Is how dino-vit-features resamples the positions of overlapping patches, whichever way the network's own library has. */
export const OVERLAP_RULE: PositionRule = 'bicubic-offset'

/** Counts the patches along a side: a remainder that fills none is left out. */
export function patchesAlong(side: number, patch: number, stride: number): number {
  return 1 + Math.floor((side - patch) / stride)
}

/** Gives the grid of patches that overlap. */
export function overlappingGrid({ patchSize }: VitConfig, { stride, size }: Overlap): PatchGrid {
  const [rows = 0, columns = 0] = size.map((side) => patchesAlong(side, patchSize, stride))
  return { rows, columns }
}

/** Says why no library tells what places overlapping patches of such a network have; null where dino-vit-features' rule does. */
export function whyNoOverlap({
  stem,
  windows,
  neck,
  bias,
  rotary,
  sines,
  positions,
}: VitConfig): string | null {
  if (stem.kind !== 'patchify') return 'its patches come of several convolutions'
  if (windows !== null || neck !== null) return 'its patches stand in windows, or convolutions follow them'
  if (bias !== null) return 'it knows the offsets of whole patches'
  if (sines !== null || positions?.sines !== undefined) return 'its positions are made anew for each grid'
  if (rotary !== null && !isScaled(rotary)) return 'its rotary positions count whole patches'
  return null
}

/** Places that are taken relative to the grid lie where they did, however many there are. */
function isScaled({ coordinates, bands }: NonNullable<VitConfig['rotary']>): boolean {
  if (bands.kind === 'mixed') return false
  return coordinates.kind === 'centred' || (coordinates.reference !== null && coordinates.reference !== 'own')
}
