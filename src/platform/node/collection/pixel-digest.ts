/** Tells pictures by their pixels, whatever file they lie in. */
import { createHash } from 'node:crypto'
import type { RgbImage } from '../../../image/image.js'
import type { DigestWords } from '../../../kernels/digest-words.js'

/**
 * Gives 64 hexadecimal digits, which pictures of one size with the same values share and others do not, but for those that somebody makes to be mistaken: the
 * words are mixed as fast as memory is read, since a SHA-256 of all pixels takes as long as embedding does.
 *
 * @param words digests values, a word at a time
 */
export async function digestOfPixels({ height, width, data }: RgbImage, words: DigestWords): Promise<string> {
  const count = Math.floor(data.length / 4)
  const whole = data.subarray(0, 4 * count)
  // Words begin at a fourth byte.
  const aligned = whole.byteOffset % 4 === 0 ? whole : whole.slice()
  const states = await words(new Float32Array(aligned.buffer, aligned.byteOffset, count))
  return createHash('sha256')
    .update(`${height}x${width}`)
    .update(new Uint8Array(states.buffer, states.byteOffset, states.byteLength))
    .update(data.subarray(4 * count))
    .digest('hex')
}
