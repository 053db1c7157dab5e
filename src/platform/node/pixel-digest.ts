/** Tells pictures by their pixels, whatever file they lie in. */
import { createHash } from 'node:crypto'
import type { RgbImage } from '../../image/image.js'
import type { DigestWords } from '../../kernels/digest-words.js'

/** Counts the rules by which collections have digested pixels: in the first one, nothing told a file of its own (`digestOfOwn`). */
export const DIGEST_RULE = 2

/**
 * Gives 64 hexadecimal digits, which pictures of one size with the same values share and others do not, but for those that somebody makes to be mistaken: the
 * words are mixed as fast as memory is read, since a SHA-256 of all pixels takes as long as embedding does.
 *
 * @param words digests values, a word at a time
 */
export async function digestOfPixels(image: RgbImage, words: DigestWords): Promise<string> {
  const { data } = image
  const count = Math.floor(data.length / 4)
  const whole = data.subarray(0, 4 * count)
  // Words begin at a fourth byte.
  const aligned = whole.byteOffset % 4 === 0 ? whole : whole.slice()
  const states = await words(new Float32Array(aligned.buffer, aligned.byteOffset, count))
  return digestOfStates(image, states, data.subarray(4 * count))
}

/**
 * Gives the same from what the words were mixed to.
 *
 * @param rest holds the bytes behind the last whole word
 */
export function digestOfStates(
  { height, width }: Pick<RgbImage, 'height' | 'width'>,
  states: Int32Array,
  rest: Uint8Array,
): string {
  return createHash('sha256')
    .update(`${height}x${width}`)
    .update(new Uint8Array(states.buffer, states.byteOffset, states.byteLength))
    .update(rest)
    .digest('hex')
}

/** Gives the digest of a picture whose file holds more than its pixels show: only the file of that very content has the same. */
export function digestOfOwn(digest: string, content: string): string {
  return createHash('sha256').update(digest).update(content).digest('hex')
}
