/** Reads the bytes of an image file, or throws an `ImageError` that says why there are none. */
import { readFile, stat } from 'node:fs/promises'
import { ImageError } from '../../image/image-error.js'

/** One read can take in so many, which is far more than any photo has. */
const MOST_BYTES = 2 ** 31 - 1

/** Throws `ImageError` `not-found`, `unreadable`, `not-an-image` (a folder, a pipe), `empty`, `too-large`. */
export async function readImageFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    // A pipe or a device would be read without end, so it is looked at before.
    const stats = await stat(path)
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? 'a folder' : 'a pipe or device'
      throw new ImageError('not-an-image', `${path} is ${kind}, where an image file is expected.`)
    }
    if (stats.size > MOST_BYTES) {
      throw new ImageError(
        'too-large',
        `${path} has ${stats.size} bytes; image files of up to ${MOST_BYTES} bytes are read. Convert it to a smaller one.`,
      )
    }
    return await readFile(path, signal === undefined ? {} : { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof ImageError ? cause : cannotOpen(path, cause as NodeJS.ErrnoException)
  }
}

function cannotOpen(path: string, cause: NodeJS.ErrnoException): ImageError {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') {
    return new ImageError('not-found', `${path} cannot be opened: there is no such file.`, { cause })
  }
  const reason = cause.code === 'EACCES' ? 'you have no permission to read it' : cause.message
  return new ImageError('unreadable', `${path} cannot be opened: ${reason}.`, { cause })
}
