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
import type { RepositoryRevision } from '../../../hub/repository-name.js'
import { refuseForeignConfig } from '../../../model/dialects/other-families.js'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { checkpointOfFolderOrNull } from '../checkpoint-of-folder.js'
import { cachesOf, fetchFiles, type RepositoryOptions } from './fetch-repository.js'
import { isOffline } from './hub-settings.js'
import { listRepository, notHere } from './list-repository.js'
import { cachedCommit, repositoryFolder } from './python-caches.js'

/**
 * Gives the path of the checkpoint, with its config beside it. Throws `HubError`, `CheckpointError` `unsupported-network` for what its config calls a network that is
 * not run, before its weights are fetched, or the signal's reason.
 */
export async function resolveRepository(
  repository: RepositoryRevision,
  { onWarning, ...options }: RepositoryOptions = {},
): Promise<string> {
  const env = options.env ?? process.env
  const caches = cachesOf(env)
  for (const cache of caches) {
    const known = await checkpointIn(cache, repository)
    if (known !== null) return known
  }
  if (options.offline || isOffline(env)) throw notHere(repository, caches)
  const { listing } = await listRepository(repository, options)
  const files = modelFiles(repository, listing).filter(({ role }) => NEEDED_ROLES.has(role))
  const isConfig = ({ role }: ModelFile) => role === 'config'
  const configs = await fetchFiles(repository, listing, files.filter(isConfig), { ...options, onWarning })
  for (const { path } of configs) {
    const config = parseJsonOrNull(await readFile(path, 'utf8'))
    // Weights are gigabytes, which nobody should wait for only to hear that they are not run.
    if (config !== null) refuseForeignConfig(`${repository.id} of Hugging Face`, config)
  }
  const others = files.filter((file) => !isConfig(file))
  const fetched = await fetchFiles(repository, listing, others, { ...options, onWarning })
  const weights = fetched.at(-1)
  if (weights !== undefined && existsSync(weights.path)) return weights.path
  throw new HubError(
    'not-found',
    `${repository.id} was downloaded to ${weights?.path}, and has been taken away from there meanwhile.`,
  )
}

/** Throws `not-found` for a repository without weights that can be read. */
export function modelFiles(
  { id, subfolder }: RepositoryRevision,
  { files, folders }: RepositoryListing,
): readonly ModelFile[] {
  const names = files.map(({ name }) => name)
  const found = filesOfModel(names)
  if (found !== null) return found
  throw new HubError(
    'not-found',
    `${id} of Hugging Face holds no checkpoint in PyTorch's formats${subfolder === undefined ? '' : ` in its folder ${subfolder}`} ` +
      `(looked for ${USUAL_NAMES.join(', ')}); it has ${names.slice(0, 8).join(', ') || 'no files there'}.${foldersAdvice(folders)}`,
  )
}

/** A repository with several models has each in a folder of its own. */
function foldersAdvice(folders: readonly string[]): string {
  if (folders.length === 0) return ''
  return ` Its folders are ${folders.slice(0, 8).join(', ')}: name one as subfolder (--subfolder).`
}

/** Gives null for what is not there whole. */
async function checkpointIn(cache: string, repository: RepositoryRevision): Promise<string | null> {
  const commit = await cachedCommit(cache, repository)
  if (commit === null) return null
  const folder = join(repositoryFolder(cache, repository.id), 'snapshots', commit, repository.subfolder ?? '')
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
