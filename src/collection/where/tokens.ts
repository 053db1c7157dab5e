/** Takes a written condition apart into words, numbers, texts and signs, each with its place. */
import { CollectionError } from '../collection-error.js'

export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'quoted' | 'sign' | 'end'
  /** Is what was written; of a text, and of what stands in other quotes, what it says without them. */
  readonly text: string
  /** Counts the letters in front of it. */
  readonly at: number
}

/** A longer condition is a mistake, or an attack. */
const MOST_LETTERS = 20_000

const TOKEN =
  /\s*(?:(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.-]))|(?<text>'(?:[^']|'')*')|(?<quoted>"[^"]*"|`[^`]*`)|(?<sign><>|!=|<=|>=|==|[=<>(),]))/uy

/** Throws `CollectionError` `wrong-where`. */
export function tokensOf(source: string): readonly Token[] {
  if (source.length > MOST_LETTERS)
    throw wrongWhere(source, 0, `it has ${source.length} letters, of which ${MOST_LETTERS} are allowed`)
  if (/\p{Cs}/u.test(source)) throw wrongWhere(source, 0, 'it holds half a letter, which no text has')
  const tokens: Token[] = []
  const pattern = new RegExp(TOKEN)
  const end = source.trimEnd().length
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex
    const found = pattern.exec(source)
    if (found === null) throw unreadable(source, from + (/^\s*/.exec(source.slice(from))?.[0].length ?? 0))
    const [kind, text] = Object.entries(found.groups ?? {}).find(([, value]) => value !== undefined) ?? []
    if (kind === undefined || text === undefined) throw unreadable(source, from)
    const at = pattern.lastIndex - text.length
    const isQuoted = kind === 'text' || kind === 'quoted'
    const said = isQuoted ? text.slice(1, -1).replaceAll("''", "'") : text
    tokens.push({ kind: kind as Token['kind'], text: said, at })
  }
  tokens.push({ kind: 'end', text: 'the end', at: end })
  return tokens
}

function unreadable(source: string, at: number): CollectionError {
  const rest = source.slice(at)
  if (rest.startsWith("'")) return wrongWhere(source, at, "this text has no end: another ' is missing")
  if (rest.startsWith('--') || rest.startsWith('/*') || rest.startsWith(';'))
    return wrongWhere(source, at, 'a condition holds no comment and no second one')
  const number = /^[+-]?[\d.]\S*/.exec(rest)
  if (number !== null)
    return wrongWhere(
      source,
      at,
      `${number[0].slice(0, 40)} is no number; texts and times stand within single quotes`,
    )
  return wrongWhere(source, at, `${JSON.stringify(Array.from(rest)[0] ?? '')} means nothing here`)
}

/** Shows where in the condition something is wrong, and what. */
export function wrongWhere(source: string, at: number, why: string): CollectionError {
  const place = Array.from(source.slice(0, at)).length + 1
  const rest = source.slice(at, at + 24).trim()
  const where =
    rest === '' ? 'at its end' : `at letter ${place} (${rest}${at + 24 < source.length ? '…' : ''})`
  return new CollectionError('wrong-where', `The condition cannot be used: ${where}, ${why}.`)
}
