/** Loads a network together with the digest of its weights: they are read once for both, or not digested at all where the digest is noted. */
import type { Engine, WeightSource } from '../engine/engine.js'
import type { DigestWords } from '../kernels/digest-words.js'
import type { VitModel } from '../model/read-vit.js'
import type { VitConfig } from '../model/vit-config.js'
import { elementCount } from '../tensor/shape.js'
import { Network, type NetworkOptions } from './network.js'
import { WeightDigest } from './weight-digest.js'

/** Remembers a digest from one load to the next, so that weights whose files have not changed need not be digested again. */
export interface DigestNote {
  /** Gives the digest of the weights of these very files under this config, or null where it is not known. */
  read(config: VitConfig): Promise<string | null>
  /** Never throws: what cannot be noted is found again at the next load. */
  write(config: VitConfig, digest: string): Promise<void>
}

export interface DigestOptions {
  readonly note?: DigestNote
  /** Digests values; default: this library's portable code, on the calling thread. */
  readonly digestWords?: DigestWords
}

/** Throws `CheckpointError`, `EngineError`. The network is the caller's to dispose of. */
export async function loadDigested(
  vit: VitModel,
  engine: Engine,
  { note, digestWords, ...options }: DigestOptions & Omit<NetworkOptions, 'digest'>,
): Promise<{ readonly network: Network; readonly weights: string }> {
  const known = (await note?.read(vit.config)) ?? null
  if (known !== null) return { network: await Network.load(vit, engine, options), weights: known }
  const digest = new WeightDigest(digestWords)
  const network = await Network.load(vit, engine, { ...options, digest })
  try {
    const weights = await digest.finish(vit)
    await note?.write(vit.config, weights)
    return { network, weights }
  } catch (error) {
    network[Symbol.dispose]()
    throw error
  }
}

/** Is told how many values of the weights have been read, out of how many. */
export type OnReading = (read: number, total: number) => void

/** Finds the digest of weights that are not loaded: they are read for it alone, where it is not noted. Throws `CheckpointError`. */
export async function digestOf(
  vit: VitModel,
  { note, digestWords, onReading }: DigestOptions & { readonly onReading?: OnReading },
): Promise<string> {
  const known = (await note?.read(vit.config)) ?? null
  if (known !== null) return known
  const told = onReading === undefined ? vit : { ...vit, weights: counted(vit, onReading) }
  const weights = await new WeightDigest(digestWords).finish(told)
  await note?.write(vit.config, weights)
  return weights
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
