/** Says how a large image is cut into tiles that overlap, and how much of each patch comes from which tile. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import type { PatchGrid } from '../model/positions.js'
import { checkChoice, checkWhole } from './check-options.js'
import { TILE_BLENDS, type TileBlend, type TileChoice } from './tile-choice.js'
import type { EncoderDescription, FeatureChoice, StoppedChoice, TiledChoice } from './types.js'

const TILE_OPTIONS = {
  size: true,
  overlap: true,
  blend: true,
  keep: true,
  maxBytes: true,
} satisfies OptionNames<TileChoice>

const DEFAULT_MAX_BYTES = 2 ** 30

/** Is a choice with nothing left open. */
export type SettledTiles = Required<TileChoice> & { readonly size: readonly [height: number, width: number] }

/** Fills in what a choice leaves open. Throws RangeError for one that makes no tiles. */
export function settleTiles(
  choice: TileChoice,
  { patchSize, size: own, width }: Pick<EncoderDescription, 'patchSize' | 'size' | 'width'>,
): SettledTiles {
  checkOptionNames(choice, TILE_OPTIONS)
  checkChoice('tiles.blend', choice.blend, TILE_BLENDS)
  checkWhole('tiles.maxBytes', choice.maxBytes, 1)
  const { size: asked = own, blend = 'feathered', keep = 'float32', maxBytes = DEFAULT_MAX_BYTES } = choice
  const size = typeof asked === 'number' ? ([asked, asked] as const) : asked
  if (!Array.isArray(size) || size.length !== 2) throw notWhole('size', asked, patchSize)
  for (const side of size) checkPatches('size', side, patchSize, patchSize)
  const shorter = Math.min(...size)
  const { overlap = Math.round(shorter / patchSize / 4) * patchSize } = choice
  checkPatches('overlap', overlap, patchSize, 0)
  if (overlap >= shorter) {
    throw new RangeError(
      `The option tiles.overlap is ${overlap}; it must be less than ${shorter}, the shorter side of a tile: no tile would begin behind the one before.`,
    )
  }
  checkKeep(keep, width)
  return { size, overlap, blend, keep, maxBytes }
}

function checkPatches(option: string, value: unknown, patchSize: number, least: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) % patchSize === 0) return
  throw notWhole(option, value, patchSize)
}

function notWhole(option: string, value: unknown, patchSize: number): RangeError {
  return new RangeError(
    `The option tiles.${option} is ${JSON.stringify(value)}; it must be pixels in whole patches of ${patchSize}, such as ${16 * patchSize}.`,
  )
}

function checkKeep(keep: NonNullable<TileChoice['keep']>, width: number): void {
  if (typeof keep !== 'object') {
    checkChoice('tiles.keep', keep, ['float32', 'float16'])
    return
  }
  const { mean, components } = keep
  const count = components?.length / width
  if (mean?.length === width && Number.isInteger(count) && count >= 1) return
  throw new RangeError(
    `The option tiles.keep has a mean of ${mean?.length} and components of ${components?.length} numbers; they must be [${width}] and [K, ${width}], as principal components of this model's patches are.`,
  )
}

/** Throws RangeError for what cannot be had of tiles: each has seen a part of the image, and there is no whole that it would be of. */
export function checkTiled(wanted: FeatureChoice & Partial<StoppedChoice & TiledChoice>): void {
  const { tiles, preNorm } = wanted
  if (tiles === undefined) return
  const refused = (['layers', 'tta', 'attention', 'facets', 'stride', 'stopAfter'] as const).find(
    (name) => wanted[name] !== undefined,
  )
  if (refused !== undefined) {
    throw new RangeError(
      `The option ${refused} is not had with tiles: each of these has seen a part of the image. What there is of them is the patch map (and preNorm).`,
    )
  }
  if (preNorm === true && typeof tiles.keep === 'object') {
    throw new RangeError(
      'The option preNorm asks for patches before the final norm, and tiles.keep projects those behind it: leave one of the two out.',
    )
  }
}

/** Says where tiles lie along one axis of the patch grid, and what each has of the patches. */
export interface Cuts {
  /** Is the length of each tile, in patches. */
  readonly length: number
  /** Says at which patch each tile begins. */
  readonly starts: readonly number[]
  /** [length] for each tile. The weights of all tiles for a patch sum to 1. */
  readonly weights: readonly Float32Array[]
}

/** Spreads as few tiles over `side` patches as overlap by `overlap` at least; where one holds all of them it is as long as they are. */
export function cutAlong(side: number, tile: number, overlap: number, blend: TileBlend): Cuts {
  if (side <= tile) return { length: side, starts: [0], weights: [new Float32Array(side).fill(1)] }
  const count = Math.ceil((side - overlap) / (tile - overlap))
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (side - tile)) / (count - 1)))
  const raw = blend === 'cut' ? nearest(starts, tile, side) : ramps(starts, tile)
  const sums = new Float64Array(side)
  for (const [i, start] of starts.entries())
    for (const [j, weight] of raw[i]?.entries() ?? []) sums[start + j] = (sums[start + j] ?? 0) + weight
  const weights = starts.map(
    (start, i) => raw[i]?.map((w, j) => w / (sums[start + j] ?? 1)) ?? new Float32Array(),
  )
  return { length: tile, starts, weights }
}

/** Lets a tile's weight fall towards each neighbour over what they share; at the edges of the image there is nobody to pass on to. */
function ramps(starts: readonly number[], tile: number): readonly Float32Array[] {
  const shared = (before: number | undefined, behind: number | undefined) =>
    before === undefined || behind === undefined ? 0 : Math.max(0, before + tile - behind)
  return starts.map((start, i) => {
    const left = shared(starts[i - 1], start)
    const right = shared(start, starts[i + 1])
    return Float32Array.from({ length: tile }, (_, j) =>
      Math.min(1, (j + 1) / (left + 1), (tile - j) / (right + 1)),
    )
  })
}

function nearest(starts: readonly number[], tile: number, side: number): readonly Float32Array[] {
  const owner = Array.from({ length: side }, (_, patch) => {
    const distances = starts.map((start) => Math.abs(patch - start - (tile - 1) / 2))
    return distances.indexOf(Math.min(...distances))
  })
  return starts.map((start, i) =>
    Float32Array.from({ length: tile }, (_, j) => (owner[start + j] === i ? 1 : 0)),
  )
}

/** Cuts a grid of patches into tiles. */
export function cutGrid(
  { rows, columns }: PatchGrid,
  { size: [height, width], overlap, blend }: SettledTiles,
  patchSize: number,
): { readonly down: Cuts; readonly across: Cuts } {
  return {
    down: cutAlong(rows, height / patchSize, overlap / patchSize, blend),
    across: cutAlong(columns, width / patchSize, overlap / patchSize, blend),
  }
}

/** Counts the bytes of the map that is kept of a grid, or of two where patches before the final norm are wanted as well. */
export function keptBytes(
  { rows, columns }: PatchGrid,
  { keep }: SettledTiles,
  width: number,
  maps = 1,
): number {
  const perPatch =
    keep === 'float16' ? 2 * width : keep === 'float32' ? 4 * width : 4 * (keep.components.length / width)
  return maps * rows * columns * perPatch
}
