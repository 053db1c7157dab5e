/** Tells why files do not take what is written to them. Programs branch on the code, people read the message. */
import { CodedError } from '../../../coded-error.js'

export type FileErrorCode = 'disk-full' | 'not-writable' | 'name-too-long' | 'locked' | 'exists'

export class FileError extends CodedError<FileErrorCode> {
  override readonly name = 'FileError'
}

/** Says what the file system's own words mean to a person who cannot write somewhere. */
const WHY: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'you have no right to write there'],
  ['EPERM', 'you have no right to write there'],
  ['EROFS', 'the disk is read-only'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['ENOENT', 'its folder does not exist'],
  ['ELOOP', 'its links lead in a circle'],
  ['EBUSY', 'it is in use, or a mount of its own'],
  ['EEXIST', 'there is a file of that name'],
  ['EFBIG', 'the file system takes no files of that size'],
  ['EBADF', 'it is not open for writing'],
  ['EIO', 'the disk fails'],
  ['ESTALE', 'the disk is gone'],
  ['ENXIO', 'nothing takes what is written to it'],
])

/** Turns what the file system says into what a person can do about it; other errors pass through as they are. */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const quota = code === 'EDQUOT' ? ' (your quota is used up)' : ''
    return new FileError(
      'disk-full',
      `${path} could not be written: the disk is full${quota}. Free some space, or choose another place.`,
      { cause: error },
    )
  }
  if (code === 'ENAMETOOLONG') {
    return new FileError(
      'name-too-long',
      `${path} could not be written (the name is too long). Choose a shorter name.`,
      { cause: error },
    )
  }
  const why = code === undefined ? undefined : WHY.get(code)
  if (why === undefined) return error
  return new FileError('not-writable', `${path} could not be written (${why}). Choose another place.`, {
    cause: error,
  })
}
