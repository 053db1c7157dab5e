/**
 * Says which patches of a grid lie in which window, for networks whose attention works in windows (Li et al. 2022, "Exploring plain vision transformer backbones for
 * object detection"). Windows that reach beyond the grid have empty places there.
 */
import type { Constant } from '../engine/plan.js'
import { bilinearTaps, resampleTable } from '../kernels/resample-table.js'
import type { PatchGrid } from './positions.js'

/** Says which windows there are, and which blocks attend within them. */
export interface Windows {
  /** Says whether rows and columns count the patches of a window, or the windows along each axis. */
  readonly by: 'patches' | 'windows'
  /** Counts from top to bottom. */
  readonly rows: number
  /** Counts from left to right. */
  readonly columns: number
  /** Number the blocks whose attention sees the whole grid. */
  readonly globalBlocks: readonly number[]
  /** Tells whether what stands in empty places is attended to as well. */
  readonly attendsEmpty: boolean
  /**
   * Says where windows are cut: around each `attention`, or once for all `blocks`, so that each window has special tokens of its own, which a global block takes the
   * mean of and copies back.
   */
  readonly around: 'attention' | 'blocks'
  /**
   * Is the trained grid, where each block has learnt rows for offsets of patches that are multiplied with its queries: those of global blocks are for the offsets of
   * this grid, and are resampled for another; null for a network without.
   */
  readonly offsets: PatchGrid | null
}

/** Lays a grid out in windows. */
export interface WindowLayout {
  /** Counts the windows. */
  readonly count: number
  /** Counts the patches of one, empty places included. */
  readonly window: PatchGrid
  /** Numbers the patch in each place, window after window, row by row; -1 where the place is empty. */
  readonly patches: readonly number[]
}

export function layOut(
  { by, rows, columns }: Pick<Windows, 'by' | 'rows' | 'columns'>,
  grid: PatchGrid,
): WindowLayout {
  const side = (cells: number, told: number) =>
    by === 'patches' ? told : Math.max(1, Math.ceil(cells / told))
  const window = { rows: side(grid.rows, rows), columns: side(grid.columns, columns) }
  const [down, across] = [Math.ceil(grid.rows / window.rows), Math.ceil(grid.columns / window.columns)]
  const patches: number[] = []
  for (let at = 0; at < down * across; at++) {
    const [top, left] = [Math.floor(at / across) * window.rows, (at % across) * window.columns]
    for (let place = 0; place < window.rows * window.columns; place++) {
      const row = top + Math.floor(place / window.columns)
      const column = left + (place % window.columns)
      patches.push(row < grid.rows && column < grid.columns ? row * grid.columns + column : -1)
    }
  }
  return { count: down * across, window, patches }
}

/** Lists the places of each window with those that hold a patch in front, in their order: a mask tells how many these are. */
export function filledFirst({ count, patches }: WindowLayout): readonly (readonly number[])[] {
  const each = patches.length / count
  return Array.from({ length: count }, (_, at) => {
    const own = patches.slice(at * each, (at + 1) * each)
    return [...own.filter((patch) => patch >= 0), ...own.filter((patch) => patch < 0)]
  })
}

/** Makes an index that `gatherRows` reads. */
export function indexOf(rows: readonly number[]): Constant {
  return { shape: [rows.length, 1], values: Float32Array.from(rows) }
}

/** Resamples learnt rows for offsets, [2 n - 1, d], linearly for an axis of another count of patches. */
export function offsetRows(stored: Float32Array, from: number, to: number): Constant {
  const width = stored.length / (2 * from - 1)
  const one = bilinearTaps(1, 1)
  const values =
    from === to
      ? stored
      : resampleTable(stored, [2 * from - 1, 1], bilinearTaps(2 * from - 1, 2 * to - 1), one)
  return { shape: [2 * to - 1, width], values }
}

/** Names the learnt rows of a block, for offsets in rows or in columns. */
export function offsetName(block: number, axis: 'rows' | 'columns'): string {
  return `encoder.block.${block}.attn.rel_pos_${axis === 'rows' ? 'h' : 'w'}`
}

/** Counts the patches along both axes between which a block has offsets. */
export function offsetGrid(windows: Windows, block: number, grid: PatchGrid): PatchGrid {
  return windows.globalBlocks.includes(block) ? grid : layOut(windows, grid).window
}
