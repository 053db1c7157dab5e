/** Turns what the file system says about a download into a HubError. */
import { HubError } from '../../../hub/hub-error.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR'])

/** Gives the named error for what failed at `path`; anything unforeseen is returned as it is. */
export function fileTrouble(error: unknown, path: string): unknown {
  const code = errorCode(error)
  if (FULL.has(code)) {
    return new HubError(
      'disk-full',
      `The disk is full (${code}) while writing ${path}. Free some space, or set PLUMAGE_CACHE to a folder on another ` +
        'disk; what has arrived is kept and the next run goes on from there.',
      { cause: error },
    )
  }
  if (!FORBIDDEN.has(code)) return error
  return new HubError(
    'no-access',
    `${path} cannot be read or written (${code}). Change its permissions, or set PLUMAGE_CACHE to a folder of your own.`,
    { cause: error },
  )
}

/** Gives `ENOENT` and its like; an empty text for errors without a code. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
