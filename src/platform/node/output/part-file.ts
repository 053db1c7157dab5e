/**
 * A part: the finished work of some seconds, in one file that is there whole or not at all. Length of the header (8 bytes), header as JSON,
 * then the numbers of all rows as float32.
 */
import { open } from 'node:fs/promises'
import { writeWhole } from './write-whole.js'

/** A finished input; it counts as the same while size and time of the file stay the same. */
export interface PartEntry {
  readonly path: string
  /** Bytes of the image file. */
  readonly size: number
  readonly mtimeMs: number
  /** Pixels. */
  readonly height: number
  readonly width: number
}

export interface PartHeader {
  readonly entries: readonly PartEntry[]
  /** Where the numbers begin, bytes. */
  readonly start: number
}

const MAX_HEADER_BYTES = 64 * 2 ** 20

/** @param values float32 [entries, row length] */
export async function writePart(
  path: string,
  entries: readonly PartEntry[],
  values: Float32Array,
): Promise<void> {
  const header = Buffer.from(JSON.stringify(entries), 'utf8')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.byteLength))
  await writeWhole(path, async (file) => {
    await file.write(length)
    await file.write(header)
    await file.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  })
}

/** Null where the file is not what `writePart` wrote, as after a disk's failure: its inputs are then done again. */
export async function readPartHeaderOrNull(path: string, rowBytes: number): Promise<PartHeader | null> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    if (size < 8) return null
    const length = Number((await handle.read(Buffer.alloc(8), 0, 8, 0)).buffer.readBigUInt64LE())
    if (length > Math.min(size - 8, MAX_HEADER_BYTES)) return null
    const header = Buffer.alloc(length)
    await handle.read(header, 0, length, 8)
    const entries = JSON.parse(header.toString('utf8')) as readonly PartEntry[]
    const start = 8 + length
    return size === start + entries.length * rowBytes ? { entries, start } : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  } finally {
    await handle.close()
  }
}
