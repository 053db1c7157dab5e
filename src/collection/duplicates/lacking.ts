/** Says what a copy's file and folder tell that the kept one's do not, so that it is not lost with the copy. */

/** Is what people and cameras have said of a photo. */
export interface PhotoFacts {
  /** Says when it was taken, in milliseconds since 1970 of the camera's own clock. */
  readonly taken: number | null
  /** Says where. */
  readonly position: {
    /** Is in degrees north. */
    readonly latitude: number
    /** Is in degrees east. */
    readonly longitude: number
  } | null
  /** Counts its stars, 1 to 5. */
  readonly rating: number | null
  /** Is what somebody wrote under it. */
  readonly caption: string | null
  /** Lists its keywords. */
  readonly keywords: readonly string[]
  /** Names the folder that it lies in. */
  readonly folder: string
}

/** Holds what the kept copy lacks. */
export type LackingFacts = Partial<PhotoFacts>

/** Gives what any of the copies tells and the kept one does not; the first that tells a thing counts, and all keywords and folders. */
export function lackingFacts(kept: PhotoFacts, copies: readonly PhotoFacts[]): LackingFacts {
  const told = <Name extends 'taken' | 'position' | 'rating' | 'caption'>(name: Name) =>
    kept[name] === null ? (copies.find((copy) => copy[name] !== null)?.[name] ?? null) : null
  const words = copies.flatMap(({ keywords }) => keywords).filter((word) => !kept.keywords.includes(word))
  const folders = copies.map(({ folder }) => folder).filter((folder) => folder !== kept.folder)
  const [taken, position, rating, caption] = [
    told('taken'),
    told('position'),
    told('rating'),
    told('caption'),
  ]
  return {
    ...(taken === null ? {} : { taken }),
    ...(position === null ? {} : { position }),
    ...(rating === null ? {} : { rating }),
    ...(caption === null ? {} : { caption }),
    ...(words.length === 0 ? {} : { keywords: [...new Set(words)] }),
    ...(folders.length === 0 ? {} : { folder: [...new Set(folders)].join(', ') }),
  }
}

/** Says in words what is lacking: `date, position, folder "Holiday"`; empty where nothing is. */
export function tellLacking(facts: LackingFacts): string {
  const parts: string[] = []
  if (facts.taken !== undefined) parts.push('date')
  if (facts.position !== undefined) parts.push('position')
  if (facts.rating !== undefined) parts.push('rating')
  if (facts.caption !== undefined) parts.push('caption')
  if (facts.keywords !== undefined)
    parts.push(`keywords ${facts.keywords.map((word) => JSON.stringify(word)).join(', ')}`)
  if (facts.folder !== undefined) parts.push(`folder ${JSON.stringify(facts.folder)}`)
  return parts.join(', ')
}

const NAMESPACES: Readonly<Record<string, string>> = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  exif: 'http://ns.adobe.com/exif/1.0/',
  dc: 'http://purl.org/dc/elements/1.1/',
}

/**
 * Writes facts as XMP (ISO 16684-1), which photo programs read beside a photo: a whole packet, or `before` with one more description in it. A folder becomes a keyword. Gives null where
 * `before` is no XMP that could take it.
 */
export function xmpWith(facts: LackingFacts, before: string | null): string | null {
  const about = describeFacts(facts)
  if (before === null)
    return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n<rdf:RDF xmlns:rdf="${NAMESPACES.rdf}">\n${about}</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n`
  const end = before.lastIndexOf('</rdf:RDF>')
  return end < 0 ? null : before.slice(0, end) + about + before.slice(end)
}

function describeFacts({ taken, position, rating, caption, keywords = [], folder }: LackingFacts): string {
  const lines: string[] = []
  if (taken !== undefined && taken !== null)
    lines.push(`<exif:DateTimeOriginal>${new Date(taken).toISOString().slice(0, 19)}</exif:DateTimeOriginal>`)
  if (position !== undefined && position !== null) {
    lines.push(`<exif:GPSLatitude>${degrees(position.latitude, 'N', 'S')}</exif:GPSLatitude>`)
    lines.push(`<exif:GPSLongitude>${degrees(position.longitude, 'E', 'W')}</exif:GPSLongitude>`)
  }
  if (rating !== undefined && rating !== null) lines.push(`<xmp:Rating>${rating}</xmp:Rating>`)
  if (caption !== undefined && caption !== null)
    lines.push(
      `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escaped(caption)}</rdf:li></rdf:Alt></dc:description>`,
    )
  const words = [...keywords, ...(folder === undefined ? [] : folder.split(', '))]
  if (words.length > 0)
    lines.push(
      `<dc:subject><rdf:Bag>${words.map((word) => `<rdf:li>${escaped(word)}</rdf:li>`).join('')}</rdf:Bag></dc:subject>`,
    )
  const names = ['rdf', 'xmp', 'exif', 'dc'].map((name) => `xmlns:${name}="${NAMESPACES[name]}"`).join(' ')
  return `<rdf:Description rdf:about="" ${names}>\n${lines.map((line) => ` ${line}\n`).join('')}</rdf:Description>\n`
}

/** Writes degrees and minutes, as XMP has them. */
function degrees(value: number, above: string, below: string): string {
  const whole = Math.floor(Math.abs(value))
  return `${whole},${((Math.abs(value) - whole) * 60).toFixed(6)}${value < 0 ? below : above}`
}

/** XML has no place for most control characters, however they are written. */
function escaped(text: string): string {
  const shown = Array.from(text, (char) => (isControl(char.codePointAt(0) ?? 0) ? ' ' : char)).join('')
  return shown
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function isControl(code: number): boolean {
  return (code < 32 && code !== 9 && code !== 10 && code !== 13) || code === 0xfffe || code === 0xffff
}
