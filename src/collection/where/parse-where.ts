/**
 * Reads conditions as people write them, in a part of SQL:
 *
 *     taken > '2024-01-01' and (width > height or not path like '%/scans/%') and label in ('cat', 'dog') and array_contains(tags, 'beach')
 *
 * There are = <> != < <= > >=, `[not] between … and …`, `[not] in (…)`, `[not] like` and `ilike`, `is [not] null`, `is [not] true` and `false`,
 * `array_contains(list, text)`, columns of true and false by themselves, `not`, `and`, `or` and parentheses. Texts stand within single quotes, a quote in a text is
 * written twice; times are texts, as '2024-05-01' or '2024-05-01 18:30:00', in UTC unless they name their zone.
 */
import { nearestNames } from '../../nearest-names.js'
import type { CollectionError } from '../collection-error.js'
import { type CollectionColumn, type ColumnType, columnOf } from '../columns.js'
import type { Comparand, Comparator, Condition } from './condition.js'
import { isPattern } from './like.js'
import { timeOrNull } from './time.js'
import { type Token, tokensOf, wrongWhere } from './tokens.js'

/** What is nested deeper is no person's doing, and other parsers would run out of their stack. */
const MOST_DEPTH = 12
const MOST_PARTS = 500

const WORDS = ['and', 'or', 'not', 'in', 'between', 'like', 'ilike', 'is', 'null', 'true', 'false'] as const
type Word = (typeof WORDS)[number] | 'array_contains'

/** Throws `CollectionError` `wrong-where` that shows the place, with the nearest name for a column that is not among `columns`. */
export function parseWhere(source: string, columns: readonly CollectionColumn[]): Condition {
  return new Parser(source, columns).parse()
}

class Parser {
  readonly #source: string
  readonly #columns: readonly CollectionColumn[]
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0
  #parts = 0

  constructor(source: string, columns: readonly CollectionColumn[]) {
    this.#source = source
    this.#columns = columns
    this.#tokens = tokensOf(source)
    // In SQL these hold names, and LanceDB takes them for texts that are like nothing: people mean either.
    const quoted = this.#tokens.find(({ kind }) => kind === 'quoted')
    if (quoted !== undefined) throw this.#quoted(quoted)
  }

  parse(): Condition {
    const condition = this.#either()
    if (this.#now.kind !== 'end') throw this.#expected('and, or, or the end')
    return condition
  }

  #either(): Condition {
    return this.#joined('or', () => this.#joined('and', () => this.#single()))
  }

  #joined(is: 'and' | 'or', read: () => Condition): Condition {
    const first = read()
    const of = [first]
    while (this.#takes(is)) of.push(read())
    return of.length === 1 ? first : { is, of }
  }

