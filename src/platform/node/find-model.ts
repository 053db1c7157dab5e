/** Finds what `--model` and `loadEncoder` are given, which is `mini`, a known weights name, or a path; all end as a path. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkOptionNames, type OptionNames } from '../../encoder/check-options.js'
import type { LoadOptions } from '../../encoder/load-options.js'
import { findPublishedModel } from '../../hub/find-published-model.js'
import { isModelName } from '../../hub/is-model-name.js'
import { resolveWeights } from './hub/resolve-weights.js'
import { packageRoot } from './package-root.js'

export type FindModelOptions = Pick<LoadOptions, 'offline' | 'onProgress' | 'signal'>

const FIND_MODEL_OPTIONS = {
  offline: true,
  onProgress: true,
  signal: true,
} satisfies OptionNames<FindModelOptions>

export interface FoundModel {
  readonly path: string
  /** Names Birder's network, where the model was found by name. */
  readonly network: string | undefined
}

const MINI = 'models/mini/deit3_reg4_t14_tiny-imagenet.safetensors'

/**
 * A name is taken for a path where it has a separator or an ending, or where such a file exists; otherwise it is looked up among the
 * pretrained weights, and fetched if it lies in neither models folder. Throws `HubError`, and
 * `CheckpointError` `unsupported-network` for weights of a network that cannot be run.
 */
export async function findModel(model: string, options: FindModelOptions = {}): Promise<FoundModel> {
  checkOptionNames(options, FIND_MODEL_OPTIONS)
  if (model === 'mini') return { path: join(packageRoot, MINI), network: undefined }
  if (!isModelName(model) || existsSync(model)) return { path: model, network: undefined }
  const { network } = findPublishedModel(model)
  const { path } = await resolveWeights(model, options)
  return { path, network }
}
