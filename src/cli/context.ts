/** Holds all that a command touches of the world, so that its test needs no process. `main.ts` hands in the real one. */
import type { Readable, Writable } from 'node:stream'
import type { Collection } from '../collection/collection.js'
import type { CollectionSet } from '../collection/set/collection-set.js'
import type { OnReading } from '../encoder/digest-of.js'
import type { EngineChoiceName, LoadOptions, PrecisionChoice } from '../encoder/load-options.js'
import type { RgbImage } from '../image/image.js'
import type { Products } from '../numerics/products.js'
import type { Speed, SpeedOptions } from '../platform/node/bench/measure-speed.js'
import type { CollectionOptions, CollectionSettings } from '../platform/node/collection/open-collection.js'
import type { CollectionsOptions } from '../platform/node/collection/open-collections.js'
import type { ConvertedModel, ConvertOptions } from '../platform/node/convert/convert-model.js'
import type { DecodeOptions } from '../platform/node/decode-image.js'
import type { FileDescription } from '../platform/node/describe-model.js'
import type { ExplainVectorOptions, Explanation } from '../platform/node/explain-vector.js'
import type { CachedModel, VerifiedFile } from '../platform/node/hub/cache-contents.js'
import type { PulledModel, PullOptions } from '../platform/node/hub/pull-model.js'
import type { PackedModel } from '../platform/node/pack-model.js'
import type { ListedPacked } from '../platform/node/packed/packed-list.js'
import type { PictureFormat } from '../platform/node/picture/picture-formats.js'
import type { ReducedPhoto, ReduceOptions } from '../platform/node/reduce-photo.js'
import type { VerifyModelOptions } from '../platform/node/verify-model.js'
import type { Comparison } from '../verify/case.js'
import type { VerifiedModel } from '../verify/model/verified-model.js'
import type { LeftOut } from '../verify/verify-cases.js'
import type { FileEncoder, FileSource } from '../work/file-encoder.js'
import type { Files } from '../work/files.js'

export interface CommandContext {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** Says whether stderr is a terminal: a progress line may be drawn there. */
  readonly isTTY: boolean
  readonly color: boolean
  readonly cwd: string
  /** Reads images and writes outputs; relative paths start at `cwd`. */
  readonly files: Files
  readonly version: string
  /** Says what to do for HEIC to be decoded; null where it is. */
  readonly heicAdvice: string | null
  /** Is aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly loadEncoder: (source: string, options: LoadOptions) => Promise<FileEncoder>
  /** Makes a small JPEG of a photo, given its path or its bytes. */
  readonly reducePhoto: (source: string | Uint8Array, options: ReduceOptions) => Promise<ReducedPhoto>
  readonly describeModel: (
    source: string,
    options: LoadOptions,
    onReading: OnReading,
  ) => Promise<FileDescription>
  readonly packModel: (source: string, options: LoadOptions) => Promise<PackedModel>
  readonly convertModel: (source: string, output: string, options: ConvertOptions) => Promise<ConvertedModel>
  readonly pullModel: (model: string, options: PullOptions) => Promise<PulledModel>
  /** Looks after what has been downloaded. */
  readonly cached: {
    list(): Promise<readonly CachedModel[]>
    verify(model: CachedModel, signal: AbortSignal): AsyncIterable<VerifiedFile>
    remove(model: CachedModel): Promise<void>
  }
  readonly packedFiles: {
    list(): Promise<readonly ListedPacked[]>
    remove(files: readonly ListedPacked[]): Promise<void>
  }
  readonly explainVector: (
    photo: string,
    vector: Float32Array,
    options: ExplainVectorOptions,
  ) => Promise<Explanation>
  readonly pictures: Pictures
  /** Opens and makes collections; places are absolute folders, or addresses. */
  readonly collections: {
    has(place: string): Promise<boolean>
    open(place: string, options: CollectionOptions): Promise<Collection>
    /** A place may be that of the collections of a job as well. */
    openAll(places: readonly string[], options: CollectionsOptions): Promise<CollectionSet>
    create(
      place: string,
      settings: CollectionSettings,
      options: Omit<CollectionOptions, 'write'>,
    ): Promise<Collection>
  }
  readonly measureSpeed: (options: SpeedOptions) => Promise<Speed>
  readonly verifyModel: (model: string, options: VerifyModelOptions) => Promise<VerifiedModel>
  readonly verifyGoldens: (folder: string, options: VerifyOptions) => AsyncIterable<Comparison>
}

/** Holds what pictures need of the world. */
export interface Pictures {
  decode(source: FileSource, options: DecodeOptions): Promise<RgbImage>
  /** Gives a smaller copy, whose sides are no longer than `side`; the image itself where it is small. */
  reduce(image: RgbImage, side: number): Promise<RgbImage>
  /** Makes what computes products over many patches; its threads start with the first of them. */
  products(): Promise<Products & AsyncDisposable>
  /** Gives the bytes of a file. @param told is kept in it: what made it, and of what */
  encode(image: RgbImage, format: PictureFormat, told: string): Promise<Uint8Array>
  /** Throws where a picture cannot lie: a `FileError` `exists` for a file that is no picture of ours, unless it is to be replaced. */
  assertTakes(path: string, options: { readonly replace: boolean }): Promise<void>
  /** Gives the name of the model on this machine that makes the best pictures; null where there is only the package's own. */
  bestModelOrNull(signal: AbortSignal): Promise<string | null>
  /** Shows pictures where the person sits; null where stdout is no terminal that can. */
  readonly screen: Screen | null
}

export interface Screen {
  show(image: RgbImage, signal: AbortSignal): Promise<void>
}

export interface VerifyOptions {
  readonly engine?: EngineChoiceName
  readonly precision?: PrecisionChoice
  readonly filter?: string
  readonly signal?: AbortSignal
  /** Is told each case that cannot be compared. */
  readonly onLeftOut?: (leftOut: LeftOut) => void
}
