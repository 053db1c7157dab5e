/** Gives a constant that an operation reads as a slot a slot of its own: just before it is first read, a row for each of every image. */
import type { Plan, SlotName } from '../plan.js'
import { type LoweredOp, loweredOp } from './lowered-op.js'

export function broadcastConstants(ops: readonly LoweredOp[], plan: Plan): readonly LoweredOp[] {
  const placed = new Set<SlotName>()
  return ops.flatMap((op) => {
    const constants = new Set(
      [op.input, op.second].filter((slot) => slot !== null && plan.constants.has(slot) && !placed.has(slot)),
    )
    const broadcasts = [...constants].map((name) => loweredOp('broadcast', { output: name, constant: name }))
    for (const name of constants) if (name !== null) placed.add(name)
    return [...broadcasts, op]
  })
}
