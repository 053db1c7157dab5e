/** Lists the files of packed weights in the cache folder, and takes them away. */
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { explainWriteError } from '../files/file-error.js'
import { ENDING, packedFolder } from './packed-files.js'
import { isPackedStart, type PackedHeader, START_BYTES } from './packed-header.js'
import { readAt, readHead } from './read-head.js'

/** Is a file in the folder of packed weights. */
export interface ListedPacked {
  readonly path: string
  /** Counts the bytes of the file. */
  readonly fileBytes: number
  /** Is what its head says, or why it cannot be read. */
  readonly content: PackedHeader | string
}

/** Lists all packed weights in the order of their names, damaged ones too; what begins in another way is somebody else's, whatever it is called. */
export async function listPacked(): Promise<readonly ListedPacked[]> {
  const names = await readdir(packedFolder()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const paths = names
    .filter((name) => name.endsWith(ENDING))
    .sort()
    .map((name) => join(packedFolder(), name))
  return (await Promise.all(paths.map(lookOrNull))).filter((file) => file !== null)
}

async function lookOrNull(path: string): Promise<ListedPacked | null> {
  const handle = await open(path)
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || !isPackedStart(await readAt(handle, 0, START_BYTES))) return null
    const read = await readHead(handle)
    return { path, fileBytes: stats.size, content: typeof read === 'string' ? read : read.header }
  } finally {
    await handle.close()
  }
}

/** Throws `FileError` where a file cannot be taken away. Whatever runs on it goes on. */
export async function removePacked(files: readonly ListedPacked[]): Promise<void> {
  for (const { path } of files) {
    await rm(path, { force: true }).catch((error) => {
      throw explainWriteError(error, path)
    })
  }
}
