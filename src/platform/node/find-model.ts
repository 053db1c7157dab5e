/**
 * Finds what `--model` and `loadEncoder` are given, which is a name (the package's own model, Birder's, Meta's, Hugging Face's or timm's) or a path;
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
import { isModelName } from '../../hub/is-model-name.js'
import { knownModels } from '../../hub/known-models.js'
import { type ModelName, parseModelName, USUAL_NAMES } from '../../hub/parse-model-name.js'
import { unknownModel } from '../../hub/unknown-model.js'
import { checkpointOfFolderOrNull } from './checkpoint-of-folder.js'
import { warn } from './choose-engine.js'
import { cacheFolder } from './hub/hub-settings.js'
import { torchCachePath } from './hub/python-caches.js'
import { packageFile } from './package-files.js'

/** Says how a model is looked for. */
export type FindModelOptions = Pick<
  LoadOptions,
  'subfolder' | 'offline' | 'onProgress' | 'onWarning' | 'signal'
>

const FIND_MODEL_OPTIONS = {
  subfolder: true,
  offline: true,
  onProgress: true,
  onWarning: true,
  signal: true,
} satisfies OptionNames<FindModelOptions>

/** Picks what concerns the search from all that concerns a load. */
export function findOptionsOf(options: FindModelOptions): FindModelOptions {
  const { subfolder, offline, onProgress, onWarning, signal } = options
  return given({ subfolder, offline, onProgress, onWarning, signal })
}

/** Says where a model lies. */
export interface FoundModel {
  /** Leads to its checkpoint. */
  readonly path: string
  /** Names Birder's network, where the model was found by name. */
  readonly network: string | undefined
  /** Is timm's name of what is built of the weights, where the name that was asked for says another than the files that it shares. */
  readonly architecture?: string | undefined
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
  const name = parseModelName(model)
  const { subfolder } = options
  if (name?.kind !== 'packaged' && existsSync(model)) {
    const path = subfolder === undefined ? model : await folderWithin(model, subfolder)
    return { path: await pathOf(path), network: undefined }
  }
  checkSubfolder(subfolder, name?.kind === 'repository')
  if (name !== null) return await findNamed(name, options)
  if (!isModelName(model)) return { path: model, network: undefined }
  throw unknownModel(
    model,
    knownModels(),
    '`plumage models` lists all. For a file or a folder of your own, give its path.',
  )
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
      const path = await resolveRepository({ ...name, subfolder }, { ...options, onWarning })
      return { path, network: undefined, architecture: name.architecture }
    }
    case 'elsewhere':
      throw new HubError('no-address', name.advice)
    case 'file': {
      const known = torchCachePath(name.fileName, process.env)
      if (existsSync(known)) return { path: known, network: undefined }
      const target = join(cacheFolder(), 'models', name.fileName)
      const { downloadFile } = await import('./hub/download-file.js')
      const { path } = await downloadFile(name.url, target, options)
      return { path, network: undefined }
    }
  }
}
