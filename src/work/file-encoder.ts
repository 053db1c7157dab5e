/** Names what work on many files needs of an encoder: that it takes paths, addresses, a file's bytes, or pixels, and many of them. */
import type {
  EncodeAllOptions,
  EncodeResult,
  Encoder,
  Features,
  StoppedFeatures,
  TiledChoice,
} from '../encoder/types.js'
import type { PixelImage } from '../image/given-pixels.js'

/** A function gives pixels when their turn comes, and is asked once: it need not keep them. */
export type FileSource = string | Uint8Array | PixelImage | (() => PixelImage | Promise<PixelImage>)

/** Finds something in many images. */
export interface ManyEncoder<Found extends StoppedFeatures = Features> {
  encodeAll(
    sources: AsyncIterable<FileSource>,
    options?: EncodeAllOptions & Partial<TiledChoice>,
  ): AsyncIterable<EncodeResult<unknown, Found>>
}

export interface FileEncoder<Found extends StoppedFeatures = Features>
  extends Omit<Encoder<string>, 'encode' | 'encodeAll'>,
    ManyEncoder<Found> {}
