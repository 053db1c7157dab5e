/** Why an output cannot be written. Programs branch on the code, people read the message. */
import { CodedError } from '../../../coded-error.js'

export type OutputErrorCode =
  | 'disk-full'
  | 'not-writable'
  | 'locked'
  | 'other-identity'
  | 'other-shape'
  | 'damaged'
  | 'unknown-format'

export class OutputError extends CodedError<OutputErrorCode> {
  override readonly name = 'OutputError'
}

/** Turns what the file system says into what a person can do about it; other errors pass through as they are. */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new OutputError(
        'disk-full',
        `${path} could not be written: the disk is full${code === 'EDQUOT' ? ' (your quota is used up)' : ''}. ` +
          'Free some space, or choose another place.',
        { cause: error },
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENOENT':
    case 'ENAMETOOLONG':
    case 'EFBIG':
    case 'EEXIST':
      return new OutputError(
        'not-writable',
        `${path} could not be written (${WHY[code]}). Choose another place.`,
        {
          cause: error,
        },
      )
    default:
      return error
  }
}

const WHY = {
  EACCES: 'you have no right to write there',
  EPERM: 'you have no right to write there',
  EROFS: 'the disk is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOENT: 'its folder does not exist',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'there is a file of that name',
  EFBIG: 'the file system takes no files of that size',
} as const
