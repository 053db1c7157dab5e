/**
 * Decides what a pickle may name and what calling it means here; the list is closed.
 *
 * A pickle is a program: it may name any Python function and call it. Nothing is ever looked up or run; a name that is
 * not in this file is refused where it stands, even if the pickle would drop it again.
 */
import type { DType } from '../../tensor/dtype.js'
import type { PickleMachine } from './pickle-machine.js'
import {
  isKind,
  type PickleDict,
  type PickleGlobal,
  type PickleStorage,
  type PickleTuple,
  type PickleValue,
} from './pickle-value.js'

/** A storage class holds one element type. Null stands for bytes whose type the tensor names. */
const STORAGES: ReadonlyMap<string, DType | null> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
  ['torch.UntypedStorage', null],
  ['torch.storage.UntypedStorage', null],
])

const DTYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.float64', 'F64'],
  ['torch.float32', 'F32'],
  ['torch.float16', 'F16'],
  ['torch.bfloat16', 'BF16'],
  ['torch.int64', 'I64'],
  ['torch.uint64', 'U64'],
  ['torch.int32', 'I32'],
  ['torch.uint32', 'U32'],
  ['torch.int16', 'I16'],
  ['torch.uint16', 'U16'],
  ['torch.int8', 'I8'],
  ['torch.uint8', 'U8'],
  ['torch.bool', 'BOOL'],
])

/** Objects of these classes have nothing but attributes, and are read as dicts of them: settings that training scripts keep. */
const RECORDS: ReadonlySet<string> = new Set([
  'argparse.Namespace',
  'types.SimpleNamespace',
  'lightning_fabric.utilities.data.AttributeDict',
  'lightning.fabric.utilities.data.AttributeDict',
  'pytorch_lightning.utilities.parsing.AttributeDict',
])

type Build = (machine: PickleMachine, args: readonly PickleValue[]) => PickleValue

const CALLABLE: ReadonlyMap<string, Build> = new Map<string, Build>([
  ['collections.OrderedDict', buildOrderedDict],
  ['torch._utils._rebuild_tensor', (machine, args) => buildTensor(machine, args, null)],
  ['torch._utils._rebuild_tensor_v2', (machine, args) => buildTensor(machine, args, null)],
  ['torch._utils._rebuild_tensor_v3', (machine, args) => buildTensor(machine, args, args[6])],
  ['torch._utils._rebuild_parameter', buildParameter],
  ['torch.Size', buildSize],
  ['torch.device', buildDevice],
])

/** Throws `forbidden`, naming the global, unless it is on the list. */
export function buildGlobal(machine: PickleMachine, module: string, name: string): PickleGlobal {
  const full = `${module}.${name}`
  if (!CALLABLE.has(full) && !STORAGES.has(full) && !DTYPES.has(full) && !RECORDS.has(full)) {
    machine.refuse(
      `names ${full}, which is not among the few things that tensors and plain values are made of; nothing was run. ` +
        'Save the state dict alone: torch.save(model.state_dict(), path)',
      'forbidden',
    )
  }
  return { kind: 'global', name: full }
}

export function callGlobal(machine: PickleMachine, callee: PickleValue, args: PickleValue): PickleValue {
  if (!isKind(callee, 'global') || !isKind(args, 'tuple'))
    return machine.refuse('calls something that is no function')
  const build = CALLABLE.get(callee.name)
  if (build === undefined)
    return machine.refuse(`calls ${callee.name}, which is only a name here`, 'forbidden')
  return build(machine, args.items)
}

/** Makes an empty object of a class, whose attributes follow. Throws `forbidden` for a class that is no record of settings. */
export function newObject(machine: PickleMachine, callee: PickleValue, args: PickleValue): PickleValue {
  const isRecord = isKind(callee, 'global') && RECORDS.has(callee.name)
  if (isRecord && isKind(args, 'tuple') && args.items.length === 0) return emptyDict('entries')
  return machine.refuse('uses NEWOBJ for something that is no record of settings', 'forbidden')
}

/** Reads what torch writes in the place of a tensor's storage: ('storage', type, key, location, count[, view]). */
export function buildStorage(machine: PickleMachine, id: PickleValue): PickleValue {
  const [tag, type, key, , count, view] = isKind(id, 'tuple') ? id.items : []
  if (tag !== 'storage' || !isKind(type, 'global') || typeof key !== 'string' || !isCount(count)) {
    return machine.refuse('refers to something outside it that is not a storage')
  }
  const dtype = STORAGES.get(type.name)
  if (dtype === undefined) return machine.refuse(`keeps a storage of type ${type.name}, which is none`)
  const whole: PickleStorage = { kind: 'storage', key, dtype, total: count, start: 0, count }
  const known = machine.storages.get(key)
  if (known !== undefined && (known.dtype !== dtype || known.total !== count)) {
    return machine.refuse(`describes storage ${key} in two ways`)
  }
  machine.storages.set(key, whole)
  if (view === undefined || view === null) return whole
  const [, start, length] = isKind(view, 'tuple') ? view.items : []
  if (!isCount(start) || !isCount(length) || start + length > count) {
    return machine.refuse(`cuts a view out of storage ${key} that does not lie in it`)
  }
  return { ...whole, start, count: length }
}

