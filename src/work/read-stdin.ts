/**
 * Reads what comes on standard input: the bytes of one image, or a list of paths, one a line (or ended by NUL, as `find -print0` writes them).
 * The list may be UTF-8 or UTF-16, as Windows writes it.
 */
import { fileKindOrNull, KIND_BYTES } from '../image/image-format.js'
import { concatenateBytes } from '../tensor/concatenate.js'
import { InputError } from './input-error.js'

/** Gives bytes as they come and can be given up, as Node's streams can. */
export interface ListStream extends AsyncIterable<Uint8Array> {
  /** Ends the wait for bytes that may never come. */
  destroy(): unknown
}

interface ReadOptions {
  readonly separator: '\n' | '\0'
  readonly signal?: AbortSignal
}

/** Yields paths, of which empty ones are skipped, or once the bytes of an image. Throws `InputError` `unreadable-list`. */
export async function* readStdin(
  stream: ListStream,
  { separator, signal }: ReadOptions,
): AsyncGenerator<string | Uint8Array> {
  const stop = () => void stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const chunks = stream[Symbol.asyncIterator]()
    const first = await beginning(chunks)
    if (isImage(first)) yield await all(first, chunks)
    else {
      for await (const line of split(first, chunks, separator)) {
        const path = clean(line, separator)
        if (path !== '') yield path
      }
    }
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Reads no further than it must to tell an image from a list: of a list that grows, the first lines are wanted at once. */
async function beginning(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let bytes = new Uint8Array()
  while (bytes.length < KIND_BYTES && !isImage(bytes) && !hasLineOfText(bytes)) {
    const next = await chunks.next()
    if (next.done) break
    bytes = concatenateBytes([bytes, next.value])
  }
  return bytes
}

/** Some kinds begin with letters that a path may begin with too: only where bytes follow that no path has, or a tag, is it one of those. */
function isImage(bytes: Uint8Array): boolean {
  const kind = fileKindOrNull(bytes)
  if (kind === null) return false
  const isText = bytes.subarray(0, KIND_BYTES).every((byte) => byte >= 8)
  return kind.decoder !== 'none' || !isText || ['SVG', 'HTML', 'PDF'].includes(kind.format)
}

function hasLineOfText(bytes: Uint8Array): boolean {
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0)
  if (end < 1) return false
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end))
    return !/[^\P{Cc}\t\r]/u.test(text)
  } catch {
    return false
  }
}

async function all(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const parts = [first]
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) parts.push(next.value)
  return concatenateBytes(parts)
}

/** The last piece need not end in a separator. */
async function* split(
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  separator: '\n' | '\0',
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encodingOf(first, separator))
  let rest = ''
  for (let bytes = first; ; ) {
    rest += decoder.decode(bytes, { stream: true })
    const end = rest.lastIndexOf(separator)
    if (end >= 0) {
      yield* rest.slice(0, end).split(separator)
      rest = rest.slice(end + separator.length)
    }
    const next = await chunks.next()
    if (next.done) break
    bytes = next.value
  }
  yield rest + decoder.decode()
}

/** Goes by the mark at the beginning; without one, no path has the zero that every Latin letter has in UTF-16. The decoder leaves the mark out. */
function encodingOf(bytes: Uint8Array, separator: '\n' | '\0'): string {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) {
    if (c !== 0 || d !== 0) return 'utf-16le'
    throw new InputError(
      'unreadable-list',
      'The list on standard input is UTF-32, which is not read: write it as UTF-8.',
    )
  }
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (separator === '\0' || a === undefined || b === undefined) return 'utf-8'
  if (a !== 0 && b === 0) return 'utf-16le'
  return a === 0 && b !== 0 ? 'utf-16be' : 'utf-8'
}

/** Lists written on Windows end their lines in two characters. */
function clean(path: string, separator: string): string {
  return separator === '\n' && path.endsWith('\r') ? path.slice(0, -1) : path
}
