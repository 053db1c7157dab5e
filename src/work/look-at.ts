/** Looks at a file before it is read, closely enough to know later whether it is still the same. */
import { ImageError } from '../image/image-error.js'
import type { Files } from './files.js'

export interface InputFile {
  /** Stands as the person gave it. */
  readonly path: string
  /** Counts bytes. */
  readonly size: number
  /** Changes when the file does. */
  readonly mtimeMs: number
  /** Is the film that this is a frame of, with what is taken of it for a path. */
  readonly film?: InputFile
  /** Counts the frames of that film that were taken before this one. */
  readonly frame?: number
}

/** Returns the reason, as an Error, where the path leads to no file that can be read. */
export async function lookAt(path: string, files: Files): Promise<InputFile | Error> {
  try {
    const found = await files.look(path)
    if (found === null) {
      const reason = `there is no such file (looked in ${files.base})${hintOf(path)}`
      return new ImageError('not-found', reason)
    }
    if (found.kind === 'folder') return new ImageError('unreadable', 'it is a folder, expected an image file')
    // Reading a pipe or a device might never end.
    if (found.kind === 'other')
      return new ImageError('unreadable', 'it is a pipe or a device, expected an image file')
    return { path, size: found.size, mtimeMs: found.mtimeMs }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** A list that is no UTF-8 has lost some of its letters on the way here. */
function hintOf(path: string): string {
  return path.includes('\ufffd') ? '; was its name written in UTF-8?' : ''
}
