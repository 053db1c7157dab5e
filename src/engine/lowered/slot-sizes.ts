/** Rows and columns of every slot of a plan, and of those that lowering adds. */
import type { Plan, SlotName } from '../plan.js'

export type SlotSizes = Map<SlotName, readonly [rows: number, width: number]>

/** Takes the slots that are [rows, width]: pixels, the only ones that are not, have no place in an arena. */
export function sizesOf(plan: Plan): SlotSizes {
  const sizes: SlotSizes = new Map()
  for (const [name, [rows, width, ...more]] of plan.slots) {
    if (rows !== undefined && width !== undefined && more.length === 0) sizes.set(name, [rows, width])
  }
  return sizes
}

export function sizeOf(slot: SlotName, sizes: SlotSizes): readonly [rows: number, width: number] {
  const size = sizes.get(slot)
  if (size === undefined) throw new Error(`The plan gives no rows and columns for ${slot}.`)
  return size
}
