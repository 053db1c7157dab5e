/**
 * A tensor of torch is a window on a storage: an offset, sizes and strides. Here a window is checked against its storage,
 * and its elements are gathered into the row-major order that everything else expects.
 */
import { BYTES_PER_ELEMENT, type DType } from '../../tensor/dtype.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import { CheckpointError } from '../checkpoint-error.js'
import type { PickleTensor } from '../pickle/pickle-value.js'

const MOST_DIMENSIONS = 64
/** A stride of 0 repeats elements, so a window can be larger than its storage. Real ones repeat little. */
const MOST_REPEATED = 2 ** 24

export interface TensorWindow {
  readonly dtype: DType
  readonly shape: Shape
  readonly byteLength: number
  /** Bytes from the start of the storage to the first element. */
  readonly spanStart: number
  /** Bytes from the first to behind the last element. */
  readonly spanLength: number
  /** In elements; null where the span is the tensor as it is. */
  readonly strides: readonly number[] | null
}

/** Throws `malformed`, naming the tensor, unless every element lies in the storage. `label` names the file. */
export function tensorWindow(tensor: PickleTensor, name: string, label: string): TensorWindow {
  const { dtype, offset, shape, strides, storage } = tensor
  const refuse = (problem: string): never => {
    throw new CheckpointError('malformed', `${label}: ${name} ${problem}`, { tensor: name })
  }
  const bytesEach = BYTES_PER_ELEMENT[dtype]
  const held = storage.dtype === null ? Math.floor(storage.count / bytesEach) : storage.count
  if (shape.length !== strides.length || shape.length > MOST_DIMENSIONS) {
    return refuse(`has ${shape.length} sizes and ${strides.length} strides`)
  }
  if (!isCount(offset)) return refuse(`starts at place ${offset} of its storage`)
  if (!shape.every(isCount)) return refuse(`has the shape [${shape.join(', ')}]`)
  if (!strides.every(isCount)) return refuse(`has the strides [${strides.join(', ')}]`)
  if (shape.includes(0)) return { dtype, shape, byteLength: 0, spanStart: 0, spanLength: 0, strides: null }
  let last = offset
  shape.forEach((size, axis) => {
    last += (size - 1) * strides[axis]
  })
  // Sums and products that are too large to be exact are also too large to be below `held`.
  if (!(last < held)) {
    return refuse(
      `is [${shape.join(', ')}] from place ${offset} with strides [${strides.join(', ')}], ` +
        `which reaches place ${last} of a storage of ${held}`,
    )
  }
  const count = elementCount(shape)
  if (count > Math.max(held, MOST_REPEATED)) {
    return refuse(`is [${shape.join(', ')}], ${count} elements out of a storage of ${held}`)
  }
  return {
    dtype,
    shape,
    byteLength: count * bytesEach,
    spanStart: (storage.dtype === null ? storage.start : storage.start * bytesEach) + offset * bytesEach,
    spanLength: (last - offset + 1) * bytesEach,
    strides: isRowMajor(shape, strides) ? null : strides,
  }
}

/** `span` are the window's bytes in the file; the result may be `span` itself. */
export function gatherWindow(window: TensorWindow, span: Uint8Array): Uint8Array {
  if (window.strides === null) return span
  const Elements = ELEMENTS[BYTES_PER_ELEMENT[window.dtype] as 1 | 2 | 4 | 8]
  const aligned = span.byteOffset % Elements.BYTES_PER_ELEMENT === 0 ? span : span.slice()
  const from = new Elements(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / Elements.BYTES_PER_ELEMENT,
  ) as Uint8Array
  const out = new Elements(elementCount(window.shape)) as Uint8Array
  gather(from, window.shape, window.strides, out)
  return new Uint8Array(out.buffer)
}

/** Elements are moved whole; that both arrays hold 1, 2, 4 or 8 bytes each is all that matters. */
const ELEMENTS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

function gather(from: Uint8Array, shape: Shape, strides: readonly number[], out: Uint8Array): void {
  const rank = shape.length
  const width = shape[rank - 1]
  const step = strides[rank - 1]
  const place: number[] = new Array(rank).fill(0)
  let source = 0
  for (let target = 0; target < out.length; ) {
    for (let column = 0; column < width; column++) out[target++] = from[source + column * step]
    // The next row: count up the outer places like an odometer.
    for (let axis = rank - 2; axis >= 0; axis--) {
      source += strides[axis]
      if (++place[axis] < shape[axis]) break
      source -= shape[axis] * strides[axis]
      place[axis] = 0
    }
  }
}

/** Strides of sides of length 1 mean nothing and may be anything. */
function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue
    if (strides[axis] !== expected) return false
    expected *= shape[axis]
  }
  return true
}

/** In place: from the byte order of a big-endian machine to little-endian. */
export function swapBytes(bytes: Uint8Array, bytesEach: number): void {
  for (let i = 0; i + bytesEach <= bytes.length; i += bytesEach) bytes.subarray(i, i + bytesEach).reverse()
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
