/** Reads from Birder's settings what a network makes of the places of its patches: positions of other grids, windows, rotary positions. */
import { type Arithmetic, hasSettings } from '../networks.js'
import type { PatchGrid, PositionRule } from '../positions.js'
import type { RotaryRule } from '../rotary.js'
import type { Positions } from '../vit-config.js'
import type { Windows } from '../windows.js'
import type { ChosenSettings } from './birder-settings.js'
import type { ConfigReader } from './config-reader.js'

const INTERPOLATIONS: ReadonlyMap<string, Readonly<Record<'smooth' | 'plain', PositionRule>>> = new Map([
  ['bicubic', { smooth: 'antialias', plain: 'bicubic' }],
  ['bilinear', { smooth: 'bilinear-antialias', plain: 'bilinear' }],
])
const RESIZE_MODES: ReadonlyMap<string, 'grid_sample' | 'interpolate'> = new Map([
  ['grid_sample', 'grid_sample'],
  ['interpolate', 'interpolate'],
])

/**
 * Birder smooths where it adjusts a network to a size once, and where a size may differ from image to image only if the config says so. NaFlex and patches of
 * another size always go the second way. To sample at the centres of a grid (`grid_sample`) is to resample plainly.
 */
export function positionRules(
  chosen: ChosenSettings,
  config: ConfigReader,
  isResized: boolean,
): Pick<Positions, 'rule' | 'adjustRule' | 'dynamicRule'> {
  const rules = config.choice('pos_embed_interpolation_mode', INTERPOLATIONS, 'bicubic')
  const smooths = config.flag('pos_embed_antialias', false)
  const isPacking = hasSettings(chosen, ['packing'])
  const mode = config.choice('naflex_pos_embed_resize_mode', RESIZE_MODES, 'grid_sample')
  if (isPacking && smooths && mode === 'grid_sample')
    throw config.refuse(
      'pos_embed_antialias',
      'false with naflex_pos_embed_resize_mode grid_sample, as Birder has it',
    )
  const dynamicRule = smooths ? rules.smooth : rules.plain
  return { rule: isPacking || isResized ? dynamicRule : rules.smooth, adjustRule: rules.smooth, dynamicRule }
}

/** Reads how attention works in windows: ViT_SAM cuts them around each attention, ViT_Windowed once for all blocks. */
export function readWindows(config: ConfigReader, arithmetic: Arithmetic, grid: PatchGrid): Windows | null {
  if (arithmetic !== 'sam' && arithmetic !== 'windowed') return null
  const key = config.has('num_windows') ? 'num_windows' : 'window_size'
  const [rows, columns, ...others] = config.numbersOrNull(key) ?? []
  const isSide = (side: number | undefined): side is number =>
    side !== undefined && Number.isInteger(side) && side >= 1
  if (!isSide(rows) || !isSide(columns) || others.length > 0)
    throw config.refuse(key, 'rows and columns of windows')
  const globalBlocks = config.numbersOrNull('global_attn_indexes')
  if (globalBlocks === null) throw config.refuse('global_attn_indexes', 'the blocks that see the whole image')
  const isSam = arithmetic === 'sam'
  return {
    by: key === 'num_windows' ? 'windows' : 'patches',
    rows,
    columns,
    globalBlocks,
    attendsEmpty: isSam || !config.flag('mask_padded_attn', true),
    around: isSam ? 'attention' : 'blocks',
    offsets: isSam ? grid : null,
  }
}

const ROPE_STYLES: ReadonlyMap<string, 'default' | 'axial' | 'centered_separate'> = new Map([
  ['default', 'default'],
  ['axial', 'axial'],
  ['centered_separate', 'centered_separate'],
])
const ROPE_PAIRS: ReadonlyMap<string, RotaryRule['pairs']> = new Map([
  ['standard', 'halves'],
  ['interleaved', 'neighbours'],
])
const FIRST_AXES: ReadonlyMap<string, RotaryRule['firstAxis']> = new Map([
  ['ij', 'rows'],
  ['xy', 'columns'],
])

/**
 * Reads Birder's rotary positions (layers/rope.py). Its default style with the standard rotation turns columns by the angles of different axes together, which is
 * no rotation; it is kept, as Birder keeps it.
 */
export function readRotary(config: ConfigReader, arithmetic: Arithmetic): RotaryRule {
  const style = config.choice('rope_style', ROPE_STYLES, 'default')
  const pairs = config.choice('rope_rot_type', ROPE_PAIRS, 'standard')
  const firstAxis = config.choice('rope_grid_indexing', FIRST_AXES, 'ij')
  const offset = config.number('rope_grid_offset', 0)
  const reference = config.numbersOrNull('pt_grid_size')
  const temperature = config.number('rope_temperature', 100)
  const shared = {
    bands: { kind: 'temperature', temperature },
    pairs,
    registers:
      arithmetic === 'rotary-registers' ? { temperature: config.number('rope_reg_temperature', 100) } : null,
  } as const
  if (style === 'default') {
    const [rows, columns, ...others] = reference ?? []
    if (reference !== null && (rows === undefined || columns === undefined || others.length > 0))
      throw config.refuse('pt_grid_size', 'rows and columns')
    const grid = rows === undefined || columns === undefined ? 'own' : { rows, columns }
    return {
      ...shared,
      coordinates: { kind: 'whole', offset, reference: grid },
      firstAxis,
      spread: 'repeated',
    }
  }
  if (firstAxis !== 'rows') throw config.refuse('rope_grid_indexing', `ij with rope_style ${style}`)
  if (offset !== 0) throw config.refuse('rope_grid_offset', `0 with rope_style ${style}`)
  if (reference !== null) throw config.refuse('pt_grid_size', `null with rope_style ${style}`)
  if (style === 'axial') {
    if (pairs !== 'neighbours') throw config.refuse('rope_rot_type', 'interleaved with rope_style axial')
    return {
      ...shared,
      coordinates: { kind: 'whole', offset: 0, reference: null },
      firstAxis: 'columns',
      spread: 'repeated',
    }
  }
  if (pairs !== 'halves') throw config.refuse('rope_rot_type', 'standard with rope_style centered_separate')
  return { ...shared, coordinates: { kind: 'centred' }, firstAxis, spread: 'tiled' }
}
