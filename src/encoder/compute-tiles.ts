/** Encodes an image tile by tile. Levels become numbers for the tiles of one run alone, and patches are kept as soon as no other tile adds to them. */
import { normalised, type PreparedImage, type PreparedLevels } from '../image/prepare-image.js'
import type { Recipe } from '../image/recipe.js'
import type { PatchGrid } from '../model/positions.js'
import type { FeatureData, TiledData } from './features.js'
import { numbersKept, Stitch } from './stitch.js'
import { cutGrid, keptBytes, type SettledTiles } from './tiles.js'
import type { EncoderDescription } from './types.js'

/** Is what computing tiles needs of an encoder. */
export interface TileWork {
  readonly recipe: Recipe
  readonly patchSize: number
  /** Counts the tiles of a run. */
  readonly batch: number
  readonly hasPreNorm: boolean
  readonly signal?: AbortSignal
  /** Gives the patches of each tile of a run. */
  run(tiles: readonly PreparedImage[]): Promise<readonly Pick<FeatureData, 'patches' | 'preNorm'>[]>
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
      const run = await work.run(lefts.map((left) => tileOf(image, [top, left], cuts, work)))
      for (const [index, found] of run.entries()) {
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

/** Makes model input of a part of an image that begins at this patch. */
function tileOf(
  { levels, width: imageWidth, imageSize, orientation, placement }: PreparedLevels,
  [row, column]: readonly [row: number, column: number],
  { down, across }: ReturnType<typeof cutGrid>,
  { recipe, patchSize }: TileWork,
): PreparedImage {
  const [height, width] = [down.length * patchSize, across.length * patchSize]
  const length = height * width * 3
  const part = levels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)
  for (let y = 0; y < height; y++) {
    const from = ((row * patchSize + y) * imageWidth + column * patchSize) * 3
    part.set(levels.subarray(from, from + width * 3), y * width * 3)
  }
  const place = { top: placement.top + row * patchSize, left: placement.left + column * patchSize }
  const at = { ...placement, ...place }
  return normalised({ levels: part, height, width, imageSize, orientation, placement: at }, recipe)
}

/** Throws RangeError, before anything is computed, for an image that gains nothing by tiles, and for a map of more bytes than are allowed. */
export function assertTiled(
  { height, width }: PreparedLevels,
  grid: PatchGrid,
  tiles: SettledTiles,
  {
    description,
    recipe,
    hasPreNorm,
  }: Pick<TileWork, 'recipe' | 'hasPreNorm'> & { readonly description: EncoderDescription },
): void {
  if (recipe.resize.kind === 'multiples') {
    throw new RangeError(
      "The model's own recipe puts zeros around each image, which tiles within it would have too: take the recipe native (scale, shortest or longest; --scale 1 on the command line).",
    )
  }
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
