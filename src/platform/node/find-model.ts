/**
 * Finds what `--model` and `loadEncoder` are given, which is a name (the package's own model, Birder's, Meta's, Hugging Face's or timm's), a path or an address;
 * all end as a path.
 */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { given } from '../../encoder/choose-recipe.js'
import type { LoadOptions } from '../../encoder/load-options.js'
import { checkSubfolder } from '../../hub/check-subfolder.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { findPublishedModel } from '../../hub/find-published-model.js'
import { HubError } from '../../hub/hub-error.js'
import { endsAsFile, isModelName } from '../../hub/is-model-name.js'
import { knownModels } from '../../hub/known-models.js'
import { type ModelName, parseModelName, USUAL_NAMES } from '../../hub/parse-model-name.js'
import type { TorchHubFile } from '../../hub/torch-hub.js'
import { unknownModel } from '../../hub/unknown-model.js'
import { isAddress } from '../../is-address.js'
import { refusedByNameOrNull } from '../../model/dialects/other-families.js'
import { checkpointOfFolderOrNull } from './checkpoint-of-folder.js'
import { warn } from './choose-engine.js'
import { cacheFolder } from './hub/hub-settings.js'
import { torchCachePath } from './hub/python-caches.js'
import { packageFile } from './package-files.js'
import { namedPlace, pathOfFile, shownName } from './storage/named-place.js'
import { isFileOfThatName, OBJECT } from './storage/object-path.js'

/** Says how a model is looked for. */
export type FindModelOptions = Pick<
  LoadOptions,
  'subfolder' | 'head' | 'offline' | 'onProgress' | 'onWarning' | 'signal'
>

const FIND_MODEL_OPTIONS = {
  subfolder: true,
  head: true,
  offline: true,
  onProgress: true,
  onWarning: true,
  signal: true,
} satisfies OptionNames<FindModelOptions>

/** Picks what concerns the search from all that concerns a load. */
export function findOptionsOf(options: FindModelOptions): FindModelOptions {
  const { subfolder, head, offline, onProgress, onWarning, signal } = options
  return given({ subfolder, head, offline, onProgress, onWarning, signal })
}

/** Says where a model lies. */
export interface FoundModel {
  /** Leads to its checkpoint. */
  readonly path: string
  /** Names Birder's network, where the model was found by name. */
  readonly network: string | undefined
  /** Is timm's name of what is built of the weights, where the name that was asked for says another than the files that it shares. */
  readonly architecture?: string | undefined
  /** Leads to the file of the head that was asked for, or that the name means. */
  readonly head?: string | undefined
}

/**
 * Finds a model's checkpoint. What exists on the disk is a path, whatever it is called; of a folder its checkpoint is taken. Otherwise the text is
 * looked up among the names, and what is not here yet is fetched. Throws `HubError`, which is `unknown-model` for a name that is none, and `no-address`
 * for one of another library that says no file;
 * `CheckpointError` `unsupported-network` for weights of a network that cannot be run, `not-found` for a folder without a checkpoint; the signal's
 * reason.
 */
export async function findModel(model: string, options: FindModelOptions = {}): Promise<FoundModel> {
  checkOptionNames(options, FIND_MODEL_OPTIONS)
  const { head, ...rest } = options
  const found = await findCheckpoint(model, rest)
  if (head === undefined) return found
  if (found.head !== undefined) {
    throw new CheckpointError(
      'contradiction',
      `${model} is a name of a network with its head, and ${head} was given as another (head, --head): leave one of them out.`,
    )
  }
  return { ...found, head: (await atAddressOrNull(head, options)) ?? head }
}

/** Gives the path of what lies in a bucket or on a web server once it is in the cache; null for what is no address of these. */
async function atAddressOrNull(text: string, options: FindModelOptions): Promise<string | null> {
  if (!isAddress(text) || isFileOfThatName(text)) return null
  const { onWarning = warn, offline, onProgress, signal } = options
  const place = namedPlace(text)
  if (place.kind === 'path') return null
  const { resolveAddress } = await import('./address/resolve-address.js')
  return await resolveAddress(text, { ...given({ offline, onProgress, signal }), onWarning })
}

