/**
 * Decodes HEIC on a thread of its own: libheif in WebAssembly holds its thread up while it decodes, keeps the memory that it has once taken, and prints what it
 * does not like to the console.
 */
import { parentPort } from 'node:worker_threads'

export interface HeicJob {
  readonly id: number
  readonly bytes: Uint8Array
  readonly maxPixels: number
}

/** Pixels are uint8 [height, width, 4]. */
export type HeicResult = { readonly id: number } & (
  | { readonly width: number; readonly height: number; readonly rgba: Uint8Array<ArrayBuffer> | null }
  | { readonly reason: string }
)

/** Is what is used of libheif-js, whose own types say nothing of this. */
interface Libheif {
  readonly ready?: Promise<unknown>
  readonly HeifDecoder: new () => {
    readonly decoder: { delete(): void } | null
    decode(file: Uint8Array): readonly HeifImage[]
  }
}

interface HeifImage {
  is_primary(): boolean
  get_width(): number
  get_height(): number
  display(image: HeifPixels, done: (image: HeifPixels | null) => void): void
  free(): void
}

interface HeifPixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>
  readonly width: number
  readonly height: number
}

/** It is named in a variable, so that no bundler looks for what may not be installed. */
const PACKAGE = 'libheif-js/wasm-bundle.js'

async function decode({ id, bytes, maxPixels }: HeicJob): Promise<HeicResult> {
  const { default: libheif } = (await import(PACKAGE)) as { default: Libheif }
  await libheif.ready
  const decoder = new libheif.HeifDecoder()
  let images: readonly HeifImage[] = []
  try {
    images = decoder.decode(bytes)
    const image = images.find((one) => one.is_primary()) ?? images[0]
    if (image === undefined) return { id, reason: 'there is no image in it' }
    const [width, height] = [image.get_width(), image.get_height()]
    if (width * height > maxPixels) return { id, width, height, rgba: null }
    const data = new Uint8ClampedArray(width * height * 4)
    const pixels = await new Promise<HeifPixels | null>((resolve) => {
      image.display({ data, width, height }, resolve)
    })
    if (pixels === null) return { id, reason: 'libheif could not decode it' }
    return { id, width, height, rgba: new Uint8Array(pixels.data.buffer) }
  } finally {
    for (const image of images) image.free()
    decoder.decoder?.delete()
  }
}

parentPort?.on('message', (job: HeicJob) => {
  void decode(job)
    .catch((error: unknown): HeicResult => ({ id: job.id, reason: String(error) }))
    .then((result) => {
      const transfer = 'rgba' in result && result.rgba !== null ? [result.rgba.buffer] : []
      parentPort?.postMessage(result, transfer)
    })
})
