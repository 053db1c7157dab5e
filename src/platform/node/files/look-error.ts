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
