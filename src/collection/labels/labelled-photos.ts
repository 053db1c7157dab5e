/** Takes from a collection what is learnt from: the embeddings of photos that have a label, and of those that have none. */
import { given } from '../../encoder/choose-recipe.js'
import { classCounts, type LabelledRows } from '../../numerics/labelled/labelled-rows.js'
import { unitRows } from '../../numerics/lengths.js'
import { float16ToFloat32 } from '../../tensor/float16.js'
import type { Collection } from '../collection.js'
import { CollectionError } from '../collection-error.js'
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

/** Holds the photos that have no label. */
export interface UnlabelledPhotos {
  /** [N] Lists them by root and path. */
  readonly photos: readonly SetPhoto[]
  /** [N, D], each of length 1. */
  readonly rows: Float32Array
}

/** Says which photos are taken. */
export interface PhotoChoice {
  /** Names the column that labels are in; default `label`. */
  readonly column?: string | undefined
  /** Ends the reading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

interface Found extends SetPhoto {
  readonly label: string | null
  readonly pixels: string | null
  readonly row: Float32Array
}

/**
 * Reads all photos that have an embedding. Throws `CollectionError`: `unlabelled` where no photo has a label, or all the same; `unknown-column` where the column
 * is not there.
 */
export async function readLabelled(
  collection: Collection,
  { column = LABEL_COLUMN, signal }: PhotoChoice = {},
): Promise<{ readonly labelled: LabelledPhotos; readonly unlabelled: UnlabelledPhotos }> {
  const { width } = collection.about
  const { label: where } = collection.store
  if (column === LABEL_COLUMN && !collection.columns.some(({ name }) => name === column))
    throw noLabels(where, 0)
  const found: Found[] = []
  const columns = ['id', 'root', 'path', 'state', 'pixels', column]
  for await (const { count, values, embeddings } of collection.scan({
    columns,
    embeddings: true,
    ...given({ signal }),
  })) {
    const numbers = floatsOf(embeddings)
    const valueAt = (name: string, at: number) => values[name]?.[at] ?? null
    for (let at = 0; at < count; at++) {
      if (valueAt('state', at) !== 'embedded') continue
      const label = valueAt(column, at)
      found.push({
        id: String(valueAt('id', at)),
        name: `${valueAt('root', at)}/${valueAt('path', at)}`,
        label: label === null || label === '' ? null : String(label),
        pixels: valueAt('pixels', at) as string | null,
        row: numbers.slice(at * width, (at + 1) * width),
      })
    }
  }
  found.sort((a, b) => (a.name < b.name ? -1 : 1))
  const known = found.filter(({ label }) => label !== null)
  const names = [...new Set(known.flatMap(({ label }) => label ?? []))].sort()
  if (names.length < 2) throw noLabels(where, names.length, names[0])
  const numbers = new Map(names.map((name, at) => [name, at]))
  const rest = found.filter(({ label }) => label === null)
  return {
    labelled: {
      names,
      classes: names.length,
      width,
      labels: Int32Array.from(known, ({ label }) => numbers.get(label ?? '') ?? -1),
      rows: joined(known, width),
      photos: known.map(photoOf),
      copies: known.length - new Set(known.map(({ pixels, id }) => pixels ?? id)).size,
    },
    unlabelled: { photos: rest.map(photoOf), rows: joined(rest, width) },
  }
}

function photoOf({ id, name }: Found): SetPhoto {
  return { id, name }
}

/** Halves have lost a little of their length, too. */
function joined(found: readonly Found[], width: number): Float32Array {
  const rows = new Float32Array(found.length * width)
  for (const [at, { row }] of found.entries()) rows.set(row, at * width)
  return unitRows(rows, width)
}

function floatsOf(embeddings: Uint16Array | Float32Array | undefined): Float32Array {
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
    `${found} of ${where} ${what}. Label photos: plumage label ${where} --from folders, --from file.csv, or --set NAME PHOTOS.`,
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
