/** Reads the shape of a network off its tensors, for DINOv2's three other dialects, and adds DINOv2's fixed settings. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PositionRule } from '../positions.js'
import { IMAGENET_STATS, type RgbStats, type VitConfig } from '../vit-config.js'
import type { VitHints } from './dialect.js'
import { type Dinov2Layout, tensorName } from './dinov2-layout.js'
import { countBlocks, sizeOrNull, squareSideOrNull, storedSize } from './headers.js'

/** These facts differ between the dialects; the rest follows from tensors. */
interface Dinov2Facts {
  readonly checkpoint: Checkpoint
  readonly layout: Dinov2Layout
  readonly gated: boolean
  /** Says which tensor shows the hidden width of the feed-forward net; where it is gated, that of one half. */
  readonly hidden: { readonly tensor: string; readonly axis: number }
  readonly rule: (registers: number) => PositionRule
  readonly heads?: number | undefined
  readonly epsilon?: number | undefined
  readonly size?: readonly [height: number, width: number] | undefined
  readonly rgbStats?: RgbStats | undefined
}

export function dinov2Config(facts: Dinov2Facts, hints: VitHints): VitConfig {
  const { checkpoint, layout } = facts
  const { tensors } = checkpoint
  const { width, channels, patchSize, cells } = readFront(facts)
  // A file without the tensor is of a network without registers.
  const registers = sizeOrNull(tensors, layout.registers, 1) ?? 0
  const grid = gridOf(facts, hints, cells, patchSize)
  return {
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
    norm: 'layerNorm',
    epsilon: facts.epsilon ?? 1e-6,
    preNorm: false,
    finalNorm: 'tokens',
    qkvBias: true,
    queryKeyNorm: false,
    attentionNorm: false,
    layerScale: tensors.has(tensorName(layout, 'encoder.block.0.layer_scale_1.gamma')),
    mlp: facts.gated ? 'swiglu' : 'ffn',
    activation: facts.gated ? 'silu' : 'gelu',
    experts: null,
    stem: { kind: 'patchify', bias: true },
    pooling: { kind: 'class' },
    classifier: null,
    positions: { ...grid, rule: facts.rule(registers) },
    outIndices: null,
    rgbStats: facts.rgbStats ?? IMAGENET_STATS,
  }
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

function headsOf({ checkpoint: { label }, heads }: Dinov2Facts, hints: VitHints, width: number): number {
  const count = hints.heads ?? heads ?? width / 64
  if (Number.isInteger(count) && count > 0 && width % count === 0) return count
  throw new CheckpointError(
    'contradiction',
    `${label} does not say how many heads it has, and ${count} do not divide its width ${width}. Give them (option heads).`,
  )
}

/** Finds the stored grid from the size where one is known, else a square one, with or without a row for the class token in front. */
function gridOf(facts: Dinov2Facts, hints: VitHints, positions: number, patch: number) {
  const size = hints.size ?? facts.size
  const known =
    size === undefined ? null : { rows: Math.floor(size[0] / patch), columns: Math.floor(size[1] / patch) }
  for (const special of [1, 0]) {
    const cells = positions - special
    if (known !== null && known.rows * known.columns === cells)
      return { ...known, specialRows: special === 1 }
    const side = squareSideOrNull(cells)
    if (known === null && side !== null) return { rows: side, columns: side, specialRows: special === 1 }
  }
  throw new CheckpointError(
    'contradiction',
    `${facts.checkpoint.label}: its ${positions} positions fit ${known === null ? 'no square grid' : `no grid of ${known.rows} x ${known.columns}`}, ` +
      'with or without one for the class token. Give the trained size (option size: [height, width]).',
  )
}
