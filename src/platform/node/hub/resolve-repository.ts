/**
 * Finds the checkpoint of a repository of Hugging Face: in Python's cache, then in our own, else downloaded. A branch is asked for its commit once;
 * from then on the same files are used until they are pulled anew or removed, so that a model does not change under those who use it.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HubError } from '../../../hub/hub-error.js'
import { filesOfModel, type ModelFile, NEEDED_ROLES } from '../../../hub/model-files.js'
import { USUAL_NAMES } from '../../../hub/parse-model-name.js'
import type { RepositoryListing } from '../../../hub/repository-listing.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { checkpointOfFolderOrNull } from '../checkpoint-of-folder.js'
import type { DownloadOptions } from './download-file.js'
import { cachesOf, fetchFiles } from './fetch-repository.js'
import { isOffline } from './hub-settings.js'
import { listRepository, notHere } from './list-repository.js'
import { cachedCommit, type RepositoryRevision, repositoryFolder } from './python-caches.js'

/** Gives the path of the checkpoint, with its config beside it. Throws `HubError`, or the signal's reason. */
export async function resolveRepository(
  repository: RepositoryRevision,
  options: DownloadOptions = {},
): Promise<string> {
  const env = options.env ?? process.env
  const caches = cachesOf(env)
  for (const cache of caches) {
    const known = await checkpointIn(cache, repository)
    if (known !== null) return known
  }
  if (options.offline || isOffline(env)) throw notHere(repository.id, caches)
  const { listing } = await listRepository(repository, options)
  const files = modelFiles(repository.id, listing).filter(({ role }) => NEEDED_ROLES.has(role))
  const fetched = await fetchFiles(repository, listing, files, options)
  const weights = fetched.at(-1)
  if (weights !== undefined && existsSync(weights.path)) return weights.path
  throw new HubError(
    'not-found',
    `${repository.id} was downloaded to ${weights?.path}, and has been taken away from there meanwhile.`,
  )
}

/** Throws `not-found` for a repository without weights that can be read. */
export function modelFiles(id: string, { files }: RepositoryListing): readonly ModelFile[] {
  const names = files.map(({ name }) => name)
  const found = filesOfModel(names)
  if (found !== null) return found
  throw new HubError(
    'not-found',
    `${id} of Hugging Face holds no checkpoint in PyTorch's formats (looked for ${USUAL_NAMES.join(', ')}); it has ` +
      `${names.slice(0, 8).join(', ')}.`,
  )
}

/** Gives null for what is not there whole. */
async function checkpointIn(cache: string, repository: RepositoryRevision): Promise<string | null> {
  const commit = await cachedCommit(cache, repository)
  if (commit === null) return null
  const folder = join(repositoryFolder(cache, repository.id), 'snapshots', commit)
  const path = await checkpointOfFolderOrNull(folder).catch(() => null)
  return path !== null && existsSync(path) && (await hasItsParts(path)) ? path : null
}

/** Whoever was interrupted while several files came has their index and not all of them. */
async function hasItsParts(path: string): Promise<boolean> {
  if (!path.endsWith('.index.json')) return true
  const index = parseJsonOrNull(await readFile(path, 'utf8').catch(() => ''))
  if (!isRecord(index) || !isRecord(index.weight_map)) return true
  const parts = new Set(Object.values(index.weight_map))
  return [...parts].every((name) => typeof name !== 'string' || existsSync(join(dirname(path), name)))
}
