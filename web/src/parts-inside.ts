/** Takes a mask of patches apart into what hangs together. */
import type { Box, PatchGrid } from 'plumage'

export interface Part {
  /** [rows * columns] */
  readonly mask: Uint8Array
  /** Bounds it, in patches. */
  readonly box: Box
}

export function isAtEdge(patch: number, { rows, columns }: PatchGrid): boolean {
  const row = Math.floor(patch / columns)
  const column = patch % columns
  return row === 0 || column === 0 || row === rows - 1 || column === columns - 1
}

/** Lists the parts, the largest first. Patches that share a side hang together. */
export function partsInside(mask: Uint8Array, grid: PatchGrid): readonly Part[] {
  const left = mask.slice()
  const parts: { readonly part: Part; readonly size: number }[] = []
  for (let patch = left.indexOf(1); patch >= 0; patch = left.indexOf(1)) parts.push(taken(left, patch, grid))
  return parts.toSorted((a, b) => b.size - a.size).map(({ part }) => part)
}

/** Takes what hangs together with a patch out of a mask. */
function taken(left: Uint8Array, first: number, { rows, columns }: PatchGrid) {
  const mask = new Uint8Array(left.length)
  let [top, bottom, from, to] = [rows, 0, columns, 0]
  const waiting = [first]
  let size = 0
  for (let patch = waiting.pop(); patch !== undefined; patch = waiting.pop()) {
    if (left[patch] !== 1) continue
    left[patch] = 0
    mask[patch] = 1
    size++
    const [row, column] = [Math.floor(patch / columns), patch % columns]
    ;[top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)]
    ;[from, to] = [Math.min(from, column), Math.max(to, column + 1)]
    if (row > 0) waiting.push(patch - columns)
    if (row < rows - 1) waiting.push(patch + columns)
    if (column > 0) waiting.push(patch - 1)
    if (column < columns - 1) waiting.push(patch + 1)
  }
  return { part: { mask, box: { top, left: from, bottom, right: to } }, size }
}