  #single(): Condition {
    const { at } = this.#now
    if (++this.#parts > MOST_PARTS) throw this.#wrong(at, `it has more than ${MOST_PARTS} parts`)
    if (++this.#depth > MOST_DEPTH) throw this.#wrong(at, `it is nested more than ${MOST_DEPTH} deep`)
    const condition = this.#unnested()
    this.#depth--
    return condition
  }

  #unnested(): Condition {
    if (this.#takes('not')) return { is: 'not', of: this.#single() }
    if (this.#takesSign('(')) {
      const inner = this.#either()
      this.#demandSign(')')
      return inner
    }
    if (this.#isWord('array_contains') && this.#tokens[this.#next + 1]?.text === '(') return this.#holding()
    if (this.#now.kind === 'number' || this.#now.kind === 'text') return this.#turnedAround()
    return this.#ofColumn(this.#column())
  }

  /** Reads `2000 < width`. */
  #turnedAround(): Condition {
    const token = this.#take()
    const { at } = this.#now
    const by = this.#comparatorOrNull()
    if (by === null) throw this.#wrong(at, 'expected = < > or the like, and a column')
    const column = this.#column()
    return { is: 'compared', column, by: TURNED[by], to: this.#constantOf(token, column) }
  }

  #ofColumn(column: CollectionColumn): Condition {
    const { at } = this.#now
    const by = this.#comparatorOrNull()
    if (by !== null) return this.#compared(column, by, at)
    if (this.#takes('is')) return this.#isSomething(column)
    const isNot = this.#takes('not')
    const positive = this.#listedOrLike(column)
    if (positive !== null) return isNot ? { is: 'not', of: positive } : positive
    if (isNot) throw this.#expected('in, between, like or ilike')
    if (column.type === 'boolean') return { is: 'true', column }
    throw this.#expected(`= < > in, between, like or is behind ${column.name}`)
  }

  #compared(column: CollectionColumn, by: Comparator, at: number): Condition {
    if (column.type === 'texts')
      throw this.#wrong(at, `${column.name} holds lists of texts: ask array_contains(${column.name}, 'text')`)
    if (this.#isWord('null'))
      throw this.#wrong(this.#now.at, `nothing equals null: write ${column.name} is null`)
    const isConstant = this.#now.kind !== 'word' || this.#isWord('true') || this.#isWord('false')
    if (isConstant) return { is: 'compared', column, by, to: this.#constant(column) }
    const other = this.#now
    const to = this.#column()
    if (kindOf(to.type) === kindOf(column.type)) return { is: 'compared', column, by, to }
    throw this.#wrong(
      other.at,
      `${column.name} (${column.type}) and ${to.name} (${to.type}) cannot be compared`,
    )
  }

  #isSomething(column: CollectionColumn): Condition {
    const isNot = this.#takes('not')
    const { at } = this.#now
    const asked = (['null', 'true', 'false'] as const).find((word) => this.#takes(word))
    if (asked === undefined) throw this.#expected('null, true or false')
    if (asked !== 'null' && column.type !== 'boolean')
      throw this.#wrong(at, `${column.name} holds ${column.type}, not true and false`)
    const unknown: Condition = { is: 'unknown', column }
    const known: Condition = { is: 'not', of: unknown }
    const yes: Condition = { is: 'true', column }
    const isSo: Condition = asked === 'true' ? yes : { is: 'not', of: yes }
    const condition: Condition = asked === 'null' ? unknown : { is: 'and', of: [known, isSo] }
    return isNot ? { is: 'not', of: condition } : condition
  }

  #listedOrLike(column: CollectionColumn): Condition | null {
    if (this.#takes('between')) {
      const from = this.#constant(column)
      this.#demand('and')
      const to = this.#constant(column)
      return {
        is: 'and',
        of: [
          { is: 'compared', column, by: '>=', to: from },
          { is: 'compared', column, by: '<=', to },
        ],
      }
    }
    if (this.#takes('in')) {
      this.#demandSign('(')
      const constants = [this.#constant(column)]
      while (this.#takesSign(',')) constants.push(this.#constant(column))
      this.#demandSign(')')
      return { is: 'among', column, constants }
    }
    const ignoresCase = this.#isWord('ilike')
    if (!ignoresCase && !this.#isWord('like')) return null
    const { at } = this.#take()
    if (column.type !== 'text')
      throw this.#wrong(at, `${column.name} holds ${column.type}, and like looks at texts`)
    return { is: 'like', column, pattern: this.#pattern(), ignoresCase }
  }

  #pattern(): string {
    const token = this.#text('a pattern within single quotes')
    if (isPattern(token.text)) return token.text
    throw this.#wrong(token.at, 'a backslash in a pattern stands before %, _ or another backslash')
  }

  #holding(): Condition {
    this.#take()
    this.#demandSign('(')
    const { at } = this.#now
    const column = this.#column()
    if (column.type !== 'texts')
      throw this.#wrong(at, `${column.name} holds ${column.type}, and array_contains looks at lists of texts`)
    this.#demandSign(',')
    const { text } = this.#text('a text within single quotes')
    this.#demandSign(')')
    return { is: 'holding', column, text }
  }

  #column(): CollectionColumn {
    const token = this.#now
    if (token.kind !== 'word' || (WORDS as readonly string[]).includes(token.text.toLowerCase()))
      throw this.#expected('the name of a column')
    this.#take()
    try {
      return columnOf(token.text, this.#columns)
    } catch (error) {
      // A word where a text was meant, and a name in capitals, are what people write most.
      throw this.#wrong(token.at, (error as Error).message.replace(/^T/, 't').replace(/\.$/, ''))
    }
  }

  #constant(column: CollectionColumn): Comparand {
    return this.#constantOf(this.#take(), column)
  }

  #constantOf(token: Token, column: CollectionColumn): Comparand {
    const { kind, text, at } = token
    const wrong = (expected: string) =>
      this.#wrong(
        at,
        `${column.name} is compared with ${expected}, found ${kind === 'text' ? `'${text}'` : text}`,
      )
    switch (column.type) {
      case 'text':
        if (kind === 'text') return text
        throw wrong("a text within single quotes, such as 'cat'")
      case 'boolean': {
        const word = text.toLowerCase()
        if (kind === 'word' && (word === 'true' || word === 'false')) return word === 'true'
        throw wrong('true or false')
      }
      case 'timestamp': {
        const time = kind === 'text' ? timeOrNull(text) : null
        if (time !== null) return time
        throw wrong("a time such as '2024-05-01' or '2024-05-01 18:30:00'")
      }
      case 'texts':
        throw this.#wrong(
          at,
          `${column.name} holds lists of texts: ask array_contains(${column.name}, 'text')`,
        )
      default: {
        const value = Number(text)
        if (kind === 'number' && Number.isFinite(value)) return value
        throw wrong('a number')
      }
    }
  }

