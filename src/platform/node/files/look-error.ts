/** Says in a person's words why a file or folder cannot be looked at. */

const WHY: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'you have no right to read it'],
  ['EPERM', 'you have no right to read it'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EIO', 'the disk fails'],
  ['ESTALE', 'the disk is gone'],
])

/** Keeps the system's own words where there are no better ones. */
export function unseen(cause: unknown): Error {
  const why = WHY.get((cause as NodeJS.ErrnoException).code ?? '')
  if (why !== undefined) return new Error(why, { cause })
  return cause instanceof Error ? cause : new Error(String(cause))
}

/** A path through a file, as if that were a folder, leads to nothing either. */
export function isAbsent(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}
