/** Gives numbers a shape, with as much of an array library as Birder's own examples use. */
import { EngineError } from '../engine/engine-error.js'

/** Holds float32 numbers and their shape, row-major. */
export interface NdArray {
  /** The numbers lie row by row. */
  readonly data: Float32Array
  /** Gives the sizes, outermost first. */
  readonly shape: readonly number[]
  /** Puts in a dimension of size 1 at this place, on the same numbers; a negative place counts from the end, as in PyTorch. */
  unsqueeze(axis: number): NdArray
}

/** Gives numbers a shape, without copying them. Throws RangeError where they do not fill it. */
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

/**
 * Takes the sizes of images, [B, C, height, width]. Throws `EngineError` `wrong-size` for another shape.
 *
 * @param channels refuses others than so many
 */
export function imageShape(
  { shape }: NdArray,
  channels?: number,
): { readonly batch: number; readonly channels: number; readonly height: number; readonly width: number } {
  const [batch, found, height, width] = shape
  const whole = batch !== undefined && found !== undefined && height !== undefined && width !== undefined
  if (whole && shape.length === 4 && (channels === undefined || found === channels)) {
    return { batch, channels: found, height, width }
  }
  throw new EngineError(
    'wrong-size',
    `The network takes [B, ${channels ?? 'C'}, height, width], got [${shape}]. Is unsqueeze(0) missing?`,
  )
}
