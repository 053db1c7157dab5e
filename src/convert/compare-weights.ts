/** Holds weights that were written against those that were read, value by value, where a narrower type leaves no two digests alike. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { PERIODS } from '../model/grid-tables.js'
import type { VitModel } from '../model/read-vit.js'
import { isFloatType } from '../tensor/dtype.js'
import { isWithinHalfAStep } from '../tensor/int8.js'
import type { StoredFloat } from '../tensor/narrow.js'
import { toFloat32 } from '../tensor/tensor.js'
import { ConvertError } from './convert-error.js'

/** Is how far the nearest number of a type may be, as a part of the value, and at the least. */
const ROUNDING: Readonly<Record<StoredFloat, readonly [relative: number, least: number]>> = {
  F32: [0, 0],
  F16: [2 ** -11, 2 ** -25],
  BF16: [2 ** -8, 2 ** -133],
}

/**
 * Gives both networks with the tables that can be compared: Meta's DINOv3 stores the periods of its rotary positions, and wherever else they follow from a base the
 * config has been compared.
 */
export function comparable(from: VitModel, to: VitModel): readonly [from: VitModel, to: VitModel] {
  const stores = ({ storedAs }: VitModel) => storedAs.tables.has(PERIODS)
  return stores(from) === stores(to) ? [from, to] : [withoutPeriods(from), withoutPeriods(to)]
}

function withoutPeriods(vit: VitModel): VitModel {
  const readTables = async () => new Map([...(await vit.readTables())].filter(([name]) => name !== PERIODS))
  return { ...vit, readTables }
}

/** Throws `ConvertError` `check-failed` with the name of the first weight that is farther from its source than rounding takes it; the signal's reason. */
export async function assertRounded(
  from: VitModel,
  to: VitModel,
  dtype: StoredFloat,
  signal?: AbortSignal,
): Promise<void> {
  for (const [name, shape] of from.weightShapes) {
    signal?.throwIfAborted()
    const { positionsAt } = to.storedAs.weight(name, shape)
    const values = [await from.weights.read(name, shape), await to.weights.read(name, shape)] as const
    assertNear(name, values, { dtype, isSum: positionsAt !== undefined })
  }
  const [tables, written] = [await from.readTables(), await to.readTables()]
  for (const [name, table] of tables)
    assertNear(name, [table, written.get(name) ?? new Float32Array(0)], { dtype, isSum: false })
}

/** Does the same for the tensors of a copy, of which a weight may be computed, so that it does not show how far each was rounded. */
export async function assertCopyRounded(
  from: Checkpoint,
  to: Checkpoint,
  dtype: StoredFloat,
  signal?: AbortSignal,
): Promise<void> {
  for (const [name, { dtype: stored }] of from.tensors) {
    if (!isFloatType(stored) && stored !== 'F64') continue
    signal?.throwIfAborted()
    const values = [toFloat32(await from.read(name)), toFloat32(await to.read(name))] as const
    assertNear(name, values, { dtype, isSum: false })
  }
}

/** A token is the sum of two tensors that were rounded apart, whose sizes it does not show. */
function assertNear(
  name: string,
  [one, other]: readonly [Float32Array, Float32Array],
  { dtype, isSum }: { readonly dtype: StoredFloat; readonly isSum: boolean },
): void {
  const [relative, least] = ROUNDING[dtype]
  const largest = isSum ? one.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 0
  const isNear = one.every((value, at) => {
    const bound = least + relative * Math.max(Math.abs(value), 4 * largest)
    return Object.is(value, other[at]) || Math.abs(value - (other[at] ?? Number.NaN)) <= bound
  })
  if (one.length === other.length && isNear) return
  throw new ConvertError(
    'check-failed',
    `${name} reads back with other values than ${dtype} rounds its own to. Nothing was kept; please report it, with the names of the model and of the layout.`,
  )
}

/** Throws `ConvertError` `check-failed` with the name of the first weight of `held` that is farther from its source than half a step of its row, or of any other that is not as it was. */
export async function assertInt8(
  from: VitModel,
  to: VitModel,
  held: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<void> {
  const refuse = (name: string) => {
    throw new ConvertError(
      'check-failed',
      `${name} reads back with other values than ${held.has(name) ? 'bytes round its own to' : 'it had'}. Nothing was kept; please report it, with the names of the model and of the layout.`,
    )
  }
  for (const [name, shape] of from.weightShapes) {
    signal?.throwIfAborted()
    const [values, written] = [await from.weights.read(name, shape), await to.weights.read(name, shape)]
    const isNear = held.has(name)
      ? isWithinHalfAStep(values, written, shape.at(-1) ?? 1)
      : areSame(values, written)
    if (!isNear) refuse(name)
  }
  const written = await to.readTables()
  for (const [name, table] of await from.readTables())
    if (!areSame(table, written.get(name) ?? new Float32Array(0))) refuse(name)
}

function areSame(values: Float32Array, written: Float32Array): boolean {
  return values.length === written.length && values.every((value, at) => Object.is(value, written[at]))
}
