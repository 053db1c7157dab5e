/**
 * Writes PyTorch files by hand: what torch.save writes, and what it never would. A pickle is put together from values and
 * from raw instructions.
 */
import { zipSync } from 'fflate'

/** Takes instructions as they are. */
export interface RawPickle {
  readonly raw: Uint8Array
}

/** Describes a tensor on the storage `key` of `count` elements. */
export interface PickledTensor {
  readonly key: string
  readonly count: number
  readonly shape: readonly number[]
  readonly storage?: string
  readonly offset?: number
  readonly strides?: readonly number[]
}

/** Tuples are lists marked as such; ordered dicts are lists of pairs, so that a key may stand twice. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | RawPickle
  | { readonly tuple: readonly Picklable[] }
  | { readonly list: readonly Picklable[] }
  | { readonly ordered: readonly (readonly [string, Picklable])[] }
  | { readonly dict: readonly (readonly [string | number, Picklable])[] }
  | { readonly tensor: PickledTensor }

export const raw = (text: string): RawPickle => ({ raw: latin1(text) })

/** Writes a whole pickle of protocol 2. */
export function pickle(value: Picklable): Uint8Array {
  return concat([latin1('\x80\x02'), put(value), latin1('.')])
}

export interface TorchZipOptions {
  readonly root?: string
  readonly byteOrder?: 'little' | 'big'
  /** Names the entries to deflate. */
  readonly deflate?: readonly string[]
  readonly extra?: Readonly<Record<string, Uint8Array>>
}

/** Writes the file: `value` may be a finished pickle, storages are found by key. */
export function torchZip(
  value: Picklable | Uint8Array,
  storages: Readonly<Record<string, Uint8Array>>,
  { root = 'archive/', byteOrder, deflate = [], extra = {} }: TorchZipOptions = {},
): Uint8Array {
  const entries: Record<string, Uint8Array> = {
    [`${root}data.pkl`]: value instanceof Uint8Array ? value : pickle(value),
  }
  if (byteOrder) entries[`${root}byteorder`] = latin1(byteOrder)
  for (const [key, bytes] of Object.entries(storages)) entries[`${root}data/${key}`] = bytes
  Object.assign(entries, extra)
  return zipSync(
    Object.fromEntries(
      Object.entries(entries).map(([name, bytes]) => [
        name,
        [bytes, { level: deflate.includes(name) ? 9 : 0 }],
      ]),
    ),
  )
}

/** Writes a file as torch.save did before PyTorch 1.6: `storages` are in the order of `keys`, each after its count. */
export function torchLegacy(
  value: Picklable,
  keys: readonly string[],
  storages: Uint8Array,
  littleEndian = true,
): Uint8Array {
  return concat([
    latin1('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'),
    pickle(1001),
    pickle({ dict: [['little_endian', littleEndian]] }),
    pickle(value),
    pickle({ list: keys }),
    storages,
  ])
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function put(value: Picklable): Uint8Array {
  if (value === null) return latin1('N')
  if (typeof value === 'boolean') return latin1(value ? '\x88' : '\x89')
  if (typeof value === 'number') return Number.isInteger(value) ? putInteger(value) : putFloat(value)
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value)
    return concat([latin1('X'), u32(text.length), text])
  }
  if ('raw' in value) return value.raw
  if ('tuple' in value) return concat([latin1('('), ...value.tuple.map(put), latin1('t')])
  if ('list' in value) return concat([latin1(']('), ...value.list.map(put), latin1('e')])
  if ('dict' in value) return concat([latin1('}('), ...value.dict.flat().map(put), latin1('u')])
  if ('ordered' in value) {
    return concat([latin1('ccollections\nOrderedDict\n)R('), ...value.ordered.flat().map(put), latin1('u')])
  }
  return putTensor(value.tensor)
}

function putTensor({
  key,
  count,
  shape,
  storage = 'FloatStorage',
  offset = 0,
  strides,
}: PickledTensor): Uint8Array {
  const rowMajor = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const id = put({ tuple: ['storage', raw(`ctorch\n${storage}\n`), key, 'cpu', count] })
  return concat([
    latin1('ctorch._utils\n_rebuild_tensor_v2\n('),
    id,
    latin1('Q'),
    put(offset),
    put({ tuple: [...shape] }),
    put({ tuple: [...(strides ?? rowMajor)] }),
    put(false),
    latin1('ccollections\nOrderedDict\n)RtR'),
  ])
}

function putInteger(value: number): Uint8Array {
  const bytes = new Uint8Array(10)
  bytes.set([0x8a, 8])
  new DataView(bytes.buffer).setBigInt64(2, BigInt(value), true)
  return bytes
}

function putFloat(value: number): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = 'G'.charCodeAt(0)
  new DataView(bytes.buffer).setFloat64(1, value, false)
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
