/**
 * `plumage/birder` follows Birder's own Python surface in TypeScript, line by line, with the names in camel case.
 *
 *     const [net, modelInfo] = await birder.loadPretrainedModel('vit_reg4_l14_nps_ls_dino-v2-lvd142m', { inference: true })
 */

import type { ClassificationTransform } from '../../birder/classification-transform.js'
import {
  INFER_OPTIONS,
  type InferOptions,
  type InferOptionsWithEmbedding,
  type InferResult,
  type InferResultWithEmbedding,
  inferImage as inferDecoded,
} from '../../birder/infer-image.js'
import { BirderNet, type HeadOnNet } from '../../birder/net.js'
import { type Signature, signatureOf } from '../../birder/signature.js'
import { checkOptionNames, type OptionNames } from '../../check-option-names.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { given } from '../../encoder/choose-recipe.js'
import {
  ENGINE_OPTIONS,
  type EngineOptions,
  engineOptionsOf,
  type LoadOptions,
} from '../../encoder/load-options.js'
import { Network } from '../../encoder/network.js'
import { assertHeadFits, type TrainedHead } from '../../encoder/trained-head.js'
import { WeightDigest } from '../../encoder/weight-digest.js'
import type { Engine } from '../../engine/engine.js'
import { findPretrained } from '../../hub/find-pretrained.js'
import type { DecodedImage } from '../../image/image.js'
import { findNetwork } from '../../model/networks.js'
import type { RgbStats } from '../../model/vit-config.js'
import type { PlainValue } from '../../plain-value.js'
import { chooseEngine, warn } from './choose-engine.js'
import { type DecodeOptions, decodeImage } from './decode-image.js'
import { fastestDigest } from './fastest-digest.js'
import { resolveWeights } from './hub/resolve-weights.js'
import type { ImageSource } from './image-source.js'
import { type OpenVit, openVit } from './open-vit.js'
import { packedWeightsOf } from './packed/packed-files.js'

export * from '../../birder/index.js'
export type * from '../../web-names.js'
export type { DecodeOptions } from './decode-image.js'
export type { ImageSource } from './image-source.js'
export type * from './web-names.js'

/** Holds what Birder knows of a model beside its weights. */
export interface ModelInfo {
  /** Leads from a class's name to its index; it is empty for an encoder without a classifier. */
  readonly classToIdx: { readonly [name: string]: number }
  /** Says what goes in and what comes out. */
  readonly signature: Signature
  /** Gives mean and deviation of the levels that the network was trained with. */
  readonly rgbStats: RgbStats
  /** Is the config that is stored in the file; null where there is none. */
  readonly customConfig: { readonly [key: string]: PlainValue } | null
}

/** Says how one of Birder's files is loaded. */
export interface LoadModelOptions extends EngineOptions, Pick<LoadOptions, 'network' | 'signal'> {
  /** May only be `true`, the default: nothing is trained here. */
  readonly inference?: boolean
  /** Overrides entries of the stored config, as `{ out_indices: [5, 11, 17, 23] }` does; default: none. */
  readonly customConfig?: { readonly [key: string]: PlainValue }
  /** Takes this input size in pixels, as Birder's `adjust_size` after loading does; default: the trained one. */
  readonly newSize?: readonly [height: number, width: number]
  /**
   * Puts a head that `plumage label --train` has written (`readHead`) in the place of the network's own classifier: `inferImage` then gives the probabilities of its
   * classes. Default: none.
   */
  readonly head?: TrainedHead
}

/** Says how published weights are found and loaded. */
export interface LoadPretrainedOptions
  extends Omit<LoadModelOptions, 'network'>,
    Pick<LoadOptions, 'offline' | 'onProgress'> {
  /** Uses or downloads this file; default: `./models`, then the cache folder. */
  readonly dst?: string
}

const LOAD_PRETRAINED_OPTIONS = {
  ...ENGINE_OPTIONS,
  inference: true,
  customConfig: true,
  newSize: true,
  head: true,
  signal: true,
  dst: true,
  offline: true,
  onProgress: true,
} satisfies OptionNames<LoadPretrainedOptions>

const LOAD_MODEL_OPTIONS = {
  ...ENGINE_OPTIONS,
  network: true,
  inference: true,
  customConfig: true,
  newSize: true,
  head: true,
  signal: true,
} satisfies OptionNames<LoadModelOptions>

/**
 * Loads published weights by name: from `./models` (Birder's own folder), from the user's cache, or from their address.
 * The network owns its engine: `await using net = …` gives threads and memory back and waits for it, `using` only starts to.
 * Throws `HubError` where the weights cannot be had; otherwise as `loadModel`.
 */
export async function loadPretrainedModel(
  weights: string,
  options: LoadPretrainedOptions = {},
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  checkOptionNames(options, LOAD_PRETRAINED_OPTIONS)
  refuseTraining(options)
  const { network } = findPretrained(weights).net
  findNetwork(network)
  const { dst, offline, onProgress, ...loading } = options
  const fetching = given({ offline, onProgress, signal: loading.signal })
  const { path } = await resolveWeights(weights, { destination: dst, ...fetching })
  return loadModel(path, { ...loading, network })
}

