/** NumPy's .npy, version 1.0: float32, little-endian, C order; and the names of the rows as text beside it. */
import type { EmbeddingTable } from './embedding-row.js'
import { writeWhole } from './write-whole.js'

/** Magic, version and the header that makes `numpy.load` see float32 of this shape; a multiple of 64 bytes. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`
  const total = Math.ceil((10 + header.length + 1) / 64) * 64
  const bytes = Buffer.alloc(total, ' ', 'latin1')
  bytes.write('\x93NUMPY\x01\x00', 0, 'latin1')
  bytes.writeUInt16LE(total - 10, 8)
  bytes.write(header, 10, 'latin1')
  bytes.write('\n', total - 1, 'latin1')
  return bytes
}

/** One array in one file. */
export async function writeNpyArray(
  path: string,
  values: Float32Array,
  shape: readonly number[],
): Promise<void> {
  await writeWhole(path, async (file) => {
    await file.write(npyHeader(shape))
    await file.write(bytesOf(values))
  })
}

/** [N, ...shape] at `path`, and N paths in `namesPath(path)`. The array comes last: where it is, its names are. */
export async function writeNpy(path: string, { rows, count, shape }: EmbeddingTable): Promise<void> {
  await writeWhole(namesPath(path), async (names) => {
    await writeWhole(path, async (file) => {
      await file.write(npyHeader([count, ...shape]))
      for await (const row of rows) {
        await file.write(bytesOf(row.values))
        await names.write(`${nameLine(row.path)}\n`)
      }
    })
  })
}

/** `x.npy` -> `x.names.txt`. */
export function namesPath(path: string): string {
  return `${path.replace(/\.npy$/i, '')}.names.txt`
}

/** A path that would break the rule of one a line, or look like the cure, is written as a JSON string. */
function nameLine(path: string): string {
  return /[\r\n]|^"/.test(path) ? JSON.stringify(path) : path
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
