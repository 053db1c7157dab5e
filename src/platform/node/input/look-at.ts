/** What a file is before it is read: enough to know later whether it is still the same. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

export interface InputFile {
  /** As the person gave it. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
}

/** Returns the reason, as an Error, where the path leads to no file that can be read. */
export async function lookAt(path: string, cwd: string): Promise<InputFile | Error> {
  try {
    const found = await stat(resolve(cwd, path))
    if (found.isDirectory()) return new Error('it is a folder, expected an image file')
    // Reading a pipe or a device might never end.
    if (!found.isFile()) return new Error('it is a pipe or a device, expected an image file')
    return { path, size: found.size, mtimeMs: found.mtimeMs }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return new Error(`there is no such file (looked in ${cwd})`)
    if (code === 'EACCES') return new Error('you have no right to read it')
    return new Error(message)
  }
}
