/**
 * Finds the files that a pattern matches. A pattern that goes to any depth is walked here, each folder once, since links that lead to each other
 * would be walked in every order by the library; all others have a depth of their own.
 */
import { readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import picomatch from 'picomatch'
import { glob, isDynamicPattern } from 'tinyglobby'
import { isAbsent, unseen } from './look-error.js'

/** Says of a folder why it could not be looked through. */
export interface UnreadFolder {
  readonly path: string
  readonly reason: string
}

/** Gives null where the text is no pattern but a plain path. Relative patterns give relative paths. */
export async function findMatchesOrNull(
  pattern: string,
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<readonly (string | UnreadFolder)[] | null> {
  if (!isDynamicPattern(pattern)) return null
  if (pattern.includes('**')) return findAtAnyDepth(pattern, cwd, signal)
  const options = { cwd, expandDirectories: false, absolute: isAbsolute(pattern) }
  return glob(pattern, signal === undefined ? options : { ...options, signal })
}

async function findAtAnyDepth(
  pattern: string,
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<readonly (string | UnreadFolder)[]> {
  const plain = pattern.replace(/^(\.\/)+/, '')
  const matches = picomatch(plain)
  const found: (string | UnreadFolder)[] = []
  const seen = new Set<string>()
  // What links lead to comes last: a file has its own name wherever it has one among these.
  const links = [picomatch.scan(plain).base]
  for (let folder = links.shift(); folder !== undefined; folder = links.shift()) {
    const below = [folder]
    for (let next = below.pop(); next !== undefined; next = below.pop()) {
      signal?.throwIfAborted()
      const entries = await entriesOnce(resolve(cwd, next), seen)
      if (!Array.isArray(entries)) {
        found.push({ path: next, reason: entries.message })
        continue
      }
      for (const entry of entries) {
        if (entry.name.startsWith('.')) continue
        const path = next === '' ? entry.name : join(next, entry.name)
        const isLink = entry.isSymbolicLink()
        const target = isLink ? await stat(resolve(cwd, path)).catch(() => null) : entry
        if (target?.isDirectory()) (isLink ? links : below).push(path)
        else if (matches(path)) found.push(path)
      }
    }
  }
  return found
}

/** Gives nothing for a folder that is not there or has been seen, and the reason for one that cannot be read. */
async function entriesOnce(folder: string, seen: Set<string>) {
  try {
    const { dev, ino } = await stat(folder, { bigint: true })
    const id = `${dev}:${ino}`
    if (seen.has(id)) return []
    seen.add(id)
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isAbsent((error as NodeJS.ErrnoException).code)) return []
    return unseen(error)
  }
}
