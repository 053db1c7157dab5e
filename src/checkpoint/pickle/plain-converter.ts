/** Turns pickled values into JSON's kinds of value, for what a checkpoint says beside its tensors. */
import type { PlainValue } from '../../plain-value.js'
import { CheckpointError } from '../checkpoint-error.js'
import { isKind, type PickleValue } from './pickle-value.js'

const DEEPEST = 64
/** A pickle can name one list many times over, so that few bytes unfold to very much. */
const MOST_VALUES = 2_000_000

/**
 * Tuples become lists, keys become strings, the name of a dtype a string. The converter gives undefined where the value holds
 * tensors, storages or bytes. It throws `malformed` or `too-large`, with `what` in the message, where the value nests too deep or
 * unfolds to too much; all values of one file share the bound, so they share a converter.
 */
export function plainConverter(): (value: PickleValue, what: string) => PlainValue | undefined {
  const budget = { values: MOST_VALUES }
  return (value, what) => convert(value, what, budget, 0)
}

function convert(
  value: PickleValue,
  what: string,
  budget: { values: number },
  depth: number,
): PlainValue | undefined {
  if (depth > DEEPEST) throw new CheckpointError('malformed', `${what} nests deeper than ${DEEPEST} levels`)
  if (--budget.values < 0)
    throw new CheckpointError('too-large', `${what} unfolds to more than ${MOST_VALUES} values`)
  if (typeof value === 'bigint') return Number(value)
  if (value === null || typeof value !== 'object') return value
  if (isKind(value, 'global')) return value.name
  if (isKind(value, 'list') || isKind(value, 'tuple')) {
    const list: PlainValue[] = []
    for (const item of value.items) {
      const plain = convert(item, what, budget, depth + 1)
      if (plain === undefined) return undefined
      list.push(plain)
    }
    return list
  }
  if (!isKind(value, 'dict')) return undefined
  // Without a prototype `__proto__` is a key like any other.
  const object: { [key: string]: PlainValue } = Object.create(null)
  for (const [key, item] of value.entries) {
    const plain = convert(item, what, budget, depth + 1)
    if (plain === undefined) return undefined
    if (Object.hasOwn(object, key))
      throw new CheckpointError('malformed', `${what} has both ${key} and '${key}' as keys`)
    object[key] = plain
  }
  return object
}
