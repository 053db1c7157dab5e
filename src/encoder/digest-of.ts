/** Finds the digest of weights that are not loaded, for whoever only wants to know which they are. */
import type { WeightSource } from '../engine/engine.js'
import type { DigestWords } from '../kernels/digest-words.js'
import type { VitModel } from '../model/read-vit.js'
import { elementCount } from '../tensor/shape.js'
import { type DigestNote, WeightDigest } from './weight-digest.js'

/** Is told how many values of the weights have been read, out of how many. */
export type OnReading = (read: number, total: number) => void

interface DigestOptions {
  readonly note: DigestNote
  readonly digestWords?: DigestWords
  readonly onReading?: OnReading
}

/** Reads all weights where their digest is not noted. Throws `CheckpointError`. */
export async function digestOf(
  vit: VitModel,
  { note, digestWords, onReading }: DigestOptions,
): Promise<string> {
  const digest = new WeightDigest(digestWords, await note.read(vit.config))
  const told = onReading === undefined ? vit : { ...vit, weights: counted(vit, onReading) }
  return await digest.finish(told, note)
}

function counted({ weights, weightShapes }: VitModel, onReading: OnReading): WeightSource {
  const total = [...weightShapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0)
  let read = 0
  return {
    async read(name, shape) {
      const values = await weights.read(name, shape)
      read += values.length
      onReading(read, total)
      return values
    },
  }
}
