/** Says which poolings a layout holds that has its last norm behind one of them. */
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'

/** The last norm is on the mean of the patches, or on all tokens where the class token is taken. */
export function poolingWithNorm({ pooling, finalNorm }: VitConfig): string | null {
  const held = [`${textOf({ kind: 'mean' })} and pooled`, `${textOf({ kind: 'class' })} and tokens`]
  const own = `${textOf(pooling)} and ${finalNorm}`
  return held.includes(own)
    ? null
    : `pooling, and place of the last norm: ${own}, where it has ${held.join(', or ')}`
}
