/** Keeps weights as an engine has packed them, from one load to the next: what a platform brings for it. */
import type { PackedBytes, PackedFile, Packing, PackingFacts, Precision } from '../engine/engine.js'
import type { VitConfig } from '../model/vit-config.js'

/** Says for what packed weights are wanted. */
export interface PackedWish {
  /** Says which network it is. */
  readonly config: VitConfig
  /** Names the engine's precision. */
  readonly precision: Precision
  /** Names the engine's code path. */
  readonly instructionSet: Packing['instructionSet']
  /** Says how the engine packs; it is asked for where there is something to compare it with. Throws `EngineError` `out-of-memory`, `disposed`. */
  facts(): Promise<PackingFacts>
}

/** Is a file of packed weights that agrees in all with what is wanted; its bytes have still to be checked. It is open until it is disposed of. */
export interface FoundPacked extends PackedFile, AsyncDisposable {
  /** Leads to it. */
  readonly path: string
  /** Is the digest of the weights before they were packed, as `WeightDigest` gives it. */
  readonly weights: string
  /** Is true where the engine has checked the bytes and runs on them. */
  readonly isUsed: boolean
}

/** Finds and keeps the packed weights of one model. */
export interface PackedWeights {
  /** Gives null where there are none, or where they are not those that are wanted. Throws nothing that has to do with the file. */
  find(wish: PackedWish): Promise<FoundPacked | null>
}

/** Is all that is put into a file of packed weights. */
export interface PackedContent {
  readonly config: VitConfig
  readonly facts: PackingFacts
  /** Is the digest of the weights before they were packed. */
  readonly weights: string
  readonly bytes: PackedBytes
}
