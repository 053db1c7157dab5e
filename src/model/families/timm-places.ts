/** Says where the patches of timm's networks are: the grid that they were trained on, tables of positions and of offsets, and how these are resampled. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { VitHints } from '../dialects/dialect.js'
import type { Front } from '../dialects/dinov2-config.js'
import { headerOf, sizeOrNull, squareSideOrNull, storedSize } from '../dialects/headers.js'
import type { TimmTold } from '../dialects/timm-told.js'
import { unsupportedValue } from '../fields.js'
import type { PatchGrid, PositionRule } from '../positions.js'
import { type BiasRule, biasRows } from '../relative-bias.js'
import type { VitConfig } from '../vit-config.js'
import { isNaFlex, SHARED_BIAS, SHARED_NET } from './timm-layout.js'

export const OWN_BIAS = 'blocks.0.attn.relative_position_bias_table'
export const OWN_NET = 'blocks.0.attn.rel_pos.mlp'

/** Gives undefined where the usual table tells, as in plain vision transformers. */
export function timmFront(checkpoint: Checkpoint, told: TimmTold, hints: VitHints): Front | undefined {
  const { tensors } = checkpoint
  if (isNaFlex(tensors)) return naflexFront(checkpoint, told, hints)
  if (tensors.has('pos_embed') || told.class === 'VisionTransformer') return undefined
  const size = (axis: number) => storedSize(checkpoint, 'patch_embed.proj.weight', axis, 'timm')
  const patchSize = size(2)
  const grid = trainedGrid(checkpoint, told, hints, patchSize)
  return { width: size(0), channels: size(1), patchSize, grid, table: null }
}

/** The table has a grid of its own, whatever the size of the input; the matrix shows the values of a patch, and its side is that of the architecture. */
function naflexFront(checkpoint: Checkpoint, { settings, sizes }: TimmTold, hints: VitHints): Front {
  const { label } = checkpoint
  const { shape } = headerOf(checkpoint, 'embeds.pos_embed', 'timm')
  const [, rows = 0, columns = 0] = shape
  const matrix = (axis: number) => storedSize(checkpoint, 'embeds.proj.weight', axis, 'timm')
  const [patchSize, patchWidth] = settings.sidesOrNull('patch_size') ?? [16, 16]
  const channels = matrix(1) / patchSize ** 2
  if (patchSize !== patchWidth || !Number.isInteger(channels) || channels < 1) {
    throw new CheckpointError(
      'contradiction',
      `${label}: its patches have ${matrix(1)} values, and its config.json says a patch of ${patchSize} x ${patchWidth} pixels (patch_size). The config belongs to another network than the weights.`,
    )
  }
  const stated = settings.sidesOrNull('pos_embed_grid_size')
  if (stated !== null && (stated[0] !== rows || stated[1] !== columns))
    throw settings.args.refuse('pos_embed_grid_size', `${rows} and ${columns}, which its table has`)
  const table = { rows, columns }
  const [size] = hints.size === undefined ? sizes : [hints.size]
  const grid = size === undefined ? table : gridOf(size, patchSize)
  return { width: matrix(0), channels, patchSize, grid, table }
}

function gridOf([height, width]: readonly [number, number], patchSize: number): PatchGrid {
  const count = (side: number) => Math.max(Math.floor(side / patchSize), 1)
  return { rows: count(height), columns: count(width) }
}

/** A table of offsets shows how many patches there were, and must fit; without one, the trained size changes no number. */
function trainedGrid(
  { label, tensors }: Checkpoint,
  told: TimmTold,
  hints: VitHints,
  patchSize: number,
): PatchGrid {
  const sizes = hints.size === undefined ? told.sizes : [hints.size]
  const grids = sizes.map((size) => gridOf(size, patchSize))
  const rows = sizeOrNull(tensors, SHARED_BIAS, 0) ?? sizeOrNull(tensors, OWN_BIAS, 0)
  const side = told.settings.built('img_size') ?? 224
  const usual = Math.max(Math.floor(Number(side) / patchSize), 1)
  if (rows === null) return grids[0] ?? { rows: usual, columns: usual }
  const found = grids.find((grid) => biasRows(grid) === rows)
  if (found !== undefined) return found
  const across = squareSideOrNull(rows - 3)
  if (across !== null && across % 2 === 1 && grids.length === 0)
    return { rows: (across + 1) / 2, columns: (across + 1) / 2 }
  throw new CheckpointError(
    'contradiction',
    `${label}: its ${rows} relative positions fit ${grids.length === 0 ? 'no square grid' : `no grid of ${grids.map((grid) => `${grid.rows} x ${grid.columns} patches`).join(' or ')}, as its config.json (model_args.img_size, pretrained_cfg.input_size) or trainedSize says`}. ` +
      'Give the size that it was trained at: trainedSize: [height, width] where a program loads it, --trained-size HEIGHTxWIDTH on the command line.',
  )
}

/** Gives null for a network without relative positions. */
export function timmBias({ tensors, label }: Checkpoint, base: VitConfig): BiasRule | null {
  const [isTable, isNet] = [SHARED_BIAS, SHARED_NET].map((shared, i) => ({
    shared: tensors.has(i === 0 ? shared : `${shared}.fc1.weight`),
    own: tensors.has(i === 0 ? OWN_BIAS : `${OWN_NET}.fc1.weight`),
  }))
  const found = [isTable, isNet].find((one) => one?.shared || one?.own)
  if (found === undefined) return null
  if (found.shared && found.own) {
    throw new CheckpointError(
      'unsupported-network',
      `${label} has relative positions of each block and of all blocks, and only one of the two is computed here.`,
    )
  }
  return {
    kind: found === isTable ? 'table' : 'mlp',
    isShared: found.shared,
    rows: base.size[0] / base.patchSize,
    columns: base.size[1] / base.patchSize,
    rule: 'progression',
  }
}

const MODES: ReadonlyMap<string, 'bicubic' | 'bilinear'> = new Map(
  (['bicubic', 'bilinear'] as const).map((mode) => [mode, mode]),
)

/** Only NaFlexVit has other ways than the usual one. */
export function timmRule(told: TimmTold): PositionRule {
  const { settings, rule } = told
  if (told.class !== 'NaFlexVit') return rule
  const mode = settings.choice('pos_embed_interp_mode', MODES, 'bicubic', 'interpolation')
  const isSquare = settings.flag('pos_embed_ar_preserving', false, 'aspect')
  const isAntialiased = settings.flag('pos_embed_antialias', true, 'antialias')
  const hasCorners = settings.flag('pos_embed_align_corners', false, 'corners')
  const way = [mode, isSquare && 'square', isAntialiased && 'antialias', hasCorners && 'corners']
    .filter((one) => one !== false)
    .join(' ')
  const found = NAFLEX_RULES.get(way)
  if (found !== undefined) return found
  throw unsupportedValue(
    'config.json (model_args)',
    'pos_embed_interp_mode, pos_embed_ar_preserving, pos_embed_antialias and pos_embed_align_corners',
    way,
    `positions are resampled here as one of: ${[...NAFLEX_RULES.keys()].join('; ')}`,
  )
}

/** Names the rules by which NaFlexVit resamples its table, by its words for them. */
export const NAFLEX_RULES: ReadonlyMap<string, PositionRule> = new Map<string, PositionRule>([
  ['bicubic antialias', 'antialias'],
  ['bicubic', 'bicubic'],
  ['bilinear antialias', 'bilinear-antialias'],
  ['bilinear', 'bilinear'],
  ['bilinear square', 'bilinear-square'],
  ['bilinear square corners', 'bilinear-square-corners'],
])
