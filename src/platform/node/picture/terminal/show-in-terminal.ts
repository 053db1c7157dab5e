/** Shows a picture in the terminal itself, in the best way that it knows. */
import type { Writable } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import type { RgbImage } from '../../../../image/image.js'
import { encodePicture } from '../picture-file.js'
import { reducedWithin } from '../reduce-picture.js'
import { askTerminal, type Protocol, type TerminalFacts } from './ask-terminal.js'
import { halfBlocks } from './half-blocks.js'
import { sixels } from './sixel.js'

export interface TerminalOptions {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly env: { readonly [name: string]: string | undefined }
  readonly signal: AbortSignal
}

/** Leaves room for what is said below the picture. */
const LINES_BELOW = 4
/** Longer messages are no terminal's business: kitty takes a picture in pieces. */
const PIECE = 4096

export async function showInTerminal(image: RgbImage, options: TerminalOptions): Promise<void> {
  const { stdin, stdout, env, signal } = options
  const facts = await askTerminal(stdin, stdout, env, signal)
  const [columns, lines] = [stdout.columns || 80, Math.max(4, (stdout.rows || 24) - LINES_BELOW)]
  const text = await WRITERS[facts.protocol](image, { columns, lines, facts })
  signal.throwIfAborted()
  await written(stdout, text)
}

interface Room {
  readonly columns: number
  readonly lines: number
  readonly facts: TerminalFacts
}

const WRITERS: Readonly<Record<Protocol, (image: RgbImage, room: Room) => Promise<string>>> = {
  async blocks(image, { columns, lines }) {
    // A cell is about twice as high as wide: half of it is a square pixel.
    return halfBlocks(await reducedWithin(image, { height: lines * 2, width: columns }))
  },
  async sixel(image, room) {
    return `${sixels(await fittedToCells(image, room))}\n`
  },
  async kitty(image, room) {
    const png = await encodePicture(await fittedToCells(image, room), 'png')
    const text = Buffer.from(png).toString('base64')
    const pieces = Array.from({ length: Math.ceil(text.length / PIECE) }, (_, i) =>
      text.slice(i * PIECE, (i + 1) * PIECE),
    )
    // q=2 asks for no answer, which would come to whoever reads next.
    const messages = pieces.map((piece, index) => {
      const more = index < pieces.length - 1 ? 1 : 0
      const keys = index === 0 ? `a=T,f=100,q=2,m=${more}` : `q=2,m=${more}`
      return `\u001b_G${keys};${piece}\u001b\\`
    })
    return `${messages.join('')}\n`
  },
  async iterm(image, room) {
    const fit = await fittedToCells(image, room)
    const png = await encodePicture(fit, 'png')
    const keys = `inline=1;size=${png.length};width=${fit.width}px;height=${fit.height}px`
    return `\u001b]1337;File=${keys}:${Buffer.from(png).toString('base64')}\u0007\n`
  },
}

/** Small pictures stay as they are. */
function fittedToCells(image: RgbImage, { columns, lines, facts: { cell } }: Room): Promise<RgbImage> {
  return reducedWithin(image, { height: lines * cell.height, width: columns * cell.width })
}

function written(stdout: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
