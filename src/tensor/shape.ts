/** Shapes: row-major, outermost first; sizes are (rows, columns) and (height, width) everywhere. */
export type Shape = readonly number[]

/** How many elements a tensor of this shape holds; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}
