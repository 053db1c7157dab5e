/** Holds the one call that most programs need: it takes a model's name or path and gives an encoder. */
import { availableParallelism } from 'node:os'
import { given } from '../../encoder/choose-recipe.js'
import { checkLoadOptions, engineOptionsOf, type LoadOptions } from '../../encoder/load-options.js'
import { StagedEncoder } from '../../encoder/staged-encoder.js'
import type { Decode, Encoder } from '../../encoder/types.js'
import { VitStages } from '../../encoder/vit-stages.js'
import { DEFAULT_MODEL } from '../../hub/default-model.js'
import { chooseEngine, warn } from './choose-engine.js'
import { decodeImage } from './decode-image.js'
import { NODE } from './engine-choices.js'
import { fastestDigest } from './fastest-digest.js'
import { findModel, findOptionsOf } from './find-model.js'
import type { ImageSource } from './image-source.js'
import { hintsOf, openVit } from './open-vit.js'
import { packedWeightsOf } from './packed/packed-files.js'
import { assertDecodes, loadDecoder, preparingWith } from './prepare-source.js'
import { watchesFiles } from './watched-file.js'

/** Node has so many threads for what blocks, decoding among it; more cores than threads are of no use, nor the other way round. */
const DECODERS = Math.min(Number(process.env.UV_THREADPOOL_SIZE ?? 4) || 4, availableParallelism())

/**
 * Opens a checkpoint, packs its weights and makes an encoder of it, which owns the engine that was chosen. `await using encoder = await
 * loadEncoder(…)` gives threads and memory back and waits for it; `using` only starts to.
 *
 * @param model `small` (the default, which ships with the package), a name of Birder's published weights, or a path
 * @throws `HubError` where the weights cannot be had, `CheckpointError` where the file cannot be used, `EngineError` where nothing can run it
 *   (`HubErrorCode`, `CheckpointErrorCode` and `EngineErrorCode` say of each code what to do); RangeError for options that make no sense; the
 *   signal's reason
 */
export async function loadEncoder(
  model: string = DEFAULT_MODEL.name,
  options: LoadOptions = {},
): Promise<Encoder<ImageSource>> {
  if (typeof model !== 'string' || model === '') {
    throw new TypeError(
      `A model is named by a text (${DEFAULT_MODEL.name}, a name of published weights, or a path), got ${String(model)}. ` +
        'Options come second.',
    )
  }
  checkLoadOptions(options, NODE)
  await assertDecodes(options)
  const { engine, resample } = await chooseEngine(engineOptionsOf(options))
  const { offline, onWarning = warn } = options
  const open = async () => {
    const opened = await openVit(await findModel(model, findOptionsOf(options)), hintsOf(options))
    for (const assumption of opened.vit.assumptions) onWarning(assumption)
    if (opened.vit.labels.problem !== null) onWarning(opened.vit.labels.problem)
    return { ...opened, packed: packedWeightsOf(opened.origin, onWarning) }
  }
  const { maxFileBytes, allowPrivateAddresses, fetchTimeoutMs } = options
  const reading = given({ offline, maxFileBytes, allowPrivateAddresses, fetchTimeoutMs })
  const decode: Decode<ImageSource> = (source, how) => decodeImage(source, { ...reading, ...how })
  const prepare = preparingWith(resample, reading)
  const digest = { digestWords: fastestDigest() }
  const parts = { engine, resample, ...digest, owned: engine, decode, prepare, decoders: DECODERS }
  const stages = VitStages.load({ ...parts, model: open() }, options)
  // That takes as long as a small model does, which waits for threads and disks.
  loadDecoder()
  return watchesFiles(new StagedEncoder(await stages))
}
