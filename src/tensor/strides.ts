/**
 * A strided layout, as PyTorch keeps its tensors, has element (i, j, ...) at offset + i * strides[0] + j * strides[1] + ...
 * Strides count elements, there is one for each size, and none is negative.
 */
import { elementCount, type Shape } from './shape.js'

/** Gives the place of the last element, which is the largest one that the layout touches. No size may be 0. */
export function lastPlace(offset: number, shape: Shape, strides: readonly number[]): number {
  let last = offset
  for (let axis = 0; axis < shape.length; axis++) last += (shape[axis] - 1) * strides[axis]
  return last
}

/** Tells whether the elements stand in row-major order already. Strides of sides of length 1 mean nothing and may be anything. */
export function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue
    if (strides[axis] !== expected) return false
    expected *= shape[axis]
  }
  return true
}

/** Elements are moved whole and never looked at, so one array type for each width serves every element type. */
const ELEMENTS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

/**
 * Copies the elements into row-major order. `bytes` begin at the first element (offset 0) and reach to the last at least; no size
 * may be 0. The result is memory of its own.
 */
export function gatherStrided(
  bytes: Uint8Array,
  bytesEach: 1 | 2 | 4 | 8,
  shape: Shape,
  strides: readonly number[],
): Uint8Array<ArrayBuffer> {
  const Elements = ELEMENTS[bytesEach]
  // A copy begins where any element type may. `slice` is not used, since that of a Node Buffer does not copy.
  const aligned = bytes.byteOffset % bytesEach === 0 ? bytes : new Uint8Array(bytes)
  const count = Math.floor(aligned.byteLength / bytesEach)
  // The four array types are handled alike below; TypeScript sees the first of them.
  const from = new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, count) as Uint8Array
  const out = new Elements(elementCount(shape)) as Uint8Array<ArrayBuffer>
  gather(from, shape, strides, out)
  return new Uint8Array(out.buffer)
}

function gather(from: Uint8Array, shape: Shape, strides: readonly number[], out: Uint8Array): void {
  const rank = shape.length
  const [width, step] = rank === 0 ? [1, 1] : [shape[rank - 1], strides[rank - 1]]
  const place: number[] = new Array(rank).fill(0)
  let source = 0
  for (let target = 0; target < out.length; ) {
    for (let column = 0; column < width; column++) out[target++] = from[source + column * step]
    // The next row is found by counting the outer places up like an odometer.
    for (let axis = rank - 2; axis >= 0; axis--) {
      source += strides[axis]
      if (++place[axis] < shape[axis]) break
      source -= shape[axis] * strides[axis]
      place[axis] = 0
    }
  }
}
