/** Finds the column of a table that holds addresses. */
import { nearestNames } from '../../nearest-names.js'
import { SourceError } from './source-error.js'

/** Are what such columns are called; of two of them in one table it is not known which is meant. */
const ADDRESS_NAMES = new Set(
  'url urls uri address link image_url img_url image_uri path filepath file_path filename file_name file image_path'.split(
    ' ',
  ),
)

/** Throws `SourceError` `unknown-column`, `unclear`. */
export function addressColumn(columns: readonly string[], wanted: string | undefined, label: string): string {
  const [only, ...others] = columns
  if (wanted === undefined) {
    const named = columns.filter((name) => ADDRESS_NAMES.has(name.toLowerCase()))
    const [found] = named.length === 1 ? named : others.length === 0 ? [only] : []
    if (found !== undefined) return found
    throw new SourceError(
      'unclear',
      `It is not known which column of ${label} holds the addresses of images: it has ${columns.join(', ')}. Name it by --column.`,
    )
  }
  if (columns.includes(wanted)) return wanted
  const [nearest] = nearestNames(wanted, columns)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new SourceError(
    'unknown-column',
    `${label} has no column ${JSON.stringify(wanted)}.${hint} It has ${columns.join(', ')}.`,
  )
}

/** An empty text is a row without an address. Throws `SourceError` `unknown-column` for a value that is no text. */
export function addressOf(value: unknown, column: string, label: string): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  throw new SourceError(
    'unknown-column',
    `The column ${column} of ${label} holds what is no text (${typeof value}), expected addresses or paths. Name another by --column.`,
  )
}
