/** Makes the constants of a plan, which depend on the patch grid: positions resampled, angles, offsets. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import type { Constant, ConstantName } from '../engine/plan.js'
import { type PatchGrid, type PositionRule, positionsFor } from './positions.js'
import { biasTable } from './relative-bias.js'
import { rotaryTable } from './rotary.js'
import { sineTable } from './sines.js'
import { specialTokens, type VitConfig } from './vit-config.js'
import { offsetGrid, offsetName, offsetRows } from './windows.js'

/** Holds what a checkpoint stores of such tables, by the names below. */
export type StoredTables = ReadonlyMap<string, Float32Array>

/** Names the stored position table, [rows * columns, D], and the constant that is made of it. */
export const POSITIONS = 'positions'
/** Names the stored periods of rotary positions, [d / 4]. */
export const PERIODS = 'rotary.periods'

/** Names the stored numbers of the tokens that are pooled, and the constant that is made of them. */
export const POOLED_ROWS = 'pool.rows'

/** Names the table of a block's angles, which all blocks share unless each has learnt its own. */
export function rotaryName({ rotary }: VitConfig, block: number): ConstantName {
  return rotary?.bands.kind === 'mixed' ? `encoder.block.${block}.attn.frequencies` : 'rotary'
}

/** Names the table of a block's relative positions. */
export function biasName({ bias }: VitConfig, block: number): ConstantName {
  return bias?.isShared ? 'attn.bias' : `encoder.block.${block}.attn.bias`
}

/** Makes all constants of a grid. Throws for a table that was not read. */
export function gridTables(
  config: VitConfig,
  stored: StoredTables,
  grid: PatchGrid,
  rule: PositionRule,
): ReadonlyMap<ConstantName, Constant> {
  const { positions, sines, pooling, rotary, bias, windows, width, heads, depth, registers, classToken } =
    config
  const tables = new Map<ConstantName, Constant>()
  if (positions !== null) {
    const isTrained = grid.rows === positions.rows && grid.columns === positions.columns
    const values =
      positions.sines === undefined || isTrained
        ? positionsFor(storedTable(stored, POSITIONS), positions, grid, rule)
        : sineTable(positions.sines, grid, width)
    tables.set(POSITIONS, { shape: [grid.rows * grid.columns, width], values })
  }
  if (sines !== null) {
    tables.set(POSITIONS, {
      shape: [grid.rows * grid.columns, width],
      values: sineTable(sines, grid, width),
    })
  }
  if (pooling.kind === 'special-rows' && typeof pooling.rows === 'number') {
    const values = storedTable(stored, POOLED_ROWS)
    const special = specialTokens(config)
    if (!values.every((row) => Number.isInteger(row) && row >= 0 && row < special)) {
      throw new CheckpointError(
        'contradiction',
        `The file numbers the tokens that stand for an image ${[...values].join(', ')}, and the network has ${special} tokens in front of its patches.`,
      )
    }
    tables.set(POOLED_ROWS, { shape: [values.length, 1], values })
  }
  for (let block = 0; block < depth; block++) {
    if (rotary !== null && !tables.has(rotaryName(config, block))) {
      const name = rotaryName(config, block)
      const source = { temperature: null, stored: PERIODS, mixed: name }[rotary.bands.kind]
      const shape = { grid, headWidth: width / heads, heads, registers, classToken }
      tables.set(name, rotaryTable(rotary, shape, source === null ? null : storedTable(stored, source)))
    }
    if (windows !== null && windows.offsets !== null) {
      const own = offsetGrid(windows, block, grid)
      const trained = offsetGrid(windows, block, windows.offsets)
      for (const axis of ['rows', 'columns'] as const) {
        const name = offsetName(block, axis)
        tables.set(name, offsetRows(storedTable(stored, name), trained[axis], own[axis]))
      }
    }
    if (bias !== null && !tables.has(biasName(config, block))) {
      const name = biasName(config, block)
      tables.set(name, biasTable(bias, storedTable(stored, name), heads, grid))
    }
  }
  return tables
}

function storedTable(stored: StoredTables, name: string): Float32Array {
  const table = stored.get(name)
  if (table !== undefined) return table
  throw new Error(`The table ${name} of this network was not read.`)
}
