/**
 * Moves files so that a kill, or a power cut, at any moment leaves each of them whole, and everything can be brought back: what is about to be moved is written down and on the disk
 * before it is moved, no file is ever written over, and across devices a file is copied, read back and compared before the first one goes.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, link, lstat, open, rename, rm, unlink, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '../../../collection/store.js'
import type { PlainRecord } from '../../../plain-value.js'
import { explainWriteError, FileError } from '../files/file-error.js'
import { isAbsent } from '../files/look-error.js'
import { makeFolder } from '../files/make-folder.js'

/** Is a file that goes to another place. */
export interface FileMove {
  /** Is where it lies; absolute. */
  readonly from: string
  /** Is where it goes; absolute. */
  readonly to: string
}

/** Says what became of a file that was to be brought back. */
export interface UndoneMove extends FileMove {
  /** Is `back` (it was moved back), `stayed` (it lay at its place already), or `lost`: it lies at neither place, or something else lies at its own. */
  readonly state: 'back' | 'stayed' | 'lost'
}

/** Ends the name of a copy that is not whole yet. */
const UNFINISHED = '.plumage-moving'

/**
 * Moves one file after the other; all that goes together (a photo and its sidecars) is written down at once before the first of it moves. Throws `FileError` `exists` where a
 * file lies at the new place, and what explains why the disk does not take it; the signal's reason between files.
 */
