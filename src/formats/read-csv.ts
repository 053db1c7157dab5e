/** Reads CSV (RFC 4180): fields in double quotes may hold anything, lines end as they like, and commas, semicolons or tabs stand between fields. */

/** Is a record, with the line on which it begins, from 1. */
export interface CsvLine {
  readonly line: number
  readonly fields: readonly string[]
}

/** A field that is longer is a quote that was never closed. */
const MOST_LETTERS = 2 ** 24
const LINE_END = /\r\n|\r|\n/g

/**
 * Gives the records, the first of which names the columns; empty lines are passed over. What separates fields is told by the first line.
 *
 * @throws RangeError for a quoted field that does not end, with its line
 */
export function readCsv(text: string): readonly (readonly string[])[] {
  const reader = new CsvReader()
  return [...reader.push(text), ...reader.end()].map(({ fields }) => fields)
}

/** Reads a text that comes in pieces, of which it keeps no more than a record. */
export class CsvReader {
  #text = ''
  #line = 1
  #isFirst = true
  #separator: string | null = null
  #field = /(?:)/y

  /** Gives the records that have ended. Throws RangeError for a quoted field that does not end, with its line. */
  push(text: string): readonly CsvLine[] {
    this.#text += this.#isFirst && text.startsWith('\ufeff') ? text.slice(1) : text
    this.#isFirst &&= text === ''
    const records = this.#read(false)
    if (this.#text.length > MOST_LETTERS) throw unended(this.#line)
    return records
  }

  /** Gives what is left. Throws as `push`. */
  end(): readonly CsvLine[] {
    return this.#read(true)
  }

  #read(isLast: boolean): readonly CsvLine[] {
    const text = this.#text
    const records: CsvLine[] = []
    if (this.#separator === null && (isLast || /[\r\n]/.test(text))) this.#begin()
    if (this.#separator === null) return records
    let quote = nextQuote(text, 0)
    let at = 0
    while (at < text.length) {
      const end = text.indexOf('\n', at)
      if (quote < at) quote = nextQuote(text, at)
      // Most lines have no quotes, and are many times faster to read so.
      const isPlain = end >= 0 && end < quote && !text.slice(at, end - 1).includes('\r')
      const next = isPlain ? end + 1 : this.#record(at, isLast, records)
      if (next === null) break
      if (isPlain)
        this.#add(records, text.slice(at, text[end - 1] === '\r' ? end - 1 : end).split(this.#separator), 1)
      at = next
    }
    this.#text = text.slice(at)
    return records
  }

  #begin(): void {
    this.#separator = separatorOf(this.#text)
    this.#field = new RegExp(`"((?:[^"]|"")*)"|([^${this.#separator}\\r\\n]*)`, 'y')
  }

  #add(records: CsvLine[], fields: readonly string[], lines: number): void {
    if (fields.length > 1 || fields[0] !== '') records.push({ line: this.#line, fields })
    this.#line += lines
  }

  /** Gives where the next record begins; null where this one goes on behind what is there. */
  #record(start: number, isLast: boolean, records: CsvLine[]): number | null {
    const text = this.#text
    const fields: string[] = []
    for (let at = start; ; at++) {
      this.#field.lastIndex = at
      const [found = '', quoted, plain = ''] = this.#field.exec(text) ?? []
      at += found.length
      // Where a quote follows, the one before it does not end the field: what does is yet to come.
      const isOpen = quoted === undefined ? plain.startsWith('"') : text[at] === '"'
      // What ends the record, or the second letter of a line's end, may come with the next piece.
      if (!isLast && (isOpen || at >= text.length - 1)) return null
      if (isOpen) throw unended(this.#lineAt(start, at - found.length))
      fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
      const next = text[at]
      if (next === this.#separator) continue
      if (next !== undefined && next !== '\r' && next !== '\n') throw unended(this.#lineAt(start, at))
      const end = at + (text.startsWith('\r\n', at) ? 2 : 1)
      this.#add(records, fields, text.slice(start, end).match(LINE_END)?.length ?? 1)
      return end
    }
  }

  #lineAt(start: number, at: number): number {
    return this.#line + (this.#text.slice(start, at).match(LINE_END)?.length ?? 0)
  }
}

function nextQuote(text: string, from: number): number {
  const found = text.indexOf('"', from)
  return found < 0 ? Number.POSITIVE_INFINITY : found
}

function separatorOf(text: string): string {
  const [line = ''] = /^("(?:[^"]|"")*"|[^"\r\n])*/.exec(text) ?? []
  const plain = line.replace(/"(?:[^"]|"")*"/g, '')
  const counts = [',', ';', '\t'].map((sign) => [plain.split(sign).length, sign] as const)
  return counts.reduce((best, one) => (one[0] > best[0] ? one : best))[1]
}

function unended(line: number): RangeError {
  return new RangeError(`Line ${line} has a quoted field that does not end where the field does.`)
}
