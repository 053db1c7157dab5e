/** Knows rows and columns of every slot of a plan, of its constants, and of the slots that lowering adds. */
import { EngineError } from '../engine-error.js'
import type { Plan, SlotName } from '../plan.js'
import { rowsAndWidth } from '../plan-lookup.js'

export type SlotSizes = Map<SlotName, readonly [rows: number, width: number]>

/**
 * Takes the slots that are [rows, width], since pixels, the only ones that are not, have no place in an arena; and the constants, which may be
 * read as slots. Throws `unsupported` where one name is both.
 */
export function sizesOf(plan: Plan): SlotSizes {
  const sizes: SlotSizes = new Map()
  for (const [name, [rows, width, ...more]] of plan.slots) {
    if (rows !== undefined && width !== undefined && more.length === 0) sizes.set(name, [rows, width])
  }
  for (const [name, { shape }] of plan.constants) {
    if (plan.slots.has(name)) {
      throw new EngineError('unsupported', `The plan has a slot and a constant named ${name}.`)
    }
    sizes.set(name, rowsAndWidth(name, shape))
  }
  return sizes
}

export function sizeOf(slot: SlotName, sizes: SlotSizes): readonly [rows: number, width: number] {
  const size = sizes.get(slot)
  if (size === undefined) {
    throw new EngineError('unsupported', `The plan gives no rows and columns for ${slot}.`)
  }
  return size
}
