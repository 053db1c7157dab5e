/** Encodes an image tile by tile. Levels become numbers for the tiles of one run alone, and patches are kept as soon as no other tile adds to them. */
import type { PreparedLevels } from '../image/prepare-image.js'
import type { Recipe } from '../image/recipe.js'
import { normaliseLevels } from '../kernels/normalise-levels.js'
import type { PatchGrid } from '../model/positions.js'
import type { FeatureData, TiledData } from './features.js'
import { numbersKept, Stitch } from './stitch.js'
import { cutGrid, keptBytes, type SettledTiles } from './tiles.js'
import type { EncoderDescription } from './types.js'

/** Gives the patches of each tile of a run. */
type TilePatches = (index: number) => Pick<FeatureData, 'patches' | 'preNorm'>

/** Is what computing tiles needs of an encoder. */
export interface TileWork {
  readonly recipe: Recipe
  readonly patchSize: number
  /** Counts the tiles of a run. */
  readonly batch: number
  readonly hasPreNorm: boolean
  readonly signal?: AbortSignal
  /** @param pixels [batch, 3, height, width] */
  run(
    pixels: Float32Array,
    size: readonly [height: number, width: number],
    batch: number,
  ): Promise<TilePatches>
}

type TiledMaps = Pick<TiledData, 'patches' | 'preNorm' | 'patchWidth' | 'tiles'>

export async function computeTiles(
  image: PreparedLevels,
  grid: PatchGrid,
  tiles: SettledTiles,
  work: TileWork,
): Promise<TiledMaps> {
  const { patchSize, batch, hasPreNorm, signal } = work
  const cuts = cutGrid(grid, tiles, patchSize)
  const { down, across } = cuts
  const size = [down.length * patchSize, across.length * patchSize] as const
  const stitches = new Map<'patches' | 'preNorm', Stitch>()
  let width = 0
  for (const [row, top] of down.starts.entries()) {
    for (let from = 0; from < across.starts.length; from += batch) {
      signal?.throwIfAborted()
      const lefts = across.starts.slice(from, from + batch)
      const places = lefts.map((left) => [top * patchSize, left * patchSize] as const)
      const patchesOf = await work.run(tilePixels(image, places, size, work.recipe), size, places.length)
      for (const index of places.keys()) {
        const found = patchesOf(index)
        width = found.patches.length / (down.length * across.length)
        for (const of of hasPreNorm ? (['patches', 'preNorm'] as const) : (['patches'] as const)) {
          const stitch = stitches.get(of) ?? new Stitch(grid, width, cuts, tiles.keep)
          stitches.set(of, stitch)
          stitch.add(row, from + index, found[of] ?? new Float32Array())
        }
      }
    }
    for (const stitch of stitches.values()) stitch.endRow(row)
  }
  const preNorm = stitches.get('preNorm')?.kept
  return {
    patches: stitches.get('patches')?.kept ?? new Float32Array(),
    ...(preNorm === undefined ? {} : { preNorm }),
    patchWidth: numbersKept(tiles.keep, width),
    tiles: { size, rows: down.starts.length, columns: across.starts.length },
  }
}

/** Makes model input of parts of an image, [tiles, 3, height, width]. */
function tilePixels(
  { levels, width: imageWidth }: PreparedLevels,
  places: readonly (readonly [top: number, left: number])[],
  [height, width]: readonly [height: number, width: number],
  { rescale, rgbStats }: Recipe,
): Float32Array {
  const length = height * width * 3
  const pixels = new Float32Array(places.length * length)
  const part = levels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)
  for (const [index, [top, left]] of places.entries()) {
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * imageWidth + left) * 3
      part.set(levels.subarray(from, from + width * 3), y * width * 3)
    }
    pixels.set(normaliseLevels(part, rescale, rgbStats), index * length)
  }
  return pixels
}

/** Throws RangeError, before anything is computed, for an image that gains nothing by tiles, and for a map of more bytes than are allowed. */
export function assertTiled(
  { height, width }: PreparedLevels,
  grid: PatchGrid,
  tiles: SettledTiles,
  { description, hasPreNorm }: { readonly description: EncoderDescription; readonly hasPreNorm: boolean },
): void {
  const bytes = keptBytes(grid, tiles, description.width, hasPreNorm ? 2 : 1)
  if (bytes > tiles.maxBytes) {
    const size = (count: number) => `${(count / 2 ** 20).toFixed(0)} MiB`
    throw new RangeError(
      `The patch map of ${height} x ${width} pixels, ${grid.rows} x ${grid.columns} patches, takes ${size(bytes)}, and ${size(tiles.maxBytes)} are allowed. ` +
        "Keep less of each patch (tiles.keep: 'float16', or directions), choose a smaller size, or allow more (tiles.maxBytes; --tiles-bytes on the command line).",
    )
  }
  const { positions } = JSON.parse(description.identity.settings) as { readonly positions?: unknown }
  // Which rule gives a part of the stored grid is then no part of the identity.
  if (positions !== 'stored' || (tiles.size[0] >= height && tiles.size[1] >= width)) return
  throw new RangeError(
    `Each image becomes ${height} x ${width} pixels, the size that the network was trained at, and tiles of ${tiles.size.join(' x ')} are parts of it. ` +
      'Choose how large images become: scale, shortest, longest or size (--scale 1 on the command line).',
  )
}
