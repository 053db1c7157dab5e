/** Proves pairs of photos on a thread of its own. */
import { parentPort } from 'node:worker_threads'
import { OwnLane, type SmallPixels } from '../../../collection/duplicates/proof-lane.js'
import type { PictureProof } from '../../../numerics/same-picture.js'

/** Is what the thread is told: a picture that it needs, one that it needs no more, or a pair. */
export type ProofMessage =
  | { readonly add: string; readonly pixels: SmallPixels }
  | { readonly drop: string }
  | { readonly prove: readonly [first: string, second: string] }

/** Is what it says to each pair, in their order. */
export interface ProofAnswer {
  readonly proof: PictureProof | null
}

const lane = new OwnLane()
parentPort?.on('message', async (message: ProofMessage) => {
  if ('add' in message) lane.add(message.add, message.pixels)
  else if ('drop' in message) lane.drop(message.drop)
  else parentPort?.postMessage({ proof: await lane.prove(...message.prove) } satisfies ProofAnswer)
})
