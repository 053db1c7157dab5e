/**
 * Finds where in a PyTorch file the weights are. Some files are a state dict, others keep one beside class names and optimiser
 * states; the places known are looked at in the order below, and what was found where is told.
 */
import type { PlainRecord, PlainValue } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { isKind, type PickleDict, type PickleTensor, type PickleValue } from '../pickle/pickle-value.js'
import { plainConverter } from '../pickle/plain-converter.js'

/**
 * Birder's place comes first. Of a teacher and a student the teacher is the model that is published, and of a model and its
 * moving average the average; a student alone is not what anybody wants features of.
 */
const PLACES = ['state', 'teacher', 'model_ema', 'state_dict', 'model'] as const
const DEEPEST = 8

interface StateDict {
  /** Holds them by the names that the network has, in the order of the file. */
  readonly tensors: ReadonlyMap<string, PickleTensor>
  readonly metadata: PlainRecord
  readonly wrapping: string
  readonly dropped: readonly string[]
}

/** `label` names the file in errors. Throws `malformed` where no tensors are found. */
export function findStateDict(root: PickleValue, label: string): StateDict {
  if (!isKind(root, 'dict')) {
    // What nests too deep is refused as that, before it is called something else than a dict.
    plainConverter()(root, label)
    throw new CheckpointError(
      'malformed',
      `${label} holds ${describe(root)}, where a dict of tensors is expected`,
    )
  }
  const path: string[] = []
  let place: PickleDict = root
  for (
    let inner = innerPlaceOrNull(place);
    inner !== null && path.length < DEEPEST;
    inner = innerPlaceOrNull(place)
  ) {
    path.push(inner.key)
    place = inner.dict
  }
  const stored = new Map<string, PickleTensor>()
  const others: string[] = []
  for (const [key, value] of place.entries) {
    if (typeof key === 'string' && isKind(value, 'tensor')) stored.set(key, value)
    else others.push(String(key))
  }
  if (stored.size === 0) refuseNoTensors(root, label)
  const { metadata, dropped } = splitBesides(
    root,
    (key) => (path.length > 0 ? key === path[0] : stored.has(key)),
    label,
  )
  const droppedInside = path.length > 0 ? others.map((key) => [...path, key].join('/')) : []
  return {
    tensors: stored,
    metadata,
    wrapping: path.join('/'),
    dropped: [...dropped, ...droppedInside],
  }
}

function innerPlaceOrNull(dict: PickleDict): { key: string; dict: PickleDict } | null {
  for (const key of PLACES) {
    const value = dict.entries.get(key)
    if (isKind(value, 'dict') && (holdsTensors(value) || leadsFurther(value))) return { key, dict: value }
  }
  return null
}

/** It is worth going in where one of the known places one level further in is a dict. */
function leadsFurther(dict: PickleDict): boolean {
  return PLACES.some((key) => isKind(dict.entries.get(key), 'dict'))
}

function holdsTensors(dict: PickleDict): boolean {
  for (const value of dict.entries.values()) if (isKind(value, 'tensor')) return true
  return false
}

/** Sorts the root's other entries: plain values are metadata, the rest (optimiser states, a student) is dropped. */
function splitBesides(
  root: PickleDict,
  isTaken: (key: string) => boolean,
  label: string,
): { readonly metadata: PlainRecord; readonly dropped: readonly string[] } {
  const metadata: { [key: string]: PlainValue } = Object.create(null)
  const dropped: string[] = []
  const toPlain = plainConverter()
  for (const [key, value] of root.entries) {
    if (typeof key === 'string' && isTaken(key)) continue
    const plain = typeof key === 'string' ? toPlain(value, `${label}: the entry ${key}`) : undefined
    if (plain === undefined) dropped.push(String(key))
    else metadata[key] = plain
  }
  return { metadata, dropped }
}

function refuseNoTensors(root: PickleDict, label: string): never {
  const keys = [...root.entries.keys()].slice(0, 8).join(', ')
  throw new CheckpointError(
    'malformed',
    `${label} holds no tensors: its entries are ${keys || 'none'}; expected are tensors by name, at the top or under ` +
      `${PLACES.join(', ')}`,
  )
}

function describe(value: PickleValue): string {
  if (value === null) return 'None'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (value instanceof Uint8Array) return 'bytes'
  return value.kind === 'tensor' ? 'a single tensor without a name' : `a ${value.kind}`
}
