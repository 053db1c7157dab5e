/** Reads lists: an address or a path on each line, however long the list is. */
import type { SourceRow } from '../row.js'
import { addressRow } from './address-row.js'
import { type SourceBytes, textsOf } from './open-bytes.js'
import type { RowBatches, SourceReading } from './source.js'
import { SourceError } from './source-error.js'

/** No address that is fetched is longer, data included. */
const MOST_LETTERS = 2 ** 26

/** Empty lines are no rows. The lines are counted, so that a row is found again. */
export async function* listRows(source: SourceBytes, { world, options }: SourceReading): RowBatches {
  const { separator = '\n', contact } = options
  const rowsOf = (lines: readonly string[], first: number) => {
    const rows: SourceRow[] = []
    for (const [at, line] of lines.entries()) {
      const text = separator === '\n' && line.endsWith('\r') ? line.slice(0, -1) : line
      if (text.trim() !== '') rows.push(addressRow(`line ${first + at}`, text, world.files, contact))
    }
    return rows
  }
  let count = 0
  for await (const lines of linesOf(source, world, separator)) {
    if (separator === '\n') assertText(lines, source.label)
    yield rowsOf(lines, count + 1)
    count += lines.length
  }
}

/** Yields many lines at a time. Throws `SourceError` `damaged` for a line without an end. */
export async function* linesOf(
  source: SourceBytes,
  world: SourceReading['world'],
  separator: '\n' | '\0' = '\n',
): AsyncGenerator<readonly string[]> {
  let rest = ''
  for await (const text of textsOf(source, world)) {
    const end = text.lastIndexOf(separator)
    if (end < 0) rest += text
    else {
      yield (rest + text.slice(0, end)).split(separator)
      rest = text.slice(end + 1)
    }
    if (rest.length > MOST_LETTERS)
      throw new SourceError(
        'damaged',
        `${source.label} has a line of more than ${MOST_LETTERS} characters: is it a list? Say what it is by --source-kind.`,
      )
  }
  if (rest !== '') yield [rest]
}

function assertText(lines: readonly string[], label: string): void {
  if (!lines.some((line) => line.includes('\0'))) return
  throw new SourceError(
    'unclear',
    `${label} holds NULs, which no line of a list has: add -0 where they end its paths, or say what it is by --source-kind.`,
  )
}
