/** Writes Meta's DINOv3: a bare state dict with a mask token, the periods of its rotary positions, and a mask over the bias of keys. */

import { writtenSource } from '../../model/dialects/layout.js'
import {
  FACEBOOK_DINOV3_LAYOUT,
  masked,
  maskOrNull,
  STORED_PERIODS,
  USUAL_SIDE,
} from '../../model/families/facebook-dinov3.js'
import { rotaryPeriods } from '../../model/rotary.js'
import { IMAGENET_STATS } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer } from '../writer.js'
import { gatedBySilu } from './gated-by-silu.js'
import { rotaryOfDinov3 } from './rotary-held.js'

const usual = writtenSource(FACEBOOK_DINOV3_LAYOUT)

export const facebookDinov3Writer: Writer = {
  library: 'facebook',
  class: 'DinoVisionTransformer of DINOv3',
  holds: {
    registers: 'any',
    epsilon: [1e-5],
    qkvBias: 'any',
    layerScale: 'any',
    mlp: ['ffn', 'swiglu'],
    activation: gatedBySilu(['gelu']),
    rotary: rotaryOfDinov3,
  },
  source(weight, shape, config) {
    const mask = maskOrNull(weight)
    const plain = usual(weight, shape, config)
    return mask === null ? plain : masked(plain, { tensor: mask, shape })
  },
  further: ({ width }) => [{ tensor: 'mask_token', shape: [1, width] }],
  made({ rotary, width, heads }) {
    if (rotary?.bands.kind !== 'temperature') return []
    const count = width / heads / 4
    const values = rotaryPeriods(rotary.bands.temperature, count)
    return [{ tensor: STORED_PERIODS, shape: [count], values }]
  },
  files: () => ({}),
  hints: (config) => ({
    ...(hasUsualSize(config) ? {} : { size: config.size }),
    ...(hasUsualLevels(config) ? {} : { normalisation: config.rgbStats }),
  }),
  asRead: (config) =>
    config.rotary === null ? config : { ...config, rotary: { ...config.rotary, bands: { kind: 'stored' } } },
  notes,
}

function hasUsualSize({ size, patchSize }: ConvertedConfig): boolean {
  const usual = Math.round(USUAL_SIDE / patchSize) * patchSize
  return size.every((side) => side === usual)
}

function hasUsualLevels({ rgbStats }: ConvertedConfig): boolean {
  return textOf(rgbStats) === textOf(IMAGENET_STATS)
}

function notes(config: ConvertedConfig): readonly string[] {
  const { size, depth, width, rgbStats } = config
  const found: string[] = []
  if (!hasUsualSize(config))
    found.push(
      `No file of Meta's says the size that a DINOv3 was trained at: say it where this one is loaded, as trainedSize (--trained-size ${size.join('x')}).`,
    )
  if (!hasUsualLevels(config))
    found.push(
      `No file of Meta's says mean and deviation of the levels: say them where this one is loaded, as normalisation (${rgbStats.mean.join(' ')} and ${rgbStats.std.join(' ')}).`,
    )
  if (width === 4096 && depth === 40)
    found.push(
      "Meta's ViT-7B has a second norm for small crops in training (local_cls_norm), which no other library keeps: load the file there with strict=False.",
    )
  return found
}
