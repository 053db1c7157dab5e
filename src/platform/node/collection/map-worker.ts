/** Lays out a map on a thread of its own, and tells how far it is. */
import { parentPort, workerData } from 'node:worker_threads'
import { layOutMap, type MapJob } from '../../../numerics/umap.js'

/** Is what the thread says: how far it is, and in the end the points. */
export type MapWorkerMessage = { readonly done: number } | { readonly points: Float32Array }

const say = (message: MapWorkerMessage) => parentPort?.postMessage(message)
say({ points: await layOutMap(workerData as MapJob, { onProgress: (done) => say({ done }) }) })
