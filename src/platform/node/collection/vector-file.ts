/**
 * Keeps the embeddings of a collection in one file, `vectors-<version>.f16`, which exact search looks through where the system keeps it: native products map it,
 * others read it in pieces. It is npy as NumPy reads it (`numpy.load(path, mmap_mode='r')`): a header, then [N, D] halves; behind them lie the ids of
 * the rows, 16 bytes each, and a line of JSON that says what the file was made of, with its own length as the last number.
 *
 * The file belongs to one version of one table: its name says which version. One of another table, or of another length than it says, is none.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RowFile } from '../../../numerics/nearest-rows.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { writeWhole } from '../files/write-whole.js'

/** Says what a file of vectors was made of. */
export interface VectorFileState {
  /** Names the table. */
  readonly table: string
  /** Is the version of the table. */
  readonly version: number
  /** Counts the numbers of a row. */
  readonly width: number
}

/** Holds some rows: their ids, each of 32 hexadecimal digits, and the bits of their halves. */
export interface VectorBlock {
  readonly ids: readonly string[]
  readonly halves: Uint16Array
}

/** Is a file of vectors that is open. */
export interface VectorFile extends AsyncDisposable {
  /** [N] */
  readonly ids: readonly string[]
  /** Are [N, D] halves. */
  readonly rows: RowFile
}

/** NumPy reads headers of up to 10,000 bytes. */
const HEADER = 4096
const ID_BYTES = 16
/** The ids of so many rows are one text for a moment. */
const IDS_AT_ONCE = 2 ** 16
const NAME = /^vectors-\d+\.f16(\.tmp)?$/
/** The last number, the length of the line of JSON, has so many digits. */
const DIGITS = 8

export function vectorFileName(version: number): string {
  return `vectors-${version}.f16`
}

function pathOf(folder: string, version: number): string {
  return join(folder, vectorFileName(version))
}

/** Writes the file, whole or not at all, and removes those of other versions. Throws `FileError` where the disk does not take it. */
export async function writeVectorFile(
  folder: string,
  state: VectorFileState,
  count: number,
  blocks: AsyncIterable<VectorBlock>,
): Promise<void> {
  await writeWhole(pathOf(folder, state.version), piecesOf(state, count, blocks))
  await removeOthers(folder, state.version)
}

async function* piecesOf(
  { table, width }: VectorFileState,
  count: number,
  blocks: AsyncIterable<VectorBlock>,
): AsyncGenerator<Uint8Array> {
  yield headerOf(count, width)
  const ids = Buffer.alloc(count * ID_BYTES)
  let rows = 0
  for await (const { ids: own, halves } of blocks) {
    for (const id of own) ids.write(id, ID_BYTES * rows++, 'hex')
    yield new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength)
  }
  if (rows !== count) throw new Error(`The table gave ${rows} rows, not ${count}.`)
  yield ids
  const told = JSON.stringify({ table, width, count, ids: digestOf(ids) })
  const line = `\n${told}\n`
  yield Buffer.from(line + String(line.length + DIGITS).padStart(DIGITS))
}

/** NumPy reads the header as a line of Python, which may end in spaces. */
function headerOf(count: number, width: number): Buffer {
  const header = Buffer.alloc(HEADER, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  // The length that is told counts what comes behind it: it has two bytes.
  header.writeUInt16LE(HEADER - 10, 8)
  header.write(`{'descr': '<f2', 'fortran_order': False, 'shape': (${count}, ${width}), }`, 10)
  header.write('\n', HEADER - 1)
  return header
}

/** Opens the file of this version; null where there is none that is whole. It stays readable when it is replaced meanwhile. */
export async function openVectorFile(folder: string, state: VectorFileState): Promise<VectorFile | null> {
  const file = await open(pathOf(folder, state.version)).catch(() => null)
  if (file === null) return null
  try {
    const found = await readRest(file, state)
    if (found !== null) return { ...found, [Symbol.asyncDispose]: () => file.close() }
  } catch {
    // What cannot be read is made anew.
  }
  await file.close()
  return null
}

async function readRest(file: FileHandle, state: VectorFileState) {
  const { size } = await file.stat()
  const read = async (at: number, length: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
    if (bytesRead !== length) throw new Error(`The file ends before ${at + length}.`)
    return buffer
  }
  const last = Number((await read(size - DIGITS, DIGITS)).toString('latin1'))
  const told = parseJsonOrNull((await read(size - last, last - DIGITS)).toString('utf8'))
  if (!isRecord(told)) return null
  const count = Number(told.count)
  const isOurs = told.table === state.table && told.width === state.width
  const length = 2 * count * state.width
  if (!isOurs || size !== HEADER + length + ID_BYTES * count + last) return null
  if (!headerOf(count, state.width).equals(await read(0, HEADER))) return null
  const ids = await read(HEADER + length, ID_BYTES * count)
  if (digestOf(ids) !== told.ids) return null
  const rows: RowFile = {
    length,
    read: (from, to) => read(HEADER + from, to - from),
    place: { descriptor: file.fd, offset: HEADER },
  }
  return { ids: namesOf(ids), rows }
}

/** A text has less than 2^29 letters, which are the ids of fewer rows than a collection may have. */
function namesOf(ids: Buffer): readonly string[] {
  const names: string[] = new Array(ids.length / ID_BYTES)
  for (let from = 0; from < names.length; from += IDS_AT_ONCE) {
    const to = Math.min(names.length, from + IDS_AT_ONCE)
    const digits = ids.toString('hex', ID_BYTES * from, ID_BYTES * to)
    for (let row = from; row < to; row++)
      names[row] = digits.slice(2 * ID_BYTES * (row - from), 2 * ID_BYTES * (row - from + 1))
  }
  return names
}

/** Gives the file, where there is one, to another version whose rows have the very same embeddings. */
export async function carryVectorFile(folder: string, from: number, to: number): Promise<void> {
  if (from === to) return
  await rename(pathOf(folder, from), pathOf(folder, to)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function removeOthers(folder: string, version: number): Promise<void> {
  for (const name of await readdir(folder))
    if (NAME.test(name) && name !== vectorFileName(version)) await rm(join(folder, name), { force: true })
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
