/** Remembers which photos people have called different, by what is in the files: moving or renaming one does not make it forgotten. */
import type { PlainRecord } from '../../plain-value.js'

/** Knows pairs of contents that are different. */
export class Different {
  readonly #pairs: Set<string>

  constructor(pairs: Iterable<readonly [string, string]>) {
    this.#pairs = new Set(Array.from(pairs, ([a, b]) => keyOf(a, b)))
  }

  /** Reads them from the collection's log of decisions; what else was decided there is passed over. */
  static read(entries: readonly PlainRecord[]): Different {
    const pairs: [string, string][] = []
    for (const { decision, first, second } of entries)
      if (decision === 'different' && typeof first === 'string' && typeof second === 'string')
        pairs.push([first, second])
    return new Different(pairs)
  }

  /** Tells whether these two contents were called different. */
  has(a: string, b: string): boolean {
    return this.#pairs.has(keyOf(a, b))
  }
}

/** Is the entry of the log that calls two contents different. Throws RangeError for one content: a file is no other than itself. */
export function differentEntry(first: string, second: string, now: number): PlainRecord {
  if (first === second)
    throw new RangeError('The two files have the same bytes: they cannot be called different.')
  return { decision: 'different', first, second, at: now }
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
