/** Tells which patches lie at the edge of a photo, where the background mostly is. */
import type { PatchGrid } from 'plumage'

export function isAtEdge(patch: number, { rows, columns }: PatchGrid): boolean {
  const row = Math.floor(patch / columns)
  const column = patch % columns
  return row === 0 || column === 0 || row === rows - 1 || column === columns - 1
}
