/** Finds the photos of a collection's folders, each with what tells whether it has changed. */

import type { Failure } from '../work/files.js'
import { FolderWalk, type FolderWalkOptions } from '../work/folder-walk.js'

/** Is a photo in a folder. */
export interface FoundPhoto {
  /** Names the folder that the path starts from. */
  readonly root: string
  /** Leads from there to the file, with `/` between its names. */
  readonly path: string
  /** Leads to the file, for whoever reads it. */
  readonly full: string
  /** Is the same for all names of one file. */
  readonly file: string
  /** Counts the bytes of the file. */
  readonly bytes: number
  /** Says when it was last changed, in whole milliseconds since 1970. */
  readonly modified: number
}

/** Is a part of a root that is looked through. */
export interface Scope {
  /** Names the root. */
  readonly root: string
  /** Leads from the root to the folder, with `/` between its names; empty for all of the root. */
  readonly within: string
  /** Leads to the folder. */
  readonly folder: string
}

export interface FindOptions extends FolderWalkOptions {
  readonly scopes: readonly Scope[]
}

/** Gives the photos below each folder in the order of their names; what cannot be looked at comes as a failure. */
export async function* findPhotos({ scopes, ...options }: FindOptions): AsyncGenerator<FoundPhoto | Failure> {
  const walk = new FolderWalk({ ...options, takesAll: true })
  for (const scope of scopes) {
    for await (const found of walk.below(scope.folder)) {
      yield typeof found === 'string' ? await lookAtPhoto(found, scope, options) : found
    }
  }
}

async function lookAtPhoto(
  full: string,
  { root, within, folder }: Scope,
  { files }: FolderWalkOptions,
): Promise<FoundPhoto | Failure> {
  try {
    const found = await files.look(full)
    if (found === null) return { path: full, reason: 'it is gone' }
    const below = full
      .slice(folder.length)
      .split(files.separator)
      .filter((name) => name !== '')
    const path = [...(within === '' ? [] : [within]), ...below].join('/')
    return { root, path, full, file: found.id, bytes: found.size, modified: Math.floor(found.mtimeMs) }
  } catch (error) {
    return { path: full, reason: error instanceof Error ? error.message : String(error) }
  }
}
