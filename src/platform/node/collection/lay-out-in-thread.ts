/** Lays out maps on a thread of their own, so that the one that asks is free for as long as that takes. */
import { Worker } from 'node:worker_threads'
import { checkOptionNames, type OptionNames } from '../../../check-option-names.js'
import type { LayoutOptions } from '../../../numerics/layout.js'
import type { MapJob } from '../../../numerics/umap.js'
import { packageFile } from '../package-files.js'
import type { MapWorkerMessage } from './map-worker.js'

const OPTIONS = { signal: true, onProgress: true } satisfies OptionNames<LayoutOptions>

/**
 * Lays out a map: `mapPhotos` takes it as `layOut`. The numbers are those that the calling thread would have given. Throws RangeError for a graph that does not fit
 * its points; Error where a file of the package is missing; the signal's reason.
 */
export async function layOutInThread(job: MapJob, options: LayoutOptions = {}): Promise<Float32Array> {
  checkOptionNames(options, OPTIONS)
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  const file = packageFile('dist/bundle/node/map-worker.js', (message) => new Error(message))
  const worker = new Worker(file, { workerData: job, name: 'plumage map' })
  let abort = () => {}
  try {
    return await new Promise<Float32Array>((resolve, reject) => {
      abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      worker.on('message', (message: MapWorkerMessage) => {
        if ('points' in message) resolve(message.points)
        else onProgress?.(message.done)
      })
      worker.on('error', reject)
      worker.on('exit', (code) => reject(new Error(`The thread of the map ended with code ${code}.`)))
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}
