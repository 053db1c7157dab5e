/** Says which columns a row of a collection has, beside its embedding: those of every photo stand here, and a collection may have more of its own. */

import type { ColumnType, TypedColumn, Value } from '../formats/typed-table.js'
import { nearestNames } from '../nearest-names.js'
import { CollectionError } from './collection-error.js'

export type { ColumnType, Value }

/** Is a column of a collection; its name is in lower-case snake_case. */
export interface CollectionColumn extends TypedColumn {
  /** Is what it was called where it came from, if that is another name. */
  readonly title?: string
}

/** Every photo has these. */
export const PHOTO_COLUMNS = [
  /** Is 32 hexadecimal digits, made when the row is; it stays when the file moves. */
  { name: 'id', type: 'text' },
  /** Names the folder of photos that the path starts from. */
  { name: 'root', type: 'text' },
  /** Leads from the root to the file, with `/` between its names. */
  { name: 'path', type: 'text' },
  /** Is the file's device and number there: names that link to one file share it. */
  { name: 'file', type: 'text' },
  /** Counts the bytes of the file. */
  { name: 'bytes', type: 'integer' },
  /** Says when the file was last changed. */
  { name: 'modified', type: 'timestamp' },
  /** Is `embedded`, `failed` (the reason says why), or `gone`: the file is not there any more. */
  { name: 'state', type: 'text' },
  /** Says why there is no embedding. */
  { name: 'reason', type: 'text' },
  /** Is the SHA-256 of the file. */
  { name: 'content', type: 'text' },
  /** Is a digest of the upright pixels: files that differ in metadata alone share it. It is no proof against pictures that are made to be mistaken. */
  { name: 'pixels', type: 'text' },
  /** Says that the pixels are those of a preview in the file, as they are of a camera's raw photo. */
  { name: 'preview', type: 'boolean' },
  /** Is in pixels, upright. */
  { name: 'height', type: 'integer' },
  /** Is in pixels, upright. */
  { name: 'width', type: 'integer' },
  /** Lead from the root to the files that belong to it: its raw twin, notes, and the moving part of a Live Photo. */
  { name: 'sidecars', type: 'texts' },
  /** Says when the last of those was changed that tell of the photo. */
  { name: 'sidecars_modified', type: 'timestamp' },
  /**
   * Says when the photo was taken, by its EXIF, or else by XMP or Google's notes. A camera's time has no zone, and stands as if it were UTC; Google's is UTC.
   */
  { name: 'taken', type: 'timestamp' },
  /** Is what people wrote under the photo. */
  { name: 'caption', type: 'text' },
  /** Is 0 to 5 stars, or -1 for what was rejected. */
  { name: 'rating', type: 'integer' },
  /** Is in degrees north. */
  { name: 'latitude', type: 'float' },
  /** Is in degrees east. */
  { name: 'longitude', type: 'float' },
  /** Is the perceptual hash of the upright pixels (`perceptualHash`), 16 hexadecimal digits. */
  { name: 'perceptual_hash', type: 'text' },
  /** Is the variance of the Laplacian in the sharpest part (`photoQuality`). */
  { name: 'sharpness', type: 'float' },
  /** Is the mean brightness, 0 to 1. */
  { name: 'brightness', type: 'float' },
  /** Is the brightness that 5 % of the pixels do not reach. */
  { name: 'brightness_5', type: 'float' },
  /** Is the brightness that 99 % of the pixels do not exceed. */
  { name: 'brightness_99', type: 'float' },
  /** Is the share of pixels that are black. */
  { name: 'clipped_dark', type: 'float' },
  /** Is the share of pixels that are white. */
  { name: 'clipped_bright', type: 'float' },
  /** Is the entropy of the grey levels in bits, 0 to 8. */
  { name: 'entropy', type: 'float' },
  /** Is 0 for a grey photo, above 80 for a very colourful one. */
  { name: 'colourfulness', type: 'float' },
  /** Is the length of the embedding as the model gave it: what is stored has length 1. */
  { name: 'norm', type: 'float' },
] as const satisfies readonly CollectionColumn[]

/** Names a column that every photo has. */
export type PhotoColumn = (typeof PHOTO_COLUMNS)[number]['name']

/** Throws `CollectionError` `unknown-column` with the nearest name for one that is not among the columns. */
export function columnOf(name: string, columns: readonly CollectionColumn[]): CollectionColumn {
  const found = columns.find((column) => column.name === name)
  if (found !== undefined) return found
  const names = columns.map((column) => column.name)
  const [nearest] = nearestNames(name, names)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new CollectionError(
    'unknown-column',
    `There is no column ${JSON.stringify(name)}.${hint} The columns are ${names.join(', ')}.`,
  )
}

/** Throws `CollectionError` `wrong-value` for what such a column cannot hold. */
export function checkValue({ name, type }: CollectionColumn, value: Value): void {
  if (value === null || HOLDS[type](value)) return
  throw new CollectionError(
    'wrong-value',
    `The column ${name} holds ${WORDS[type]}, not ${JSON.stringify(value)}.`,
  )
}

const isNumber = (value: Value) => typeof value === 'number' && Number.isFinite(value)

const HOLDS: Readonly<Record<ColumnType, (value: Value) => boolean>> = {
  text: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  float: isNumber,
  boolean: (value) => typeof value === 'boolean',
  timestamp: (value) => Number.isSafeInteger(value),
  texts: (value) => Array.isArray(value) && value.every((text) => typeof text === 'string'),
}

const WORDS: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'whole numbers',
  float: 'numbers',
  boolean: 'true and false',
  timestamp: 'times, in whole milliseconds since 1970',
  texts: 'lists of texts',
}
