/**
 * Tells how an executor packs the weights of a plan. What its packing code makes of some numbers is a part of that: weights that an older or a newer code
 * has packed in another way are found out without anybody having to count versions.
 */
import { elementCount } from '../../tensor/shape.js'
import type { PackingFacts } from '../engine.js'
import type { ProductPrecision } from '../ops.js'
import type { Plan } from '../plan.js'
import { type Executor, layOut } from './load-lowered.js'
import type { WeightForm } from './lowered-op.js'

/** These reach over several panels, end within one, and have depths of no whole step; the second is deeper than any slice of a sum. */
const PROBES = [
  { columns: 135, depth: 77 },
  { columns: 3, depth: 5003 },
] as const

/** @param executor can give what a region holds */
export async function packingFactsOf<Region>(
  executor: Executor<Region>,
  plan: Plan,
  instructionSet: string,
): Promise<PackingFacts> {
  const { places, shapes, floats } = layOut(executor, plan)
  const all = [...places].flatMap(([name, own]) =>
    own.map(({ form, offset }) => [name, shapes.get(name), form, offset] as const),
  )
  const forms = [...new Set(all.map(([, , form]) => form))].sort()
  const probe: number[] = []
  for (const form of forms) if (isPrecision(form)) probe.push(...(await statesOf(executor, form)))
  const { precision } = executor.arithmetic
  return { instructionSet, precision, byteLength: 4 * floats, places: JSON.stringify(all), probe }
}

function isPrecision(form: WeightForm): form is ProductPrecision {
  return form !== 'rows'
}

/** Gives the digest of the probes as they are packed for the products of a precision. */
async function statesOf<Region>(executor: Executor<Region>, precision: ProductPrecision): Promise<number[]> {
  const weights = PROBES.map(({ columns, depth }) => ({
    precision,
    columns,
    depth,
    values: probeValues(elementCount([columns, depth]), depth),
    floats: executor.packedFloats(precision, columns, depth),
  }))
  const floats = weights.reduce((sum, weight) => sum + weight.floats, 0)
  const region = await executor.allocate(floats)
  try {
    let offset = 0
    for (const weight of weights) {
      await executor.pack(region, { ...weight, offset })
      offset += weight.floats
    }
    const bytes = executor.packedBytes?.(region, floats)
    if (bytes === undefined) throw new Error('What this executor packs cannot be put into a file.')
    return [...(await bytes.digest())]
  } finally {
    executor.releaseRegion(region)
  }
}

/** Gives numbers of all sizes and signs, whose first row is all zeros. */
function probeValues(count: number, depth: number): Float32Array {
  const values = new Float32Array(count)
  for (let i = depth, state = 1; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    values[i] = (state / 2 ** 31) * 2 ** (i % 7)
  }
  return values
}
