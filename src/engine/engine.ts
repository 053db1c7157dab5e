/** An engine runs plans. It is a value handed to the encoder; nothing about it is global, and whoever makes one disposes of it. */
import type { Shape } from '../tensor/shape.js'
import type { Plan, SlotName, Step, WeightName } from './plan.js'

/** Names an engine: `reference` (plain TypeScript, float64 sums), `native` (C++, in Node), `wasm` (WebAssembly) or `webgpu`. */
export type EngineName = 'reference' | 'native' | 'wasm' | 'webgpu'

/**
 * Says how products are computed, and is part of every result's identity. `float64` sums are the reference engine's. `high` splits operands into two
 * bfloat16 each; `float16` keeps weights as halves; `int8` is for linear layers, the rest staying in bfloat16 or float32. Norms, softmax and
 * sums are float32 at least.
 */
export type Precision = 'float64' | 'float32' | 'high' | 'bfloat16' | 'float16' | 'int8'

/** Gives weights one at a time, so that no second copy of the model is ever in memory. */
export interface WeightSource {
  /**
   * Throws `CheckpointError` by name when the tensor is absent or has another shape. The caller may keep the array and changes nothing in it; it may
   * ask again long after loading, where its memory was lost.
   */
  read(name: WeightName, shape: Shape): Promise<Float32Array>
  /**
   * Says where a weight's values lie as they are in an open file, for an engine that reads files itself; null where they do not. What such an engine
   * cannot read it asks `read` for, which says what is wrong. Absent where there is no file. Throws `CheckpointError`.
   */
  stored?(name: WeightName, shape: Shape): Promise<StoredValues | null>
  /**
   * Reads single rows of a table, [rows, columns] in the order that is asked for; a row may be asked for twice. It is asked as long as programs run, for plans whose
   * inputs are rows of ids. Absent where rows cannot be read alone. Throws `CheckpointError`.
   */
  readRows?(name: WeightName, shape: Shape, rows: readonly number[]): Promise<Float32Array>
}

/** Is what a run is given: the values of a plan's only input for the whole batch, one image behind the other, or of each input by its slot. */
export type GivenInputs = Float32Array | ReadonlyMap<SlotName, Float32Array>

/** Is where the values of a weight lie in an open file, little-endian. */
export interface StoredValues {
  /** Names their type: float32 holds each value as it is, or, where they are bytes (I8), as float32 rounds its product with the scale of its row. */
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'I8'
  /** Is the number by which the system knows the file. */
  readonly descriptor: number
  /** Are the places of its equal parts, which lie one below the other in the weight: one where all values lie one after the other. */
  readonly places: readonly StoredPlace[]
  /** Is handed the states of the values' digest (kernels/digest-words.ts) by an engine that has read them. Absent where nobody wants it. */
  digested?(states: Int32Array): void
}

/** Is where a part of a weight lies in a file. */
export interface StoredPlace {
  /** Counts the bytes in front of its first value. */
  readonly offset: number
  /** Counts the bytes in front of the scale of its first row, float32, which those of the others follow; absent where values are no bytes. */
  readonly scales?: number
}

/** Tells apart the ways in which weights are packed: what was packed in the same way can be run on as it lies in a file. */
export interface PackingFacts {
  /** Names the code path, such as `avx512`. */
  readonly instructionSet: string
  /** Names the precision of the products that read them. */
  readonly precision: Precision
  /** Counts the bytes of all packed weights. */
  readonly byteLength: number
  /** Says where each weight lies, and in which form. */
  readonly places: string
  /** Digests what the packing code makes of some numbers: another order or another form of the packed bytes gives others. */
  readonly probe: readonly number[]
}

/** Is how an engine packs weights, where it can keep them in files. */
export interface Packing {
  /** Names the code path, as the facts do. */
  readonly instructionSet: string
  /** Packs a few numbers to find out. Throws `EngineError` `out-of-memory`, `disposed`. */
  factsOf(plan: Plan): Promise<PackingFacts>
}

/** Is an open file that holds a plan's weights as an engine has packed them. */
export interface PackedFile {
  /** Is the number by which the system knows the file; it may be closed when the load has ended. */
  readonly descriptor: number
  /** Counts the bytes in front of the weights: a whole number of pages. */
  readonly offset: number
  /**
   * Says whether these are the states (kernels/digest-words.ts) of the weights that were put into the file; null where the file does not give them.
   * Where they are not, the engine packs weights from their source.
   */
  accepts(states: Int32Array | null): boolean
}

/** Gives packed weights as they lie in memory, so that they can be put into a file. */
export interface PackedBytes {
  /** Gives their states (kernels/digest-words.ts). Throws `EngineError` `disposed`. */
  digest(): Promise<Int32Array>
  /** Gives them piece by piece, each in memory of its own. */
  pieces(): Iterable<Uint8Array>
}

