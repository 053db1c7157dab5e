/** Turns a lowered plan into what executors read: operations as numbers, and the tables that they share. */
import type { ConstantName, Plan } from '../plan.js'
import { constantOf } from '../plan-lookup.js'
import { offsetIn, strideOf } from './arena.js'
import type { LoweredPlan } from './lower-plan.js'
import {
  constantsOf,
  type LoweredOp,
  OP_FIELDS,
  type PlacedOp,
  type Places,
  placeOp,
  type WeightRef,
  writeOp,
} from './lowered-op.js'
import { sizeOf } from './slot-sizes.js'
import { PADDING, up } from './weight-layout.js'

export interface EncodedPlan {
  /** Holds OP_FIELDS numbers for each operation. */
  readonly ops: Float64Array<ArrayBuffer>
  readonly constants: Float32Array<ArrayBuffer>
  readonly arenaFloats: number
}

/** @param offsetOf where a packed weight begins, in floats; throws for one that was not loaded */
export function encodePlan(
  lowered: LoweredPlan,
  plan: Plan,
  offsetOf: (ref: WeightRef) => number,
): EncodedPlan {
  const constants = gatherConstants(lowered, plan)
  const places = { weight: offsetOf, constant: constants.offsetOf }
  const ops = new Float64Array(lowered.ops.length * OP_FIELDS)
  lowered.ops.forEach((op, index) => {
    writeOp(placeIn(lowered, op, places), ops, index * OP_FIELDS)
  })
  return { ops, constants: constants.values, arenaFloats: lowered.arena.floats }
}

/** Gives an operation its places in the arena; those of weights and constants are the executor's. */
export function placeIn(lowered: LoweredPlan, op: LoweredOp, places: Omit<Places, 'slot'>): PlacedOp {
  const { arena, sizes, formats } = lowered
  const slot: Places['slot'] = (name, part) => {
    const [rows, width] = sizeOf(name, sizes)
    const [first, count] = part ?? [0, rows]
    const format = formats.get(name) ?? 'float32'
    const stride = strideOf(width, format)
    return { offset: offsetIn(arena, name) + first * stride, rows: count, width, stride, format }
  }
  const placed = placeOp(op, { ...places, slot })
  // An input given back as an output has no place in the arena: one row, and 0 for its stride.
  const givesInput = op.kind === 'copyOut' && op.input === null
  const width = lowered.outputLengths[op.outputIndex]
  if (!givesInput || width === undefined) return placed
  return { ...placed, input: { offset: 0, rows: 1, width, stride: 0, format: 'float32' } }
}

/** Puts the tables that the operations read one behind the other, as weights are: whoever reads whole vectors finds zeros behind them. */
export function gatherConstants(
  lowered: LoweredPlan,
  plan: Plan,
): { readonly values: Float32Array<ArrayBuffer>; readonly offsetOf: (name: ConstantName) => number } {
  const offsets = new Map<ConstantName, number>()
  let floats = 0
  for (const name of lowered.ops.flatMap(constantsOf)) {
    if (offsets.has(name)) continue
    offsets.set(name, floats)
    floats += up(constantOf(plan, name).values.length + PADDING, PADDING)
  }
  const values = new Float32Array(floats)
  for (const [name, offset] of offsets) values.set(constantOf(plan, name).values, offset)
  const offsetOf = (name: ConstantName) => {
    const offset = offsets.get(name)
    if (offset === undefined) throw new Error(`No operation reads the constant ${name}.`)
    return offset
  }
  return { values, offsetOf }
}
