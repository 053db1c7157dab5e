/** Describes a model by its name or path. */
import { stat } from 'node:fs/promises'
import { given } from '../../encoder/choose-recipe.js'
import { describeOpenModel, type ModelDescription } from '../../encoder/describe-model.js'
import { checkLoadOptions, engineOptionsOf, type LoadOptions } from '../../encoder/load-options.js'
import { chooseEngine } from './choose-engine.js'
import { NODE } from './engine-choices.js'
import { findModel } from './find-model.js'
import { hintsOf, openVit } from './open-vit.js'

export interface FileDescription extends ModelDescription {
  /** Is what was asked for. */
  readonly source: string
  /** Leads to the checkpoint. */
  readonly path: string
  readonly fileBytes: number
}

/**
 * Says what a model is and what running it takes, from its headers alone. The engine is asked for what it is, and given back.
 *
 * @param source `small`, a name of Birder's published weights, or a path
 * @throws what `loadEncoder` would throw, but for damage that only shows when weights are read
 */
export async function describeModel(source: string, options: LoadOptions = {}): Promise<FileDescription> {
  checkLoadOptions(options, NODE)
  const { offline, onProgress, signal } = options
  const finding = given({ offline, onProgress, signal })
  await using open = await openVit(await findModel(source, finding), hintsOf(options))
  const { engine, reason } = await chooseEngine(engineOptionsOf(options))
  await using chosen = engine
  const { path } = open
  const { size: fileBytes } = await stat(path)
  const description = describeOpenModel(open, { engine: chosen, reason }, options)
  return { source, path, fileBytes, ...description }
}
