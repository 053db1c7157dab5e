/** Remembers which photos people have called different, by what is in the files: moving or renaming one does not make it forgotten. */
import type { PlainRecord } from '../../plain-value.js'
import type { Collection } from '../collection.js'

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

/** Gives the entries of the log that call all of these contents different from each other. Throws RangeError for two that are one: a file is no other than itself. */
export function differentEntries(contents: readonly string[], now: number): readonly PlainRecord[] {
  if (new Set(contents).size < contents.length)
    throw new RangeError('Two of the files have the same bytes: they cannot be called different.')
  return contents.flatMap((first, at) =>
    contents.slice(at + 1).map((second) => ({ decision: 'different', first, second, at: now })),
  )
}

/** Remembers that all of these contents (`content` of their rows) are different from each other. Throws RangeError for two that are one; what the store throws. */
export async function markDifferent(collection: Collection, contents: readonly string[]): Promise<void> {
  await collection.store.log('decisions').append(differentEntries(contents, Date.now()))
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
