/** Writes NumPy's .npy, version 1.0: float32 or float16, little-endian, C order; and the names of the rows as text beside it. */
import { bytesOf, type Chunk, type OutputFile } from './chunk.js'
import type { NamedTable } from './embedding-table.js'
import { jsonText } from './json-text.js'

/** Every .npy file opens with these bytes: magic, and version 1.0. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]
const SPACE = 0x20
const LINE_FEED = 0x0a

/** Writes magic, version and the header that makes `numpy.load` see float32, or float16, of this shape, in a multiple of 64 bytes. */
export function npyHeader(shape: readonly number[], type: '<f4' | '<f2' = '<f4'): Uint8Array {
  const sizes = shape.length === 1 ? `${shape.join()},` : shape.join(', ')
  const header = new TextEncoder().encode(
    `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`,
  )
  const total = Math.ceil((10 + header.length + 1) / 64) * 64
  const bytes = new Uint8Array(total).fill(SPACE)
  bytes.set(MAGIC)
  new DataView(bytes.buffer).setUint16(8, total - 10, true)
  bytes.set(header, 10)
  bytes[total - 1] = LINE_FEED
  return bytes
}

/** Writes one array into one file. @param values are float32, or bit patterns of float16 */
export function npyArray(values: Float32Array | Uint16Array, shape: readonly number[]): readonly Chunk[] {
  return [npyHeader(shape, values instanceof Uint16Array ? '<f2' : '<f4'), bytesOf(values)]
}

/** Writes N paths into `namesPath(path)`, and [N, ...shape] into `path`. The array comes last: where it is, its names are. */
export function npyTable(path: string, table: NamedTable): readonly OutputFile[] {
  return [
    { path: namesPath(path), chunks: nameLines(table.paths) },
    { path, chunks: stack(table) },
  ]
}

/** `x.npy` -> `x.names.txt`. */
export function namesPath(path: string): string {
  return `${path.replace(/\.npy$/i, '')}.names.txt`
}

async function* nameLines(paths: NamedTable['paths']): AsyncGenerator<string> {
  for await (const path of paths) yield `${nameLine(path)}\n`
}

async function* stack({ count, rows, shape }: NamedTable): AsyncGenerator<Uint8Array> {
  yield npyHeader([count, ...shape])
  for await (const { values } of rows) yield bytesOf(values)
}

/** A path that would break the rule of one a line for any reader, or look like the cure, is written as a JSON string. */
function nameLine(path: string): string {
  return /[\p{Cc}\p{Cs}\u2028\u2029]|^"/u.test(path) ? jsonText(path) : path
}
