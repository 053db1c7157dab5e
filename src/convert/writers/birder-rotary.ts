/** Says rotary positions in the settings of Birder's RoPE_ViT (layers/rope.py). */
import type { RotaryRule } from '../../model/rotary.js'
import type { PlainRecord } from '../../plain-value.js'
import { bandsLack, referenceOf, withReference } from './rotary-held.js'

/** Says what is in the way of writing them; null where nothing is. */
export function rotaryLack(rotary: RotaryRule): string | null {
  const { coordinates, spread, pairs, registers, firstAxis } = rotary
  if (registers !== null) return 'rotary positions: turned registers, where it leaves them as they are'
  const isCentred = coordinates.kind === 'centred'
  if (isCentred && (spread !== 'tiled' || pairs !== 'halves' || firstAxis !== 'rows'))
    return `rotary positions: centred ones of ${pairs}, with ${firstAxis} first and angles ${spread}, where it has them of halves, with rows first and angles tiled`
  if (!isCentred && spread !== 'repeated')
    return 'rotary positions: whole places whose angles are tiled, where it repeats them'
  if (!isCentred && !Number.isInteger(coordinates.offset))
    return `rotary positions: places moved by ${coordinates.offset}, where it moves them by a whole number`
  return bandsLack(rotary)
}

/** Its default style scales places to a grid, be it the image's own; the axial one leaves them alone. */
export function rotaryAsRead(rotary: RotaryRule): RotaryRule {
  return referenceOf(rotary) === null && !isAxial(rotary) ? withReference(rotary, 'own') : rotary
}

function isAxial({ coordinates, firstAxis, pairs }: RotaryRule): boolean {
  return (
    coordinates.kind === 'whole' &&
    coordinates.reference === null &&
    coordinates.offset === 0 &&
    firstAxis === 'columns' &&
    pairs === 'neighbours'
  )
}

export function rotarySettings(rotary: RotaryRule): PlainRecord {
  const { coordinates, bands, firstAxis, pairs } = rotary
  const shared = {
    rope_temperature: bands.kind === 'temperature' ? bands.temperature : null,
    rope_rot_type: pairs === 'halves' ? 'standard' : 'interleaved',
  }
  if (coordinates.kind === 'centred') return { ...shared, rope_style: 'centered_separate' }
  if (isAxial(rotary)) return { ...shared, rope_style: 'axial' }
  const { offset, reference } = coordinates
  return {
    ...shared,
    rope_style: 'default',
    rope_grid_indexing: firstAxis === 'rows' ? 'ij' : 'xy',
    rope_grid_offset: offset,
    ...(reference === null || reference === 'own'
      ? {}
      : { pt_grid_size: [reference.rows, reference.columns] }),
  }
}
