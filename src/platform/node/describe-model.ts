/** Describes a model by its name or path. */
import { stat } from 'node:fs/promises'
import { given } from '../../encoder/choose-recipe.js'
import { describeOpenModel, type ModelDescription } from '../../encoder/describe-model.js'
import { digestOf, type OnReading } from '../../encoder/digest-of.js'
import { measureRate } from '../../encoder/estimate-run.js'
import { checkLoadOptions, engineOptionsOf, type LoadOptions } from '../../encoder/load-options.js'
import { findPacked, planOf } from '../../encoder/network.js'
import { chooseEngine, warn } from './choose-engine.js'
import { NODE } from './engine-choices.js'
import { fastestDigest } from './fastest-digest.js'
import { findModel, findOptionsOf } from './find-model.js'
import { hintsOf, openVit } from './open-vit.js'
import { packedWeightsOf } from './packed/packed-files.js'
import { shownName } from './storage/named-place.js'

/** Describes a model, and says where it lies. */
export interface FileDescription extends ModelDescription {
  /** Is what was asked for. */
  readonly source: string
  /** Leads to the checkpoint. */
  readonly path: string
  /** Counts the bytes of that file. */
  readonly fileBytes: number
  /** Leads to the packed weights that a load would run on, if their bytes are whole; null where there are none. */
  readonly packed: string | null
  /**
   * Estimates the seconds of one image of that size on this machine, by the rate at which one made block of it ran just now. It is null unless a size was told.
   */
  readonly seconds: number | null
}

/**
 * Says what a model is and what running it takes, from its headers, and its identity, for which the weights are read where their digest is not noted
 * yet. The engine is asked for what it is, and given back.
 *
 * @param source `small`, a name of Birder's published weights, or a path
 * @param onReading is told how far the weights have been read, where they are
 * @throws what `loadEncoder` would throw, but for damage that only shows when the weights are used
 */
export async function describeModel(
  source: string,
  options: LoadOptions = {},
  onReading?: OnReading,
): Promise<FileDescription> {
  checkLoadOptions(options, NODE)
  await using open = await openVit(await findModel(source, findOptionsOf(options)), hintsOf(options))
  const { engine, reason } = await chooseEngine(engineOptionsOf(options))
  await using chosen = engine
  const { path, origin } = open
  const { size: fileBytes } = await stat(path)
  const { vit, note } = open
  const weights = await digestOf(vit, { note, digestWords: fastestDigest(), ...given({ onReading }) })
  const description = describeOpenModel(open, { engine: chosen, reason }, weights, options)
  const packedWeights = packedWeightsOf(origin, options.onWarning ?? warn)
  await using packed = await findPacked(
    vit,
    chosen,
    planOf(vit.config, await vit.readTables()).plan,
    packedWeights,
  )
  const { size, shortest, longest, scale, signal } = options
  const isSized = [size, shortest, longest, scale].some((told) => told !== undefined)
  const { grid, flop } = description.input
  const seconds = isSized ? flop / (await measureRate(chosen, vit.config, grid, signal)) : null
  return { source: shownName(source), path, fileBytes, packed: packed?.path ?? null, seconds, ...description }
}
