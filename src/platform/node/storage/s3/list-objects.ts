/**
 * Lists a bucket in the order of keys, by many requests at once. A server gives a page of at most a thousand keys from any key on, so that what is still to be listed can be cut into
 * spans anywhere, and each span be listed by itself: where it is cut decides how fast that is, and never what is found.
 */
import { compareNames } from '../../../../compare-names.js'
import type { StoredObject } from '../../../../storage/storage.js'
import { documentOf } from '../objects/document.js'
import type { Listing } from '../objects/object-server.js'
import { elementsOf, textOf } from '../objects/xml.js'
import { keyBetween } from './key-between.js'
import { versionFrom } from './object-version.js'
import type { S3Client } from './s3-client.js'

/** So many requests are under way at once, at most and at first: a server that keeps objects as files reads a folder whole for each page, and is soon slower than it may be. */
const AT_ONCE = 32
const AT_ONCE_AT_FIRST = 4
/** An answer is slow that takes longer than this, in milliseconds, and so many times as long as the fastest one. */
const SLOW_MS = 1000
const SLOW_TIMES = 4
/** So many cuts more than pages are tried. */
const MOST_MISSES = 12
/** So many pages are kept for a reader who is behind: about 60 MB. */
const MOST_PAGES = 256

interface Page {
  readonly objects: readonly StoredObject[]
  /** Is the last key of the page, objects or not; null where nothing follows. */
  readonly last: string | null
}

/** Is what is listed one page after the other: the keys after one, up to and with another. */
interface Span {
  /** Is the key that was listed last. */
  after: string
  /** Undefined: all there are. */
  until: string | undefined
  readonly cutFrom: Span | null
  readonly pages: (readonly StoredObject[])[]
  isListed: boolean
  isAsking: boolean
  /** Says that it has more than a page, so that cutting it is worth a request. */
  mayCut: boolean
  /** Counts the cuts behind all keys, less the pages that came since. */
  misses: number
}

/** Gives objects by their whole keys, in the order of these. Throws `StorageError`, and the signal's reason. */
export async function* listObjects(client: S3Client, listing: Listing): AsyncGenerator<StoredObject> {
  const begun = performance.now()
  const first = await pageAfter(client, listing, listing.after)
  const firstMs = performance.now() - begun
  yield* first.objects
  // Most listings are short, and nothing is cut for them.
  if (first.last !== null) yield* new Spans(client, listing, first, firstMs).objects()
}

class Spans {
  readonly #client: S3Client
  readonly #listing: Listing
  readonly #stop = new AbortController()
  /** Are in the order of their keys; the first is the one that is read. */
  readonly #spans: Span[]
  readonly #asked = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null
  #kept = 0
  #atOnce = AT_ONCE_AT_FIRST
  #fastestMs: number
  /** Was the moment when fewer were last asked at once. */
  #slowedAt = 0
  /** Are those of which keys are made, as far as any were seen. */
  #letters: readonly string[] = []

  constructor(client: S3Client, listing: Listing, first: Page, firstMs: number) {
    this.#client = client
    this.#fastestMs = firstMs
    const { signal } = listing
    const both = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    this.#listing = { ...listing, signal: both }
    this.#learn(first.objects)
    this.#spans = [spanOf(first.last ?? '', undefined, null)]
  }

