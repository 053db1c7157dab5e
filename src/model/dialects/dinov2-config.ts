/** Reads the shape of a network off its tensors, for DINOv2's three other dialects, and adds DINOv2's fixed settings. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { PatchGrid, PositionRule } from '../positions.js'
import { PLAIN, type RgbStats, type VitConfig } from '../vit-config.js'
import type { VitHints } from './dialect.js'
import { countBlocks, sizeOrNull, squareSideOrNull, storedSize } from './headers.js'
import { type Layout, tensorName } from './layout.js'

/** These facts differ between the dialects; the rest follows from tensors. */
interface Dinov2Facts {
  readonly checkpoint: Checkpoint
  readonly layout: Layout
  readonly gated: boolean
  /** Says which tensor shows the hidden width of the feed-forward net; where it is gated, that of one half. */
  readonly hidden: { readonly tensor: string; readonly axis: number }
  readonly rule: (registers: number) => PositionRule
  /** Is a number, or tells it by the width where published networks of the layout do; gives null where they don't. */
  readonly heads: number | ((width: number) => number | null)
  /** Says in a sentence what published networks of a width have, for whoever is asked. */
  readonly headsHint?: (width: number) => string
  readonly qkvBias: boolean
  readonly epsilon?: number | undefined
  readonly activation?: ActivationKind | undefined
  /** Lists the sizes that the files name; the first that the position table fits is the trained one. */
  readonly sizes: readonly (readonly [height: number, width: number])[]
  /** Names the fields of the config.json that the sizes come from. */
  readonly sizeFields: string
  /** Holds what is read otherwise where the patch embedding or the position table has another shape, or there is no table. */
  readonly front?: Front | undefined
  /** Lists how many rows of the table may belong to special tokens; default: one, or none. */
  readonly special?: readonly number[] | undefined
  readonly rgbStats: RgbStats
}

/** Is what the patch embedding and the position table show. */
export interface Front {
  readonly width: number
  readonly channels: number
  readonly patchSize: number
  /** Is the grid that the network was trained on. */
  readonly grid: PatchGrid
  /** Is the grid of the table of positions, which has no rows for special tokens; null where there is no table. */
  readonly table: PatchGrid | null
}

/** Meta's code builds DINOv2 in these widths, each with heads of 64 (dinov2/models/vision_transformer.py). */
const DINOV2_WIDTHS = [384, 768, 1024, 1536]

export function publishedHeads(width: number): number | null {
  return DINOV2_WIDTHS.includes(width) ? width / 64 : null
}

export function dinov2Config(facts: Dinov2Facts, hints: VitHints): VitConfig {
  const { checkpoint, layout } = facts
  const { tensors } = checkpoint
  const { width, channels, patchSize, grid, table } = frontOf(facts, hints)
  // A file without the tensor is of a network without registers.
  const registers = sizeOrNull(tensors, layout.registers, 1) ?? 0
  return {
    ...PLAIN,
    network: null,
    size: [grid.rows * patchSize, grid.columns * patchSize],
    channels,
    patchSize,
    width,
    depth: countBlocks(tensors, layout.blocks),
    heads: headsOf(facts, hints, width),
    hidden: storedSize(checkpoint, facts.hidden.tensor, facts.hidden.axis, layout.dialect),
    classToken: true,
    registers,
    epsilon: facts.epsilon ?? 1e-6,
    qkvBias: facts.qkvBias,
    layerScale: tensors.has(tensorName(layout, 'encoder.block.0.layer_scale_1.gamma')),
    mlp: facts.gated ? 'swiglu' : 'ffn',
    activation: facts.activation ?? (facts.gated ? 'silu' : 'gelu'),
    pooling: { kind: 'class' },
    positions: table === null ? null : { ...table, rule: facts.rule(registers) },
    rgbStats: facts.rgbStats,
  }
}

function frontOf(facts: Dinov2Facts, hints: VitHints) {
  if (facts.front !== undefined) {
    const { table } = facts.front
    return { ...facts.front, table: table === null ? null : { ...table, specialRows: false } }
  }
  const { cells, ...front } = readFront(facts)
  const table = gridOf(facts, hints, cells, front.patchSize)
  return { ...front, grid: table, table }
}

/** Reads the sizes that the stem [D, C, P, P] and the position table [1, cells, D] show. */
function readFront({ checkpoint: { tensors, label }, layout }: Dinov2Facts) {
  const stemName = tensorName(layout, 'conv_proj.weight')
  const stem = tensors.get(stemName)?.shape ?? []
  const table = tensors.get(layout.positions)?.shape ?? []
  const [width, channels, patchSize, patchWidth, ...others] = stem
  const isStem =
    width !== undefined && channels !== undefined && patchSize !== undefined && others.length === 0
  const [, cells, depth, ...more] = table
  if (isStem && patchSize === patchWidth && cells !== undefined && depth !== undefined && more.length === 0)
    return { width, channels, patchSize, cells }
  throw new CheckpointError(
    'wrong-shape',
    `${label}: ${stemName} is [${stem}] and ${layout.positions} [${table}]; expected [D, C, P, P] and [1, positions, D].`,
    { tensor: isStem && patchSize === patchWidth ? layout.positions : stemName },
  )
}

function headsOf(
  { checkpoint: { label }, heads, headsHint }: Dinov2Facts,
  hints: VitHints,
  width: number,
): number {
  const count = hints.heads ?? (typeof heads === 'number' ? heads : heads(width))
  if (count === null) {
    throw new CheckpointError(
      'contradiction',
      `${label} does not say how many heads it has, and neither do a config.json beside it or its name; tensors look the same with any number. ` +
        `Give the number: option heads where a program loads it, --heads on the command line.${headsHint?.(width) ?? ''}`,
    )
  }
  return count
}

/** Finds the stored grid from a size where one is known, else a square one, with or without rows for special tokens in front. */
function gridOf(
  { checkpoint: { label }, sizes, sizeFields, special: specials = [1, 0] }: Dinov2Facts,
  hints: VitHints,
  positions: number,
  patch: number,
) {
  const named = hints.size === undefined ? sizes : [hints.size]
  for (const [height, width] of named) {
    const [rows, columns] = [Math.floor(height / patch), Math.floor(width / patch)]
    const special = specials.find((count) => rows * columns === positions - count)
    if (special !== undefined) return { rows, columns, specialRows: special > 0 }
  }
  for (const special of named.length > 0 ? [] : specials) {
    const side = squareSideOrNull(positions - special)
    if (side !== null && side > 0) return { rows: side, columns: side, specialRows: special > 0 }
  }
  const grids = named.map(
    ([height, width]) =>
      `${Math.floor(height / patch)} x ${Math.floor(width / patch)} patches (${height} x ${width} pixels)`,
  )
  throw new CheckpointError(
    'contradiction',
    `${label}: its ${positions} positions fit ${named.length === 0 ? 'no square grid' : `no grid of ${grids.join(' or ')}, as ${hints.size === undefined ? `its config.json says (${sizeFields})` : 'was told'}`}, ` +
      'with or without rows for the special tokens. Give the size that it was trained at: trainedSize: [height, width] where a program loads it, ' +
      '--trained-size HEIGHTxWIDTH on the command line.',
  )
}
