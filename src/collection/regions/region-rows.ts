/**
 * Keeps regions of photos in a collection of their own, a row for each: it names the photo by its content, so that a photo that moves, or that lies in two places,
 * has its regions once, and one that changed has none until it is looked at again.
 */
import { toHalf } from '../../tensor/float16.js'
import { filmOfNameOrNull } from '../../work/work-input.js'
import type { Collection } from '../collection.js'
import type { CollectionColumn } from '../columns.js'
import { newId } from '../new-id.js'
import { blockOf, type Row, rowsOf } from '../row-block.js'
import type { PhotoRegion } from './photo-regions.js'

/** Are the columns of a region beside those of every row: its box, in pixels of the photo. */
export const REGION_COLUMNS = [
  { name: 'left_edge', type: 'float' },
  { name: 'top_edge', type: 'float' },
  { name: 'right_edge', type: 'float' },
  { name: 'bottom_edge', type: 'float' },
] as const satisfies readonly CollectionColumn[]

/** Has all patches of a photo (`encodePatches`) in a row of its own, whose state is `patches`, where regions are kept with them. */
export const PATCHES_COLUMN = { name: 'patches', type: 'text' } as const satisfies CollectionColumn

/** Are written when there are so many: each write is a version of the table. */
const BATCH_ROWS = 4096

/** So many characters of patches wait at most. */
const BATCH_CHARACTERS = 2 ** 25

/** Gathers regions, and writes them in batches. All regions of a photo are in one batch: after a kill it has all of them, or none. */
export class RegionWriter {
  readonly #regions: Collection
  #waiting: { readonly row: Row; readonly centre: Float32Array | null }[] = []
  #characters = 0

  constructor(regions: Collection) {
    this.#regions = regions
  }

  /** Throws what the store throws. @param patches are those of the photo, as `encodePatches` gives them, where they are kept */
  async add(content: string, found: readonly PhotoRegion[], patches: string | null = null): Promise<void> {
    for (const { centre, box } of found) {
      const { left, top, right, bottom } = box
      const edges = { left_edge: left, top_edge: top, right_edge: right, bottom_edge: bottom }
      this.#waiting.push({ row: { id: newId(), state: 'embedded', norm: 1, content, ...edges }, centre })
    }
    if (patches !== null) {
      const row = { id: newId(), state: 'patches', content, [PATCHES_COLUMN.name]: patches }
      this.#waiting.push({ row, centre: null })
      this.#characters += patches.length
    }
    if (this.#waiting.length >= BATCH_ROWS || this.#characters >= BATCH_CHARACTERS) await this.flush()
  }

  /** Writes what waits. Throws what the store throws. */
  async flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    this.#characters = 0
    if (waiting.length === 0) return
    const { width } = this.#regions.about
    const joined = new Float32Array(waiting.length * width)
    for (const [at, { centre }] of waiting.entries()) if (centre !== null) joined.set(centre, at * width)
    const names = this.#regions.columns.map(({ name }) => name)
    const rows = waiting.map(({ row }) => row)
    await this.#regions.add(blockOf(rows, names, toHalf(joined)))
  }
}

/** Gives the contents that have regions, or those whose patches are kept. */
export async function contentsWithRegions(
  regions: Collection,
  signal: AbortSignal | undefined,
  { patches = false }: { readonly patches?: boolean } = {},
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const where = patches ? regions.where("state = 'patches'") : undefined
  for await (const block of regions.scan({ columns: ['content'], where, signal }))
    for (const content of block.values.content ?? []) found.add(String(content))
  return found
}

/** Gives one row of each file whose content has no regions. Frames have theirs made while their film is read: none of them is a file. */
export async function filesWithoutRegions(
  collection: Collection,
  contents: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  const found = new Map<string, Row>()
  const columns = ['root', 'path', 'file', 'bytes', 'modified', 'content']
  const where = collection.where("state = 'embedded'")
  for await (const block of collection.scan({ columns, where, signal }))
    for (const row of rowsOf(block)) {
      const content = String(row.content)
      if (row.content === null || contents.has(content) || filmOfNameOrNull(String(row.path)) !== null)
        continue
      found.set(content, row)
    }
  return [...found.values()]
}

/** Forgets the regions of photos that the collection does not know any more, which are those of other contents. Throws what the stores throw. */
export async function forgetRegions(
  collection: Collection,
  regions: Collection,
  signal: AbortSignal | undefined,
): Promise<void> {
  await keepRegionsOf(regions, await contentsWithRegions(collection, signal), signal)
}

/** Forgets the regions of all other contents. Throws what the store throws. */
export async function keepRegionsOf(
  regions: Collection,
  known: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const gone: string[] = []
  for await (const block of regions.scan({ columns: ['id', 'content'], signal }))
    for (const row of rowsOf(block)) if (!known.has(String(row.content))) gone.push(String(row.id))
  await regions.remove(gone)
}