async function findCheckpoint(text: string, options: FindModelOptions): Promise<FoundModel> {
  const model = /^file:/i.test(text) && !isFileOfThatName(text) ? pathOfFile(text) : text
  const name = parseModelName(model)
  const { subfolder } = options
  if (name?.kind !== 'packaged' && existsSync(model)) {
    const path = subfolder === undefined ? model : await folderWithin(model, subfolder)
    return { path: await pathOf(path), network: undefined }
  }
  if (name === null && isAddress(model)) {
    checkSubfolder(subfolder, !endsAsFile(shownName(model)))
    const path = await atAddressOrNull(subfolder === undefined ? model : within(model, subfolder), options)
    if (path !== null) return { path, network: undefined }
  }
  checkSubfolder(subfolder, name?.kind === 'repository')
  if (name !== null) return await findNamed(name, options)
  if (!isModelName(model)) return { path: model, network: undefined }
  throw (
    refusedByNameOrNull(model) ??
    unknownModel(
      model,
      knownModels(),
      '`plumage models` lists all. For a file or a folder of your own, give its path.',
    )
  )
}

/** Names a folder below that of an address. */
function within(address: string, subfolder: string): string {
  const [, folder = address, query = ''] = /^([^?]*)(\?.*)?$/s.exec(address) ?? []
  return `${folder.replace(/\/+$/, '')}/${subfolder}${OBJECT.test(address) ? '' : '/'}${query}`
}

async function folderWithin(folder: string, subfolder: string): Promise<string> {
  checkSubfolder(subfolder, (await stat(folder)).isDirectory())
  const path = join(folder, subfolder)
  if (existsSync(path)) return path
  throw new CheckpointError(
    'not-found',
    `The folder ${folder} has no folder ${subfolder} (option subfolder, --subfolder).`,
  )
}

async function pathOf(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path
  const found = await checkpointOfFolderOrNull(path)
  if (found !== null) return found
  throw new CheckpointError(
    'not-found',
    `The folder ${path} holds no checkpoint: expected ${USUAL_NAMES.join(', ')}, or one file that ends in .safetensors, .pt, .pth or .bin.`,
  )
}

/** What reaches for the network is loaded where it is needed: most models are on the disk. */
async function findNamed(
  name: ModelName,
  { subfolder, onWarning = warn, ...options }: FindModelOptions,
): Promise<FoundModel> {
  switch (name.kind) {
    case 'packaged':
      return {
        path: packageFile(
          `models/${DEFAULT_MODEL.name}/${DEFAULT_MODEL.fileName}`,
          (message) =>
            new CheckpointError('not-found', `The model ${DEFAULT_MODEL.name} cannot be opened. ${message}`),
        ),
        network: undefined,
      }
    case 'published': {
      const { network } = findPublishedModel(name.name)
      const { resolveWeights } = await import('./hub/resolve-weights.js')
      const { path } = await resolveWeights(name.name, options)
      return { path, network }
    }
    case 'repository': {
      const { resolveRepository } = await import('./hub/resolve-repository.js')
      const path = await resolveRepository({ ...name, subfolder }, { ...options, onWarning }).catch(
        (error) => {
          // Whoever brought it from elsewhere would be told no sooner.
          const isOffline = error instanceof HubError && error.code === 'offline'
          throw (isOffline ? refusedByNameOrNull(name.id) : null) ?? error
        },
      )
      return { path, network: undefined, architecture: name.architecture }
    }
    case 'elsewhere':
      throw new HubError('no-address', name.advice)
    case 'file': {
      const { head, ...model } = name
      const path = await torchHubPath(model, options)
      return { path, network: undefined, ...given({ head: head && (await torchHubPath(head, options)) }) }
    }
  }
}

/** Gives the path of a file of torch.hub's, once it is here. */
async function torchHubPath(
  { url, fileName }: TorchHubFile,
  options: Omit<FindModelOptions, 'subfolder' | 'head' | 'onWarning'>,
): Promise<string> {
  const known = torchCachePath(fileName, process.env)
  if (existsSync(known)) return known
  const { downloadFile } = await import('./hub/download-file.js')
  return (await downloadFile(url, join(cacheFolder(), 'models', fileName), options)).path
}
