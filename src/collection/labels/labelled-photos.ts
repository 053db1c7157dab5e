/** Takes from a collection what is learnt from: the embeddings of photos that have a label. */
import { given } from '../../encoder/choose-recipe.js'
import { classCounts, type LabelledRows } from '../../numerics/labelled/labelled-rows.js'
import { unitRows } from '../../numerics/lengths.js'
import { float16ToFloat32 } from '../../tensor/float16.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
import type { Embeddings } from '../row-block.js'
import { LABEL_COLUMN } from './give-labels.js'

/** Is a photo of a set. */
export interface SetPhoto {
  /** Is the row's id. */
  readonly id: string
  /** Names it as `root/path`. */
  readonly name: string
}

/** Holds the photos that have a label. */
export interface LabelledPhotos extends LabelledRows {
  /** [K] Names the classes, in the order of their letters. */
  readonly names: readonly string[]
  /** [N] Lists the photos by root and path. */
  readonly photos: readonly SetPhoto[]
  /** Counts the photos that show the same pixels as another of them. */
  readonly copies: number
}

/** Says which photos are taken. */
export interface PhotoChoice {
  /** Names the column that labels are in; default `label`. */
  readonly column?: string | undefined
  /** Ends the reading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Is a photo that has an embedding. */
export interface EmbeddedPhoto extends SetPhoto {
  /** Is null where it has none. */
  readonly label: string | null
  /** Is the digest of its pixels. */
  readonly pixels: string | null
  /** [D] Has length 1, to the precision that the collection keeps. */
  readonly row: Float32Array
}

/** Gives all photos that have an embedding, in the order of the store. Throws `CollectionError` `unknown-column`; what the store throws; the signal's reason. */
export async function* embeddedPhotos(
  collection: Collection,
  { column = LABEL_COLUMN, signal }: PhotoChoice = {},
): AsyncGenerator<EmbeddedPhoto> {
  const { width } = collection.about
  const columns = ['id', 'root', 'path', 'state', 'pixels', column]
  const choice = { columns, embeddings: true, ...given({ signal }) }
  for await (const { count, values, embeddings } of collection.scan(choice)) {
    const numbers = floatsOf(embeddings)
    const valueAt = (name: string, at: number) => values[name]?.[at] ?? null
    for (let at = 0; at < count; at++) {
      if (valueAt('state', at) !== 'embedded') continue
      const label = valueAt(column, at)
      const pixels = valueAt('pixels', at)
      yield {
        id: String(valueAt('id', at)),
        name: `${valueAt('root', at)}/${valueAt('path', at)}`,
        label: label === null || label === '' ? null : String(label),
        pixels: pixels === null ? null : String(pixels),
        row: numbers.subarray(at * width, (at + 1) * width),
      }
    }
  }
}

/**
 * Reads the photos that have a label and an embedding. Throws `CollectionError`: `unlabelled` where no photo has a label, or all the same; `unknown-column` where the
 * column is not there.
 */
export async function readLabelled(
  collection: Collection,
  choice: PhotoChoice = {},
): Promise<LabelledPhotos> {
  const { column = LABEL_COLUMN } = choice
  const { width } = collection.about
  const { label: where } = collection.store
  if (column === LABEL_COLUMN && !collection.columns.some(({ name }) => name === column))
    throw noLabels(where, 0)
  const known: EmbeddedPhoto[] = []
  for await (const photo of embeddedPhotos(collection, choice))
    if (photo.label !== null) known.push({ ...photo, row: photo.row.slice() })
  known.sort((a, b) => (a.name < b.name ? -1 : 1))
  const names = [...new Set(known.flatMap(({ label }) => label ?? []))].sort()
  if (names.length < 2) throw noLabels(where, names.length, names[0])
  const numbers = new Map(names.map((name, at) => [name, at]))
  const rows = new Float32Array(known.length * width)
  for (const [at, { row }] of known.entries()) rows.set(row, at * width)
  return {
    names,
    classes: names.length,
    width,
    labels: Int32Array.from(known, ({ label }) => numbers.get(label ?? '') ?? -1),
    // Halves have lost a little of their length, too.
    rows: unitRows(rows, width),
    photos: known.map(({ id, name }) => ({ id, name })),
    copies: known.length - new Set(known.map(({ pixels, id }) => pixels ?? id)).size,
  }
}

/** Gives embeddings as numbers. Throws Error where there are none. */
export function floatsOf(embeddings: Embeddings | undefined): Float32Array {
  if (embeddings === undefined) throw new Error('The store gave no embeddings, which were asked for.')
  if (embeddings instanceof Float32Array) return embeddings
  const numbers = new Float32Array(embeddings.length)
  float16ToFloat32(embeddings, numbers)
  return numbers
}

function noLabels(where: string, count: number, only?: string): CollectionError {
  const found = count === 0 ? 'No photo' : `Every labelled photo`
  const what =
    count === 0 ? 'has a label' : `is called ${JSON.stringify(only)}, and telling classes apart takes two`
  return new CollectionError(
    'unlabelled',
    `${found} of ${where} ${what}. Label photos: plumage label --in ${where} --from folders, --from file.csv, or PHOTOS --set NAME.`,
  )
}

/** Throws `CollectionError` `too-few` where a class has fewer photos than folds. */
export function assertEnough(
  { names, labels, classes }: Pick<LabelledPhotos, 'names' | 'labels' | 'classes'>,
  folds: number,
): void {
  const counts = classCounts(labels, classes)
  const scarce = names.flatMap((name, at) => ((counts[at] ?? 0) < folds ? [`${name} (${counts[at]})`] : []))
  if (scarce.length === 0) return
  const fewest = Math.min(...counts)
  const advice =
    fewest >= 2
      ? `Take ${fewest} folds (--folds ${fewest}), or label more.`
      : 'Label more of it, or take the label away.'
  throw new CollectionError(
    'too-few',
    `Each of ${folds} folds needs a photo of each class, and there are fewer of ${scarce.join(', ')}. ${advice}`,
  )
}
