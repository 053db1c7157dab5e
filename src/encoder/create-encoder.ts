/** Puts the parts together that a caller brings: a network, an engine, a way to decode and a recipe make an encoder. */
import { checkOptionNames, type OptionNames } from '../check-option-names.js'
import { StagedEncoder } from './staged-encoder.js'
import type { Encoder } from './types.js'
import { type EncoderParts, VitStages } from './vit-stages.js'

const ENCODER_PARTS = {
  vit: true,
  engine: true,
  recipe: true,
  decode: true,
  decoders: true,
  resample: true,
  name: true,
  digestWords: true,
  positions: true,
  maxPixels: true,
  maxTokens: true,
  signal: true,
  owned: true,
} satisfies OptionNames<EncoderParts<unknown>>

/**
 * Makes an encoder of its parts. Reads and packs the weights. The engine stays the caller's, unless it is among what the encoder is to own. Throws
 * `CheckpointError` from reading; `EngineError` `unsupported`, `out-of-memory`, `disposed`; RangeError for an unknown part, and for a
 * recipe that decodes scaled; the signal's reason.
 */
export async function createEncoder<Source>(parts: EncoderParts<Source>): Promise<Encoder<Source>> {
  checkOptionNames(parts, ENCODER_PARTS)
  if (parts.recipe.decode === 'scaled') {
    throw new RangeError(
      "The recipe decodes JPEG scaled (decode: 'scaled'), which a decoder given as a part cannot do: leave that out, or take loadEncoder of plumage/node.",
    )
  }
  return new StagedEncoder(await VitStages.create(parts))
}
