/**
 * Moves the copies that a kept photo makes needless, with their sidecars, to a folder, and brings them back. Right before a file moves it is read once more, and so is the kept
 * one: what has changed since it was indexed stays where it is.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { assetsOf } from '../../../collection/assets.js'
import type { Collection } from '../../../collection/collection.js'
import { CollectionError } from '../../../collection/collection-error.js'
import { type Copy, isKnownContent } from '../../../collection/duplicates/copy.js'
import type { DuplicateGroup } from '../../../collection/duplicates/duplicate-group.js'
import { isRawName } from '../../../image/camera-raw.js'
import { isAddress } from '../../../is-address.js'
import type { PlainRecord } from '../../../plain-value.js'
import { FileError } from '../files/file-error.js'
import { fullPath } from './find-duplicates.js'
import {
  endMoves,
  type FileMove,
  finishMoves,
  isUnfinished,
  latestRun,
  moveFiles,
  movesOf,
  type UndoneMove,
  undoMoves,
} from './move-files.js'

/** Says where copies go. */
export interface MoveOptions {
  /** Is the folder that takes them; each lies in it as it lay below its root. */
  readonly to: string
  /** Ends the work between two photos, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says when to give up. */
export interface UndoOptions {
  /** Ends the work between two files, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Says what became of a copy that was to move. */
export interface MovedCopy {
  /** Is the photo. */
  readonly copy: Copy
  /** Lists the files that moved, the photo first; none where it stayed. */
  readonly files: readonly FileMove[]
  /** Says why it stayed; null where it moved. */
  readonly stayed: string | null
}

/** Is what a row says whose photo lies in no folder of the collection any more. */
const GONE = { state: 'gone' } as const

const OPTIONS = { to: true, signal: true } satisfies OptionNames<MoveOptions>
const UNDO = { signal: true } satisfies OptionNames<UndoOptions>

/**
 * Moves each member that is proposed, after writing it down: `undoDuplicates` brings all back, after a kill as well. The last copy of a picture never moves; no file is written
 * over; links stay where they are, since moving one frees nothing. Throws RangeError for a folder of the collection, `CollectionError` `read-only`; `FileError`; the signal's reason.
 */
export async function moveDuplicates(
  collection: Collection,
  groups: readonly DuplicateGroup[],
  options: MoveOptions,
): Promise<readonly MovedCopy[]> {
  checkOptionNames(options, OPTIONS)
  assertWritable(collection)
  const { signal } = options
  const to = resolve(options.to)
  assertOutside(collection, to)
  const log = collection.store.log('moves')
  await settleDuplicates(collection)
  const run = `${new Date().toISOString()} ${randomBytes(4).toString('hex')}`
  const moved: MovedCopy[] = []
  for (const { kept, members } of groups) {
    const going = members.filter(({ proposed }) => proposed)
    if (going.length === 0) continue
    const keptProblem = await changedSince(fullPath(collection, kept), kept)
    for (const { copy } of going) {
      signal?.throwIfAborted()
      const full = fullPath(collection, copy)
      const problem =
        keptProblem === null
          ? await immovable(full, copy)
          : `the kept copy ${kept.root}/${kept.path} ${keptProblem}`
      if (problem !== null) {
        moved.push({ copy, files: [], stayed: problem })
        continue
      }
      const files = await withSidecars(full, join(to, copy.root, ...copy.path.split('/')))
      if (files.some(({ from }) => from !== full && isRawName(from))) {
        moved.push({
          copy,
          files: [],
          stayed: 'it has a raw photo beside it, which the kept copy may not have',
        })
        continue
      }
      try {
        const about = { id: copy.id, root: copy.root, path: copy.path }
        await moveFiles(log, run, files, { about, signal })
        await collection.change([{ id: copy.id, values: GONE }])
        moved.push({ copy, files, stayed: null })
      } catch (error) {
        if (!(error instanceof FileError && error.code === 'exists')) throw error
        moved.push({ copy, files: [], stayed: error.message })
      }
    }
  }
  if (moved.some(({ files }) => files.length > 0)) await endMoves(log, run)
  await collection.fold()
  return moved
}

/** Brings back what the latest run has moved and nobody has brought back yet; an empty list where there is nothing. Throws as `moveDuplicates`. */
export async function undoDuplicates(
  collection: Collection,
  options: UndoOptions = {},
): Promise<readonly UndoneMove[]> {
  checkOptionNames(options, UNDO)
  const { signal } = options
  assertWritable(collection)
  const log = collection.store.log('moves')
  const entries = await log.read()
  const run = latestRun(entries)
  if (run === null) return []
  const undone = await undoMoves(log, run, { signal })
  const back = new Set(undone.filter(({ state }) => state !== 'lost').map(({ from }) => from))
  const rows = photosOf(collection, entries, run).filter(({ move }) => back.has(move.from))
  await collection.change(
    rows.map(({ id, root, path }) => ({ id, values: { root, path, state: 'embedded' } })),
  )
  await collection.fold()
  return undone
}

/** Goes on with a run of moves that was killed, and brings its rows up to date. */
async function settleDuplicates(collection: Collection): Promise<void> {
  const log = collection.store.log('moves')
  const entries = await log.read()
  const run = latestRun(entries)
  if (run === null || !isUnfinished(entries, run)) return
  await finishMoves(log, run)
  for (const { id, move } of photosOf(collection, entries, run)) {
    const isMoved = (await lstat(move.to).catch(() => null)) !== null
    if (isMoved) await collection.change([{ id, values: GONE }])
  }
}

interface MovedPhoto {
  readonly id: string
  readonly root: string
  readonly path: string
  readonly move: FileMove
}

/** Gives the photos, without their sidecars, that a run has written down. */
function photosOf(
  collection: Collection,
  entries: readonly PlainRecord[],
  run: string,
): readonly MovedPhoto[] {
  const moves = new Map(movesOf(entries, run).map((move) => [move.from, move]))
  return entries.flatMap(({ run: of, from, id, root, path }) => {
    const move = moves.get(String(from))
    if (of !== run || move === undefined || typeof root !== 'string' || typeof path !== 'string') return []
    const isPhoto =
      Object.hasOwn(collection.about.roots, root) && fullPath(collection, { root, path }) === from
    return isPhoto ? [{ id: String(id), root, path, move }] : []
  })
}

/** Throws RangeError for a folder of the collection: what lies there is found again, as a duplicate again. */
function assertOutside(collection: Collection, to: string): void {
  for (const [root, folder] of Object.entries(collection.about.roots))
    if (`${to}${sep}`.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      throw new RangeError(
        `${to} lies in ${folder}, the root ${root} of ${collection.store.label}: what is moved there is found again. Choose a folder outside.`,
      )
}

function assertWritable({ store }: Collection): void {
  if (store.isWritable) return
  throw new CollectionError(
    'read-only',
    `${store.label} was opened for reading. Open it with { write: true } to change it.`,
  )
}

/** Says why a photo cannot move; null where it can. */
async function immovable(full: string, copy: Copy): Promise<string | null> {
  if (isAddress(full)) return 'it lies on no disk of this machine'
  const found = await lstat(full).catch(() => null)
  if (found?.isSymbolicLink()) return 'it is a link, and moving it frees nothing'
  if (found !== null && found.nlink > 1)
    return 'the file has other names (hard links), and moving one frees nothing'
  const problem = await changedSince(full, copy)
  return problem === null ? null : `it ${problem}`
}

async function changedSince(full: string, { content }: Copy): Promise<string | null> {
  if (!isKnownContent(content))
    return 'was never hashed, so that nobody knows whether it has changed: index it'
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(full)) hash.update(chunk as Uint8Array)
  } catch {
    return 'cannot be read'
  }
  return hash.digest('hex') === content ? null : 'has changed since it was indexed'
}

/** Lists the photo and what belongs to it, the photo first. */
async function withSidecars(from: string, to: string): Promise<readonly FileMove[]> {
  const [folder, target] = [dirname(from), dirname(to)]
  const asset = assetsOf(await readdir(folder)).find(({ photo }) => photo === basename(from))
  return [
    { from, to },
    ...(asset?.sidecars ?? []).map((name) => ({ from: join(folder, name), to: join(target, name) })),
  ]
}
