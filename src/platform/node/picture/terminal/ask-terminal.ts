/** Asks a terminal how it shows pictures. Whoever does not answer in time shows them as coloured blocks. */
import type { ReadStream, WriteStream } from 'node:tty'

/** Is the way in which a terminal takes pictures. */
export type Protocol = 'kitty' | 'iterm' | 'sixel' | 'blocks'

export interface TerminalFacts {
  readonly protocol: Protocol
  /** Is a letter's size in pixels; what most terminals have, where this one does not say. */
  readonly cell: { readonly height: number; readonly width: number }
}

/** An answer comes within milliseconds, over a slow line within a tenth of a second. */
const PATIENCE_MS = 200

const ESCAPE = '\u001b'
/** Is a picture of one pixel that is not to be shown: whoever knows kitty's protocol says OK. */
const ASK_KITTY = `${ESCAPE}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA${ESCAPE}\\`
const ASK_CELL = `${ESCAPE}[16t`
/** Every terminal says what it is, and does so last. */
const ASK_KIND = `${ESCAPE}[c`

const DEFAULT_CELL = { height: 16, width: 8 }

type Environment = { readonly [name: string]: string | undefined }

export async function askTerminal(
  stdin: ReadStream,
  stdout: WriteStream,
  env: Environment,
  signal: AbortSignal,
): Promise<TerminalFacts> {
  // These show what they do not understand as letters, or are known to answer nothing.
  const isMute = env.TERM_PROGRAM === 'Apple_Terminal' || env.TERM === 'linux' || stdin.isTTY !== true
  const answer = isMute ? '' : await answerOf(stdin, stdout, signal)
  return factsIn(answer, env)
}

/** Reads what a terminal has answered. */
export function factsIn(answer: string, env: Environment): TerminalFacts {
  const [, height, width] = /\[6;(\d+);(\d+)t/.exec(answer) ?? []
  const cell =
    height === undefined || width === undefined || Number(height) * Number(width) === 0
      ? DEFAULT_CELL
      : { height: Number(height), width: Number(width) }
  const [, attributes = ''] = /\[\?([\d;]*)c/.exec(answer) ?? []
  if (answer.includes('_Gi=31;OK')) return { protocol: 'kitty', cell }
  if (env.TERM_PROGRAM === 'iTerm.app' || env.TERM_PROGRAM === 'WezTerm' || env.LC_TERMINAL === 'iTerm2')
    return { protocol: 'iterm', cell }
  // Of what a terminal can, 4 stands for sixel graphics.
  return { protocol: attributes.split(';').slice(1).includes('4') ? 'sixel' : 'blocks', cell }
}

/** Gives all that comes until the last question has been answered, or time is up. */
function answerOf(stdin: ReadStream, stdout: WriteStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const wasRaw = stdin.isRaw
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      stdin.off('data', take)
      stdin.setRawMode(wasRaw)
      stdin.pause()
      if (signal.aborted) reject(signal.reason)
      else resolve(text)
    }
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      // In raw mode the terminal does not turn Ctrl-C into a signal.
      if (text.includes('\u0003')) process.kill(process.pid, 'SIGINT')
      if (/\[\?[\d;]*c/.test(text)) end()
    }
    const timer = setTimeout(end, PATIENCE_MS)
    signal.addEventListener('abort', end, { once: true })
    stdin.setRawMode(true)
    stdin.on('data', take)
    stdout.write(ASK_KITTY + ASK_CELL + ASK_KIND)
  })
}
