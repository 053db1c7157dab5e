/** What a pickle of torch can hold, as values that do nothing. Lists, tuples and dicts may be shared and even contain themselves. */
import type { DType } from '../../tensor/dtype.js'

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

export interface PickleList {
  readonly kind: 'list'
  readonly items: PickleValue[]
}

export interface PickleTuple {
  readonly kind: 'tuple'
  readonly items: readonly PickleValue[]
}

export interface PickleDict {
  readonly kind: 'dict'
  /** Keys keep their type: 1 and '1' are two. */
  readonly entries: Map<string | number, PickleValue>
  /** True for `collections.OrderedDict`, the one object whose attributes (`_metadata`) torch stores. */
  readonly ordered: boolean
}

/** Something of the allow-list, by name. Not a function: `build-object.ts` knows what calling it means. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly name: string
}

/** A run of elements in the file, from which tensors are cut. */
export interface PickleStorage {
  readonly kind: 'storage'
  readonly key: string
  /** Null for untyped bytes: the tensor names the type. */
  readonly dtype: DType | null
  /** Elements that the file keeps under `key`; bytes where `dtype` is null. */
  readonly total: number
  /** The part of them that this storage is: all, but for views in the legacy format. */
  readonly start: number
  readonly count: number
}

/** A window on a storage. Offset and strides count elements and are not yet checked against the storage. */
export interface PickleTensor {
  readonly kind: 'tensor'
  readonly storage: PickleStorage
  readonly dtype: DType
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

export function isKind<Kind extends 'list' | 'tuple' | 'dict' | 'global' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleValue, { kind: Kind }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}
