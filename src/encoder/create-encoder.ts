/** Puts the parts together that a caller brings: a network, an engine, a way to decode and a recipe make an encoder. */
import { StagedEncoder } from './staged-encoder.js'
import type { Encoder } from './types.js'
import { type EncoderParts, VitStages } from './vit-stages.js'

/** Reads and packs the weights. The engine stays the caller's, unless it is among what the encoder is to own. Throws `CheckpointError`, `EngineError`. */
export async function createEncoder<Source>(parts: EncoderParts<Source>): Promise<Encoder<Source>> {
  return new StagedEncoder(await VitStages.create(parts))
}
