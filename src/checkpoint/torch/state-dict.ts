/**
 * Finds the tensors in a PyTorch file. Some files are a state dict, others keep one or several beside class names and optimiser states; all
 * tensors are gathered by their full names, and which network is meant is chosen where every format is opened.
 */
import type { PlainValue } from '../../plain-value.js'
import type { Beside, FoundFile, FoundTensor } from '../checkpoint.js'
import { CheckpointError } from '../checkpoint-error.js'
import { partOfName } from '../network-places.js'
import { isKind, type PickleDict, type PickleTensor, type PickleValue } from '../pickle/pickle-value.js'
import { plainConverter } from '../pickle/plain-converter.js'

/** No training nests its networks deeper, nor gives a tensor a longer name. */
const DEEPEST = 8
const LONGEST_NAME = 2000

/** Says where a tensor's bytes lie; `name` is what errors call it. Throws `CheckpointError` where the file cannot hold it. */
type Locate = (tensor: PickleTensor, name: string) => FoundTensor

/** `label` names the file in errors. Throws `malformed` where no tensors are found. */
export function findTensors(
  root: PickleValue,
  label: string,
  locate: Locate,
): Pick<FoundFile, 'tensors' | 'fromMmengine' | 'beside'> {
  if (!isKind(root, 'dict')) {
    // What nests too deep is refused as that, before it is called something else than a dict.
    plainConverter()(root, label)
    throw new CheckpointError(
      'malformed',
      `${label} holds ${describe(root)}, where a dict of tensors is expected`,
    )
  }
  const stored = gatherTensors(root, label)
  if (stored.size === 0) refuseNoTensors(root, label)
  return {
    tensors: new Map(
      [...stored].map(([fullName, tensor]) => [fullName, (name: string) => locate(tensor, name)]),
    ),
    fromMmengine: root.entries.has('message_hub'),
    beside: (keys) => gatherBeside(root, keys, label),
  }
}

/** Goes into every dict once, however often and deep it is named, by its string keys. */
function gatherTensors(root: PickleDict, label: string): ReadonlyMap<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>()
  const seen = new Set<PickleDict>([root])
  let level: (readonly [place: string, dict: PickleDict])[] = [['', root]]
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: typeof level = []
    for (const [place, dict] of level) {
      for (const [key, value] of dict.entries) {
        if (typeof key !== 'string') continue
        const name = place + partOfName(key)
        if (isKind(value, 'tensor')) tensors.set(boundedName(name, label), value)
        if (!isKind(value, 'dict') || seen.has(value)) continue
        seen.add(value)
        next.push([`${name}/`, value])
      }
    }
    level = next
  }
  return tensors
}

/** Few long keys could make many long names. */
function boundedName(name: string, label: string): string {
  if (name.length <= LONGEST_NAME) return name
  throw new CheckpointError(
    'too-large',
    `${label} has a tensor whose name has ${name.length} characters; ${LONGEST_NAME} is the limit`,
  )
}

/**
 * Sorts the other entries of all dicts that lead to the tensors: plain values are metadata, those of an inner dict before an outer one's; the
 * rest (optimiser states, a student) is dropped.
 */
function gatherBeside(root: PickleDict, keys: readonly string[], label: string): Beside {
  const metadata: { [key: string]: PlainValue } = Object.create(null)
  const dropped: string[] = []
  const toPlain = plainConverter()
  let dict: PickleValue | undefined = root
  for (let depth = 0; depth <= keys.length && isKind(dict, 'dict'); depth++) {
    const next = keys[depth]
    for (const [key, value] of dict.entries) {
      if (key === next || (next === undefined && isKind(value, 'tensor') && typeof key === 'string')) continue
      const plain = typeof key === 'string' ? toPlain(value, `${label}: the entry ${key}`) : undefined
      if (plain === undefined) dropped.push([...keys.slice(0, depth), key].join('/'))
      else metadata[key] = plain
    }
    dict = next === undefined ? undefined : dict.entries.get(next)
  }
  return { metadata, dropped }
}

function refuseNoTensors(root: PickleDict, label: string): never {
  const keys = [...root.entries.keys()].slice(0, 8).join(', ')
  throw new CheckpointError(
    'malformed',
    `${label} holds no tensors: its entries are ${keys || 'none'}; expected is a dict of tensors by name, or one that holds such dicts.`,
  )
}

function describe(value: PickleValue): string {
  if (value === null) return 'None'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (value instanceof Uint8Array) return 'bytes'
  return value.kind === 'tensor' ? 'a single tensor without a name' : `a ${value.kind}`
}
