/** Turns what the file system says about a download into a HubError. */
import { HubError } from '../../../hub/hub-error.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const OTHER_FOLDER = 'set PLUMAGE_CACHE to a folder of your own.'
const OTHER_DISK = 'set PLUMAGE_CACHE to a folder on another disk.'
const RIGHTS = `Change its permissions, or ${OTHER_FOLDER}`
const GONE = `It was removed under way: run again, which fetches it anew, or ${OTHER_FOLDER}`

/** Says what to do about what the file system says. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['EACCES', RIGHTS],
  ['EPERM', RIGHTS],
  ['EISDIR', RIGHTS],
  ['ENOTDIR', RIGHTS],
  ['EROFS', `The disk is read-only: ${OTHER_DISK}`],
  ['EIO', `The disk fails: ${OTHER_DISK}`],
  ['ENOENT', GONE],
  ['ESTALE', GONE],
])

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
  const advice = ADVICE.get(code)
  if (advice === undefined) return error
  return new HubError('no-access', `${path} cannot be read or written (${code}). ${advice}`, { cause: error })
}

/** Gives `ENOENT` and its like; an empty text for errors without a code. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
