/** Shapes are row-major, outermost first; sizes are (rows, columns) and (height, width) everywhere. */
export type Shape = readonly number[]

/** Counts the elements of a tensor of this shape; a scalar has 1. */
export function elementCount(shape: Shape): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** Gives the size along one axis. Throws a `RangeError` where the shape has no such axis, so that a wrong rank fails where it is met. */
export function sizeAt(shape: Shape, axis: number): number {
  const size = shape[axis]
  if (size !== undefined) return size
  throw new RangeError(`The shape [${shape.join(', ')}] has no axis ${axis}.`)
}
