/** Reads CSV (RFC 4180): fields in double quotes may hold anything, lines end as they like, and commas, semicolons or tabs stand between fields. */

/**
 * Gives the records, the first of which names the columns; empty lines are passed over. What separates fields is told by the first line.
 *
 * @throws RangeError for a quoted field that does not end, with its line
 */
export function readCsv(text: string): readonly (readonly string[])[] {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  const separator = separatorOf(source)
  const field = new RegExp(`"((?:[^"]|"")*)"|([^${separator}\\r\\n]*)`, 'y')
  const records: string[][] = []
  let record: string[] = []
  for (let at = 0; at < source.length; ) {
    field.lastIndex = at
    const [found = '', quoted, plain = ''] = field.exec(source) ?? []
    if (quoted === undefined && plain.startsWith('"')) throw unended(source, at)
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    at += found.length
    const next = source[at]
    if (next === separator) {
      at++
      // A line may end with an empty field, and the text with it.
      if (at < source.length) continue
      record.push('')
    } else if (next !== undefined && next !== '\r' && next !== '\n') throw unended(source, at)
    at += source.startsWith('\r\n', at) ? 2 : 1
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  return records
}

function separatorOf(text: string): string {
  const [line = ''] = /^("(?:[^"]|"")*"|[^"\r\n])*/.exec(text) ?? []
  const plain = line.replace(/"(?:[^"]|"")*"/g, '')
  const counts = [',', ';', '\t'].map((sign) => [plain.split(sign).length, sign] as const)
  return counts.reduce((best, one) => (one[0] > best[0] ? one : best))[1]
}

function unended(text: string, at: number): RangeError {
  const line = text.slice(0, at).split(/\r\n|\r|\n/).length
  return new RangeError(`Line ${line} has a quoted field that does not end where the field does.`)
}
