/** Says who is looked at in a network, for whoever asks. */
import type { Engine } from '../engine/engine.js'
import type { VitConfig } from '../model/vit-config.js'
import type { EncoderDescription } from './types.js'

export type Attending = Pick<EncoderDescription, 'depth' | 'registers' | 'attends'>

/** @param engine is what computes it; default: any that is exact */
export function attendingOf(
  { depth, registers, heads, classToken, pooling }: VitConfig,
  { takesBytes = false }: Pick<Engine, 'takesBytes'> = {},
): Attending {
  const probeHeads = pooling.kind === 'attention' ? pooling.heads : null
  return { depth, registers, attends: { heads, classToken, probeHeads, exact: !takesBytes } }
}
