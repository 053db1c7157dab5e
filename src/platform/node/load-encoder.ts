/** Holds the one call that most programs need: it takes a model's name or path and gives an encoder. */
import { checkLoadOptions, type LoadOptions } from '../../encoder/load-options.js'
import { StagedEncoder } from '../../encoder/staged-encoder.js'
import type { Encoder } from '../../encoder/types.js'
import { VitStages } from '../../encoder/vit-stages.js'
import { chooseEngine } from './choose-engine.js'
import { decodeImage, type ImageSource } from './decode-image.js'
import { NODE } from './engine-choices.js'
import { fastestDigest } from './fastest-digest.js'
import { findModel } from './find-model.js'
import { hintsOf, openVit } from './open-vit.js'

/**
 * Opens a checkpoint, packs its weights and makes an encoder of it, which owns the engine that was chosen. `await using encoder = await loadEncoder(…)`
 * gives threads and memory back and waits for it; `using` only starts to.
 *
 * @param model `mini` (ships with the package), a name of Birder's published weights, or a path
 * @throws `HubError`, `CheckpointError`, `EngineError`; RangeError for options that make no sense
 */
export async function loadEncoder(model: string, options: LoadOptions = {}): Promise<Encoder<ImageSource>> {
  if (typeof model !== 'string' || model === '') {
    throw new TypeError(
      `A model is named by a text (mini, a name of published weights, or a path), got ${String(model)}.`,
    )
  }
  checkLoadOptions(options, NODE)
  const { engine, resample } = await chooseEngine(options)
  const open = async () => await openVit(await findModel(model, options), hintsOf(options))
  const parts = { engine, resample, digestWords: fastestDigest(), owned: engine, decode: decodeImage }
  return new StagedEncoder(await VitStages.load({ ...parts, model: open() }, options))
}
