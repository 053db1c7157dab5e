/**
 * Describes golden cases: an `index.json` lists inputs, expected tensors and tolerances. Files, decoders and whatever else belongs to a
 * platform are handed in, so that cases run wherever an engine does.
 */
import type { ByteSource, Checkpoint } from '../checkpoint/checkpoint.js'
import { openCheckpoint } from '../checkpoint/open-checkpoint.js'
import type { Engine } from '../engine/engine.js'
import type { DecodedImage } from '../image/image.js'
import type { Resample } from '../kernels/resample-pillow.js'
import type { VitHints } from '../model/dialects/dialect.js'
import type { VitModel } from '../model/read-vit.js'
import { toFloat32 } from '../tensor/tensor.js'
import { GoldenError } from './golden-error.js'

/** Says what a tensor of a case must be. */
export interface GoldenTensor {
  /** Gives its sizes, outermost first. */
  readonly shape: readonly number[]
  /** Tells whether not even the last bit may differ. */
  readonly exact?: boolean
  /** Is the largest allowed absolute difference. */
  readonly atol?: number
  /** Says how far the library's own float32 run is from its float64 run. */
  readonly noise?: number
}

/** Is a file of a case. */
export interface GoldenFile {
  /** Leads to it from the index's folder. */
  readonly path: string
}

/** Is an entry of the index. What a kind of case needs beyond these fields is read by its runner. */
export interface GoldenCase {
  /** Names the case. */
  readonly id: string
  /** Names what runs it. */
  readonly kind: string
  /** Is Birder's name of the network. */
  readonly network?: string
  /** Overrides entries of the network's config. */
  readonly config?: Record<string, never>
  /** Gives what the checkpoint does not tell. */
  readonly network_parameters?: {
    /** Counts the attention heads. */
    readonly heads?: number
    /** Counts the blocks that a linear classifier of the first DINO reads. */
    readonly linear?: number
    /** Says how dino.txt's head pools patches. */
    readonly pooler?: 'mean' | 'max'
    /** Says of which block, counted from the last, it takes patches. */
    readonly layer?: number
    /** Holds what Perception Encoder's image tower was built with. */
    readonly vision?: {
      /** Counts the attention heads. */
      readonly heads?: number
    }
    /** Holds what timm built it with. */
    readonly args?: {
      /** Counts the attention heads. */
      readonly num_heads?: number
    }
  }
  /** Lists the files of the same network in several formats. */
  readonly checkpoints?: readonly (GoldenFile & {
    /** Names the format. */
    readonly format: string
    /** Says what the file is of, where a network has several. */
    readonly role?: string
    /** Says the same of cases of heads. */
    readonly part?: string
  })[]
  /** Says at which size it runs. */
  readonly run?: {
    /** Names the rule by which positions are resampled. */
    readonly position?: string
    /** Names the network of a file that holds several. */
    readonly part?: string
    /** Is a patch's side in pixels, where it is not the network's own. */
    readonly patch_size?: number
    /** Describes a batch of images of several grids, each laid out as a row of patches and padded. */
    readonly naflex?: {
      /** Counts the patches to which each image is padded. */
      readonly length: number
      /** Lists the grids, (rows, columns). */
      readonly shapes: readonly (readonly [number, number])[]
      /** Is a patch's side in pixels, where it is not the network's own. */
      readonly patch_size?: number
    }
    /** Is the input's (height, width) in pixels. */
    readonly size: readonly [number, number]
  }
  /** Holds the input. */
  readonly input?: GoldenFile & {
    /** Names the tensor within the file. */
    readonly tensor: string
  }
  /** Holds the expected tensors, as safetensors. */
  readonly expected?: GoldenFile
  /** Describes the expected tensors by name. */
  readonly tensors?: Readonly<Record<string, GoldenTensor>>
  readonly [key: string]: unknown
}

/** Says how one comparison ended. `error` and `tolerance` are absolute differences, unless the note says otherwise. */
export interface Comparison {
  /** Names the case. */
  readonly id: string
  /** Names the case's kind, such as `vit` or `preprocess`. */
  readonly kind: string
  /** Names what was compared. */
  readonly tensor: string
  /** Is the largest difference that was found; infinite where the case failed with an error. */
  readonly error: number
  /** Is the largest difference that is allowed. */
  readonly tolerance: number
  /** Tells whether `error` is within `tolerance`. */
  readonly passed: boolean
  /** Says what error and tolerance are where they are no absolute differences, or why the case failed. */
  readonly note?: string
}

export type OpenSource = ByteSource & AsyncDisposable

/** A case needs these that reads nothing but checkpoints and tensors. */
export interface CaseContext {
  readonly engine: Engine
  /** Opens a file by its path from the index; throws `CheckpointError` `not-found` where there is none. */
  readonly open: (path: string) => Promise<OpenSource>
  readonly signal?: AbortSignal
  /** Is told which tensors of the case are not compared, and why. */
  readonly onTensorsLeftOut?: (tensors: readonly string[], reason: string) => void
}

/** All kinds of case together need these. Paths are those of the index. */
export interface GoldenContext extends CaseContext {
  /** Opens a checkpoint with the config files that lie beside it, as loading a model does. */
  readonly openModel: (
    path: string,
    hints: VitHints & { readonly signal?: AbortSignal },
  ) => Promise<AsyncDisposable & { readonly vit: VitModel }>
  /** Decodes an image; throws `ImageError` `not-found` where there is none. */
  readonly decode: (
    path: string,
    options?: { readonly orientation?: 'apply' | 'ignore' },
  ) => Promise<DecodedImage>
  /** Lists all that resize here, by name. */
  readonly resamplers: () => readonly (readonly [name: string, resample: Resample])[]
  /** Gives the digest as hex digits. */
  readonly sha256: (bytes: Uint8Array) => string
}

/** Hands out what a case cannot do without; throws `incomplete` with its name where it is missing. */
export function required<T>(value: T | undefined, what: string, { id }: GoldenCase): T {
  if (value !== undefined) return value
  throw new GoldenError(
    'incomplete',
    `The golden case ${id} has no ${what}. Was its folder copied completely, and is its index of this release?`,
  )
}

/** Tells checkpoints from the configs and shards that the index lists too, which are read along with what they belong to. */
function isWhole(path: string): boolean {
  return path.endsWith('.index.json') || (!path.endsWith('.json') && !/-\d+-of-\d+\.safetensors$/.test(path))
}

/** Lists the case's checkpoints, each of which is run. */
export function checkpointPaths(golden: GoldenCase): readonly string[] {
  return required(golden.checkpoints, 'checkpoints', golden)
    .map(({ path }) => path)
    .filter(isWhole)
}

/** Reads all tensors that the case expects. */
export async function readExpected(
  golden: GoldenCase,
  open: CaseContext['open'],
): Promise<Map<string, Float32Array>> {
  return await readTensors(await open(required(golden.expected, 'expected', golden).path))
}

/** Reads named tensors of a safetensors file as float32, and closes it. */
export async function readTensors(
  source: OpenSource,
  names?: readonly string[],
): Promise<Map<string, Float32Array>> {
  await using checkpoint = await openCheckpoint(source)
  const values = new Map<string, Float32Array>()
  for (const name of names ?? checkpoint.tensors.keys()) values.set(name, await readTensor(checkpoint, name))
  return values
}

async function readTensor(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  return toFloat32(await checkpoint.read(name))
}
