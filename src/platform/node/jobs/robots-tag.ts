/** Reads the header X-Robots-Tag, by which servers say what may be done with a single file: a list of words, each for all robots or for one that is named before it. */

/** Forbid that machines learn from an image, or that it is found by search, which is what embeddings are for; img2dataset leaves the same ones out. */
const REFUSING = new Set(['noai', 'noimageai', 'noindex', 'noimageindex', 'none'])
/** Have a value behind a colon, and are no names of robots. */
const VALUED = new Set(['unavailable_after', 'max-snippet', 'max-image-preview', 'max-video-preview'])

/** Gives the word that forbids it; null where none does. */
export function refusingWordOrNull(
  header: string | readonly string[] | undefined,
  robot: string,
): string | null {
  for (const line of typeof header === 'string' ? [header] : (header ?? [])) {
    let isMeant = true
    for (const part of line.toLowerCase().split(',')) {
      const [, name = '', rest = ''] = /^\s*([^\s:]+)\s*:(.*)$/s.exec(part) ?? []
      const isNamed = name !== '' && !VALUED.has(name)
      if (isNamed) isMeant = name === '*' || name === robot
      const word = (isNamed ? rest : part).trim()
      if (isMeant && REFUSING.has(word)) return word
    }
  }
  return null
}
