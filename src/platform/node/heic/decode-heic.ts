/**
 * Decodes HEIC, the photos of telephones, with libheif-js (libheif and libde265 in WebAssembly), which is installed by whoever wants it: it is under the LGPL
 * and the codec under patents, so that it does not come with this package.
 */
import { Worker } from 'node:worker_threads'
import { assertNotTooLarge } from '../../../image/decodable.js'
import type { RgbImage } from '../../../image/image.js'
import { ImageError } from '../../../image/image-error.js'
import type { Transparency } from '../../../image/preparation.js'
import { rgbFrom8Bits, rgbOnWhite } from '../../../kernels/to-rgb.js'
import { packageFile } from '../package-files.js'
import { HEIC_ADVICE, hasHeicDecoder } from './heic-decoder.js'
import type { HeicJob, HeicResult } from './worker.js'

export interface DecodeHeicOptions {
  readonly maxPixels: number
  readonly transparency: Transparency
  readonly signal?: AbortSignal | undefined
}

/** Gives the primary image, upright, as libheif turns it. Throws `ImageError` `unsupported` where the package is missing; `truncated`, `too-large`; the signal's reason. */
export async function decodeHeic(
  bytes: Uint8Array,
  label: string,
  { maxPixels, transparency, signal }: DecodeHeicOptions,
): Promise<RgbImage> {
  if (!hasHeicDecoder()) {
    throw new ImageError('unsupported', `${label} is HEIC, which is not decoded here. ${HEIC_ADVICE}`)
  }
  HeicThread.shared ??= new HeicThread()
  const result = await HeicThread.shared.decode(bytes, maxPixels, signal)
  if ('reason' in result) {
    throw new ImageError(
      'truncated',
      `${label} is damaged or cut off: ${result.reason}. Was it copied or downloaded completely?`,
    )
  }
  const { width, height, rgba } = result
  assertNotTooLarge({ width, height }, maxPixels, label)
  if (rgba === null) throw new Error('The HEIC thread gave no pixels.')
  const rgb = rgbFrom8Bits(rgba, 4)
  return { width, height, data: transparency === 'white' ? rgbOnWhite(rgb, rgba, 4, 3) : rgb }
}

interface Waiting {
  resolve(result: HeicResult): void
  reject(error: unknown): void
}

/** The thread ends when nothing has been asked of it for so long: its memory never shrinks. */
const IDLE_MS = 10_000

class HeicThread {
  static shared: HeicThread | undefined
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #idle: NodeJS.Timeout | undefined

  constructor() {
    const file = packageFile(
      'dist/bundle/node/heic-worker.js',
      (message) => new ImageError('unsupported', `HEIC cannot be decoded. ${message}`),
    )
    // What libheif prints is taken and let go of: standard output belongs to results.
    this.#worker = new Worker(file, { stdout: true, stderr: true, name: 'plumage heic' })
    this.#worker.stdout.resume()
    this.#worker.stderr.resume()
    this.#worker.unref()
    this.#worker.on('message', (result: HeicResult) =>
      this.#settle(result.id, ({ resolve }) => resolve(result)),
    )
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', (code) => this.#end(new Error(`The HEIC thread ended with code ${code}.`)))
  }

  async decode(bytes: Uint8Array, maxPixels: number, signal?: AbortSignal): Promise<HeicResult> {
    const id = this.#next++
    clearTimeout(this.#idle)
    this.#worker.ref()
    const abort = () => this.#settle(id, ({ reject }) => reject(signal?.reason))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await new Promise<HeicResult>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        this.#worker.postMessage({ id, bytes, maxPixels } satisfies HeicJob)
      })
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #settle(id: number, tell: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting !== undefined) tell(waiting)
    if (this.#waiting.size > 0) return
    this.#worker.unref()
    this.#idle = setTimeout(() => this.#end(new Error('The HEIC thread was given back.')), IDLE_MS)
    this.#idle.unref()
  }

  #end(error: unknown): void {
    if (HeicThread.shared === this) HeicThread.shared = undefined
    clearTimeout(this.#idle)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    void this.#worker.terminate()
  }
}
