/** Takes a stream of bytes apart into lines, none of which is in memory beyond a bound. */
import { concatenateBytes } from '../tensor/concatenate.js'

/** Stands for a line that could not be read. */
export interface LongLine {
  readonly code: 'too-long' | 'not-json'
  readonly reason: string
}

const LINE_BREAK = 0x0a

/** Yields lines without their ends; what stands behind the last line break is one where it is something. */
export async function* readByteLines(
  stream: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<string | LongLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let parts: Uint8Array[] = []
  let length = 0
  const take = () => {
    const line = length > mostBytes ? tooLong(length, mostBytes) : decoded(parts, decoder)
    parts = []
    length = 0
    return line
  }
  const add = (bytes: Uint8Array) => {
    length += bytes.length
    if (length <= mostBytes) parts.push(bytes)
    else parts = []
  }
  for await (const bytes of stream) {
    let start = 0
    for (let end = bytes.indexOf(LINE_BREAK); end >= 0; end = bytes.indexOf(LINE_BREAK, start)) {
      add(bytes.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start < bytes.length) add(bytes.slice(start))
  }
  if (length > 0) yield take()
}

function decoded(parts: readonly Uint8Array[], decoder: TextDecoder): string | LongLine {
  try {
    return decoder.decode(concatenateBytes(parts))
  } catch {
    return { code: 'not-json', reason: 'the line is no UTF-8' }
  }
}

function tooLong(length: number, mostBytes: number): LongLine {
  return { code: 'too-long', reason: `the line has ${length} bytes, and at most ${mostBytes} are read` }
}
