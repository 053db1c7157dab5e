/** Reads the rotary positions of timm's class Eva, of which the tensors show nothing but learnt frequencies. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { TimmSettings } from '../dialects/timm-settings.js'
import type { TimmTold } from '../dialects/timm-told.js'
import { unsupportedValue } from '../fields.js'
import type { RotaryRule } from '../rotary.js'
import type { VitConfig } from '../vit-config.js'

const KINDS: ReadonlyMap<string, 'cat' | 'mixed' | 'dinov3'> = new Map(
  (['cat', 'mixed', 'dinov3'] as const).map((kind) => [kind, kind]),
)
const FIRST_AXES: ReadonlyMap<string, RotaryRule['firstAxis']> = new Map([
  ['ij', 'rows'],
  ['xy', 'columns'],
])

/** Gives null for a network without. */
export function timmRotary(
  { settings }: Pick<TimmTold, 'settings'>,
  { label, tensors }: Checkpoint,
  { width, heads }: VitConfig,
): RotaryRule | null {
  const hasFrequencies = tensors.has('rope.freqs')
  const named = settings.built('use_rot_pos_emb', 'rope')
  const isRotary = settings.args.flag('use_rot_pos_emb', named !== undefined)
  const kind = isRotary ? settings.choice('rope_type', KINDS, 'cat', 'rope') : null
  if ((kind === 'mixed') !== hasFrequencies) {
    throw new CheckpointError(
      'contradiction',
      `${label}: its weights have ${hasFrequencies ? 'learnt' : 'no'} frequencies of rotary positions (rope.freqs), and its config or name is of a network with ${kind === null ? 'none' : `rotary positions of the kind ${kind}`}.`,
    )
  }
  if (kind === null) return null
  if ((width / heads) % 4 !== 0) {
    throw new CheckpointError(
      'contradiction',
      `${label}: rotary positions turn the columns of a head in fours, and ${heads} heads of a width of ${width} have ${width / heads}. Give the right number of heads (option heads, --heads).`,
    )
  }
  const firstAxis = settings.choice('rope_grid_indexing', FIRST_AXES, 'ij', 'indexing')
  const isHalf = settings.flag('rope_rotate_half', false, 'half')
  const temperature = settings.number('rope_temperature', 10000, 'temperature')
  return {
    ...placesAndBands(kind, settings, { temperature, firstAxis, label }),
    firstAxis,
    ...(isHalf
      ? { spread: 'tiled' as const, pairs: 'halves' as const }
      : { spread: 'repeated' as const, pairs: 'neighbours' as const }),
    registers: null,
  }
}

function placesAndBands(
  kind: 'cat' | 'mixed' | 'dinov3',
  settings: TimmSettings,
  read: {
    readonly temperature: number
    readonly firstAxis: RotaryRule['firstAxis']
    readonly label: string
  },
): Pick<RotaryRule, 'coordinates' | 'bands'> {
  const offset = settings.number('rope_grid_offset', 0, 'offset')
  const bands = { kind: 'temperature', temperature: read.temperature } as const
  if (kind === 'cat') {
    const sides = settings.sidesOrNull('ref_feat_shape', 'ref')
    const reference = sides === null ? null : { rows: sides[0], columns: sides[1] }
    return { coordinates: { kind: 'whole', offset, reference }, bands }
  }
  if (kind === 'mixed') {
    if (read.firstAxis !== 'columns')
      throw unsupportedValue(
        read.label,
        'rope_grid_indexing',
        'ij',
        'learnt frequencies are of columns first (xy)',
      )
    return { coordinates: { kind: 'whole', offset: 0, reference: null }, bands: { kind: 'mixed' } }
  }
  if (offset !== 0)
    throw unsupportedValue(
      read.label,
      'rope_grid_offset',
      offset,
      'coordinates from -1 to 1 are not moved here',
    )
  return { coordinates: { kind: 'centred' }, bands }
}
