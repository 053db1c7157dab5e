/** What a checkpoint is, whatever its format: named tensors, read one at a time, and what else the file says. */
import type { DType } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Bytes that can be read in pieces: a file, a blob, a range of a URL. */
export interface ByteSource {
  /** What to call it in messages: usually the path. */
  readonly label: string
  /** Bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`, in memory of their own; throws when the source is shorter. */
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface TensorInfo {
  readonly dtype: DType
  readonly shape: Shape
  /** Bytes in the file. */
  readonly byteLength: number
}

/** A plain value as checkpoints carry it beside their tensors (configs, class names): JSON's kinds of value. */
export type PlainValue =
  | null
  | boolean
  | number
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

export interface Checkpoint {
  readonly label: string
  readonly format: 'safetensors' | 'torch' | 'torch-legacy'
  /** In file order, with wrapping prefixes (`module.`, `backbone.`, ...) removed. Opening reads headers only. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /**
   * What the file says beside its tensors. For PyTorch, the top-level entries that are plain values; for safetensors, the
   * `__metadata__` strings, parsed where they are JSON objects or lists.
   */
  readonly metadata: { readonly [key: string]: PlainValue }
  /** How the tensors were found, such as `state` or `teacher/backbone.`; empty when they lie at the top. */
  readonly wrapping: string
  /** Throws `CheckpointError` by name: `missing-tensor`, `wrong-shape` (where a shape is given), `truncated`. */
  read(name: string, shape?: Shape): Promise<Tensor>
}

/** A checkpoint of a file, and what was left aside in it. */
export interface FileCheckpoint extends Checkpoint {
  /** Names in the file that were left out: heads beside a backbone, optimiser states, a student beside its teacher. */
  readonly dropped: readonly string[]
}

/** Holds its files open until it is disposed of. */
export interface OpenCheckpoint extends FileCheckpoint, AsyncDisposable {}
