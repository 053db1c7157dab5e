/**
 * Finds the checkpoint of a repository of Hugging Face: where Python has it already, then in the cache, else downloaded, each file checked by the hash
 * that the repository gives. A branch is asked for its commit once; from then on the same files are used until the cache is emptied, so that a model
 * does not change under those who use it.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CONFIG_FILES } from '../../../encoder/parse-config-files.js'
import { HubError } from '../../../hub/hub-error.js'
import { knownModels } from '../../../hub/known-models.js'
import { type ModelName, USUAL_NAMES } from '../../../hub/parse-model-name.js'
import { HUGGING_FACE } from '../../../hub/repository-name.js'
import { nearMissOrNull } from '../../../hub/suggest-models.js'
import { isRecord, type PlainRecord, parseJsonOrNull } from '../../../plain-value.js'
import { checkpointOfFolderOrNull } from '../checkpoint-of-folder.js'
import { type DownloadOptions, downloadFile } from './download-file.js'
import { cacheFolder, isOffline } from './hub-settings.js'
import { cachedSnapshot } from './python-caches.js'

type Repository = Extract<ModelName, { kind: 'repository' }>

const MOST_FILES = 1000
const LONGEST_LISTING = 4 * 2 ** 20

/** Gives the path of the checkpoint, with its config beside it. Throws `HubError`, or the signal's reason. */
export async function resolveRepository(
  repository: Repository,
  options: DownloadOptions = {},
): Promise<string> {
  const env = options.env ?? process.env
  const snapshot = await cachedSnapshot(repository, env)
  const known = snapshot === null ? null : await checkpointOrNull(snapshot)
  if (known !== null && (await hasItsParts(known))) return known

  const { id, revision } = repository
  const folder = join(cacheFolder(env), 'huggingface', id.replace('/', '--'))
  const listed = existsSync(join(folder, `${revision}.json`))
  if (!listed && (options.offline || isOffline(env))) throw offline(id, folder)
  const { commit, files } = await listFiles(repository, folder, options)
  const wanted = filesToFetch(files.map(({ name }) => name))
  if (wanted === null) {
    throw new HubError(
      'not-found',
      `${id} of Hugging Face holds no checkpoint in PyTorch's formats (looked for ${USUAL_NAMES.join(', ')}); it has ` +
        `${files
          .map(({ name }) => name)
          .slice(0, 8)
          .join(', ')}.`,
    )
  }
  const target = join(folder, commit)
  // The checkpoint comes last: once it is there, all is.
  for (const { name, size, sha256 } of files
    .filter(({ name }) => wanted.includes(name))
    .toSorted(checkpointLast)) {
    const url = `${HUGGING_FACE}/${id}/resolve/${commit}/${name}`
    await downloadFile(url, join(target, name), { ...options, size, sha256 })
  }
  const path = await checkpointOrNull(target)
  if (path !== null) return path
  throw new HubError(
    'not-found',
    `${id} at ${revision} was downloaded to ${target}, and has been taken away from there meanwhile.`,
  )
}

/** A snapshot of Python's may be gone, or hold a config alone. */
async function checkpointOrNull(folder: string): Promise<string | null> {
  return await checkpointOfFolderOrNull(folder).catch(() => null)
}

/** Whoever was interrupted while Python brought several files has their index, which comes first, and not all of them. */
async function hasItsParts(path: string): Promise<boolean> {
  if (!path.endsWith('.index.json')) return true
  const index = parseJsonOrNull(await readFile(path, 'utf8').catch(() => ''))
  if (!isRecord(index) || !isRecord(index.weight_map)) return true
  const parts = new Set(Object.values(index.weight_map))
  return [...parts].every((name) => typeof name !== 'string' || existsSync(join(dirname(path), name)))
}

interface RepositoryFile {
  readonly name: string
  readonly size: number | undefined
  /** Is known of large files only. */
  readonly sha256: string | undefined
}

/** Asks what a revision holds, and keeps the answer. */
async function listFiles(
  { id, revision }: Repository,
  folder: string,
  { onProgress: _, ...options }: DownloadOptions,
): Promise<{ readonly commit: string; readonly files: readonly RepositoryFile[] }> {
  const url = `${HUGGING_FACE}/api/models/${id}/revision/${revision}?blobs=true`
  const { path } = await downloadFile(url, join(folder, `${revision}.json`), {
    ...options,
    atMost: LONGEST_LISTING,
  }).catch((error) => {
    throw explained(error, id)
  })
  const listing = parseListing(await readFile(path, 'utf8'))
  if (listing !== null) return listing
  throw new HubError(
    'server-error',
    `${url} answered with something other than a listing of files; it is kept in ${path}. Delete it and try again.`,
  )
}

function offline(id: string, folder: string): HubError {
  return new HubError(
    'offline',
    `${id} is no file or folder here; Python has not downloaded it, nor is it in ${folder}, and the network may not be used (offline, ` +
      `HF_HUB_OFFLINE).${suggestion(id)} Allow the network, or bring it with \`hf download ${id}\`, which puts it where it is found.`,
  )
}

function explained(error: unknown, id: string): unknown {
  if (!(error instanceof HubError)) return error
  return new HubError(
    error.code,
    `${id} is no file or folder here, nor among what Python has downloaded, and as a repository of Hugging Face it could not be had: ${error.message}${suggestion(id)}`,
    { cause: error },
  )
}

/** A repository may have a name like a known one: only where it cannot be had, the other is told. */
function suggestion(id: string): string {
  const near = nearMissOrNull(
    id,
    knownModels().map(({ name }) => name),
  )
  return near === null ? '' : ` Did you mean ${near}? That name is known.`
}

/** Every name comes from a server: none may lead out of the folder. */
const FILE_NAME = /^[A-Za-z0-9][\w.-]{0,200}$/

function parseListing(text: string) {
  const answer = parseJsonOrNull(text)
  if (!isRecord(answer)) return null
  const { sha: commit, siblings } = answer
  if (typeof commit !== 'string' || !/^[0-9a-f]{40}$/.test(commit) || !Array.isArray(siblings)) return null
  const files = siblings.slice(0, MOST_FILES).filter(isRecord).flatMap(fileOf)
  return { commit, files }
}

function fileOf(entry: PlainRecord): readonly RepositoryFile[] {
  const { rfilename: name, size, lfs } = entry
  if (typeof name !== 'string' || !FILE_NAME.test(name)) return []
  const sha256 = isRecord(lfs) && typeof lfs.sha256 === 'string' ? lfs.sha256 : undefined
  return [{ name, size: typeof size === 'number' ? size : undefined, sha256 }]
}

/** Gives the checkpoint, its further parts and what lies beside it; null where there is none. */
function filesToFetch(names: readonly string[]): readonly string[] | null {
  const main = USUAL_NAMES.find((name) => names.includes(name))
  if (main === undefined) return null
  const [stem = '', ...endings] = main.replace('.index.json', '').split('.')
  const parts = main.endsWith('.index.json')
    ? names.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(`.${endings.join('.')}`))
    : []
  return [...CONFIG_FILES.filter((name) => names.includes(name)), ...parts, main]
}

function checkpointLast(a: RepositoryFile, b: RepositoryFile): number {
  return rank(a) - rank(b)
}

function rank({ name }: RepositoryFile): number {
  return USUAL_NAMES.some((usual) => usual === name) ? 1 : 0
}
