/**
 * `plumage/birder`: Birder's own Python surface in TypeScript, line by line, with the names in camel case.
 *
 *     const [net, modelInfo] = await birder.loadPretrainedModel('vit_reg4_l14_nps_ls_dino-v2-lvd142m', { inference: true })
 */

import type { ClassificationTransform } from '../../birder/classification-transform.js'
import { type InferOptions, type InferResult, inferImage as inferDecoded } from '../../birder/infer-image.js'
import { BirderNet } from '../../birder/net.js'
import { type Signature, signatureOf } from '../../birder/signature.js'
import type { PlainValue } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { Network } from '../../encoder/network.js'
import type { Engine } from '../../engine/engine.js'
import type { DownloadProgress } from '../../hub/download-progress.js'
import { findPretrained } from '../../hub/find-pretrained.js'
import type { DecodedImage, RgbImage } from '../../image/image.js'
import { findNetwork } from '../../model/networks.js'
import type { RgbStats } from '../../model/vit-config.js'
import { chooseEngine, type EngineOptions } from './choose-engine.js'
import { decodeImage } from './decode-image.js'
import { resolveWeights } from './hub/resolve-weights.js'
import { openVit } from './open-vit.js'

export * from '../../birder/index.js'

/** What Birder knows of a model beside its weights. */
export interface ModelInfo {
  /** Class name to index; empty for an encoder without a classifier. */
  readonly classToIdx: { readonly [name: string]: number }
  readonly signature: Signature
  readonly rgbStats: RgbStats
  /** The config stored in the file, where there is one. */
  readonly customConfig: { readonly [key: string]: PlainValue } | null
}

export interface LoadPretrainedOptions extends EngineOptions {
  /** Only inference exists here: `false` is refused. */
  readonly inference?: boolean
  /** Use or download this file instead of the models folders. */
  readonly dst?: string
  /** Config entries that override the stored ones, such as `{ out_indices: [5, 11, 17, 23] }`. */
  readonly customConfig?: { readonly [key: string]: PlainValue }
  /** Takes this input size, as Birder's `adjust_size` after loading does. */
  readonly newSize?: readonly [height: number, width: number]
  readonly offline?: boolean
  readonly onProgress?: (progress: DownloadProgress) => void
  readonly signal?: AbortSignal
}

/**
 * Loads published weights by name: from `./models` (Birder's own folder), from the user's cache, or from their address.
 * Throws `HubError`, `CheckpointError`, `EngineError`.
 */
export async function loadPretrainedModel(
  weights: string,
  options: LoadPretrainedOptions = {},
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  refuseTraining(options)
  const { network } = findPretrained(weights).net
  findNetwork(network)
  const { dst, offline, onProgress, signal } = options
  const { path } = await resolveWeights(weights, {
    destination: dst,
    ...(offline === undefined ? {} : { offline }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  })
  return loadModel(path, { ...options, network })
}

/** Loads one of Birder's files by its path. `network` is needed where neither file name nor stored config tell it. */
export async function loadModel(
  path: string,
  options: Omit<LoadPretrainedOptions, 'dst' | 'offline' | 'onProgress'> & { readonly network?: string } = {},
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  refuseTraining(options)
  const { engine } = await chooseEngine(options)
  try {
    return await loadOn(engine, path, options)
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

/** The network owns the engine from here on. */
async function loadOn(
  engine: Engine,
  path: string,
  options: Omit<LoadPretrainedOptions, 'dst' | 'offline' | 'onProgress'> & { readonly network?: string },
): Promise<readonly [net: BirderNet, modelInfo: ModelInfo]> {
  const { network, customConfig, newSize, signal } = options
  await using open = await openVit(path, {
    ...(network === undefined ? {} : { network }),
    ...(customConfig === undefined ? {} : { config: customConfig }),
    ...(signal === undefined ? {} : { signal }),
  })
  const { metadata, label } = open.checkpoint
  if (open.vit.dialect !== 'birder') {
    throw new CheckpointError(
      'unknown-dialect',
      `${label} is a ${open.vit.dialect} checkpoint, not one of Birder's. Open it with loadEncoder.`,
    )
  }
  const signature = signatureOf(metadata, label)
  const loaded = await Network.load(open.vit, engine, signal === undefined ? {} : { signal })
  const net = new BirderNet(loaded, engine)
  if (newSize !== undefined) net.adjustSize(newSize)
  const info: ModelInfo = {
    classToIdx: recordOf(metadata.class_to_idx) as { [name: string]: number },
    signature,
    rgbStats: open.vit.config.rgbStats,
    customConfig: metadata.config === undefined ? null : recordOf(metadata.config),
  }
  return [net, info]
}

/** Opens a photo as Birder does: as it lies, without turning it by its EXIF orientation, in RGB. */
export async function openImage(
  source: string | Uint8Array,
  options: { signal?: AbortSignal } = {},
): Promise<DecodedImage> {
  return decodeImage(source, { orientation: 'ignore', ...options })
}

/**
 * One image through transform and network: `[out, embedding]`. `out` holds probabilities (or scores, with `returnLogits`); for an
 * encoder without a classifier they are the softmax of the embedding and mean nothing.
 */
export async function inferImage(
  net: BirderNet,
  image: string | Uint8Array | RgbImage,
  transform: ClassificationTransform,
  options: InferOptions = {},
): Promise<InferResult> {
  const decoded =
    typeof image === 'string' || image instanceof Uint8Array
      ? await openImage(image, options.signal === undefined ? {} : { signal: options.signal })
      : image
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
