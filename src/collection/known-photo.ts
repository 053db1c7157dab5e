/** Compares what a collection knows of photos with what was found in their folders. */
import type { Value } from './columns.js'
import { type FindOptions, type FoundPhoto, tells } from './find-photos.js'
import { filmOfNameOrNull } from './frame-name.js'
import type { Row } from './row-block.js'

type Scope = FindOptions['scopes'][number]

/** Is what the collection knows of a photo. */
export interface KnownPhoto {
  readonly id: string
  readonly root: string
  readonly path: string
  readonly file: Value
  readonly bytes: Value
  readonly modified: Value
  readonly state: Value
  readonly reason: Value
  readonly content: Value
  readonly sidecars: Value
  readonly sidecars_modified: Value
}

/** Are the columns that say so. */
export const KNOWN = [
  ...['id', 'root', 'path', 'file', 'bytes', 'modified', 'state', 'reason', 'content'],
  ...['sidecars', 'sidecars_modified'],
]

/** Tells photos apart by where they lie. */
export function keyOf({ root, path }: Pick<KnownPhoto, 'root' | 'path'>): string {
  return `${root}\0${path}`
}

/** Gives what a row says of where its photo lies, and of its file. */
export function placeOf({ root, path, file, bytes, modified, sidecars, sidecarsModified }: FoundPhoto): Row {
  return { root, path, file, bytes, modified, sidecars, sidecars_modified: sidecarsModified }
}

/** Gives the frames of each film, or the row that says why it has none, by its key. */
export function groupByFilm(rows: Iterable<KnownPhoto>): ReadonlyMap<string, readonly KnownPhoto[]> {
  const groups = new Map<string, KnownPhoto[]>()
  for (const row of rows) {
    const key = keyOf({ root: row.root, path: filmOfNameOrNull(row.path) ?? row.path })
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

/** Tells whether the files that belong to a photo are those that did. */
export function hasSameSidecars(known: KnownPhoto, found: FoundPhoto): boolean {
  const names = Array.isArray(known.sidecars) ? known.sidecars : []
  return (
    known.sidecars_modified === found.sidecarsModified &&
    names.length === found.sidecars.length &&
    found.sidecars.every((name, at) => name === names[at])
  )
}

/** Tells whether as many of the files that belong to a photo say something of it. */
export function tellsAsMany({ sidecars }: KnownPhoto, found: FoundPhoto): boolean {
  return countTelling(sidecars) === countTelling(found.sidecars)
}

function countTelling(sidecars: Value): number {
  return Array.isArray(sidecars) ? sidecars.filter(tells).length : 0
}

/** Tells whether a photo need not be read again. */
export function isSame(known: KnownPhoto, found: FoundPhoto, retryFailed: boolean): boolean {
  const isUnread = known.state === 'failed' && retryFailed
  return (
    known.state !== 'gone' && !isUnread && known.bytes === found.bytes && known.modified === found.modified
  )
}

/** Tells whether a photo lies where is looked. */
export function isWithin({ root, path }: KnownPhoto, scope: Scope): boolean {
  return root === scope.root && (scope.within === '' || path.startsWith(`${scope.within}/`))
}

/** Tells whether a photo, as it lies where is looked, is a path or lies below it. */
export function liesBelow({ path }: KnownPhoto, { folder, within }: Scope, place: string): boolean {
  const full = `${folder}/${within === '' ? path : path.slice(within.length + 1)}`
  return full === place || full.startsWith(place.endsWith('/') ? place : `${place}/`)
}
