/** Says who is looked at in a network, for whoever asks. */
import type { VitConfig } from '../model/vit-config.js'
import type { EncoderDescription } from './types.js'

export type Attending = Pick<EncoderDescription, 'depth' | 'registers' | 'attends'>

export function attendingOf({ depth, registers, heads, classToken, pooling }: VitConfig): Attending {
  const probeHeads = pooling.kind === 'attention' ? pooling.heads : null
  return { depth, registers, attends: { heads, classToken, probeHeads } }
}
