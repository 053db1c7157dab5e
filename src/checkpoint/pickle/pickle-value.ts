/** A pickle of torch holds these values, and none of them does anything. Lists, tuples and dicts may be shared and even contain themselves. */
import { BYTES_PER_ELEMENT, type DType } from '../../tensor/dtype.js'

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleStorage
  | PickleTensor

interface PickleList {
  readonly kind: 'list'
  readonly items: PickleValue[]
}

export interface PickleTuple {
  readonly kind: 'tuple'
  readonly items: readonly PickleValue[]
}

export interface PickleDict {
  readonly kind: 'dict'
  /** Keys keep their type, so 1 and '1' are two. */
  readonly entries: Map<string | number, PickleValue>
  /**
   * Says what becomes of attributes: a plain dict has none, those of a `collections.OrderedDict` (torch's `_metadata`) are left aside, and those
   * of a record of settings are its entries.
   */
  readonly attributes: 'none' | 'aside' | 'entries'
}

/** Names something of the allow-list. It is no function: `build-object.ts` knows what calling it means. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly name: string
}

/** Tensors are cut from a storage, which is a run of elements in the file. */
export interface PickleStorage {
  readonly kind: 'storage'
  readonly key: string
  /** Is null for untyped bytes, whose type the tensor names. */
  readonly dtype: DType | null
  /** Counts the elements that the file keeps under `key`, or bytes where `dtype` is null. */
  readonly total: number
  /** This storage is a part of them: all, but for views in the legacy format. */
  readonly start: number
  readonly count: number
}

/** A tensor is a window on a storage. Offset and strides count elements and are not yet checked against the storage. */
export interface PickleTensor {
  readonly kind: 'tensor'
  readonly storage: PickleStorage
  readonly dtype: DType
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Counts the bytes that the file keeps under the storage's key. */
export function storageByteLength({ total, dtype }: PickleStorage): number {
  return total * (dtype === null ? 1 : BYTES_PER_ELEMENT[dtype])
}

export function isKind<Kind extends 'list' | 'tuple' | 'dict' | 'global' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleValue, { kind: Kind }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}
