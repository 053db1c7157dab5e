/** Moves the roots of a collection: the folders that its paths start from. A library that lies elsewhere now is the same photos under another folder. */
import { isAddress } from '../is-address.js'
import { nearestNames } from '../nearest-names.js'
import type { Files } from '../work/files.js'
import type { Collection } from './collection.js'
import { CollectionError } from './collection-error.js'
import { filmOfNameOrNull } from './frame-name.js'
import { rowsOf } from './row-block.js'

/** Says how much of a root was found in a folder. */
export interface RootMatch {
  /** Counts the photos that were looked for: a sample of many. */
  readonly looked: number
  /** Counts those that are there with the same size and time. */
  readonly same: number
  /** Counts those that are there with the same size and another time, as copies may be. */
  readonly copied: number
  /** Counts those that are there with another size. */
  readonly different: number
  /** Counts those that are not there. */
  readonly absent: number
}

/** Says how a root is moved. */
export interface RootOptions {
  readonly files: Files
  /** Moves it also where none of its photos is found; default `false`. */
  readonly force?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** So many photos are looked for, spread over all. */
const SAMPLE = 1000

/** Looks for the photos of a root in a folder, by their sizes and times alone. Throws `CollectionError` `root-missing` for an unknown root; the signal's reason. */
async function matchRoot(
  collection: Collection,
  root: string,
  folder: string,
  { files, signal }: RootOptions,
): Promise<RootMatch> {
  assertRoot(collection, root)
  const photos: { readonly path: string; readonly bytes: number; readonly modified: number }[] = []
  const columns = ['root', 'path', 'bytes', 'modified', 'state']
  for await (const block of collection.scan({ columns, signal }))
    for (const row of rowsOf(block))
      if (row.root === root && row.state !== 'gone')
        photos.push({ path: String(row.path), bytes: Number(row.bytes), modified: Number(row.modified) })
  const match = { looked: 0, same: 0, copied: 0, different: 0, absent: 0 }
  const step = Math.max(1, photos.length / SAMPLE)
  for (let at = 0; at < photos.length; at += step) {
    signal?.throwIfAborted()
    const photo = photos[Math.floor(at)]
    if (photo === undefined) break
    match.looked++
    match[await lookFor(photo, folder, files)]++
  }
  return match
}

async function lookFor(
  { path, bytes, modified }: { readonly path: string; readonly bytes: number; readonly modified: number },
  folder: string,
  files: Files,
): Promise<Exclude<keyof RootMatch, 'looked'>> {
  const found = await files.look(placeOf(folder, path, files)).catch(() => null)
  if (found === null) return 'absent'
  if (found.size !== bytes) return 'different'
  return Math.floor(found.mtimeMs) === modified ? 'same' : 'copied'
}

/** Gives the file of a row's path below a folder: of a frame it is the film. */
export function placeOf(folder: string, path: string, files: Files): string {
  const name = filmOfNameOrNull(path) ?? path
  return addressBelow(folder, name) ?? files.resolve(`${folder}/${name}`)
}

/** Gives the address of a row's path below a root that is an address itself, as `s3://` or `https://host/photos`; null below a folder of a disk. */
export function addressBelow(root: string, path: string): string | null {
  if (!isAddress(root)) return null
  return root.endsWith('/') ? root + path : `${root}/${path}`
}

/**
 * Says that the photos of a root lie in another folder by now. No photo is read.
 *
 * @throws `CollectionError` `root-missing` for an unknown root, a folder that is not there or one that has none of the photos (unless `force`), `exists` where
 *   another root has the folder, `read-only`
 */
export async function moveRoot(
  collection: Collection,
  root: string,
  folder: string,
  options: RootOptions,
): Promise<RootMatch> {
  const { files, force = false } = options
  assertRoot(collection, root)
  const other = Object.entries(collection.about.roots).find(([name, at]) => at === folder && name !== root)
  if (other !== undefined)
    throw new CollectionError('exists', `${folder} is the folder of the root ${other[0]} already.`)
  if ((await files.look(folder))?.kind !== 'folder')
    throw new CollectionError(
      'root-missing',
      `There is no folder ${folder}: connect its disk, or name another folder.`,
    )
  const match = await matchRoot(collection, root, folder, options)
  if (match.looked > 0 && match.same + match.copied === 0 && !force)
    throw new CollectionError(
      'root-missing',
      `${folder} has none of ${match.looked} photos of the root ${root} that were looked for there: nothing was changed. ` +
        'Name the folder that has them, or add --force if it is this one all the same.',
    )
  const { about } = collection
  await collection.setRoots({ ...about.roots, [root]: folder })
  return match
}

function assertRoot({ about }: Collection, root: string): void {
  const names = Object.keys(about.roots)
  if (names.includes(root)) return
  const [nearest] = nearestNames(root, names)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  const all = names.length === 0 ? 'It has none yet.' : `Its roots are ${names.join(', ')}.`
  throw new CollectionError(
    'root-missing',
    `The collection has no root ${JSON.stringify(root)}.${hint} ${all}`,
  )
}