export async function moveFiles(
  log: Log,
  run: string,
  moves: readonly FileMove[],
  { about = {}, signal }: { readonly about?: PlainRecord; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted()
  for (const { to } of moves) await assertFree(to)
  await log.append(moves.map(({ from, to }) => ({ run, move: 'begun', from, to, ...about })))
  for (const { from, to } of moves) {
    try {
      await makeFolder(dirname(to))
      await moveFile(from, to)
    } catch (error) {
      throw explainWriteError(error, to)
    }
  }
}

/** Gives the moves that were written down in a run and not brought back since, the first of them first. */
export function movesOf(entries: readonly PlainRecord[], run: string): readonly FileMove[] {
  const moves = new Map<string, FileMove>()
  for (const entry of entries) {
    if (entry.run !== run || typeof entry.from !== 'string' || typeof entry.to !== 'string') continue
    if (entry.move === 'begun') moves.set(entry.from, { from: entry.from, to: entry.to })
    if (entry.move === 'undone') moves.delete(entry.from)
  }
  return [...moves.values()]
}

/** Tells whether a run was killed before it had moved all that it was to move. */
export function isUnfinished(entries: readonly PlainRecord[], run: string): boolean {
  return !entries.some((entry) => entry.run === run && entry.move === 'ended')
}

/** Says that a run has moved all that it was to move. */
export async function endMoves(log: Log, run: string): Promise<void> {
  await log.append([{ run, move: 'ended' }])
}

/**
 * Goes on with what a kill has left half done: a file that has both names loses the old one, and what goes together goes all where some of it went. What had not begun to
 * move stays where it is.
 */
export async function finishMoves(log: Log, run: string): Promise<void> {
  const entries = await log.read()
  const left = new Map(movesOf(entries, run).map((move) => [move.from, move]))
  const groups = new Map<unknown, FileMove[]>()
  for (const { run: of, id, from } of entries) {
    const move = of === run ? left.get(String(from)) : undefined
    if (move !== undefined) groups.set(id, [...(groups.get(id) ?? []), move])
  }
  for (const moves of groups.values()) {
    const places = await Promise.all(moves.map(({ to }) => lookAt(to)))
    if (places.some((place) => place !== null)) for (const move of moves) await bringOver(move)
  }
  await endMoves(log, run)
}

async function bringOver({ from, to }: FileMove): Promise<void> {
  await rm(to + UNFINISHED, { force: true })
  const [old, moved] = [await lookAt(from), await lookAt(to)]
  if (old === null) return
  if (moved === null) {
    await moveFile(from, to)
    return
  }
  const isSame = old.file === moved.file || (await digestOf(from)) === (await digestOf(to))
  if (!isSame) return
  await unlink(from)
  await syncFolder(dirname(from))
}

/** Names the latest run of which something was moved and not brought back; null where there is none. */
export function latestRun(entries: readonly PlainRecord[]): string | null {
  const runs = new Set(entries.map(({ run }) => run).filter((run) => typeof run === 'string'))
  return [...runs].reverse().find((run) => movesOf(entries, run).length > 0) ?? null
}

/** Brings back what a run has moved, the last first, whatever a kill has left of it. What lies at a place by now is not written over. */
export async function undoMoves(
  log: Log,
  run: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly UndoneMove[]> {
  const undone: UndoneMove[] = []
  for (const move of [...movesOf(await log.read(), run)].reverse()) {
    signal?.throwIfAborted()
    const state = await bringBack(move)
    // What is lost today may be there again tomorrow (a disk that was not connected), so that it stays written down.
    if (state !== 'lost') await log.append([{ run, move: 'undone', ...move }])
    undone.push({ ...move, state })
  }
  return undone
}

async function bringBack({ from, to }: FileMove): Promise<UndoneMove['state']> {
  await rm(to + UNFINISHED, { force: true })
  const [old, moved] = [await lookAt(from), await lookAt(to)]
  if (old !== null && moved === null) return 'stayed'
  if (moved === null) return 'lost'
  if (old === null) {
    await makeFolder(dirname(from))
    await moveFile(to, from)
    return 'back'
  }
  // A kill between giving the new name and taking the old one leaves both: then they are one file, or two of the same bytes.
  const isSame = old.file === moved.file || (await digestOf(from)) === (await digestOf(to))
  if (!isSame) return 'lost'
  await unlink(to)
  await syncFolder(dirname(to))
  return 'stayed'
}

/** Gives a file another name. The new name is taken by a link, which fails where there is a file, and only then the old one goes. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw existing(to)
    if (code !== 'EXDEV' && !LINKLESS.has(code ?? '')) throw error
    await copyAcross(from, to)
  }
  await syncFolder(dirname(to))
  await unlink(from)
  await syncFolder(dirname(from))
}

/** Is what file systems without hard links, or between which there are none, answer. */
const LINKLESS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Copies beside the new name, compares, flushes, and only then gives the name. */
async function copyAcross(from: string, to: string): Promise<void> {
  const beside = to + UNFINISHED
  await rm(beside, { force: true })
  try {
    const { atime, mtime } = await lstat(from)
    await copyFile(from, beside)
    await utimes(beside, atime, mtime)
    await flush(beside)
    if ((await digestOf(beside)) !== (await digestOf(from)))
      throw new FileError(
        'not-writable',
        `${to} could not be written: what was read back is not what was written.`,
      )
    await nameFreely(beside, to)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    throw error
  }
}

/** Renames without writing over a file, also where there are no hard links: there an empty file holds the name, which was free a moment ago. */
async function nameFreely(beside: string, to: string): Promise<void> {
  try {
    await link(beside, to)
    await unlink(beside)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw existing(to)
    if (!LINKLESS.has(code ?? '')) throw error
    await assertFree(to)
    await rename(beside, to)
  }
}

async function assertFree(to: string): Promise<void> {
  if ((await lookAt(to)) !== null) throw existing(to)
}

function existing(to: string): FileError {
  return new FileError(
    'exists',
    `${to} is there already, and no file is written over. Choose another folder.`,
  )
}

async function lookAt(path: string): Promise<{ readonly file: string } | null> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true })
    return { file: `${dev}:${ino}` }
  } catch (error) {
    if (isAbsent((error as NodeJS.ErrnoException).code)) return null
    throw error
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Without this a power cut may lose the new name. Some systems cannot open folders, or refuse this; then the name alone must do. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}
