/** Looks after what has been downloaded: lists it wherever a library keeps it, reads it again and compares hashes, takes a repository away. */
import type { Dirent } from 'node:fs'
import { lstat, readdir, readlink, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { publishedFile } from '../../../hub/find-pretrained.js'
import { isGitHash, isSha256 } from '../../../hub/hash-names.js'
import { checkpointsAmong } from '../../../hub/name-of-file.js'
import { findPretrainedOrNull } from '../../../hub/weights.js'
import { forgetKept, readNote } from '../address/kept-file.js'
import { birderModels } from './birder-models.js'
import { cachesOf } from './fetch-repository.js'
import { fileTrouble } from './file-trouble.js'
import { gitHash } from './git-hash.js'
import { hashFile } from './hash-file.js'
import { cacheFolder, type Environment } from './hub-settings.js'
import { torchCheckpoints } from './python-caches.js'

/** Is something that was downloaded: a repository, or one file of weights. */
export interface CachedModel {
  /** Is the repository's id, or the file's name. */
  readonly name: string
  /** The path is absolute: of a repository's folder, or of a file. */
  readonly path: string
  /** Says which of the two it is. */
  readonly kind: 'repository' | 'file'
  /** Counts the bytes that lie in it, without those of the shared store. */
  readonly size: number
  /** Counts the bytes in the store of blobs that repositories share: removing it leaves them. */
  readonly sharedSize: number
  /** Says when one of its files was read or written last. */
  readonly usedAt: Date
}

/** Says of one file whether its bytes are those that were downloaded. */
export interface VerifiedFile {
  /** The path is absolute. */
  readonly path: string
  /** Is `unknown` where nobody noted what its hash should be. */
  readonly state: 'whole' | 'damaged' | 'unfinished' | 'unknown'
}

/** Says how cached files are read again. */
export interface VerifyCachedOptions {
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined
}

const VERIFY_OPTIONS = { signal: true } satisfies OptionNames<VerifyCachedOptions>

/** Gives what has been downloaded, by name; folders that are not there hold nothing. Throws what the disk says of a file that goes away meanwhile. */
export async function listCache(env: Environment = process.env): Promise<readonly CachedModel[]> {
  const found: CachedModel[] = []
  for (const cache of new Set(cachesOf(env))) {
    for (const entry of await entriesOf(cache)) {
      const [, owner] = /^models--(.+)$/.exec(entry.name) ?? []
      if (owner === undefined || !entry.isDirectory()) continue
      found.push(await repositoryAt(owner.replace('--', '/'), join(cache, entry.name)))
    }
  }
  for (const folder of weightFolders(env)) {
    const names = (await entriesOf(folder)).filter((entry) => entry.isFile()).map(({ name }) => name)
    for (const name of checkpointsAmong(names)) found.push(await fileAt(name, join(folder, name)))
  }
  for (const { path, name } of await keptAtAddresses(env)) found.push(await fileAt(name, path))
  return found.toSorted((a, b) => a.name.localeCompare(b.name))
}

/** Gives the checkpoints that came from addresses. */
async function keptAtAddresses(
  env: Environment,
): Promise<readonly { readonly path: string; readonly name: string }[]> {
  const all = join(cacheFolder(env), 'addresses')
  const kept: { readonly path: string; readonly name: string }[] = []
  for (const place of await entriesOf(all)) {
    const names = (await entriesOf(join(all, place.name))).map(({ name }) => name)
    for (const name of checkpointsAmong(names)) kept.push({ path: join(all, place.name, name), name })
  }
  return kept
}

function weightFolders(env: Environment): ReadonlySet<string> {
  const folders = [join(cacheFolder(env), 'models'), torchCheckpoints(env), birderModels(env, process.cwd())]
  return new Set(folders.map((folder) => resolve(folder)))
}

async function repositoryAt(name: string, path: string): Promise<CachedModel> {
  const sizes = { size: 0, sharedSize: 0 }
  let used = 0
  const own = await realpath(path)
  for (const file of await contentsOf(path)) {
    const real = await realpath(file).catch(() => null)
    if (real === null) continue
    const { size, atimeMs, mtimeMs } = await stat(real)
    sizes[real.startsWith(own + sep) ? 'size' : 'sharedSize'] += size
    used = Math.max(used, atimeMs, mtimeMs)
  }
  return { name, path, kind: 'repository', ...sizes, usedAt: new Date(used) }
}

async function fileAt(name: string, path: string): Promise<CachedModel> {
  const { size, atimeMs, mtimeMs } = await stat(path)
  return { name, path, kind: 'file', size, sharedSize: 0, usedAt: new Date(Math.max(atimeMs, mtimeMs)) }
}

/** Reads all bytes of a model and compares hashes, one file at a time. Throws the signal's reason, RangeError for an unknown option, or what the disk says of a file that cannot be read. */
export async function* verifyCached(
  { path, kind, name }: CachedModel,
  options: VerifyCachedOptions = {},
): AsyncGenerator<VerifiedFile, void, undefined> {
  checkOptionNames(options, VERIFY_OPTIONS)
  const { signal } = options
  const files = kind === 'file' ? [path] : await contentsOf(path)
  for (const file of files) {
    signal?.throwIfAborted()
    yield {
      path: file,
      state: kind === 'file' ? await stateOfFile(name, file, signal) : await stateOfBlob(file, signal),
    }
  }
}

/** A blob is named by its hash. What lies in a snapshot without a link has no name that tells. */
async function stateOfBlob(path: string, signal: AbortSignal | undefined): Promise<VerifiedFile['state']> {
  if (path.endsWith('.incomplete')) return 'unfinished'
  const etag = basename(path)
  const isBlob = dirname(path).endsWith(`${sep}blobs`)
  if (isBlob && isSha256(etag)) return (await hashFile(path, { signal })) === etag ? 'whole' : 'damaged'
  if (isBlob && isGitHash(etag)) return (await gitHash(path)) === etag ? 'whole' : 'damaged'
  return 'unknown'
}

async function stateOfFile(
  fileName: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<VerifiedFile['state']> {
  const note = await readNote(path)
  if (note !== null) return (await hashFile(path, { signal })) === note.sha256 ? 'whole' : 'damaged'
  const name = fileName.replace(/\.pt$/, '')
  const entry = findPretrainedOrNull(name)
  if (entry === null) return 'unknown'
  return (await hashFile(path, { signal })) === publishedFile(name, entry, 'pt').sha256 ? 'whole' : 'damaged'
}

/** Takes a model away. What lies in the shared store stays, since others may lead there: `hf cache prune` frees it. Throws `HubError` `no-access` where it may not be taken away. */
export async function removeCached({ path, kind }: CachedModel): Promise<void> {
  try {
    await rm(path, { recursive: kind === 'repository' })
    if (kind === 'file') return await forgetKept(path)
    // Locks belong to the repository's downloads and to nothing else.
    await rm(join(dirname(path), '.locks', basename(path)), {
      recursive: true,
      force: true,
    })
  } catch (error) {
    throw fileTrouble(error, path)
  }
}

/** Gives the blobs of a repository, and the files of its snapshots that are no links to one of these. */
async function contentsOf(folder: string): Promise<readonly string[]> {
  const blobs = (await entriesOf(join(folder, 'blobs')))
    .map(({ name }) => join(folder, 'blobs', name))
    .filter((path) => !path.endsWith('.incomplete.json'))
  const own: string[] = []
  for (const commit of await entriesOf(join(folder, 'snapshots'))) {
    const snapshot = join(folder, 'snapshots', commit.name)
    const entries = await readdir(snapshot, { withFileTypes: true, recursive: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      const target = (await lstat(path)).isSymbolicLink()
        ? resolve(dirname(path), await readlink(path))
        : path
      if (!blobs.includes(target) && !entry.isDirectory()) own.push(path)
    }
  }
  return [...blobs, ...own]
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch(() => [])
}
