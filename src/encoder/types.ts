/** The types of what goes into an encoder and what comes out stand here, apart from what computes. */
import type { Precision } from '../engine/engine.js'
import type { Box, DecodedImage, RgbImage } from '../image/image.js'
import type { PreparedLevels } from '../image/prepare-image.js'
import type { Recipe } from '../image/recipe.js'
import type { PatchGrid } from '../model/positions.js'
import type { EmbeddingKind } from '../model/vit-config.js'

export type { PatchGrid }

import type { TileChoice } from './tile-choice.js'

export type { TileBlend, TileChoice } from './tile-choice.js'

import type { AttentionChoice, AttentionMap, Facet, FacetChoice } from './inspected.js'

export type {
  AttendingToken,
  AttentionChoice,
  AttentionFrom,
  AttentionHeads,
  AttentionMap,
  Facet,
  FacetChoice,
  FacetKind,
  PatchPlace,
} from './inspected.js'

/**
 * Says what the numbers of a result rest on: two embeddings compare only where `digest` is equal. It is the same for a file that was converted,
 * renamed or split into shards, and another one for any weight, config entry, number of the recipe or precision that was changed.
 */
export interface Identity {
  /** Decides: the SHA-256, in 64 hexadecimal digits, of `weights`, a line feed and `settings`. `shortDigest` gives what a person is shown. */
  readonly digest: string
  /** Is the digest of all weights' content, in 64 hexadecimal digits: the same in whatever layout, format and number of files they lie. */
  readonly weights: string
  /** Gives config, recipe, positions, precision and the version of the numbers in full, as one line of JSON. */
  readonly settings: string
  /** Says how products were computed. */
  readonly precision: Precision
  /** Tells of the recipe in one line, as `birder 112x112 exif-applied pillow-13`; all its numbers are in `settings`. */
  readonly recipe: string
  /** Names the model after its file, as `deit3_reg4_t14_tiny-imagenet`. It decides nothing. */
  readonly model: string
  /**
   * Tells of which network this one was made, whose matrices are in bytes, as `int8 of small, weights` and the digest of that one's; absent for all others. It
   * decides nothing: the weights here are others, and have their own digest.
   */
  readonly origin?: string
  /** Names the engine with its path and threads. It decides nothing: what a precision promises, each engine keeps. */
  readonly engine: string
}

/** Holds what the network found in one image, float32, row-major. */
export interface Features extends StoppedFeatures {
  /** [embeddingWidth] It is not normalised. */
  readonly embedding: Float32Array
  /** [rows * columns, D] after the final norm, row by row from the top left. */
  readonly patches: Float32Array
  /** [R, D] after the final norm. */
  readonly registers: Float32Array
  /** [rows * columns, D] before the final norm; it is there only where `preNorm` was asked for. */
  readonly preNorm?: Float32Array
  /** [N] scores; they are there where the model has a classifier. `topClasses` gives the likeliest, and the encoder's `labels` name them. */
  readonly logits?: Float32Array
}

/** Holds what blocks have found in one image that was computed no further (`stopAfter`), float32, row-major. */
export interface StoppedFeatures {
  /** Counts rows and columns of the patches. */
  readonly grid: PatchGrid
  /** [T, D] each: class token, registers, patches. The hidden layers that were asked for have the numbers they were asked by. */
  readonly layers: ReadonlyMap<number, Float32Array>
  /** Holds the attention that was asked for, one entry for each layer in the order in which these were named. */
  readonly attention?: readonly AttentionMap[]
  /** Holds the facets that were asked for, in their order. */
  readonly facets?: readonly Facet[]
  /** Counts the pixels of the image as it was used, which is upright where the orientation was applied. */
  readonly imageSize: readonly [height: number, width: number]
  /** Tells the EXIF orientation that was found, and whether it was applied. */
  readonly orientation: {
    /** Is the orientation, 1 to 8; 1 where there is none. */
    readonly found: number
    /** Tells whether the image was turned upright by it. */
    readonly applied: boolean
  }
  /** Says what these numbers rest on. */
  readonly identity: Identity
  /** Gives the part of the original image that a patch has seen, in its pixels; it may reach outside where the recipe pads. */
  patchBox(row: number, column: number): Box
}

