/** Says what a file holds that the pixels which are compared do not show: these are the colours of its first picture, in 8 bits, as they are stored. */

/** Is `frames` (it moves, or has several pages), `transparency` (some pixel is not opaque), `depth` (more than 8 bits), or `unknown` where that could not be found out. */
export type Beyond = 'frames' | 'transparency' | 'depth' | 'unknown'

/** Says whether a kept copy has all that a copy holds beside its pixels. It can't be seen in pixels, so only a copy that holds nothing more counts; and what a kept one hides, it does not show. */
export function isHeldBy(copy: Beyond | null, kept: Beyond | null): boolean {
  return copy === null && kept !== 'transparency' && kept !== 'unknown'
}

/** Says what keeps a copy from going; empty where nothing of this kind does. */
export function tellBeyond(copy: Beyond | null, kept: Beyond | null): string {
  if (copy !== null) return `, ${WORDS[copy]}`
  return isHeldBy(copy, kept) ? '' : ', beside one that may hide some of it'
}

const WORDS: Readonly<Record<Beyond, string>> = {
  frames: 'with more frames or pages than the first, which alone is compared',
  transparency: 'with transparency, which is not compared',
  depth: 'in more than 8 bits, which are not compared',
  unknown: 'of a file that cannot be looked through for more',
}
