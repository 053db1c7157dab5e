/** Judges whether a network can take an input: its size in patches, its positions, and what of it may be masked. */
import { EngineError } from '../engine/engine-error.js'
import { type Overlap, overlappingGrid, whyNoOverlap } from '../model/overlap.js'
import type { PatchGrid, PositionRule } from '../model/positions.js'
import type { VitConfig } from '../model/vit-config.js'

/** Gives the patch grid of an input of this size in pixels. Throws `wrong-size` where the patch does not divide it. */
export function inputGrid(
  { patchSize }: VitConfig,
  [height, width]: readonly [height: number, width: number],
): PatchGrid {
  if (height >= patchSize && width >= patchSize && height % patchSize === 0 && width % patchSize === 0) {
    return { rows: height / patchSize, columns: width / patchSize }
  }
  const nearest = [height, width].map((side) => Math.max(1, Math.round(side / patchSize)) * patchSize)
  throw new EngineError(
    'wrong-size',
    `An input of ${height} x ${width} pixels is no whole number of patches of ${patchSize}. The nearest size is ${nearest.join(' x ')}.`,
  )
}

/**
 * Gives the grid of patches that overlap in an input of this size. Throws `unsupported` for a network of whose patches nobody says where they lie then; RangeError
 * for a stride that is none.
 */
export function overlappingGridOf(config: VitConfig, overlap: Overlap): PatchGrid {
  const { patchSize } = config
  const { stride } = overlap
  if (!(Number.isInteger(stride) && stride >= 1 && stride <= patchSize)) {
    throw new RangeError(
      `The option stride is ${stride}; it must be a whole number of pixels from 1 to ${patchSize}, a patch's side, at which patches do not overlap.`,
    )
  }
  inputGrid(config, overlap.size)
  const reason = whyNoOverlap(config)
  if (reason === null) return overlappingGrid(config, overlap)
  throw new EngineError(
    'unsupported',
    `Patches of this network cannot overlap: ${reason}, and no library says where they would lie then. Leave the stride out, and take larger images for a denser map.`,
  )
}

/** Some libraries have no way from the stored positions to another grid: there are no numbers that would be theirs. */
export function assertResampled(
  { positions }: VitConfig,
  { rows, columns }: PatchGrid,
  rule: PositionRule,
): void {
  if (rule !== 'fixed' || positions === null) return
  if (positions.rows === rows && positions.columns === columns) return
  throw new EngineError(
    'wrong-size',
    `This network has positions for ${positions.rows} x ${positions.columns} patches, and the library that wrote it has no way to the ${rows} x ${columns} of this input. ` +
      'Give images of the trained size, or choose a rule to resample positions by: positions where a program loads it, --positions on the command line.',
  )
}

/** What a block knows of the places of patches would be wrong where some are missing. Throws `unsupported`. */
export function assertMaskable({ windows, neck, bias }: VitConfig): void {
  if (windows === null && neck === null && bias === null) return
  throw new EngineError(
    'unsupported',
    'The patches of this network stand in a grid for all its blocks (windows, relative positions or convolutions), so that none can be masked.',
  )
}
