/** Paths from a stream, one a line (or ended by NUL, as `find -print0` writes them); empty ones are skipped. */
import type { Readable } from 'node:stream'

export interface ReadListOptions {
  readonly separator: '\n' | '\0'
  readonly signal?: AbortSignal
}

export async function* readList(
  stream: Readable,
  { separator, signal }: ReadListOptions,
): AsyncGenerator<string> {
  const stop = () => stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split(separator)
      rest = parts.pop() ?? ''
      for (const part of parts) if (clean(part, separator) !== '') yield clean(part, separator)
    }
    rest += decoder.decode()
    if (clean(rest, separator) !== '') yield clean(rest, separator)
    signal?.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Lists written on Windows end their lines in two characters. */
function clean(path: string, separator: string): string {
  return separator === '\n' && path.endsWith('\r') ? path.slice(0, -1) : path
}
