/** Finds the parts of a mask that hang together by their edges (not their corners). */

/** Holds the parts of a mask. */
export interface ConnectedParts {
  /** [rows * columns] numbers the part of each cell from 1 on; 0 where the mask is 0. */
  readonly part: Int32Array
  /** Counts the cells of each part, whose number is one above its place. */
  readonly sizes: readonly number[]
}

/** Numbers the parts of `mask` [rows * columns] in the order in which they begin, row by row. */
export function connectedParts(mask: Uint8Array, columns: number): ConnectedParts {
  const part = new Int32Array(mask.length)
  const sizes: number[] = []
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || part[start] !== 0) continue
    const number = sizes.length + 1
    const waiting = [start]
    part[start] = number
    let size = 0
    for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
      size++
      for (const beside of besides(cell, columns, mask.length)) {
        if (mask[beside] === 0 || part[beside] !== 0) continue
        part[beside] = number
        waiting.push(beside)
      }
    }
    sizes.push(size)
  }
  return { part, sizes }
}

function besides(cell: number, columns: number, cells: number): readonly number[] {
  const found: number[] = []
  if (cell >= columns) found.push(cell - columns)
  if (cell + columns < cells) found.push(cell + columns)
  if (cell % columns > 0) found.push(cell - 1)
  if (cell % columns < columns - 1) found.push(cell + 1)
  return found
}
