/** Brings all files of a model, by any name, to where the library that it belongs to looks for it. */
import { existsSync } from 'node:fs'
import { access, constants, mkdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import { checkSubfolder } from '../../../hub/check-subfolder.js'
import { findPretrained } from '../../../hub/find-pretrained.js'
import { HubError } from '../../../hub/hub-error.js'
import { knownModels } from '../../../hub/known-models.js'
import { factsOf, obligationsOf } from '../../../hub/model-facts.js'
import type { FileRole } from '../../../hub/model-files.js'
import { type ModelName, parseModelName } from '../../../hub/parse-model-name.js'
import { changesBetween, type RepositoryListing } from '../../../hub/repository-listing.js'
import type { RepositoryRevision } from '../../../hub/repository-name.js'
import type { TorchHubModel } from '../../../hub/torch-hub.js'
import { unknownModel } from '../../../hub/unknown-model.js'
import { refusedByNameOrNull } from '../../../model/dialects/other-families.js'
import { warn } from '../choose-engine.js'
import { birderModels } from './birder-models.js'
import { DOWNLOAD_OPTIONS, type DownloadOptions, downloadFile } from './download-file.js'
import { fetchFiles, fetchInto } from './fetch-repository.js'
import { cacheFolder, isOffline } from './hub-settings.js'
import { lastListing, listRepository } from './list-repository.js'
import { torchCheckpoints } from './python-caches.js'
import { modelFiles } from './resolve-repository.js'
import { resolveWeights } from './resolve-weights.js'

/** Says how a model is pulled. */
export interface PullOptions extends Omit<DownloadOptions, 'sha256' | 'size' | 'atMost'> {
  /** The files are put into this folder under their own names; default: where the model's library looks. */
  readonly into?: string | undefined
  /** Names the folder within a repository that the model lies in; default: it lies at the top. */
  readonly subfolder?: string | undefined
  /** Is told in a sentence of files that came without a hash; default: a warning of the process. */
  readonly onWarning?: ((message: string) => void) | undefined
}

const { sha256: _sha256, size: _size, atMost: _atMost, ...FETCH_OPTIONS } = DOWNLOAD_OPTIONS
const PULL_OPTIONS = {
  ...FETCH_OPTIONS,
  into: true,
  subfolder: true,
  onWarning: true,
} satisfies OptionNames<PullOptions>

/** Is one file of a pulled model. */
export interface PulledFile {
  /** Is the name that the repository gives it. */
  readonly name: string
  /** Says what it is to the model. */
  readonly role: FileRole
  /** The path is absolute. */
  readonly path: string
  /** Counts its bytes. */
  readonly size: number
  /** It is false when the file was here already. */
  readonly downloaded: boolean
}

/** Is a model whose files are here. */
export interface PulledModel {
  /** Is the name that it can be loaded by. */
  readonly name: string
  /** Names the state of the repository; null for what lies in none. */
  readonly commit: string | null
  /** Lists them by role, weights last. */
  readonly files: readonly PulledFile[]
  /** Is what the repository says; null where nobody says it. */
  readonly licence: string | null
  /** Says in a line what the licence asks for. */
  readonly use: string
  /** Says in sentences what the hub tells otherwise than when it was asked before. */
  readonly changes: readonly string[]
}

/** Throws `HubError`, RangeError for an unknown option, or the signal's reason. What has come stays, and the next call goes on from there. */
export async function pullModel(model: string, options: PullOptions = {}): Promise<PulledModel> {
  checkOptionNames(options, PULL_OPTIONS)
  const name = parseModelName(model)
  const { subfolder, onWarning: _onWarning, ...others } = options
  checkSubfolder(subfolder, name?.kind === 'repository')
  switch (name?.kind) {
    case 'repository':
      return await pullRepository(name, options)
    case 'published':
      return await pullPublished(name.name, others)
    case 'file':
      return await pullFile(model, name, others)
    case 'elsewhere':
      throw new HubError('no-address', name.advice)
    case 'packaged':
      throw new HubError('no-address', `${model} lies in this package: there is nothing to pull.`)
    default:
      if (existsSync(model))
        throw new HubError(
          'no-address',
          `${model} is a file or folder here: there is nothing to pull. Give it as the model.`,
        )
      throw (
        refusedByNameOrNull(model) ??
        unknownModel(
          model,
          knownModels(),
          '`plumage models` lists all. A repository of Hugging Face is named owner/name.',
        )
      )
  }
}

type OtherPullOptions = Omit<PullOptions, 'subfolder' | 'onWarning'>

async function pullRepository(
  { id, revision, architecture }: Extract<ModelName, { readonly kind: 'repository' }>,
  { into, subfolder, onWarning = warn, ...options }: PullOptions,
): Promise<PulledModel> {
  const repository: RepositoryRevision = { id, revision, subfolder }
  const isAsked = !(options.offline || isOffline(options.env ?? process.env))
  const known = isAsked ? null : await lastListing(repository, options)
  const { listing, before } =
    known === null ? await listRepository(repository, options) : { listing: known, before: null }
  const wanted = modelFiles(repository, listing)
  const files =
    into === undefined
      ? await fetchFiles(repository, listing, wanted, { ...options, onWarning })
      : await fetchInto(resolve(into), repository, listing, wanted, { ...options, onWarning })
  const names = new Set(wanted.map(({ name }) => name))
  const ownName = revision === 'main' ? id : `${id}@${revision}`
  return {
    // Under the repository's own name another architecture would be built of the same files.
    name: architecture === undefined ? ownName : `timm/${architecture}`,
    commit: listing.commit,
    files,
    licence: listing.licence,
    use: useOf(listing, files),
    changes: before === null ? [] : changesBetween(before, listing, names),
  }
}

function useOf({ licence }: RepositoryListing, files: readonly PulledFile[]): string {
  const text = files.find(({ role }) => role === 'licence')
  const use = licence === null ? 'the repository names no licence: ask its owners' : obligationsOf(licence)
  return text === undefined ? use : `${use} (${text.name})`
}

/** Birder looks in a folder that is written to only where somebody named it. */
async function pullPublished(name: string, { into, ...options }: OtherPullOptions): Promise<PulledModel> {
  const env = options.env ?? process.env
  const named = env.MODELS_DIR ? birderModels(env, process.cwd()) : null
  const folder = into === undefined ? named : resolve(into)
  const place = folder === null ? {} : { destination: join(folder, `${name}.pt`) }
  const { path, downloaded } = await resolveWeights(name, { ...options, ...place })
  const { url } = findPretrained(name)
  const home = url?.replace(/\/resolve\/.*$/, '')
  return {
    name,
    commit: null,
    files: [await pulledAt(path, downloaded, 'weights')],
    licence: null,
    use: home === undefined ? 'Birder names no licence for them here' : `see ${home}`,
    changes: [],
  }
}

/** torch.hub finds a file by its name alone in its folder. */
async function pullFile(
  name: string,
  { head, ...model }: TorchHubModel,
  { into, ...options }: OtherPullOptions,
): Promise<PulledModel> {
  const env = options.env ?? process.env
  const torch = torchCheckpoints(env)
  const files: PulledFile[] = []
  // Weights come last, as in every set.
  for (const [{ url, fileName }, role] of [
    ...(head === undefined ? [] : [[head, 'head'] as const]),
    [model, 'weights'] as const,
  ]) {
    const isKnown = into === undefined && existsSync(join(torch, fileName))
    const folder =
      into !== undefined
        ? resolve(into)
        : isKnown || (await canWrite(torch))
          ? torch
          : join(cacheFolder(env), 'models')
    const { path, downloaded } = await downloadFile(url, join(folder, fileName), options)
    files.push(await pulledAt(path, downloaded, role))
  }
  const { licence, use } = factsOf(name)
  return { name, commit: null, files, licence, use: use ?? 'nobody names a licence here', changes: [] }
}

async function pulledAt(path: string, downloaded: boolean, role: FileRole): Promise<PulledFile> {
  return { name: basename(path), role, path, size: (await stat(path)).size, downloaded }
}

async function canWrite(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
