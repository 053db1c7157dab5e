/** Reads a file line by line, so that its length does not matter. */
import type { OpenedFile } from './files.js'

const CHUNK_BYTES = 2 ** 16

/** Yields what stands before each line break; what is behind the last one is yielded where it is something. */
export async function* readLines(file: OpenedFile): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const bytes = new Uint8Array(CHUNK_BYTES)
  let rest = ''
  for (let at = 0; ; ) {
    const count = await file.read(bytes, at)
    if (count === 0) break
    at += count
    rest += decoder.decode(bytes.subarray(0, count), { stream: true })
    const end = rest.lastIndexOf('\n')
    if (end < 0) continue
    yield* rest.slice(0, end).split('\n')
    rest = rest.slice(end + 1)
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
