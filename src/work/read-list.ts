/** Reads paths from a stream, one a line (or ended by NUL, as `find -print0` writes them); empty ones are skipped. */

/** Gives bytes as they come and can be given up, as Node's streams can. */
export interface ListStream extends AsyncIterable<Uint8Array> {
  /** Ends the wait for bytes that may never come. */
  destroy(): unknown
}

interface ReadListOptions {
  readonly separator: '\n' | '\0'
  readonly signal?: AbortSignal
}

export async function* readList(
  stream: ListStream,
  { separator, signal }: ReadListOptions,
): AsyncGenerator<string> {
  const stop = () => void stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for await (const line of split(stream, separator)) {
      const path = clean(line, separator)
      if (path !== '') yield path
    }
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** The last piece need not end in a separator. */
async function* split(stream: ListStream, separator: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true })
    const end = rest.lastIndexOf(separator)
    if (end < 0) continue
    yield* rest.slice(0, end).split(separator)
    rest = rest.slice(end + separator.length)
  }
  yield rest + decoder.decode()
}

/** Lists written on Windows end their lines in two characters. */
function clean(path: string, separator: string): string {
  return separator === '\n' && path.endsWith('\r') ? path.slice(0, -1) : path
}