  #comparatorOrNull(): Comparator | null {
    const found = this.#now.kind === 'sign' ? COMPARATORS[this.#now.text] : undefined
    if (found === undefined) return null
    this.#take()
    return found
  }

  #text(expected: string): Token {
    if (this.#now.kind !== 'text') throw this.#expected(expected)
    return this.#take()
  }

  get #now(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new Error('the condition was read beyond its end')
    return token
  }

  #take(): Token {
    const token = this.#now
    if (token.kind === 'end') throw this.#wrong(token.at, 'something is missing')
    this.#next++
    return token
  }

  #isWord(word: Word): boolean {
    return this.#now.kind === 'word' && this.#now.text.toLowerCase() === word
  }

  #takes(word: Word): boolean {
    if (!this.#isWord(word)) return false
    this.#take()
    return true
  }

  #takesSign(sign: string): boolean {
    if (this.#now.kind !== 'sign' || this.#now.text !== sign) return false
    this.#take()
    return true
  }

  #demand(word: Word): void {
    if (!this.#takes(word)) throw this.#expected(word)
  }

  #demandSign(sign: string): void {
    if (!this.#takesSign(sign)) throw this.#expected(sign)
  }

  #quoted({ text, at }: Token): CollectionError {
    const names = this.#columns.map(({ name }) => name)
    const [nearest] = nearestNames(text.toLowerCase(), names)
    const asText = `'${text.slice(0, 40).replaceAll("'", "''")}'`
    return this.#wrong(
      at,
      `texts stand within single quotes (${asText}), and names of columns without any (did you mean ${nearest}?)`,
    )
  }

  #expected(what: string): CollectionError {
    const { kind, text, at } = this.#now
    const [nearest] = kind === 'word' ? nearestNames(text.toLowerCase(), WORDS, 1, 2) : []
    const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
    return this.#wrong(at, `expected ${what}, found ${kind === 'text' ? `'${text}'` : text}${hint}`)
  }

  #wrong(at: number, why: string): CollectionError {
    return wrongWhere(this.#source, at, why)
  }
}

const COMPARATORS: Readonly<Record<string, Comparator>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

/** Says how it reads from the other side. */
const TURNED: Readonly<Record<Comparator, Comparator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

/** Whole numbers and others can be compared. */
function kindOf(type: ColumnType): ColumnType {
  return type === 'integer' ? 'float' : type
}