/**
 * Holds the patch map of an image that was encoded tile by tile. There is no embedding, no register and no score: each tile has its own, of a part of the image, and
 * no model was trained to make one of them.
 */
export interface TiledFeatures extends StoppedFeatures {
  /**
   * [rows * columns, `patchWidth`] after the final norm, row by row from the top left: float32, or bit patterns of float16 where these were to be kept. `band` gives
   * float32 of either.
   */
  readonly patches: Float32Array | Uint16Array
  /** Holds the same before the final norm; it is there only where `preNorm` was asked for. */
  readonly preNorm?: Float32Array | Uint16Array
  /** Counts the numbers that are kept of each patch: D, or the K directions that it was projected on. */
  readonly patchWidth: number
  /** Says how the image was cut: tiles of one size, in pixels, as many from top to bottom and from left to right. */
  readonly tiles: {
    /** Is the size of each tile in pixels; it is less than was asked for where the image is smaller. */
    readonly size: readonly [height: number, width: number]
    /** Counts the tiles from top to bottom. */
    readonly rows: number
    /** Counts the tiles from left to right. */
    readonly columns: number
  }
  /**
   * Gives the patches of the grid's rows `from` to `to`, the latter not among them, as float32, as a map of patches that the functions of pictures take. Throws
   * RangeError outside the grid, and for `preNorm` where that was not asked for.
   */
  band(from: number, to: number, of?: 'patches' | 'preNorm'): PatchBand
}

/** Holds whole rows of a patch map. */
export interface PatchBand {
  /** float32 [rows * columns, `patchWidth`]; a view where float32 was kept. */
  readonly patches: Float32Array
  /** Counts rows and columns of the band. */
  readonly grid: PatchGrid
  /** Says what these numbers rest on. */
  readonly identity: Identity
}

/** Says what is wanted of an image beside embedding, patches and registers. */
export interface FeatureChoice {
  /** Adds the patch map before the final norm; default `false`. */
  readonly preNorm?: boolean
  /** Adds these hidden layers: 0 is the first block; negative numbers count from the last. Default: none. */
  readonly layers?: readonly number[]
  /**
   * Augments at test time as Birder does: `logits` are then scores whose softmax is the mean over five crops of 80 %, corners and centre, each resized to the
   * input's size. All else is of the whole image. It takes six runs in place of one; default `false`.
   */
  readonly tta?: boolean
  /** Adds attention weights: who looks where. Default: none. */
  readonly attention?: AttentionChoice
  /** Adds queries, keys, values or tokens of single layers. Default: none. */
  readonly facets?: readonly FacetChoice[]
  /**
   * Says how many pixels lie from one patch to the next: less than a patch's side makes them overlap, and gives a denser map, 1 + floor((side - P) / stride) along
   * a side, for more time and memory. Positions are then resampled as dino-vit-features does, unless `positions` said otherwise when the model was loaded. It is part
   * of the identity. Default: P, at which they lie side by side.
   */
  readonly stride?: number
}

/** Says what is wanted of an image that is computed no further than a block. */
export interface StoppedChoice extends FeatureChoice {
  /**
   * Ends the computing behind this block, the first being 0; negative numbers count from the last. There is then no embedding, no patches behind the final norm and no
   * scores, but what `layers`, `facets` and `attention` name up to it.
   */
  readonly stopAfter: number
}

/** Says what is wanted of an image that is encoded tile by tile; beside the patch map there is `preNorm` alone. */
export interface TiledChoice extends FeatureChoice {
  /** Cuts the image into tiles, which are encoded by themselves, for photos of which a network cannot take all patches at a time. It is part of the identity. */
  readonly tiles: TileChoice
}

