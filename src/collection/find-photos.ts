/** Finds the photos of a collection's folders, each with what tells whether it has changed. */

import { below, type Failure, type Files } from '../work/files.js'
import { FolderWalk, type FolderWalkOptions } from '../work/folder-walk.js'
import { FILM_KIND, RAW_KIND } from '../work/left-out.js'
import { assetsOf } from './assets.js'

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
  /** Lead from the root to the files that belong to it. */
  readonly sidecars: readonly string[]
  /** Says when the last of those was changed that tell of the photo (.xmp, .json); null where there is none. */
  readonly sidecarsModified: number | null
  /** Says that it is a film, of which each frame that is taken has a row. */
  readonly isFilm?: true
  /** Names its kind where that cannot be decoded here, but for raw photos, of which the preview is. */
  readonly undecoded?: string
  /** Is there for a frame of a film. */
  readonly frame?: { readonly isLast: boolean }
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

export interface FindOptions extends Omit<FolderWalkOptions, 'films'> {
  readonly scopes: readonly Scope[]
  /** Tells films by their names, and whether they are taken or counted as left out; default: nothing is a film. */
  readonly films?: { readonly take: boolean; readonly isNamed: (name: string) => boolean } | undefined
}

/**
 * Gives the photos below each folder in the order of their names; what cannot be looked at comes as a failure. A file that belongs to a photo, such as its raw
 * twin, comes with it and not by itself.
 */
export async function* findPhotos({
  scopes,
  films: rule,
  ...options
}: FindOptions): AsyncGenerator<FoundPhoto | Failure> {
  const { files, leftOut } = options
  const beside = new Beside(files)
  const undecoded = new Map<string, string>()
  let films: string[] = []
  const walk = new FolderWalk({
    ...options,
    onUndecoded: (path, kind) => {
      if (kind !== RAW_KIND) undecoded.set(path, kind)
    },
    onFolder: (folder, names) => {
      beside.add(folder, names)
      if (rule !== undefined)
        films.push(...names.filter(rule.isNamed).map((name) => below(files, folder, name)))
    },
  })
  for (const scope of scopes) {
    for await (const found of walk.below(scope.folder)) {
      if (typeof found !== 'string') yield found
      else if (!beside.owns(found)) {
        const kind = undecoded.get(found)
        const photo = await lookAtPhoto(found, scope, options, beside.of(found))
        yield 'reason' in photo || kind === undefined ? photo : { ...photo, undecoded: kind }
      }
    }
    for (const film of films) {
      if (beside.owns(film)) continue
      if (rule?.take !== true) {
        leftOut.add(FILM_KIND)
        continue
      }
      const found = await lookAtPhoto(film, scope, options, [])
      yield 'reason' in found ? found : { ...found, isFilm: true }
    }
    films = []
  }
}

/** Knows of the folders that have been walked what belongs to which photo. */
class Beside {
  readonly #files: Files
  readonly #sidecars = new Map<string, readonly string[]>()
  readonly #owned = new Set<string>()

  constructor(files: Files) {
    this.#files = files
  }

  add(folder: string, names: readonly string[]): void {
    for (const { photo, sidecars } of assetsOf(names)) {
      if (sidecars.length === 0) continue
      const paths = sidecars.map((name) => below(this.#files, folder, name))
      this.#sidecars.set(below(this.#files, folder, photo), paths)
      for (const path of paths) this.#owned.add(path)
    }
  }

  owns(path: string): boolean {
    return this.#owned.has(path)
  }

  of(photo: string): readonly string[] {
    return this.#sidecars.get(photo) ?? []
  }
}

async function lookAtPhoto(
  full: string,
  { root, within, folder }: Scope,
  { files }: Pick<FolderWalkOptions, 'files'>,
  sidecars: readonly string[],
): Promise<FoundPhoto | Failure> {
  const pathOf = (one: string) => {
    const names = one.slice(folder.length).split(files.separator)
    return [...(within === '' ? [] : [within]), ...names.filter((name) => name !== '')].join('/')
  }
  try {
    const found = await files.look(full)
    if (found === null) return { path: full, reason: 'it is gone' }
    const times = await Promise.all(sidecars.filter(tells).map((one) => files.look(one)))
    const modified = times.map((one) => Math.floor(one?.mtimeMs ?? 0))
    return {
      root,
      path: pathOf(full),
      full,
      file: found.id,
      bytes: found.size,
      modified: Math.floor(found.mtimeMs),
      sidecars: sidecars.map(pathOf),
      sidecarsModified: modified.length === 0 ? null : Math.max(...modified),
    }
  } catch (error) {
    return { path: full, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Says of a file beside a photo whether it may tell of it. */
export function tells(path: string): boolean {
  return /\.(xmp|json)$/i.test(path)
}
