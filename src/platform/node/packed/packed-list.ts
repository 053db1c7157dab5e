/** Lists the files of packed weights in the cache folder, and takes them away. */
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { explainWriteError } from '../files/file-error.js'
import { ENDING, packedFolder } from './packed-files.js'
import type { PackedHeader } from './packed-header.js'
import { readHead } from './read-head.js'

/** Is a file in the folder of packed weights. */
export interface ListedPacked {
  readonly path: string
  /** Counts the bytes of the file. */
  readonly fileBytes: number
  /** Is what its head says, or why it cannot be read. */
  readonly content: PackedHeader | string
}

/** Lists all packed weights in the order of their names. */
export async function listPacked(): Promise<readonly ListedPacked[]> {
  const names = await readdir(packedFolder()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const paths = names
    .filter((name) => name.endsWith(ENDING))
    .sort()
    .map((name) => join(packedFolder(), name))
  return await Promise.all(paths.map(look))
}

async function look(path: string): Promise<ListedPacked> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const read = await readHead(handle)
    return { path, fileBytes: size, content: typeof read === 'string' ? read : read.header }
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
