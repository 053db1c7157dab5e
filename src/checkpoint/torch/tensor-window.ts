/**
 * A tensor of torch is a window on a storage, with an offset, sizes and strides. Here a window is checked against its storage, and
 * its elements are gathered into the row-major order that everything else expects.
 */
import { BYTES_PER_ELEMENT, type DType } from '../../tensor/dtype.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import { gatherStrided, isRowMajor, lastPlace } from '../../tensor/strides.js'
import { CheckpointError } from '../checkpoint-error.js'
import type { PickleTensor } from '../pickle/pickle-value.js'

const MOST_DIMENSIONS = 64
/** A stride of 0 repeats elements, so a window can be larger than its storage. Real ones repeat little. */
const MOST_REPEATED = 2 ** 24

export interface TensorWindow {
  readonly dtype: DType
  readonly shape: Shape
  readonly byteLength: number
  /** Counts bytes from the start of the storage to the first element. */
  readonly spanStart: number
  /** Counts bytes from the first to behind the last element. */
  readonly spanLength: number
  /** Strides count elements; null says that the span is the tensor as it is. */
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
  const last = lastPlace(offset, shape, strides)
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

/** `span` holds the window's bytes in the file; the result may be `span` itself. */
export function gatherWindow(window: TensorWindow, span: Uint8Array): Uint8Array {
  if (window.strides === null) return span
  return gatherStrided(span, BYTES_PER_ELEMENT[window.dtype], window.shape, window.strides)
}

/** Turns the bytes of each element round in place, which makes a big-endian machine's numbers little-endian. */
export function swapBytes(bytes: Uint8Array, bytesEach: number): void {
  for (let i = 0; i + bytesEach <= bytes.length; i += bytesEach) bytes.subarray(i, i + bytesEach).reverse()
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
