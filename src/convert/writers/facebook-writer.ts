/** Writes Meta's DINOv2: a bare state dict with a mask token, and no file beside it. */

import { publishedHeads } from '../../model/dialects/dinov2-config.js'
import { FACEBOOK_LAYOUT } from '../../model/dialects/facebook.js'
import { writtenSource } from '../../model/dialects/layout.js'
import type { Writer } from '../writer.js'
import { headsNote, levelsNote, toldLevels } from './facebook-told.js'
import { gatedBySilu } from './gated-by-silu.js'
import { squareTable } from './positions-held.js'

export const facebookWriter: Writer = {
  library: 'facebook',
  class: 'DinoVisionTransformer',
  holds: {
    registers: 'any',
    qkvBias: 'any',
    layerScale: 'any',
    mlp: ['ffn', 'swiglu'],
    activation: gatedBySilu(['gelu']),
    positions: squareTable,
  },
  source: writtenSource(FACEBOOK_LAYOUT),
  positions: () => ({ tensor: FACEBOOK_LAYOUT.positions, special: 1 }),
  further: ({ width }) => [{ tensor: 'mask_token', shape: [1, width] }],
  files: () => ({}),
  hints: (config) => ({ heads: config.heads, ...toldLevels(config) }),
  notes: (config) => [
    ...(publishedHeads(config.width) === config.heads ? [] : [headsNote(config)]),
    ...levelsNote(config),
  ],
}
