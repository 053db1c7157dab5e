/** Writes Meta's Perception Encoder: an image tower alone, with its pooling and projection where it has them. */
import { PE_HEADS, pePooling, peRotary } from '../../model/families/facebook-perception-encoder.js'
import { resblocksLayout, resblocksSource } from '../../model/families/resblocks-layout.js'
import { NORMALISATIONS } from '../../model/normalisation.js'
import type { RotaryRule } from '../../model/rotary.js'
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'
import type { Writer } from '../writer.js'
import { headsNote, levelsNote, toldLevels } from './facebook-told.js'
import { squareTable } from './positions-held.js'
import { referenceOf, withReference } from './rotary-held.js'

const LAYOUT = resblocksLayout('facebook', '')
const SOURCE = resblocksSource(LAYOUT, '')
const NONE = new Map()

export const facebookPerceptionEncoderWriter: Writer = {
  library: 'facebook',
  class: 'VisionTransformer of the Perception Encoder',
  holds: {
    classToken: 'any',
    epsilon: [1e-5],
    preNorm: [true],
    // Without a pooling there is no last norm either.
    finalNorm: ({ finalNorm, pooling }) => {
      const held = pooling.kind === 'attention' ? 'tokens' : 'none'
      return finalNorm === held ? null : `place of the last norm: ${finalNorm}, where it has ${held}`
    },
    rotary: rotaryLack,
    layerScale: 'any',
    stem: [{ kind: 'patchify', bias: false }],
    pooling: ({ pooling }) => {
      const held = pePooling(pooling.kind === 'attention' ? pooling.hidden : null)
      return textOf(pooling) === textOf(held)
        ? null
        : `pooling: ${textOf(pooling)}, where it has ${textOf(held)}`
    },
    projection: ({ projection, pooling }) =>
      projection === null || pooling.kind === 'attention'
        ? null
        : `projection to the space of texts: ${projection}, which it has behind a pooling`,
    positions: squareTable,
  },
  source: (weight, shape, config) => SOURCE(weight, shape, config, NONE),
  positions: ({ classToken }) => ({ tensor: LAYOUT.positions, special: classToken ? 1 : 0, isFlat: true }),
  files: () => ({}),
  hints: (config) => ({ heads: config.heads, ...toldLevels(config, NORMALISATIONS.half) }),
  asRead: (config) => ({ ...config, rotary: peRotary(config.classToken) }),
  notes: (config) => [
    ...(PE_HEADS[config.width] === config.heads ? [] : [headsNote(config)]),
    ...levelsNote(config, NORMALISATIONS.half),
    ...gridNotes(config),
  ],
}

/** Places that are scaled to the trained grid are whole there. */
function rotaryLack(config: VitConfig): string | null {
  const { rotary, classToken } = config
  const held = peRotary(classToken)
  return rotary !== null && textOf(withoutGrid(config)) === textOf(held)
    ? null
    : `rotary positions: ${textOf(rotary)}, where it has ${textOf(held)}`
}

function withoutGrid({ rotary, size, patchSize }: VitConfig): RotaryRule | null {
  const reference = rotary === null ? null : referenceOf(rotary)
  if (rotary === null || reference === null) return rotary
  const [rows, columns] = size.map((side) => side / patchSize)
  const isTrained = reference === 'own' || (reference.rows === rows && reference.columns === columns)
  return isTrained ? withReference(rotary, null) : rotary
}

function gridNotes({ rotary, size }: VitConfig): readonly string[] {
  const reference = rotary === null ? null : referenceOf(rotary)
  return reference === null || reference === 'own'
    ? []
    : [
        `At other sizes than ${size.join(' x ')} Meta's code takes the numbers of patches for their places, and the source scales them to ${reference.rows} x ${reference.columns}: the numbers there differ.`,
      ]
}