/**
 * Loads one of Birder's files by its path. `network` is needed where neither file name nor stored config tell it. Throws `CheckpointError`
 * where the file cannot be used, or `head` is of another network (`other-identity`); `EngineError` `unavailable`, `unsupported`, `out-of-memory`, or `wrong-size` for a `newSize`; RangeError for options
 * that make no sense; the signal's reason.
 */
export async function loadModel(
  path: string,
  options: LoadModelOptions = {},
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  checkOptionNames(options, LOAD_MODEL_OPTIONS)
  refuseTraining(options)
  const { engine } = await chooseEngine(engineOptionsOf(options))
  try {
    return await loadOn(engine, path, options)
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

async function loadOn(
  engine: Engine,
  path: string,
  { network: name, customConfig: config, newSize, head, signal, onWarning = warn }: LoadModelOptions,
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  await using open = await openVit(path, given({ network: name, config, signal }))
  const { metadata, label } = open.checkpoint
  if (open.vit.dialect !== 'birder') {
    throw new CheckpointError(
      'unknown-dialect',
      `${label} is a ${open.vit.dialect} checkpoint, not one of Birder's. Open it with loadEncoder.`,
    )
  }
  const signature = signatureOf(metadata, label)
  // Whether a head belongs to these weights is told by their digest, which nobody else here needs.
  const digest =
    head === undefined ? undefined : new WeightDigest(fastestDigest(), await open.note.read(open.vit.config))
  const network = await Network.load(open.vit, engine, {
    packed: packedWeightsOf(open.origin, onWarning),
    ...given({ signal, digest }),
  })
  const net = new BirderNet(network, engine, await headedBy(head, digest, open, network))
  const info: ModelInfo = {
    classToIdx:
      head === undefined
        ? (recordOf(metadata.class_to_idx) as { [name: string]: number })
        : Object.fromEntries(head.classes.map((label, index) => [label, index])),
    signature,
    rgbStats: open.vit.config.rgbStats,
    customConfig: metadata.config === undefined ? null : recordOf(metadata.config),
  }
  try {
    if (newSize !== undefined) net.adjustSize(newSize)
  } catch (error) {
    await net[Symbol.asyncDispose]()
    throw error
  }
  return [net, info]
}

/** Throws `CheckpointError` `other-identity` for a head of other weights, and gives the network's memory back. */
async function headedBy(
  head: TrainedHead | undefined,
  digest: WeightDigest | undefined,
  { vit, note }: Pick<OpenVit, 'vit' | 'note'>,
  network: Network,
): Promise<HeadOnNet | undefined> {
  if (head === undefined || digest === undefined) return undefined
  try {
    const weights = await digest.finish(vit, note)
    // What else must agree is known when there is a transform.
    if (weights !== head.identity.weights)
      assertHeadFits(head, { digest: '', weights, settings: head.identity.settings })
    return { head, weights, ignoredFields: vit.ignoredFields }
  } catch (error) {
    network[Symbol.dispose]()
    throw error
  }
}

/** Opens a photo as Birder does: as it lies, without turning it by its EXIF orientation, in RGB. Throws as `decodeImage`. */
export async function openImage(
  source: ImageSource,
  options: Omit<DecodeOptions, 'orientation'> = {},
): Promise<DecodedImage> {
  return decodeImage(source, { orientation: 'ignore', ...options })
}

/**
 * Takes one image through transform and network and gives `[out, embedding]`. `out` holds probabilities (or scores, with `returnLogits`); for an
 * encoder without a classifier they are the softmax of the embedding and mean nothing. Throws `ImageError`; otherwise as
 * `inferBatch`.
 */
export async function inferImage(
  net: BirderNet,
  image: ImageSource,
  transform: ClassificationTransform,
  options: InferOptionsWithEmbedding,
): Promise<InferResultWithEmbedding>
export async function inferImage(
  net: BirderNet,
  image: ImageSource,
  transform: ClassificationTransform,
  options?: InferOptions,
): Promise<InferResult>
export async function inferImage(
  net: BirderNet,
  image: ImageSource,
  transform: ClassificationTransform,
  options: InferOptions = {},
): Promise<InferResult> {
  checkOptionNames(options, INFER_OPTIONS)
  const { signal } = options
  const decoded = await openImage(image, given({ signal }))
  return inferDecoded(net, decoded, transform, options)
}

function refuseTraining({ inference = true }: { readonly inference?: boolean }): void {
  if (!inference) throw new RangeError('Networks here are for inference only: leave out `inference: false`.')
}

function recordOf(value: PlainValue | undefined): { readonly [key: string]: PlainValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { [key: string]: PlainValue })
    : {}
}
