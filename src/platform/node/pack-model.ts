/** Packs a model's weights into a file that later loads run on as it lies there. */

import { given } from '../../encoder/choose-recipe.js'
import { checkLoadOptions, engineOptionsOf, type LoadOptions } from '../../encoder/load-options.js'
import { Network } from '../../encoder/network.js'
import { WeightDigest } from '../../encoder/weight-digest.js'
import { EngineError } from '../../engine/engine-error.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { chooseEngine, warn } from './choose-engine.js'
import { NODE } from './engine-choices.js'
import { fastestDigest } from './fastest-digest.js'
import { findModel, findOptionsOf } from './find-model.js'
import { hintsOf, openVit } from './open-vit.js'
import { settledStamps, writePacked } from './packed/write-packed.js'

/** Says which file of packed weights was written. */
export interface PackedModel {
  /** Leads to it. */
  readonly path: string
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Names the code path that they are packed for, such as `avx512`. */
  readonly instructionSet: string
  /** Names the precision that they are packed for. */
  readonly precision: string
}

/**
 * Packs the weights of a model for this processor and a precision, and puts them into a file in the cache folder. From then on `loadEncoder` finds it,
 * checks it, and runs on it as it lies there, in memory that all processes share; results are the same to the bit. The file belongs to this state of the
 * checkpoint and to this version of the library: with another it is not used, and a warning says so.
 *
 * @param model as `loadEncoder` takes it
 * @param options those of `loadEncoder` that choose a network, an engine and a precision count
 * @throws what `loadEncoder` throws; `EngineError` `unsupported` for an engine that packs nothing for files, and for `int8` where some layer is kept in
 *   bfloat16; an error with the code `disk-full`,
 *   `not-writable`, `name-too-long` or `locked` where the file cannot be written
 */
export async function packModel(
  model: string = DEFAULT_MODEL.name,
  options: LoadOptions = {},
): Promise<PackedModel> {
  checkLoadOptions(options, NODE)
  const { signal, positions, onWarning = warn } = options
  const { engine } = await chooseEngine(engineOptionsOf(options))
  await using _owned = engine
  if (engine.packing === undefined) {
    throw new EngineError(
      'unsupported',
      `The engine ${engine.name} keeps no packed weights in files; native does: choose that.`,
    )
  }
  const found = await findModel(model, findOptionsOf(options))
  await using open = await openVit(found, hintsOf(options))
  for (const assumption of open.vit.assumptions) onWarning(assumption)
  const before = await settledStamps(open.origin)
  const digest = new WeightDigest(fastestDigest(), await open.note.read(open.vit.config))
  using network = await Network.load(open.vit, engine, { digest, ...given({ positions, signal }) })
  const weights = await digest.finish(open.vit, open.note)
  const packed = await network.packed()
  if (packed === null)
    throw new EngineError(
      'unsupported',
      `${open.name} is not put into a file in ${engine.precision}, which would hold little of some of its weights and what they make of activations: ${engine.precision === 'int8' ? 'these are kept in bfloat16' : 'it is computed in a wider precision'} instead, and that is only known once all are packed. Pack it in float32.`,
    )
  const { config } = open.vit
  const path = await writePacked(open.origin, before, { config, weights, ...packed })
  const { instructionSet, precision, byteLength } = packed.facts
  return { path, byteLength, instructionSet, precision }
}
