/** A model's weights on a device: products' in buffers that its limits allow, the small ones together, streamed one after the other. */
import { toHalf } from '../../tensor/float16.js'
import type { Shape } from '../../tensor/shape.js'
import type { WeightSource } from '../engine.js'
import { EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import { layOutWeights, packWeights, type WeightPlace } from '../lowered/weight-layout.js'
import type { Plan, WeightName } from '../plan.js'
import type { ProductPlace } from './dispatches.js'
import { type GpuBuffer, USAGE } from './gpu.js'
import type { Gpu } from './gpu-run.js'

/** No larger, though devices allow it: a buffer is one piece of memory. */
const MOST_SEGMENT_BYTES = 256 * 2 ** 20
/** Zeros after a weight that is read as it is: vectors may reach over its end. */
const ROW_PADDING = 32

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

export async function uploadWeights(
  gpu: Gpu,
  plan: Plan,
  arithmetic: Arithmetic,
  half: boolean,
  source: WeightSource,
  signal: AbortSignal | undefined,
): Promise<GpuWeights> {
  const layout = layOutWeights(plan, arithmetic, () => 0)
  const most = Math.min(gpu.mostBytes, MOST_SEGMENT_BYTES)
  const segmentBytes: number[] = []
  const products = new Map<WeightName, ProductPlace>()
  const rowOffsets = new Map<WeightName, number>()
  let rowFloats = 0
  for (const [name, places] of layout.places) {
    const shape = plan.weights.get(name) ?? []
    if (places.some(({ form }) => form === 'rows')) {
      rowOffsets.set(name, rowFloats)
      rowFloats += Math.ceil((shape.reduce((a, b) => a * b, 1) + ROW_PADDING) / ROW_PADDING) * ROW_PADDING
    }
    if (places.every(({ form }) => form === 'rows')) continue
    const [columns, depth] = shape
    const vectorBytes = half ? 8 : 16
    const bytes = columns * Math.ceil(depth / 4) * vectorBytes
    if (bytes > most && bytes > gpu.mostBytes) throw tooLarge(gpu, name, bytes)
    const last = segmentBytes.length - 1
    const fits = last >= 0 && segmentBytes[last] + bytes <= most
    if (!fits) segmentBytes.push(0)
    const segment = segmentBytes.length - 1
    products.set(name, { segment, offset: segmentBytes[segment] / vectorBytes, half })
    segmentBytes[segment] += bytes
  }

  const usage = USAGE.storage | USAGE.copyTarget
  const byteLength = segmentBytes.reduce((sum, bytes) => sum + bytes, 0) + rowFloats * 4
  return await gpu.exclusive(`${Math.ceil(byteLength / 2 ** 20)} MB of weights`, async () => {
    const rows = gpu.buffer('small weights', rowFloats * 4, usage)
    // One at least: every dispatch has a weight bound, whether it reads it or not.
    const segments = (segmentBytes.length === 0 ? [16] : segmentBytes).map((bytes) =>
      gpu.buffer('weights', bytes, usage),
    )
    const weights: GpuWeights = { segments, rows, products, rowOffsets, byteLength }
    try {
      const names = new Map<WeightPlace, WeightName>()
      for (const [name, places] of layout.places) for (const place of places) names.set(place, name)
      const pack = async (place: WeightPlace, shape: Shape, values: Float32Array) => {
        const name = names.get(place) ?? ''
        if (place.form === 'rows') {
          const own = values as Float32Array<ArrayBuffer>
          return await gpu.write(rows, (rowOffsets.get(name) ?? 0) * 4, own)
        }
        const { segment, offset } = products.get(name) as ProductPlace
        const [columns, depth] = shape
        const padded = paddedRows(values, columns, depth)
        await gpu.write(segments[segment], offset * (half ? 8 : 16), half ? toHalf(padded) : padded)
      }
      await packWeights(plan, layout, source, pack, signal)
    } catch (error) {
      destroyWeights(weights)
      throw error
    }
    return weights
  })
}

/** Each row filled up with zeros to whole vectors of four. */
function paddedRows(values: Float32Array, columns: number, depth: number): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(depth / 4) * 4
  if (stride === depth) return values as Float32Array<ArrayBuffer>
  const out = new Float32Array(columns * stride)
  for (let n = 0; n < columns; n++) out.set(values.subarray(n * depth, (n + 1) * depth), n * stride)
  return out
}

function tooLarge(gpu: Gpu, name: string, bytes: number): EngineError {
  const [needed, has] = [bytes, gpu.mostBytes].map((value) => Math.ceil(value / 2 ** 20))
  return new EngineError(
    'out-of-memory',
    `The weight ${name} needs ${needed} MB in one piece; a buffer of this GPU (${gpu.name}) has at most ${has} MB. Take the precision ` +
      'float16, or another engine.',
  )
}
