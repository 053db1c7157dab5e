/**
 * Brings files of a repository into a cache as huggingface_hub keeps them, so that Python finds them: each checked by the hash that the repository
 * gives, and the branch's name written last, when all is there.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CONFIG_FILES } from '../../../encoder/parse-config-files.js'
import { HubError } from '../../../hub/hub-error.js'
import type { ModelFile } from '../../../hub/model-files.js'
import type { RepositoryFile, RepositoryListing } from '../../../hub/repository-listing.js'
import { inSubfolder, type RepositoryRevision, repositoryUrl } from '../../../hub/repository-name.js'
import { BlobPlace, pointerPath } from './blob-place.js'
import { DiskPlace } from './disk-place.js'
import { type DownloadOptions, downloadTo } from './download-file.js'
import type { PublishedFile } from './git-hash.js'
import { withHash } from './hash-by-headers.js'
import { cacheFolder, type Environment, forbidsLinks } from './hub-settings.js'
import { equivalent } from './list-repository.js'
import { huggingFaceCache, repositoryFolder } from './python-caches.js'
import { UndiciOpener } from './undici-opener.js'

/** Gives the caches that are read: Python's, and our own, which is used where Python's cannot be written. */
export function cachesOf(env: Environment): readonly [string, string] {
  return [huggingFaceCache(env), join(cacheFolder(env), 'huggingface')]
}

/** Adds who is told what cannot be checked. */
export interface RepositoryOptions extends DownloadOptions {
  /** Is told in a sentence of files that came without a hash; default: nobody is. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** Is a file of a repository that is here. */
export interface FetchedFile extends ModelFile {
  readonly path: string
  readonly size: number
  readonly downloaded: boolean
}

/** Brings them into a cache as Python's library keeps it. Throws `HubError`, or the signal's reason. What has come stays, and the next call goes on from there. */
export async function fetchFiles(
  repository: RepositoryRevision,
  listing: RepositoryListing,
  files: readonly ModelFile[],
  options: RepositoryOptions,
): Promise<readonly FetchedFile[]> {
  const { id, subfolder } = repository
  const { commit } = listing
  const env = options.env ?? process.env
  const cache = await writableCache(env, id)
  const links = !forbidsLinks(env)
  const fetched = await fetchEach(repository, listing, files, options, (file) => {
    const name = inSubfolder(subfolder, file.name)
    const path = pointerPath({ cache, id, commit, name })
    const { etag } = file
    // A server that gives no hash, as some mirrors, leaves nothing to name a blob by: the file itself lies in the snapshot.
    if (etag === undefined) return placeOnDisk(path)
    return { path, at: (_, patience) => new BlobPlace({ cache, id, commit, links, name, etag }, patience) }
  })
  const folder = repositoryFolder(cache, id)
  await noteAbsent(folder, listing, subfolder)
  if (repository.revision !== commit) await writeWhole(join(folder, 'refs', repository.revision), commit)
  return fetched
}

/** Brings them into a folder under their own names. Throws as `fetchFiles` does. */
export async function fetchInto(
  folder: string,
  repository: RepositoryRevision,
  listing: RepositoryListing,
  files: readonly ModelFile[],
  options: RepositoryOptions,
): Promise<readonly FetchedFile[]> {
  const { id } = repository
  return await fetchEach(repository, listing, files, options, ({ name, etag }) =>
    placeOnDisk(join(folder, name), etag === undefined ? null : { id, name, etag }),
  )
}

/** Says where a file will lie, and what keeps it there. */
interface Destination {
  readonly path: string
  readonly at: Parameters<typeof downloadTo>[3]
}

function placeOnDisk(path: string, published: PublishedFile | null = null): Destination {
  return { path, at: (address, patience) => new DiskPlace(path, address, patience, published) }
}

async function fetchEach(
  repository: RepositoryRevision,
  listing: RepositoryListing,
  files: readonly ModelFile[],
  { onWarning, ...options }: RepositoryOptions,
  destinationOf: (file: RepositoryFile) => Destination,
): Promise<readonly FetchedFile[]> {
  const { id } = repository
  const fetched: FetchedFile[] = []
  const unchecked: string[] = []
  await using opener = new UndiciOpener(options.env ?? process.env)
  for (const file of files) {
    const listed = listing.files.find(({ name }) => name === file.name)
    if (listed === undefined) continue
    const url = repositoryUrl({ ...repository, revision: listing.commit }, listed.name)
    const known = await withHash(listed, url, opener, options)
    const { path: destination, at } = destinationOf(known)
    const wanted = { ...options, size: known.size, sha256: known.sha256 }
    const { path, size, downloaded } = await downloadTo(url, destination, wanted, at).catch((error) => {
      throw advised(error, id)
    })
    fetched.push({ ...file, path, size, downloaded })
    if (downloaded && known.etag === undefined) unchecked.push(known.name)
  }
  warnOfUnchecked(repository, unchecked, onWarning)
  return fetched
}

/** Adds to what a hub refuses which open model is like it. */
function advised(error: unknown, id: string): unknown {
  if (!(error instanceof HubError)) return error
  const advice = equivalent(error, id)
  return advice === '' ? error : new HubError(error.code, `${error.message}${advice}`, { cause: error })
}

/** Mirrors may give no hash: then nothing shows whether a file is the one that was published. */
function warnOfUnchecked(
  { id }: RepositoryRevision,
  unchecked: readonly string[],
  onWarning: RepositoryOptions['onWarning'],
): void {
  if (unchecked.length === 0) return
  onWarning?.(
    `The server gives no hash of ${unchecked.join(', ')} of ${id}, so that it was taken as it came: compare it with the publisher's, or unset HF_ENDPOINT.`,
  )
}

/** Python's cache is written where that is allowed. */
async function writableCache(env: Environment, id: string): Promise<string> {
  const [python, own] = cachesOf(env)
  try {
    const folder = join(repositoryFolder(python, id), 'blobs')
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
    await tagCache(python)
    return python
  } catch {
    await mkdir(own, { recursive: true }).catch(() => {}) // What it is to hold will say why it cannot be made.
    return own
  }
}

/** Tells programs that make backups that this can be had again, as huggingface_hub does. */
async function tagCache(cache: string): Promise<void> {
  const text =
    'Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of downloads, see https://bford.info/cachedir/.\n'
  await writeFile(join(cache, 'CACHEDIR.TAG'), text, { flag: 'wx' }).catch(() => {})
}

/** Python asks for these files of every model; a note spares it the question where there are none. */
async function noteAbsent(
  folder: string,
  { commit, files }: RepositoryListing,
  subfolder: string | undefined,
): Promise<void> {
  const there = new Set(files.map(({ name }) => name))
  for (const name of CONFIG_FILES.filter((name) => !there.has(name))) {
    const path = join(folder, '.no_exist', commit, inSubfolder(subfolder, name))
    await mkdir(dirname(path), { recursive: true }).catch(() => {})
    await writeFile(path, '', { flag: 'a' }).catch(() => {})
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === text) return
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(temporary, text)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
