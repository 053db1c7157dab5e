/** Says in a person's words why a file or folder cannot be looked at. */

const WHY: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'you have no right to read it'],
  ['EPERM', 'you have no right to read it'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EIO', 'the disk fails'],
  ['ESTALE', 'the disk is gone'],
])

/** Keeps the system's own words where there are no better ones, and its code in any case. */
export function unseen(cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException
  const why = code === undefined ? undefined : WHY.get(code)
  if (why !== undefined) return Object.assign(new Error(why, { cause }), { code })
  return cause instanceof Error ? cause : new Error(String(cause))
}

/** A path through a file, as if that were a folder, leads to nothing either. */
export function isAbsent(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Says why a file of a person's cannot be opened, with the code that errors of all rooms have for it. */
export function whyUnopened(
  path: string,
  cause: unknown,
): { readonly code: 'not-found' | 'unreadable'; readonly message: string } {
  const { code, message } = cause as NodeJS.ErrnoException
  if (isAbsent(code))
    return { code: 'not-found', message: `${path} cannot be opened: there is no such file.` }
  const reason = code === 'EACCES' ? 'you have no permission to read it' : message
  return { code: 'unreadable', message: `${path} cannot be opened: ${reason}.` }
}
