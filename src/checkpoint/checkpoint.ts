/** A checkpoint, whatever its format, is named tensors that are read one at a time, and what else the file says. */
import type { PlainRecord } from '../plain-value.js'
import type { DType } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** Gives bytes in pieces, wherever they lie: in a file, a blob, behind a URL. */
export interface ByteSource {
  /** Names it in messages; usually it is the path. */
  readonly label: string
  /** Counts the bytes. */
  readonly size: number
  /** Gives exactly `length` bytes from `offset`, in memory of their own; throws when the source is shorter. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Is the number by which the system knows the open file, where there is one: what reads files itself needs no copy of them. Absent elsewhere. */
  readonly descriptor?: number
}

/** Is where a tensor's elements lie in an open file one after the other, little-endian and row-major. */
export interface FileExtent {
  /** Is the number by which the system knows the file; it holds as long as the checkpoint is open. */
  readonly descriptor: number
  /** Counts the bytes in front of the first element. */
  readonly offset: number
  /** Names the type of the elements. */
  readonly dtype: DType
  /** Counts the bytes in front of the scales, float32, one for each row of the last axis, by which elements of I8 are multiplied; absent for all others. */
  readonly scales?: number
}

/** Says what a tensor is, without its values. */
export interface TensorInfo {
  /** Names the type of its elements. */
  readonly dtype: DType
  /** Gives its sizes, outermost first. */
  readonly shape: Shape
  /** Counts the bytes that reading the tensor gives. */
  readonly byteLength: number
}

/** Holds named tensors that are read one at a time, and what else a file says. */
export interface Checkpoint {
  /** Names it in messages; usually it is the path. */
  readonly label: string
  /** Names the format that was found. */
  readonly format: 'safetensors' | 'torch' | 'torch-legacy'
  /** Holds them in file order, with wrapping prefixes (`module.`, `backbone.`, ...) removed. Opening reads headers only. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /**
   * Holds what the file says beside its tensors: for PyTorch, the top-level entries that are plain values; for safetensors, the
   * `__metadata__` strings, parsed where they are JSON objects or lists.
   */
  readonly metadata: PlainRecord
  /** Tells where the tensors were found, such as `state` or `teacher/backbone.`; empty when they lie at the top. */
  readonly wrapping: string
  /** Lists the names that were left out: heads beside a backbone, optimiser states, a student beside its teacher. */
  readonly dropped: readonly string[]
  /** Says which of the file's networks this is; null where it holds no other. */
  readonly choice: NetworkChoice | null
  /** Says what the file tells of itself whose matrices are in bytes; absent for all others. Those matrices read as the float32 that they stand for. */
  readonly int8?: Int8Facts
  /** Names the file of a head that stands on the network, whose tensors have `HEAD_PREFIX` in front of their names; absent where none does. */
  readonly head?: string
  /** Throws `CheckpointError` by name: `missing-tensor`, `wrong-shape` (where a shape is given), `truncated`. */
  read(name: string, shape?: Shape): Promise<Tensor>
  /**
   * Reads single rows of a tensor of this shape, in the order in which they are asked for, and nothing else of it where its elements lie in the file as they are.
   * Absent where there is no file. Throws what `read` throws; RangeError for a row that is not there.
   */
  readRows?(name: string, shape: Shape, rows: readonly number[]): Promise<Tensor>
  /**
   * Finds where the elements of a tensor of this shape lie as they are. Gives null where they do not, and for whatever `read` would throw. Absent
   * where there is no file. Throws `CheckpointError` where the file contradicts itself there.
   */
  extentOf?(name: string, shape: Shape): Promise<FileExtent | null>
}

/** Is what a file whose matrices are in bytes says of itself: such a file says all that is known of its network. */
export interface Int8Facts {
  /** Tells of which network it was made. */
  readonly origin: Origin
  /** Holds the files that lay beside that one, by their names. */
  readonly files: ReadonlyMap<string, string>
  /** Holds what had to be told of it, as whoever loads it would. */
  readonly told: PlainRecord
}

/** Tells of which network another was made whose numbers are near its own. */
export interface Origin {
  /** Names the model. */
  readonly model: string
  /** Is the digest of all its weights' content, in 64 hexadecimal digits. */
  readonly weights: string
}

/** Stands in front of the names of a head that is a file of its own. */
export const HEAD_PREFIX = 'vision_head.'

/** Says which file holds a tensor, and what it is called there, for whoever is told of it. */
export function placeOf(
  { label, head }: Pick<Checkpoint, 'label' | 'head'>,
  tensor: string,
): readonly [file: string, name: string] {
  return head !== undefined && tensor.startsWith(HEAD_PREFIX)
    ? [head, tensor.slice(HEAD_PREFIX.length)]
    : [label, tensor]
}

/** Tells one network of a file from the others. */
export interface NetworkChoice {
  /** Names it as a person would, such as `model.teacher.backbone`; a dot is the top of the file. */
  readonly entry: string
  /** Names the networks that were left. */
  readonly others: readonly string[]
  /** Says why it is this one. */
  readonly reason: string
  /** Is true where a person named it, who has decided about all that lies beside it, too. */
  readonly asked: boolean
}

/** Holds its files open until it is disposed of. */
export interface OpenCheckpoint extends Checkpoint, AsyncDisposable {}

/** Is a tensor as a format's reader finds it, with the way to its bytes. */
export interface FoundTensor extends TensorInfo {
  /** Gives the elements: little-endian, row-major, in memory of their own. */
  readBytes(): Promise<Uint8Array>
  /**
   * Gives the source and the offset in it at which the very bytes of `readBytes` lie, or the offsets of those of I8 and of their scales; absent where they lie
   * nowhere as they are.
   */
  findBytes?(): Promise<{ readonly source: ByteSource; readonly offset: number; readonly scales?: number }>
}

/** Is what a format's reader finds in a file, whole or a shard, before it is known which network is meant. */
export interface FoundFile {
  readonly label: string
  readonly format: Checkpoint['format']
  /**
   * Leads to the tensors by their full names (network-places.ts). What a file claims of a tensor is judged when it is looked up, since what lies
   * beside the network may be anything; `name` is what errors call it.
   */
  readonly tensors: ReadonlyMap<string, (name: string) => FoundTensor>
  /** Is true for a file of MMEngine. */
  readonly fromMmengine: boolean
  readonly int8?: Int8Facts
  /** Gives what the file says beside the tensors that lie in the dict to which these keys lead. */
  beside(keys: readonly string[]): Beside
}

/** Is what a file holds beside a network's tensors: plain values, and the names of all else. */
export type Beside = Pick<Checkpoint, 'metadata' | 'dropped'>