/** An image is prepared (read, decoded, resized, normalised), then computed. */
export type EncodeStage = 'preparing' | 'computing'

/** Says what is wanted of one image. */
export interface EncodeOptions extends FeatureChoice {
  /** Ends the encode, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Is told each stage as it begins. */
  readonly onProgress?: (stage: EncodeStage) => void
}

/** Says how far an `encodeAll` is, in counts of images since its start. */
export interface EncodeAllProgress {
  /** Counts the images taken from the sources. */
  readonly pulled: number
  /** Counts those of them that have been prepared and wait for the engine, or have been there. */
  readonly prepared: number
  /** Counts those that have features. */
  readonly done: number
  /** Counts those that have an error. */
  readonly failed: number
  /** Sums up what the time went by on; the largest says what limits the speed. What the reader of the results takes is in none of them. */
  readonly seconds: {
    /** While the engine computed. */
    readonly computing: number
    /** While it waited for images to be decoded and resized. */
    readonly decoding: number
    /** While it waited for their bytes, or for the list of them. */
    readonly reading: number
  }
}

/** Says what is wanted of each image, and how many are under way. */
export interface EncodeAllOptions<Source = unknown> extends FeatureChoice {
  /** Counts the images of a run of the engine; default: by model size. */
  readonly batch?: number
  /** `input` (default) keeps the order; `ready` yields each result as soon as it is computed. Either way each result says its index. */
  readonly order?: 'input' | 'ready'
  /** Bounds the bytes of decoded images that wait at a time; default 512 MiB. */
  readonly maxBytes?: number
  /** Ends all of it: the next result is the signal's reason, thrown. */
  readonly signal?: AbortSignal
  /**
   * Gives an image a signal of its own, asked for once when the image is taken. Its abort makes the signal's reason the `error` of that image and
   * leaves the others alone: it is not read or decoded further, and a run of the engine ends early where none of its images is wanted any more.
   * Default: none has one.
   */
  readonly signalOf?: (source: Source, index: number) => AbortSignal | undefined
  /** Is told the counts when they have changed, between two results. What it throws, the reader is thrown. */
  readonly onProgress?: (progress: EncodeAllProgress) => void
}

/** Is what became of one image: `features`, or the `error`. */
export type EncodeResult<Source, Found extends StoppedFeatures = Features> =
  | {
      /** Counts the images before it, from 0, in the order in which they were given. */
      readonly index: number
      /** Is what was given. */
      readonly source: Source
      /** Is there where all went well. */
      readonly features: Found
      readonly error?: undefined
    }
  | {
      /** Counts the images before it, from 0, in the order in which they were given. */
      readonly index: number
      /** Is what was given. */
      readonly source: Source
      /** Says why there are none: `ImageError`, `EngineError`, or the reason of the image's own signal. */
      readonly error: Error
      readonly features?: undefined
    }

/** Says what an encoder makes. */
export interface EncoderDescription {
  /** Says what its numbers rest on. */
  readonly identity: Identity
  /** Is D, the width of a token. */
  readonly width: number
  /** Names what stands for a whole image. */
  readonly embedding: EmbeddingKind
  /** Counts the numbers of an embedding: D, unless it is projected or several tokens stand for the image. */
  readonly embeddingWidth: number
  /** Names the classes in the order of `Features.logits`; null where there is no classifier, or no file that names them. */
  readonly labels: readonly string[] | null
  /** Counts the classes, N; null where there is no classifier. */
  readonly classes: number | null
  /** Is a patch's side in pixels, P. */
  readonly patchSize: number
  /** Counts the register tokens, R. */
  readonly registers: number
  /** Counts the hidden layers, which are the blocks. */
  readonly depth: number
  /** Says whose attention there is to be seen. */
  readonly attends: {
    /** Counts the heads of a block, H. */
    readonly heads: number
    /** Tells whether there is a class token. */
    readonly classToken: boolean
    /** Counts the heads of the query with which a pooling head looks at the tokens; null for a network without such a head. */
    readonly probeHeads: number | null
    /**
     * Tells whether what the class token looks at is near what it is in float32: each row has a cosine of at least 0.999 with it. Where activations are multiplied in bytes
     * (the native engine's `int8` with VNNI or AMX) it is not, and attention is refused unless it is asked for as `inexact`.
     */
    readonly exact: boolean
  }
  /** Gives the input size in pixels, (height, width), that the recipe makes of an image; the `native` recipe has another for each. */
  readonly size: readonly [height: number, width: number]
}

