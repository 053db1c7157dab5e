/** Asks Hugging Face what a repository holds at a revision, and keeps the answer, so that later changes are seen. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HubError } from '../../../hub/hub-error.js'
import { knownModels } from '../../../hub/known-models.js'
import { openEquivalentOrNull } from '../../../hub/model-facts.js'
import { parseListing, type RepositoryListing } from '../../../hub/repository-listing.js'
import { HUGGING_FACE, type RepositoryRevision } from '../../../hub/repository-name.js'
import { nearMissOrNull } from '../../../hub/suggest-models.js'
import { type DownloadOptions, downloadFile } from './download-file.js'
import { cacheFolder } from './hub-settings.js'

const LONGEST_LISTING = 4 * 2 ** 20

export interface Listed {
  readonly listing: RepositoryListing
  /** Is what the hub said when it was asked before; null at first. */
  readonly before: RepositoryListing | null
}

/** Throws `HubError`, or the signal's reason. */
export async function listRepository(
  repository: RepositoryRevision,
  { onProgress: _, ...options }: DownloadOptions,
): Promise<Listed> {
  const { id, revision, subfolder } = repository
  const url = `${HUGGING_FACE}/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`
  const path = listingPath(repository, options)
  const fresh = `${path}.${randomBytes(4).toString('hex')}`
  await mkdir(dirname(path), { recursive: true }).catch(() => {})
  try {
    await downloadFile(url, fresh, { ...options, atMost: LONGEST_LISTING }).catch((error) => {
      throw explained(error, id)
    })
    const listing = parseListing(await readFile(fresh, 'utf8'), subfolder)
    if (listing === null)
      throw new HubError(
        'server-error',
        `${url} answered with something other than a listing of files. Check HF_ENDPOINT if it is set, and try again later.`,
      )
    const before = await lastListing(repository, options)
    await rename(fresh, path)
    return { listing, before }
  } finally {
    await rm(fresh, { force: true })
  }
}

/** Gives what the hub said when it was asked last, or null. */
export async function lastListing(
  repository: RepositoryRevision,
  options: DownloadOptions,
): Promise<RepositoryListing | null> {
  return parseListing(
    await readFile(listingPath(repository, options), 'utf8').catch(() => ''),
    repository.subfolder,
  )
}

function listingPath({ id, revision }: RepositoryRevision, { env = process.env }: DownloadOptions): string {
  return join(cacheFolder(env), 'listings', `${id}@${revision}.json`.replaceAll('/', '--'))
}

/** Says that a repository is not here, where the network may not be asked. */
export function notHere(repository: RepositoryRevision, places: readonly string[]): HubError {
  const { id, revision, subfolder } = repository
  const at = revision === 'main' ? '' : revision
  const pull = `${id}${at && `@${at}`}${subfolder === undefined ? '' : ` --subfolder ${subfolder}`}`
  const hf = `${id}${at && ` --revision ${at}`}`
  return new HubError(
    'offline',
    `${id} is no file or folder here; it is in none of ${places.join(', ')}, and the network may not be used (offline, ` +
      `HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE).${suggestion(id)} Allow the network, or bring it with \`plumage pull ${pull}\` or \`hf download ${hf}\`.`,
  )
}

function explained(error: unknown, id: string): unknown {
  if (!(error instanceof HubError)) return error
  return new HubError(
    error.code,
    `${id} is no file or folder here, nor among what has been downloaded, and as a repository of Hugging Face it could not be had: ${error.message}${suggestion(id)}${equivalent(error, id)}`,
    { cause: error },
  )
}

/** Makes the advice of an error that a file of a repository ends with. */
export function equivalent(error: HubError, id: string): string {
  const open = error.code === 'gated' || error.code === 'forbidden' ? openEquivalentOrNull(id) : null
  return open === null ? '' : ` The same weights are open as ${open.name}: ${open.difference}`
}

/** A repository may have a name like a known one: only where it cannot be had, the other is told. */
function suggestion(id: string): string {
  const near = nearMissOrNull(
    id,
    knownModels().map(({ name }) => name),
  )
  return near === null ? '' : ` Did you mean ${near}? That name is known.`
}
