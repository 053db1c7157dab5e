/** Brings a model's weights to a device, one after the other: products' into buffers that its limits allow, the small ones into one together. */
import { toHalf } from '../../tensor/float16.js'
import { elementCount, type Shape } from '../../tensor/shape.js'
import type { WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import { packWeights } from '../lowered/load-lowered.js'
import { layOutWeights, PADDING, up, type WeightPlace } from '../lowered/weight-layout.js'
import { megabytes } from '../megabytes.js'
import type { Plan, WeightName } from '../plan.js'
import { rowsAndWidth, weightShape } from '../plan-lookup.js'
import { type GpuBuffer, USAGE } from './gpu.js'
import type { Gpu } from './gpu-run.js'
import type { ProductPlace } from './op-on-gpu.js'

/** A segment is no larger, though devices allow it: a buffer is one piece of memory. */
const MOST_SEGMENT_BYTES = 256 * 2 ** 20

export interface GpuWeights {
  readonly segments: readonly GpuBuffer[]
  readonly rows: GpuBuffer
  readonly products: ReadonlyMap<WeightName, ProductPlace>
  readonly rowOffsets: ReadonlyMap<WeightName, number>
  readonly byteLength: number
}

export function destroyWeights({ segments, rows }: GpuWeights): void {
  for (const buffer of [...segments, rows]) buffer.destroy()
}

/**
 * Brings all weights of a plan to a device, in halves where these hold them. Whether they do is known when all have been read: a network of which they do not is
 * rare, and brought once more in float32 as a whole, since what is large in one layer is small in none of those that answer it.
 */
export async function uploadWeights(
  gpu: Gpu,
  plan: Plan,
  arithmetic: Arithmetic,
  half: boolean,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<GpuWeights> {
  const layout = layOutWeights(plan, arithmetic, () => 0)
  const { products, segmentBytes, rowOffsets, rowFloats } = shareOut(gpu, plan, layout.places, half)
  let isHeld = true
  const usage = USAGE.storage | USAGE.copyTarget
  const byteLength = segmentBytes.reduce((sum, bytes) => sum + bytes, 0) + rowFloats * 4
  const weights = await gpu.exclusive(`${megabytes(byteLength)} of weights`, async () => {
    const rows = gpu.buffer('small weights', rowFloats * 4, usage)
    // There is one at least: every dispatch has a weight bound, whether it reads it or not.
    const segments = (segmentBytes.length === 0 ? [16] : segmentBytes).map((bytes) =>
      gpu.buffer('weights', bytes, usage),
    )
    const weights: GpuWeights = { segments, rows, products, rowOffsets, byteLength }
    try {
      const pack = async (place: WeightPlace, shape: Shape, values: Float32Array) => {
        const { name, form } = place
        if (form === 'rows') {
          const own = values as Float32Array<ArrayBuffer>
          return await gpu.write(rows, placed(rowOffsets, name, name) * 4, own)
        }
        const { segment, offset } = placed(products, name, name)
        const [columns, depth] = rowsAndWidth(name, shape)
        if (half && isLostInHalves(values, columns, depth)) isHeld = false
        const padded = paddedRows(values, columns, depth)
        const target = segments[segment]
        if (target === undefined) throw new Error(`The weight ${name} has no segment ${segment}.`)
        await gpu.write(target, offset * vectorBytes(half), half ? toHalf(padded) : padded)
      }
      await packWeights(plan, layout, source, { pack, signal })
    } catch (error) {
      destroyWeights(weights)
      throw error
    }
    return weights
  })
  if (isHeld) return weights
  destroyWeights(weights)
  return await uploadWeights(gpu, plan, arithmetic, false, source, signal)
}

/** Is half of the step between halves, as a part of what is rounded. */
const ROUNDING = 2 ** -12

/**
 * Tells whether in one of its rows the largest value is rounded by more than nine tenths of the others, zeros aside, amount to: what such a row gives is little
 * but that rounding, once another layer takes the large value away again.
 */
export function isLostInHalves(values: Float32Array, columns: number, depth: number): boolean {
  for (let column = 0; column < columns; column++) {
    const row = values.subarray(column * depth, (column + 1) * depth)
    let largest = 0
    for (const value of row) largest = Math.max(largest, Math.abs(value))
    const rounding = largest * ROUNDING
    let lost = 0
    let zeros = 0
    for (const value of row) {
      if (value === 0) zeros++
      else if (Math.abs(value) <= rounding) lost++
    }
    if (lost > 0.9 * (depth - zeros)) return true
  }
  return false
}

/** Counts the bytes of four values of a product's weight. */
function vectorBytes(half: boolean): number {
  return half ? 8 : 16
}

/** Gives each product's weight a place in a segment, and each weight that is read as it is one in the buffer of all of them. */
function shareOut(
  gpu: Gpu,
  plan: Plan,
  places: ReadonlyMap<WeightName, readonly WeightPlace[]>,
  half: boolean,
) {
  const most = Math.min(gpu.mostBytes, MOST_SEGMENT_BYTES)
  const full: number[] = []
  let last = 0
  const products = new Map<WeightName, ProductPlace>()
  const rowOffsets = new Map<WeightName, number>()
  let rowFloats = 0
  for (const [name, own] of places) {
    const shape = weightShape(plan, name)
    if (own.some(({ form }) => form === 'rows')) {
      rowOffsets.set(name, rowFloats)
      rowFloats += up(elementCount(shape) + PADDING, PADDING)
    }
    if (own.every(({ form }) => form === 'rows')) continue
    const [columns, depth] = rowsAndWidth(name, shape)
    const bytes = columns * Math.ceil(depth / 4) * vectorBytes(half)
    if (bytes > gpu.mostBytes) throw tooLarge(gpu, name, bytes)
    if (last > 0 && last + bytes > most) {
      full.push(last)
      last = 0
    }
    products.set(name, { segment: full.length, offset: last / vectorBytes(half), half })
    last += bytes
  }
  return { products, segmentBytes: last === 0 ? full : [...full, last], rowOffsets, rowFloats }
}

function placed<Key, Place>(places: ReadonlyMap<Key, Place>, key: Key, what: string): Place {
  const place = places.get(key)
  if (place === undefined) throw new Error(`The layout of weights lacks ${what}.`)
  return place
}

/** Fills each row up with zeros to whole vectors of four. */
function paddedRows(values: Float32Array, columns: number, depth: number): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(depth / 4) * 4
  if (stride === depth) return values as Float32Array<ArrayBuffer>
  const out = new Float32Array(columns * stride)
  for (let n = 0; n < columns; n++) out.set(values.subarray(n * depth, (n + 1) * depth), n * stride)
  return out
}

function tooLarge(gpu: Gpu, name: string, bytes: number): EngineError {
  return new EngineError(
    'out-of-memory',
    `The weight ${name} needs ${megabytes(bytes)} in one piece; a buffer of this GPU (${gpu.name}) has at most ${megabytes(gpu.mostBytes)}. Take the precision ` +
      'float16, or another engine.',
  )
}
