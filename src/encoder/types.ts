/** What goes into an encoder and what comes out. */
import type { Box, DecodedImage, RgbImage } from '../image/image.js'
import type { PatchGrid } from '../model/positions.js'

export type { PatchGrid }

/** Which model, engine, precision and preprocessing made a result: two embeddings compare only where this is equal. */
export interface Identity {
  /** Such as `deit3_reg4_t14_tiny-imagenet`; with the first 12 hex digits of the weights' fingerprint. */
  readonly model: string
  readonly fingerprint: string
  readonly engine: string
  readonly precision: string
  /** The recipe with its options, in one line: `birder 112x112 exif pillow-13`. */
  readonly recipe: string
}

export interface Features {
  /** [D], not normalised. */
  readonly embedding: Float32Array
  /** [rows * columns, D] after the final norm, row by row from the top left. */
  readonly patches: Float32Array
  /** [R, D] after the final norm. */
  readonly registers: Float32Array
  readonly grid: PatchGrid
  /** [rows * columns, D] before the final norm; only where `preNorm` was asked for. */
  readonly preNorm?: Float32Array
  /** Hidden layers asked for, by number from 0: [T, D], class token, registers, patches. */
  readonly layers: ReadonlyMap<number, Float32Array>
  /** [N] scores of the classifier, where the model has one. */
  readonly logits?: Float32Array
  /** Height and width in pixels of the image as used (upright where the orientation was applied). */
  readonly imageSize: readonly [height: number, width: number]
  /** EXIF orientation found, and whether it was applied. */
  readonly orientation: { readonly found: number; readonly applied: boolean }
  readonly identity: Identity
  /** The part of the original image that a patch has seen, in its pixels; may reach outside where the recipe pads. */
  patchBox(row: number, column: number): Box
}

export interface EncodeOptions {
  /** Also the patch map before the final norm. */
  readonly preNorm?: boolean
  /** Also these hidden layers: 0 is the first block; negative counts from the last. */
  readonly layers?: readonly number[]
  readonly signal?: AbortSignal
}

export interface EncodeAllOptions extends EncodeOptions {
  /** Images per run of the engine; default by model size. */
  readonly batch?: number
  /** `input` (default) keeps the order; `ready` yields as soon as computed. Either way each result says its index. */
  readonly order?: 'input' | 'ready'
  /** Bytes of decoded and waiting images at a time; default 512 MiB. */
  readonly maxBytes?: number
}

export type EncodeResult<Source> =
  | {
      readonly index: number
      readonly source: Source
      readonly features: Features
      readonly error?: undefined
    }
  | { readonly index: number; readonly source: Source; readonly error: Error; readonly features?: undefined }

export interface EncoderDescription {
  readonly identity: Identity
  /** Width D of the embedding. */
  readonly width: number
  readonly patchSize: number
  readonly registers: number
  /** Hidden layers, = blocks. */
  readonly depth: number
  /** Input size (height, width) that the recipe gives for an image; constant but for the `native` recipe. */
  readonly size: readonly [height: number, width: number]
}

/**
 * Owns the packed weights, and the engine where `loadEncoder` has chosen one: dispose of it. `using encoder = …` starts to give them back at the
 * end of the block and does not wait; `await using encoder = …` goes on when threads, device and memory are given back. What is under way
 * meanwhile finishes or fails with `disposed`.
 */
export interface Encoder<Source = RgbImage> extends EncoderDescription, Disposable, AsyncDisposable {
  encode(source: Source, options?: EncodeOptions): Promise<Features>
  /** One bad image yields an `error` for itself and never ends the rest; an abort throws. */
  encodeAll(
    sources: Iterable<Source> | AsyncIterable<Source>,
    options?: EncodeAllOptions,
  ): AsyncGenerator<EncodeResult<Source>, void, undefined>
}

export type Decode<Source> = (source: Source, options?: { signal?: AbortSignal }) => Promise<DecodedImage>
