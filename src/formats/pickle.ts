/**
 * Writes Python's pickle (protocol 2) for what torch.save keeps in one: plain values, and a state dict whose tensors name the entries that hold their
 * bytes. `torch.load` reads it with `weights_only=True`, since nothing in it names any other class.
 */
import type { PlainValue } from '../plain-value.js'
import type { DType } from '../tensor/dtype.js'
import { elementCount, type Shape } from '../tensor/shape.js'

/** Is a tensor in a pickle: its bytes lie in the entry `data/<key>` of the archive. */
export interface PickledTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly key: string
}

/** Names PyTorch's class of a storage for each type of elements; its newer unsigned types have none. */
const STORAGES: Readonly<Partial<Record<DType, string>>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
}

const OP = {
  proto: [0x80, 2],
  stop: [0x2e],
  mark: [0x28],
  none: [0x4e],
  true: [0x88],
  false: [0x89],
  emptyDict: [0x7d],
  emptyList: [0x5d],
  emptyTuple: [0x29],
  tuple: [0x74],
  setItems: [0x75],
  appends: [0x65],
  reduce: [0x52],
  persistentId: [0x51],
} as const satisfies Readonly<Record<string, readonly number[]>>

/**
 * Gives the pickle of a dict of these entries, with the state dict as the entry `state.key`; or of the state dict alone where `key` is null. Throws
 * RangeError for a type of elements that has no storage in PyTorch.
 */
export function pickleOf(
  entries: Readonly<Record<string, PlainValue>>,
  state: { readonly key: string | null; readonly tensors: readonly PickledTensor[] },
): Uint8Array {
  const writer = new PickleWriter()
  writer.op('proto')
  if (state.key === null) {
    writer.stateDict(state.tensors)
  } else {
    writer.op('emptyDict')
    writer.op('mark')
    writer.text(state.key)
    writer.stateDict(state.tensors)
    writer.items(entries)
    writer.op('setItems')
  }
  writer.op('stop')
  return writer.bytes()
}

class PickleWriter {
  readonly #bytes: number[] = []
  readonly #utf8 = new TextEncoder()

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  op(name: keyof typeof OP): void {
    this.#bytes.push(...OP[name])
  }

  text(text: string): void {
    const bytes = this.#utf8.encode(text)
    this.#bytes.push(0x58)
    this.#little(bytes.length, 4)
    for (const byte of bytes) this.#bytes.push(byte)
  }

  /** Writes what stands between a dict's mark and its end. */
  items(record: Readonly<Record<string, PlainValue>>): void {
    for (const [key, value] of Object.entries(record)) {
      this.text(key)
      this.#value(value)
    }
  }

  stateDict(tensors: readonly PickledTensor[]): void {
    this.#orderedDict()
    this.op('mark')
    for (const tensor of tensors) {
      this.text(tensor.name)
      this.#tensor(tensor)
    }
    this.op('setItems')
  }

  #value(value: PlainValue): void {
    if (value === null) this.op('none')
    else if (typeof value === 'boolean') this.op(value ? 'true' : 'false')
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.text(value)
    else if (Array.isArray(value)) this.#list(value as readonly PlainValue[])
    else {
      this.op('emptyDict')
      this.op('mark')
      this.items(value as Readonly<Record<string, PlainValue>>)
      this.op('setItems')
    }
  }

  #list(values: readonly PlainValue[]): void {
    this.op('emptyList')
    this.op('mark')
    for (const value of values) this.#value(value)
    this.op('appends')
  }

  #tensor({ name, dtype, shape, key }: PickledTensor): void {
    const storage = STORAGES[dtype]
    if (storage === undefined)
      throw new RangeError(
        `${name} has elements of ${dtype}, for which PyTorch's files have no storage; safetensors takes them.`,
      )
    this.#global('torch._utils', '_rebuild_tensor_v2')
    this.op('mark')
    this.op('mark')
    this.text('storage')
    this.#global('torch', storage)
    this.text(key)
    this.text('cpu')
    this.#number(elementCount(shape))
    this.op('tuple')
    this.op('persistentId')
    this.#number(0)
    this.#sizes(shape)
    this.#sizes(shape.map((_, axis) => elementCount(shape.slice(axis + 1))))
    this.op('false')
    this.#orderedDict()
    this.op('tuple')
    this.op('reduce')
  }

  #sizes(sizes: readonly number[]): void {
    this.op('mark')
    for (const size of sizes) this.#number(size)
    this.op('tuple')
  }

  #orderedDict(): void {
    this.#global('collections', 'OrderedDict')
    this.op('emptyTuple')
    this.op('reduce')
  }

  #global(module: string, name: string): void {
    this.#bytes.push(0x63, ...this.#utf8.encode(`${module}\n${name}\n`))
  }

  /** Whole numbers are Python's int, of four bytes or of as many as eight; all others are float. */
  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setFloat64(0, value)
      this.#bytes.push(0x47, ...bytes)
    } else if (value === (value | 0)) {
      this.#bytes.push(0x4a)
      this.#little(value, 4)
    } else {
      this.#bytes.push(0x8a, 8)
      this.#little(value, 8)
    }
  }

  #little(value: number, length: 4 | 8): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true)
    this.#bytes.push(...bytes.subarray(0, length))
  }
}
