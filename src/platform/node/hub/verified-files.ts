/**
 * Remembers which files have been hashed, so that a gigabyte is not read through at every start. The notes
 * lie in the cache folder and not beside the files, which may be in a folder of the user's own or one that
 * cannot be written.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSha256 } from '../../../hub/hash-names.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { hashFile } from './hash-file.js'

interface Note {
  readonly path: string
  readonly size: number
  readonly modifiedMs: number
  readonly sha256: string
}

/** Gives the sha256 of a file: from the note when size and time are unchanged, else computed and noted. */
export async function rememberedHash(
  path: string,
  cache: string,
  options: {
    readonly signal?: AbortSignal | undefined
    readonly onBytes?: (read: number, total: number) => void
    /** If the hash is known anyway, it is noted and not computed. */
    readonly known?: string | null
  } = {},
): Promise<string> {
  const { size, mtimeMs } = await stat(path)
  const notePath = join(
    cache,
    'verified',
    `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`,
  )
  const noted = await readNote(notePath, { path, size, modifiedMs: mtimeMs })
  if (noted !== null && !options.known) return noted
  const onBytes = (read: number) => options.onBytes?.(read, size)
  const sha256 = options.known ?? (await hashFile(path, { signal: options.signal, onBytes }))
  await writeNote(notePath, { path, size, modifiedMs: mtimeMs, sha256 })
  return sha256
}

async function readNote(notePath: string, file: Omit<Note, 'sha256'>): Promise<string | null> {
  const note = parseJsonOrNull(await readFile(notePath, 'utf8').catch(() => ''))
  if (!isRecord(note)) return null
  const { path, size, modifiedMs, sha256 } = note
  const isSame = path === file.path && size === file.size && modifiedMs === file.modifiedMs
  return isSame && typeof sha256 === 'string' && isSha256(sha256) ? sha256 : null
}

/** A cache that cannot be written costs time at the next start and nothing else. */
async function writeNote(notePath: string, note: Note): Promise<void> {
  const temporary = `${notePath}.${process.pid}`
  try {
    await mkdir(dirname(notePath), { recursive: true })
    await writeFile(temporary, JSON.stringify(note))
    await rename(temporary, notePath)
  } catch {}
}
