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
import type { ConvertedConfig } from '../told-by-values.js'
import type { Writer } from '../writer.js'
import { levelsNote, sizeNote, toldLevels } from './facebook-told.js'
import { gatedBySilu } from './gated-by-silu.js'
import { rotaryOfDinov3 } from './rotary-held.js'

const usual = writtenSource(FACEBOOK_DINOV3_LAYOUT)
const WIDTH_OF_7B = 4096

export const facebookDinov3Writer: Writer = {
  library: 'facebook',
  class: 'DinoVisionTransformer of DINOv3',
  holds: {
    registers: 'any',
    epsilon: [1e-5],
    qkvBias: ({ qkvBias, width }) =>
      qkvBias || width === WIDTH_OF_7B
        ? null
        : 'queries and values without a bias, as its ViT-7B alone has them',
    layerScale: [true],
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
    ...toldLevels(config),
  }),
  asRead: (config) =>
    config.rotary === null ? config : { ...config, rotary: { ...config.rotary, bands: { kind: 'stored' } } },
  notes,
}

function hasUsualSize({ size, patchSize }: ConvertedConfig): boolean {
  const usual = Math.round(USUAL_SIDE / patchSize) * patchSize
  return size.every((side) => side === usual)
}

function notes(config: ConvertedConfig): readonly string[] {
  const { depth, width } = config
  const isOf7b = width === WIDTH_OF_7B && depth === 40
  return [
    ...(hasUsualSize(config) ? [] : [sizeNote(config)]),
    ...levelsNote(config),
    ...(isOf7b
      ? [
          "Meta's ViT-7B has a second norm for small crops in training (local_cls_norm), which no other library keeps: load the file there with strict=False.",
        ]
      : []),
  ]
}
