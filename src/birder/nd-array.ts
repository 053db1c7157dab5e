/** Numbers with a shape: as much of an array library as Birder's own examples use. */

export interface NdArray {
  /** Row-major. */
  readonly data: Float32Array
  readonly shape: readonly number[]
  /** The same numbers with a dimension of size 1 put in at this place; negative counts from the end, as in PyTorch. */
  unsqueeze(axis: number): NdArray
}

export function ndArray(data: Float32Array, shape: readonly number[]): NdArray {
  const size = shape.reduce((product, side) => product * side, 1)
  if (data.length !== size)
    throw new RangeError(`An array of shape [${shape}] holds ${size} numbers, got ${data.length}.`)
  return {
    data,
    shape,
    unsqueeze(axis) {
      const at = axis < 0 ? shape.length + 1 + axis : axis
      if (!(at >= 0 && at <= shape.length))
        throw new RangeError(`There is no place ${axis} for a new axis in the shape [${shape}].`)
      return ndArray(data, shape.toSpliced(at, 0, 1))
    },
  }
}
