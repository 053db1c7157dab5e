/** Names what work on many files needs of an encoder: that it takes paths, addresses, a file's bytes, or pixels when their turn comes, and many of them. */

import type { EncodeAllOptions, EncodeResult, Encoder } from '../encoder/types.js'
import type { PixelImage } from '../image/given-pixels.js'
import type { RgbImage } from '../image/image.js'

/** A function is asked once for its pixels, and keeps them no longer. */
export type FileSource = string | Uint8Array | RgbImage | (() => PixelImage)

export interface FileEncoder extends Omit<Encoder<string>, 'encode' | 'encodeAll'> {
  encodeAll(
    sources: AsyncIterable<FileSource>,
    options?: EncodeAllOptions,
  ): AsyncIterable<EncodeResult<unknown>>
}
