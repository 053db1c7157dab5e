/** Reads a line of JSON that asks for an embedding: what image it names, and what it carries along. */
import type { Column } from '../formats/embedding-table.js'
import { type JsonMember, jsonMembers } from '../formats/json-members.js'
import { jsonText } from '../formats/json-text.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../plain-value.js'
import type { FileSource } from './file-encoder.js'
import type { Files } from './files.js'
import { inputOfAddress } from './input-of-address.js'
import { lookAt } from './look-at.js'
import type { LongLine } from './read-byte-lines.js'

/** Says why a line has no embedding. */
export interface LineProblem {
  /** Groups problems, for programs: those of `LINE_CODES`, or the code of an `ImageError`. */
  readonly code: string
  readonly reason: string
}

/** Is a line as it was understood. */
export interface LineRow {
  /** Names the image for people. */
  readonly name: string
  /** Are the members that come back, joined by commas. */
  readonly carried: string
  readonly image: FileSource | LineProblem
}

const SOURCE_KEYS = ['path', 'url', 'image'] as const
type SourceKey = (typeof SOURCE_KEYS)[number]

/** Is what a problem is told under. */
export const ERROR_KEY = 'error'

/** So many keys are named where none is an image's. */
const MOST_KEYS = 12
/** Counts letters of a line that are shown where it is no JSON. */
const SHOWN = 40

/** Never throws. @param number counts lines from 1 */
export async function readLineRow(
  line: string | LongLine,
  number: number,
  columns: readonly Column[],
  files: Files,
): Promise<LineRow> {
  const numbered = { name: `line ${number}`, carried: `"line":${number}` }
  if (typeof line !== 'string') return { ...numbered, image: line }
  const row = parseJsonOrNull(line)
  if (!isRecord(row)) {
    const reason = `line ${number} is no JSON object: it begins with ${jsonText(line.slice(0, SHOWN))}`
    return { ...numbered, image: { code: 'not-json', reason } }
  }
  const members = jsonMembers(line).filter(({ key }) => !(key === ERROR_KEY && isOwnError(row)))
  const taken = members.find(({ key }) => key === ERROR_KEY || columns.some(({ name }) => name === key))
  const keys = SOURCE_KEYS.filter((key) => row[key] !== undefined && row[key] !== null)
  const [key] = keys
  const carried = carriedOf(members, taken)
  if (taken !== undefined) return { ...named(row, key, numbered.name), carried, image: keyTaken(taken.key) }
  if (key === undefined || keys.length > 1)
    return { name: numbered.name, carried, image: wrongKeys(row, keys) }
  return { ...named(row, key, numbered.name), carried, image: await imageOf(key, row[key], files) }
}

/** The bytes of an image would be most of what comes back, and a key that is taken would be there twice. */
function carriedOf(members: readonly JsonMember[], taken: JsonMember | undefined): string {
  const isCarried = ({ key }: JsonMember) => key !== 'image' && key !== taken?.key
  return members
    .filter(isCarried)
    .map(({ text }) => text)
    .join(',')
}

/** A line that had failed may be given again as it came back. */
function isOwnError({ [ERROR_KEY]: error }: PlainRecord): boolean {
  return isRecord(error) && typeof error.code === 'string' && typeof error.reason === 'string'
}

function named(row: PlainRecord, key: SourceKey | undefined, name: string): { readonly name: string } {
  const value = key === undefined || key === 'image' ? null : row[key]
  return { name: typeof value === 'string' ? value : name }
}

function keyTaken(key: string): LineProblem {
  const remedy = key === ERROR_KEY ? 'rename it' : `rename it, or the column, as --columns my_${key}=${key}`
  return {
    code: 'key-taken',
    reason: `the line has a key ${jsonText(key)}, under which the output says something else: ${remedy}`,
  }
}

function wrongKeys(row: PlainRecord, keys: readonly string[]): LineProblem {
  if (keys.length > 1)
    return {
      code: 'ambiguous',
      reason: `the line names its image by ${keys.join(' and ')}, expected one of them`,
    }
  const found = Object.keys(row).slice(0, MOST_KEYS)
  return {
    code: 'no-image',
    reason: `the line names no image: expected one of the keys path, url and image, found ${found.length === 0 ? 'none' : jsonText(found).slice(1, -1)}`,
  }
}

async function imageOf(
  key: SourceKey,
  value: PlainRecord[string] | undefined,
  files: Files,
): Promise<FileSource | LineProblem> {
  if (typeof value !== 'string' || value === '')
    return { code: 'wrong-type', reason: `${key} is ${jsonText(value)}, expected a text that is not empty` }
  if (key === 'path') return await fileAt(value, files)
  if (key === 'image' && !/^data:/i.test(value)) return bytesOf(value)
  const input = inputOfAddress(value, files)
  if (typeof input === 'string') return await fileAt(input, files)
  return 'address' in input ? input.address : { code: 'unsupported', reason: input.reason }
}

async function fileAt(path: string, files: Files): Promise<FileSource | LineProblem> {
  const found = await lookAt(path, files)
  return found instanceof Error ? problemOf(found) : files.resolve(path)
}

/** Takes the letters of URLs as well. */
function bytesOf(base64: string): Uint8Array | LineProblem {
  try {
    return Uint8Array.from(atob(base64.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
      letter.charCodeAt(0),
    )
  } catch {
    return {
      code: 'wrong-type',
      reason: `image begins with ${jsonText(base64.slice(0, SHOWN))}, expected the bytes of an image in base64, or a data: address`,
    }
  }
}

/** Says of an error what a program branches on, and what a person reads. */
export function problemOf(error: Error): LineProblem {
  const { code } = error as { readonly code?: unknown }
  return { code: typeof code === 'string' ? code : 'failed', reason: error.message }
}

export function isProblem(image: FileSource | LineProblem): image is LineProblem {
  return typeof image === 'object' && 'reason' in image
}
