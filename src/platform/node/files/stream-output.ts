/**
 * Writes into what is no file: a pipe, a device, or a descriptor that this process was started with. It is opened as it is, and what has been
 * written cannot be taken back.
 */
import { constants, createWriteStream, fstatSync, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { explainWriteError, FileError } from './file-error.js'
import type { OutputTarget } from './output-target.js'

/** Holds the streams that the process has for its first descriptors: what is written there must not overtake them. */
export interface StandardStreams {
  readonly stdout: Writable
  readonly stderr: Writable
  /** Ends the wait for a reader, and for one that takes nothing more. */
  readonly signal: AbortSignal
}

/** So often it is tried whether a named pipe has a reader by now. */
const READER_POLL_MS = 50

export class StreamOutput implements AsyncDisposable {
  /** Tells whether a person reads what is written: bytes that are no text must not go there. */
  readonly isTerminal: boolean
  readonly #stream: Writable
  readonly #label: string
  readonly #owned: boolean
  readonly #signal: AbortSignal

  private constructor(
    stream: Writable,
    label: string,
    isTerminal: boolean,
    owned: boolean,
    signal: AbortSignal,
  ) {
    this.#stream = stream
    this.#label = label
    this.isTerminal = isTerminal
    this.#owned = owned
    this.#signal = signal
    // What goes wrong is told to whoever writes.
    if (owned) stream.on('error', () => {})
  }

  static stdout({ stdout, signal }: StandardStreams, label = 'stdout'): StreamOutput {
    const { isTTY = false } = stdout as { readonly isTTY?: boolean }
    return new StreamOutput(stdout, label, isTTY, false, signal)
  }

  /** Waits for the reader of a named pipe, as a shell does. Throws `FileError` `not-writable`, or the signal's reason. */
  static async open(
    target: OutputTarget & { readonly kind: 'special' | 'descriptor' },
    streams: StandardStreams,
  ): Promise<StreamOutput> {
    const { path } = target
    const { signal, stderr } = streams
    if (target.kind === 'descriptor') {
      const { descriptor } = target
      if (descriptor === 1) return StreamOutput.stdout(streams, path)
      if (descriptor === 2) return new StreamOutput(stderr, path, isatty(2), false, signal)
      return new StreamOutput(streamOn(descriptor, path), path, isatty(descriptor), true, signal)
    }
    const descriptor = await openSpecial(path, signal)
    return new StreamOutput(streamOn(descriptor, path), path, isatty(descriptor), true, signal)
  }

  /** Resolves once the bytes have been taken and may be used anew. Throws `FileError` `not-writable` where nobody reads any more. */
  write(chunk: string | Uint8Array): Promise<void> {
    const signal = this.#signal
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason)
      signal.addEventListener('abort', stop, { once: true })
      this.#stream.write(chunk, (error) => {
        signal.removeEventListener('abort', stop)
        if (error) reject(readerGone(error, this.#label))
        else resolve()
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) this.#stream.destroy()
  }
}

/** Opening a pipe without a reader would hold a thread until there is one: it is asked again and again instead. */
async function openSpecial(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted()
    try {
      const isPipe = statSync(path).isFIFO()
      return openSync(path, constants.O_WRONLY | (isPipe ? constants.O_NONBLOCK : constants.O_NOCTTY))
    } catch (error) {
      // A socket says the same as a pipe without a reader, and keeps saying it.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENXIO' || !statSync(path).isFIFO()) throw explainWriteError(error, path)
    }
    await sleep(READER_POLL_MS)
  }
}

function streamOn(descriptor: number, path: string): Writable {
  try {
    const found = fstatSync(descriptor)
    if (found.isFIFO() || found.isSocket()) {
      return new Socket({ fd: descriptor, readable: false, writable: true })
    }
    return createWriteStream(path, { fd: descriptor })
  } catch (error) {
    throw explainWriteError(error, path)
  }
}

function readerGone(error: NodeJS.ErrnoException, label: string): unknown {
  if (error.code !== 'EPIPE') return explainWriteError(error, label)
  return new FileError(
    'not-writable',
    `${label} could not be written to the end: its reader has gone away.`,
    {
      cause: error,
    },
  )
}
