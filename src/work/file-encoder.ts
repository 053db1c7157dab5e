/** An encoder as far as it takes paths: what writing a folder's features needs of it. */
import type { EncodeAllOptions, EncodeResult, Encoder } from '../encoder/types.js'

export interface FileEncoder extends Omit<Encoder<string>, 'encode' | 'encodeAll'> {
  encodeAll(sources: AsyncIterable<string>, options?: EncodeAllOptions): AsyncIterable<EncodeResult<unknown>>
}