/**
 * Runs plans. It owns its threads, its device and their memory. Disposal resolves when all of that has been given back; it may be asked for again,
 * which gives nothing back twice. A run that is under way meanwhile finishes or rejects with `disposed`, and has done so when disposal resolves.
 * Whatever is asked of the engine, its models and its programs afterwards fails with `EngineError` `disposed`.
 */
export interface Engine extends AsyncDisposable {
  /** Names the engine. */
  readonly name: EngineName
  /** Says how it computes products. */
  readonly precision: Precision
  /** Names the code path, such as `avx512`, and the number of threads: a person needs both to compare two timings. */
  readonly description: string
  /**
   * Tells that its products take activations in bytes: what tokens look at is then farther from float32 than anything else that an engine gives. Absent where it has
   * them in 14 bits or more.
   */
  readonly takesBytes?: boolean
  /** Says how it packs weights; absent where it cannot run on packed weights that lie in a file. */
  readonly packing?: Packing
  /** Says whether it can run a step. */
  supports(step: Step): boolean
  /**
   * Reads and packs every weight that `plan` names. The model may then compile any plan that names the same weights: another image size is another
   * plan, not another copy of the weights. Throws what `weights` throws; `EngineError` `out-of-memory`, `disposed`, or `wrong-size` for a weight of
   * another length; RangeError for an unknown option; the signal's reason.
   *
   * @param options `packed` is a file of weights that were packed in the way of this engine for this plan: nothing is read from `weights` where it is
   *   whole. An engine without `packing` refuses it
   */
  load(plan: Plan, weights: WeightSource, options?: LoadingOptions): Promise<EngineModel>
}

/** Says how a plan's weights are loaded. */
export interface LoadingOptions {
  /** Ends the loading, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Holds the weights packed already. */
  readonly packed?: PackedFile
}

/** Holds a plan's weights as an engine has packed them, which it owns. */
export interface EngineModel extends Disposable {
  /** Counts the bytes of packed weights. */
  readonly byteLength: number
  /** Gives the weights as they are packed, until disposal; absent where they cannot be kept in a file. */
  readonly packed?: PackedBytes
  /**
   * Steps that no output needs are left out; a slot in `outputs` is never fused away. Throws `EngineError`: `unsupported` for a plan that it cannot
   * run or that names other weights, `disposed`.
   */
  compile(plan: Plan, outputs: readonly SlotName[]): Program
}

/** Is a plan that is ready to run. It owns the memory of the activations, sized for the largest batch that it has run. */
export interface Program extends Disposable {
  /** Counts the bytes of activations for a batch of this size. */
  activationBytes(batch: number): number
  /**
   * @param given float32 [B, C, height, width], normalised pixels, or what else the plan's inputs are; copied before the call returns
   * @returns each output slot as float32 [B, ...shape], fresh arrays
   * @throws `EngineError`: `wrong-size` unless the pixels are those of `batch` images (default 1), `unsupported` for other inputs than the plan's, `out-of-memory`, `disposed`, `device-lost`,
   *   `weights-lost`; RangeError for an unknown option; the signal's reason
   */
  run(
    given: GivenInputs,
    options?: { batch?: number; signal?: AbortSignal },
  ): Promise<ReadonlyMap<SlotName, Float32Array>>
  /**
   * Runs once as `run` does and tells how long each operation took. `native` and `wasm` can.
   *
   * @throws what `run` throws; `EngineError` `unsupported` for an engine that cannot tell
   */
  profile(given: GivenInputs, options?: { batch?: number; signal?: AbortSignal }): Promise<RunTimes>
}

/** Says how long each operation of one run took. */
export interface RunTimes {
  /** Counts the threads that shared each operation. */
  readonly threads: number
  /** Is in the order in which they ran. */
  readonly operations: readonly OpTime[]
}

/** Says how long an operation of a program took. */
export interface OpTime {
  /** Names the kind of operation, such as `linear` or `attention`. */
  readonly kind: string
  /**
   * Says what it works on, such as `1374 x 1024 x 4096, gelu`: rows x depth x columns of a product, images x queries x keys x width of an attention,
   * rows x width of all else. Rows are those of the whole batch.
   */
  readonly shape: string
  /** Names the precision in which it multiplies; null for what has no products. */
  readonly precision: Precision | null
  /** Counts its floating-point operations for the whole batch, two for each multiply-add of products; 0 for all else. */
  readonly flop: number
  /** Counts the bytes of pixels, activations and outputs that it reads and writes for the whole batch, weights not counted. */
  readonly bytes: number
  /** Says for how many seconds it went on. */
  readonly seconds: number
  /**
   * Says for how many seconds all threads together were at work in it: what is missing to threads x `seconds` they waited for each other or for a
   * processor. Null where the engine cannot tell.
   */
  readonly busySeconds: number | null
}