  async *objects(): AsyncGenerator<StoredObject> {
    try {
      for (let [head] = this.#spans; head !== undefined; [head] = this.#spans) {
        const page = head.pages.shift()
        if (page !== undefined) {
          this.#kept--
          yield* page
        } else if (head.isListed) {
          this.#spans.shift()
        } else {
          this.#askMore()
          await Promise.race(this.#asked)
          if (this.#failure !== null) throw this.#failure.error
        }
      }
    } finally {
      this.#stop.abort()
      await Promise.all(this.#asked)
    }
  }

  /** The span that is read always goes on; others as long as there is room for what they bring. */
  #askMore(): void {
    for (const [i, span] of this.#spans.entries())
      if (!span.isAsking && !span.isListed && this.#asked.size < this.#atOnce && (i === 0 || this.#hasRoom()))
        this.#ask(span)
    for (const span of [...this.#spans]) {
      // Halved several times, the place of the next keys is found in one round of requests, as long as there are few.
      const times = this.#asked.size < this.#atOnce / 4 ? 4 : 1
      for (let i = 0; i < times && span.mayCut && this.#asked.size < this.#atOnce && this.#hasRoom(); i++)
        span.mayCut = this.#cut(span)
      span.mayCut = false
    }
  }

  /** Tells whether a place to cut was found. */
  #cut(span: Span): boolean {
    const middle = keyBetween(this.#letters, [...this.#listing.prefix].length, span.after, span.until)
    if (middle === null) return false
    const rest = spanOf(middle, span.until, span)
    span.until = middle
    this.#spans.splice(this.#spans.indexOf(span) + 1, 0, rest)
    this.#ask(rest)
    return true
  }

  #hasRoom(): boolean {
    return this.#kept + this.#asked.size < MOST_PAGES
  }

  #ask(span: Span): void {
    span.isAsking = true
    const begun = performance.now()
    const asked = pageAfter(this.#client, this.#listing, span.after)
      .then((page) => {
        this.#judge(begun)
        this.#take(span, page)
      })
      .catch((error) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        span.isAsking = false
        this.#asked.delete(asked)
        if (this.#failure === null && !this.#stop.signal.aborted) this.#askMore()
      })
    this.#asked.add(asked)
  }

  /** Asks for more at once as long as answers come quickly, and for half as much where that makes the server slow: once for all that was asked before. */
  #judge(begun: number): void {
    const now = performance.now()
    const took = now - begun
    this.#fastestMs = Math.min(this.#fastestMs, took)
    if (took <= Math.max(SLOW_MS, SLOW_TIMES * this.#fastestMs))
      this.#atOnce = Math.min(AT_ONCE, this.#atOnce + 1)
    else if (begun >= this.#slowedAt) {
      this.#atOnce = Math.max(1, this.#atOnce >> 1)
      this.#slowedAt = now
    }
  }

  /** A span may have been cut since its page was asked for: what lies behind the cut is its neighbour's. */
  #take(span: Span, { objects, last }: Page): void {
    const { until } = span
    const own = until === undefined ? objects : objects.filter(({ key }) => compareNames(key, until) <= 0)
    if (own.length > 0) {
      span.pages.push(own)
      this.#kept++
    }
    span.after = last ?? span.after
    span.isListed = last === null || (until !== undefined && compareNames(last, until) >= 0)
    span.misses = Math.max(0, span.misses - 1)
    span.mayCut = !span.isListed && span.misses < MOST_MISSES
    this.#learn(own)
    // Most of the page was its neighbour's, or there was none.
    if (span.isListed && own.length * 2 <= objects.length) this.#missed(span)
  }

  /** The cut left too little behind it: what lies before it is cut again at once, as long as that is cheaper than listing on. */
  #missed(span: Span): void {
    const { cutFrom } = span
    if (cutFrom === null) return
    if (span.pages.length === 0) this.#spans.splice(this.#spans.indexOf(span), 1)
    cutFrom.misses++
    cutFrom.mayCut = !cutFrom.isListed && cutFrom.misses < MOST_MISSES
  }

  #learn(objects: readonly StoredObject[]): void {
    const known = new Set(this.#letters)
    const { prefix } = this.#listing
    for (const { key } of objects) for (const letter of key.slice(prefix.length)) known.add(letter)
    if (known.size > this.#letters.length) this.#letters = [...known].sort(compareNames)
  }
}

function spanOf(after: string, until: string | undefined, cutFrom: Span | null): Span {
  // Of the first it is known that it has more than a page.
  const mayCut = cutFrom === null
  return { after, until, cutFrom, pages: [], isListed: false, isAsking: false, mayCut, misses: 0 }
}

async function pageAfter(
  client: S3Client,
  { prefix, what, signal }: Listing,
  after: string | undefined,
): Promise<Page> {
  const answer = await client.ask({
    method: 'GET',
    key: '',
    query: { 'list-type': '2', prefix, ...(after === undefined ? {} : { 'start-after': after }) },
    // A page that was cut on the way would look like the last one.
    mustHold: '</ListBucketResult>',
    signal,
  })
  if (answer.status >= 300) throw client.refusal(answer, what)
  const xml = documentOf(answer)
  const found = elementsOf(xml, 'Contents').map(objectOf)
  return {
    objects: found,
    last: textOf(xml, 'IsTruncated') === 'true' ? (found.at(-1)?.key ?? null) : null,
  }
}

function objectOf(xml: string): StoredObject {
  const size = Number(textOf(xml, 'Size'))
  const modifiedMs = Date.parse(textOf(xml, 'LastModified') ?? '')
  const version = versionFrom(textOf(xml, 'ETag'), { modifiedMs, size })
  return { key: textOf(xml, 'Key') ?? '', size, version, modifiedMs }
}
