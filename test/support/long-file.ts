/** Makes a file of any length that is nowhere kept: each piece is computed from its place, and served with cuts where a test wants them. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

const PIECE = 1 << 16

export class LongFile {
  readonly length: number
  readonly sha256: string
  readonly #piece = new Uint8Array(PIECE)

  constructor(length: number) {
    this.length = length
    for (let index = 0; index < PIECE; index++) this.#piece[index] = (index * 2654435761) >>> 24
    const hash = createHash('sha256')
    for (let offset = 0; offset < length; ) {
      const bytes = this.at(offset)
      hash.update(bytes)
      offset += bytes.length
    }
    this.sha256 = hash.digest('hex')
  }

  /** Gives bytes from an offset on, to the end of a piece at most. Every piece begins with its own number. */
  at(offset: number): Uint8Array {
    const number = Math.floor(offset / PIECE)
    const bytes = this.#piece.slice(0, Math.min(PIECE, this.length - number * PIECE))
    if (bytes.length >= 4) new DataView(bytes.buffer).setUint32(0, number)
    return bytes.subarray(offset - number * PIECE)
  }

  /** Answers with all from where the range begins, and cuts the connection at an offset of the file. Gives how many bytes went out. */
  async serve(request: IncomingMessage, response: ServerResponse, cutAt = this.length): Promise<number> {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(start > 0 ? 206 : 200, {
      etag: `"${this.sha256}"`,
      'content-length': this.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${this.length - 1}/${this.length}` } : {}),
    })
    let offset = start
    while (offset < Math.min(cutAt, this.length) && !response.destroyed) {
      const bytes = this.at(offset).subarray(0, cutAt - offset)
      offset += bytes.length
      if (!response.write(bytes)) await roomOrEnd(response)
    }
    if (offset >= this.length) response.end()
    // What was written is read first: an error discards what waits.
    else setTimeout(() => response.destroy(), 200)
    return offset - start
  }
}

function roomOrEnd(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
