/** Names what work on many files needs of an encoder: that it takes paths, addresses, a file's bytes, or pixels, and many of them. */
import type { EncodeAllOptions, EncodeResult, Encoder } from '../encoder/types.js'
import type { RgbImage } from '../image/image.js'

export interface FileEncoder extends Omit<Encoder<string>, 'encode' | 'encodeAll'> {
  encodeAll(
    sources: AsyncIterable<string | Uint8Array | RgbImage>,
    options?: EncodeAllOptions,
  ): AsyncIterable<EncodeResult<unknown>>
}
