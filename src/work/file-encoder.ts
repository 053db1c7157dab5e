/** Names what work on many files needs of an encoder: that it takes paths, addresses, or a file's bytes, and many of them. */
import type { EncodeAllOptions, EncodeResult, Encoder } from '../encoder/types.js'

export interface FileEncoder extends Omit<Encoder<string>, 'encode' | 'encodeAll'> {
  encodeAll(
    sources: AsyncIterable<string | Uint8Array>,
    options?: EncodeAllOptions,
  ): AsyncIterable<EncodeResult<unknown>>
}