/** Adds keys and values, which alternate in `items`. A key that stands twice is refused, since it would leave it to the reader which value counts. */
export function setEntries(machine: PickleMachine, dict: PickleValue, items: readonly PickleValue[]): void {
  if (!isKind(dict, 'dict')) machine.refuse('sets an entry of something that is no dict')
  const rest = items.values()
  for (const key of rest) {
    // The loop and this line take from one iterator, so that keys and values come by turns.
    const { value } = rest.next()
    if (value === undefined) machine.refuse('sets a key without a value')
    if (typeof key !== 'string' && typeof key !== 'number') {
      machine.refuse('has a dict key that is neither a string nor an integer')
    }
    if (dict.entries.has(key))
      machine.refuse(`sets ${JSON.stringify(key)} twice in one dict; which is meant?`)
    dict.entries.set(key, value)
  }
}

/** An ordered dict has attributes of its own (torch's `_metadata`), which nothing here needs; those of a record are its entries. */
export function setState(machine: PickleMachine, target: PickleValue, state: PickleValue): void {
  if (!isKind(target, 'dict') || target.attributes === 'none' || !isKind(state, 'dict'))
    machine.refuse('sets the attributes of something that is no OrderedDict and no record', 'forbidden')
  if (target.attributes === 'entries') setEntries(machine, target, [...state.entries].flat())
}

export function emptyDict(attributes: PickleDict['attributes'] = 'none'): PickleDict {
  return { kind: 'dict', entries: new Map(), attributes }
}

/** Python 3 calls it without arguments and adds entries; Python 2 gave a list of pairs. */
function buildOrderedDict(machine: PickleMachine, args: readonly PickleValue[]): PickleValue {
  const dict = emptyDict('aside')
  if (args.length === 0) return dict
  const [pairs] = args
  if (args.length > 1 || !isKind(pairs, 'list'))
    return machine.refuse('builds an OrderedDict of something else than pairs')
  for (const pair of pairs.items) {
    if (!(isKind(pair, 'list') || isKind(pair, 'tuple')) || pair.items.length !== 2) {
      return machine.refuse('builds an OrderedDict of something else than pairs')
    }
    setEntries(machine, dict, pair.items)
  }
  return dict
}

/** Takes (storage, offset, shape, strides, …); what follows concerns training. `dtype` is given for untyped storages. */
function buildTensor(
  machine: PickleMachine,
  args: readonly PickleValue[],
  dtype: PickleValue | undefined,
): PickleValue {
  const [storage, offset, shape, strides] = args
  if (!isKind(storage, 'storage')) return machine.refuse('builds a tensor on something that is no storage')
  const type = isKind(dtype, 'global') ? DTYPES.get(dtype.name) : storage.dtype
  if (type === undefined || type === null)
    return machine.refuse(`builds a tensor of no known type on storage ${storage.key}`)
  if (typeof offset !== 'number' || !isKind(shape, 'tuple') || !isKind(strides, 'tuple')) {
    return machine.refuse(`builds a tensor on storage ${storage.key} without offset, shape and strides`)
  }
  return {
    kind: 'tensor',
    storage,
    dtype: type,
    offset,
    shape: numbers(machine, shape),
    strides: numbers(machine, strides),
  }
}

function buildParameter(machine: PickleMachine, [data]: readonly PickleValue[]): PickleValue {
  return isKind(data, 'tensor') ? data : machine.refuse('builds a parameter of something that is no tensor')
}

function buildSize(machine: PickleMachine, [sizes]: readonly PickleValue[]): PickleValue {
  return isKind(sizes, 'tuple') ? sizes : machine.refuse('builds a torch.Size of something that is no tuple')
}

function buildDevice(machine: PickleMachine, [type, index]: readonly PickleValue[]): PickleValue {
  if (typeof type !== 'string') return machine.refuse('builds a torch.device without a name')
  return typeof index === 'number' ? `${type}:${index}` : type
}

/** Checks the type alone. Whether the numbers make sense is judged where the tensor's name is known. */
function numbers(machine: PickleMachine, { items }: PickleTuple): readonly number[] {
  return items.map((item) =>
    typeof item === 'number' ? item : machine.refuse('has a size or stride that is no integer'),
  )
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
