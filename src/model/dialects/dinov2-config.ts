/** What DINOv2's three other dialects share: the shape of the network read off its tensors, and DINOv2's fixed settings. */
import type { TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PositionRule } from '../positions.js'
import { IMAGENET_STATS, type RgbStats, type VitConfig } from '../vit-config.js'
import { squareSideOrNull, type VitHints } from './dialect.js'

/** What differs between the dialects; the rest follows from tensors. */
export interface Dinov2Facts {
  readonly label: string
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Tensor names. */
  readonly stem: string
  readonly table: string
  readonly registers: string
  readonly block: string
  readonly depth: number
  readonly gated: boolean
  /** Hidden width of the feed-forward net; of one half where it is gated. */
  readonly hidden: number
  readonly layerScale: boolean
  readonly rule: (registers: number) => PositionRule
  readonly heads?: number | undefined
  readonly epsilon?: number | undefined
  readonly size?: readonly [height: number, width: number] | undefined
  readonly rgbStats?: RgbStats | undefined
}

export function dinov2Config(facts: Dinov2Facts, hints: VitHints): VitConfig {
  const { label, tensors } = facts
  const stem = tensors.get(facts.stem)?.shape ?? []
  const table = tensors.get(facts.table)?.shape ?? []
  if (stem.length !== 4 || stem[2] !== stem[3] || table.length !== 3) {
    throw new CheckpointError(
      'wrong-shape',
      `${label}: ${facts.stem} is [${stem}] and ${facts.table} [${table}]; expected [D, C, P, P] and [1, positions, D].`,
      { tensor: stem.length === 4 && stem[2] === stem[3] ? facts.table : facts.stem },
    )
  }
  const [width, channels, patchSize] = stem
  const registers = tensors.get(facts.registers)?.shape[1] ?? 0
  const grid = gridOf(facts, hints, table[1], patchSize)
  return {
    network: null,
    size: [grid.rows * patchSize, grid.columns * patchSize],
    channels,
    patchSize,
    width,
    depth: facts.depth,
    heads: headsOf(facts, hints, width),
    hidden: facts.hidden,
    classToken: true,
    registers,
    norm: 'layerNorm',
    epsilon: facts.epsilon ?? 1e-6,
    preNorm: false,
    finalNorm: 'tokens',
    qkvBias: true,
    queryKeyNorm: false,
    attentionNorm: false,
    layerScale: facts.layerScale,
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

function headsOf({ label, heads }: Dinov2Facts, hints: VitHints, width: number): number {
  const count = hints.heads ?? heads ?? width / 64
  if (Number.isInteger(count) && count > 0 && width % count === 0) return count
  throw new CheckpointError(
    'contradiction',
    `${label} does not say how many heads it has, and ${count} do not divide its width ${width}. Give them (option heads).`,
  )
}

/** The stored grid: from the size where one is known, else square; with or without a row for the class token in front. */
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
    `${facts.label}: its ${positions} positions fit ${known === null ? 'no square grid' : `no grid of ${known.rows} x ${known.columns}`}, ` +
      'with or without one for the class token. Give the trained size (option size: [height, width]).',
  )
}
