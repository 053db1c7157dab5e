/** Folds element-wise steps into the step that makes their input, so that no value travels through memory twice. */
import type { OpKind } from '../ops.js'
import type { SlotName } from '../plan.js'
import type { LoweredOp } from './lowered-op.js'

/** Are the kinds that have an end which other steps can join. */
const FINISHING: ReadonlySet<OpKind> = new Set(['linear', 'conv2d', 'elementwise'])

/**
 * A product or an element-wise step computes, in this order: activation, times gamma, then plus or gated by a second slot.
 * Whatever follows in that order joins it, where the value between is nobody else's and no output.
 */
export function fuse(ops: readonly LoweredOp[], outputs: ReadonlySet<SlotName>): readonly LoweredOp[] {
  const readers = new Map<SlotName, number>()
  for (const op of ops) {
    for (const slot of [op.input, op.second]) {
      if (slot !== null) readers.set(slot, (readers.get(slot) ?? 0) + 1)
    }
  }
  // Operations are found by the slot that they write. What joins one takes its own place, where all that it reads exists.
  const result = new Map<SlotName, LoweredOp>()
  const merged: (LoweredOp | null)[] = []
  const placeOf = new Map<SlotName, number>()
  for (const op of ops) {
    let next = op
    if (op.kind === 'elementwise') {
      for (const candidate of [op, swapped(op)]) {
        const from = candidate?.input ?? null
        if (candidate === null || from === null || outputs.has(from) || readers.get(from) !== 1) continue
        const producer = result.get(from)
        const joined = producer === undefined ? null : join(producer, candidate)
        if (joined === null) continue
        merged[placeOf.get(from) ?? -1] = null
        next = joined
        break
      }
    }
    if (next.output !== null) {
      result.set(next.output, next)
      placeOf.set(next.output, merged.length)
    }
    merged.push(next)
  }
  return merged.filter((op) => op !== null)
}

/** Turns a sum round; other operations have no other way round. */
function swapped(op: LoweredOp): LoweredOp | null {
  return op.combine === 'add' ? { ...op, input: op.second, second: op.input } : null
}

function join(producer: LoweredOp, op: LoweredOp): LoweredOp | null {
  if (!FINISHING.has(producer.kind)) return null
  if (producer.combine !== 'none' || producer.outputRows !== null) return null
  const plain = producer.activation === 'identity' && producer.gamma === null
  if ((op.activation !== 'identity' || op.combine === 'gate') && !plain) return null
  if (op.gamma !== null && producer.gamma !== null) return null
  return {
    ...producer,
    output: op.output,
    activation: op.activation === 'identity' ? producer.activation : op.activation,
    gamma: op.gamma ?? producer.gamma,
    combine: op.combine,
    second: op.second,
  }
}
