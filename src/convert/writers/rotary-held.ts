/** Says which rotary positions a layout holds. */
import type { RotaryRule } from '../../model/rotary.js'
import type { VitConfig } from '../../model/vit-config.js'
import { textOf } from '../holdings.js'

/** Is DINOv3's rule, whatever its base. */
const OF_DINOV3 = {
  coordinates: { kind: 'centred' },
  firstAxis: 'rows',
  spread: 'tiled',
  pairs: 'halves',
  registers: null,
} as const satisfies Omit<RotaryRule, 'bands'>

/** Holds DINOv3's rule with a base that the library makes its periods of. */
export function rotaryOfDinov3({ rotary }: VitConfig): string | null {
  if (rotary === null) return 'rotary positions: none, where it has those of DINOv3'
  const { bands, ...rule } = rotary
  if (textOf(rule) !== textOf(OF_DINOV3))
    return `rotary positions: ${textOf(rule)}, where it has those of DINOv3, ${textOf(OF_DINOV3)}`
  return bandsLack(rotary)
}

/** Only Meta's files keep periods: elsewhere they are made of a base. */
export function bandsLack({ bands }: RotaryRule): string | null {
  switch (bands.kind) {
    case 'temperature':
      return null
    case 'stored':
      return 'periods of its rotary positions, which follow from no base (they may have been rounded to bfloat16, as those of files that Meta publishes are), where it makes them of one: for it take the model as it publishes it itself (plumage pull), whose numbers differ a little'
    case 'mixed':
      return 'rotary positions: learnt frequencies, where it makes them of a base'
  }
}

type Reference = (RotaryRule['coordinates'] & { readonly kind: 'whole' })['reference']

/** Gives the grid to which places are scaled; null where they are whole numbers, or centred. */
export function referenceOf({ coordinates }: RotaryRule): Reference {
  return coordinates.kind === 'whole' ? coordinates.reference : null
}

/** Scales places to another grid, or to none. Divided by the number of patches and multiplied with it again (`own`), a place is what it was. */
export function withReference(rotary: RotaryRule, reference: Reference): RotaryRule {
  const { coordinates } = rotary
  return coordinates.kind === 'whole' ? { ...rotary, coordinates: { ...coordinates, reference } } : rotary
}