/**
 * Makes features of images. It owns the packed weights, and the engine where `loadEncoder` has chosen one: dispose of it. `using encoder = …` starts
 * to give them back at the end of the block and does not wait; `await using encoder = …` goes on when threads, device and memory are given back. What
 * is under way meanwhile finishes or fails with `disposed`.
 */
export interface Encoder<Source = RgbImage> extends EncoderDescription, Disposable, AsyncDisposable {
  /**
   * Computes the features of one image. Throws `ImageError` where it cannot be used; `EngineError` `non-finite`, `out-of-memory`, `disposed`,
   * `device-lost`; RangeError for options that make no sense; the signal's reason.
   */
  encode(source: Source, options: EncodeOptions & StoppedChoice): Promise<StoppedFeatures>
  /**
   * Does the same tile by tile, which gives a patch map and no embedding. The image may have any number of patches, a tile as many as an image otherwise may. Throws
   * the same, and `EngineError` `unsupported` for numbers that float16 does not hold.
   */
  encode(source: Source, options: EncodeOptions & TiledChoice): Promise<TiledFeatures>
  /** Does the same for the whole network, which gives an embedding and patches behind the final norm as well. Throws the same. */
  encode(source: Source, options?: EncodeOptions): Promise<Features>
  /**
   * Yields an `error` for a bad image, which never ends the rest; an abort by `signal` throws. Each result has its source with the type in which it
   * was given.
   */
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> & StoppedChoice,
  ): AsyncGenerator<EncodeResult<Given, StoppedFeatures>, void, undefined>
  /** Does the same tile by tile. A window of decoded images is under way, as ever: give large photos one at a time. An abort by `signal` throws. */
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options: EncodeAllOptions<Given> & TiledChoice,
  ): AsyncGenerator<EncodeResult<Given, TiledFeatures>, void, undefined>
  /** Does the same for the whole network. An abort by `signal` throws. */
  encodeAll<Given extends Source>(
    sources: Iterable<Given> | AsyncIterable<Given>,
    options?: EncodeAllOptions<Given>,
  ): AsyncGenerator<EncodeResult<Given>, void, undefined>
}

/** Says how an image is decoded. */
export interface DecodeOptions {
  /** Says whether the image is turned as its EXIF orientation says; default: as the platform's decoder does. */
  readonly orientation?: 'apply' | 'ignore'
  /** Says whether transparent pixels are laid on white, or their colours taken as they are stored; default: as stored. */
  readonly transparency?: 'drop' | 'white'
  /** Bounds the pixels of an image: a larger one is refused before it is decoded. Default: the decoder's own bound. */
  readonly maxPixels?: number
  /** Ends the decoding, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /**
   * Is to be called when the image's bytes are there: until then the time counts as reading. Decoding begins when what it returns has been awaited, so that
   * files can be read ahead of it.
   */
  readonly onRead?: () => unknown
}

/** Makes levels for model input of an image by a recipe, in a platform's way. Throws as `Decode`. */
export type Prepare<Source> = (
  source: Source,
  recipe: Recipe,
  options: DecodeOptions,
) => Promise<PreparedLevels>

/** Decodes in a platform's way. Throws `ImageError`, or the signal's reason. */
export type Decode<Source> = (source: Source, options: DecodeOptions) => Promise<DecodedImage>
