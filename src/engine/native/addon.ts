/**
 * Says what the compiled kernels export (native/src/addon.cc); the platform finds them and hands them in.
 *
 * Every function throws for arguments that cannot be right (`TypeError`) and where the system refuses something (an `Error` whose `code` is one
 * of `EngineErrorCode`); `engineErrorOf` makes the latter an `EngineError`.
 */
import type { DType } from '../../tensor/dtype.js'
import type { PrecisionInfo } from '../lowered/arithmetic.js'

/** These are listed fastest first, as most processors have it: Intel's are slower with `avx512-bf16` than with `avx512-vnni`. `amx` has matrix tiles, the others vector registers; `bf16` and `vnni` multiply bfloat16 and bytes. */
export const INSTRUCTION_SETS = [
  'amx',
  'avx512-bf16',
  'avx512-vnni',
  'avx512',
  'avx2-vnni',
  'avx2',
  'generic',
] as const
/** Names a code path of the native engine. */
export type InstructionSet = (typeof INSTRUCTION_SETS)[number]

declare const handle: unique symbol
/** An object of the addon. `Kind` keeps them apart for the compiler; the addon checks it itself. */
export interface Handle<Kind extends string> {
  readonly [handle]: Kind
}
/** Says how work ended, in the order of native/src/outcome.h. */
export const STATUS = { done: 0, cancelled: 1, outOfMemory: 2, failed: 3 } as const
/** Names the types in which weights are stored, in the order of native/src/kernels.h. */
export const STORED_TYPES = ['F32', 'F16', 'BF16', 'I8'] as const satisfies readonly DType[]
/** Gets what the job gives as `value`, the bytes that were wanted where memory ran out, and the error where the work failed. */
export type JobCallback = (status: number, value: number, error?: Error) => void

/** Says where a weight goes; without a depth its values stay as they are, whatever the precision. */
export type PackedPlace = [
  engine: Handle<'engine'>,
  region: Handle<'region'>,
  offset: number,
  precision: number,
  columns: number,
  depth: number,
]

/** Holds rows: in memory, or in so many bytes of a region, from one of them on. */
export type RowBytes = Uint8Array | [region: Handle<'region'>, offset: number, bytes: number]

/** Gives what rows of features are asked for. Numbers of all kinds lie in the job: callback, what is written, what is read. */
export interface FeatureFunctions {
  /** Writes the mean [D] and the Gram matrix [D, D] of the centred rows. */
  gram(
    engine: Handle<'engine'>,
    width: number,
    job: [JobCallback, mean: Float64Array, sums: Float64Array, ...blocks: Float32Array[]],
  ): Handle<'job'>
  meanOfRows(
    engine: Handle<'engine'>,
    width: number,
    job: [JobCallback, mean: Float64Array, ...blocks: Float32Array[]],
  ): Handle<'job'>
  /** Writes the product of the Gram matrix of the centred rows with each vector of the basis [K, D]. */
  gramTimes(
    engine: Handle<'engine'>,
    width: number,
    job: [JobCallback, mean: Float64Array, basis: Float32Array, out: Float64Array, ...blocks: Float32Array[]],
  ): Handle<'job'>
  /** Writes the product of each query with each row. */
  similarity(
    engine: Handle<'engine'>,
    width: number,
    job: [JobCallback, queries: Float32Array, rows: Float32Array, out: Float32Array],
  ): Handle<'job'>
  /**
   * Writes the numbers and scores [queries, most] of the nearest rows of halves, of which at least `most` are allowed; no bytes allow all. Rows may lie in a
   * region. The value is the number of the first row whose score is not finite, or -1.
   */
  nearestToEach(
    engine: Handle<'engine'>,
    width: number,
    job: [
      JobCallback,
      rows: Float64Array,
      scores: Float32Array,
      queries: Float32Array,
      allowed: Uint8Array,
      ...blocks: RowBytes[],
    ],
  ): Handle<'job'>
  /** Keeps in heaps (numerics/kept-rows.ts) which candidates are near to which queries, all of them rows; the value is that of `nearestToEach`. */
  keepNearest(
    engine: Handle<'engine'>,
    width: number,
    mutualFrom: number,
    job: [
      JobCallback,
      kept: Float64Array,
      queries: Uint32Array,
      candidates: Uint32Array,
      ...blocks: RowBytes[],
    ],
  ): Handle<'job'>
  /** Writes the nearest rows in bytes of a query in 15 bits; each block has its scales behind it. The value is that of `nearestToEach`. */
  nearestInBytes(
    engine: Handle<'engine'>,
    job: [
      JobCallback,
      rows: Float64Array,
      scores: Float32Array,
      query: Int16Array,
      scale: Float32Array,
      ...blocks: (Uint8Array | Float32Array)[],
    ],
  ): Handle<'job'>
  /** Gives a sum of all bytes: what it takes to read them is measured by it. */
  sumBytes(engine: Handle<'engine'>, job: [JobCallback, ...RowBytes[]]): Handle<'job'>
}

/** Addons of before have no functions on rows of features. */
export interface Addon extends Partial<FeatureFunctions> {
  info(): {
    readonly instructionSets: readonly {
      readonly name: InstructionSet
      readonly precisions: readonly PrecisionInfo[]
    }[]
    readonly cores: number
    readonly opFields: number
  }
  createEngine(instructionSet: InstructionSet, threads: number): Handle<'engine'>
  /**
   * Cancels the jobs under way and those that wait, each of which is called back; then ends the threads, and calls back. From now on every use of
   * the engine throws `disposed`; regions and programs may still be released.
   */
  releaseEngine(engine: Handle<'engine'>, job: [JobCallback]): void
  allocate(floats: number): Handle<'region'> | null
  /** Maps what lies in a file from a page on, for reading alone. Throws with the code `unreadable` where the file does not have it. */
  mapRegion(descriptor: number, offset: number, floats: number): Handle<'region'>
  /** Takes the lock of an open file (flock) and says whether it was free; it is held until the file is closed. Addons of before do not have it. */
  lockFile?(descriptor: number): boolean
  /** Copies what lies in a region from a float on. */
  readRegion(region: Handle<'region'>, offset: number, to: Float32Array): void
  /** Digests a region as `digest` does. Fails with the code `weights-lost` where it belongs to a file that was changed meanwhile. */
  digestRegion(
    engine: Handle<'engine'>,
    region: Handle<'region'>,
    job: [JobCallback, Int32Array],
  ): Handle<'job'>
  releaseRegion(region: Handle<'region'>): void
  releaseProgram(program: Handle<'program'>): void
  packedFloats(engine: Handle<'engine'>, precision: number, columns: number, depth: number): number
  /** Gives 1 where a column's largest value leaves bytes for little else, and 0 otherwise; so does `packStored`. */
  pack(...given: [...PackedPlace, job: [JobCallback, Float32Array]]): Handle<'job'>
  /** Packs values that lie in an open file, and digests them. Fails with the code `unreadable` where it does not give them. */
  packStored(
    ...given: [
      ...PackedPlace,
      /**
       * Is the number of the open file, and the values' type as its place in STORED_TYPES; then, for each of the weight's equal parts one below the other,
       * the bytes in front of the first value and those in front of the first scale, which counts for bytes alone.
       */
      file: [descriptor: number, type: number, ...places: [offset: number, scales: number][]],
      /** Callback, and the states that the values give; there is no room for any where no digest is wanted. */
      job: [JobCallback, Int32Array],
    ]
  ): Handle<'job'>
  /** Digests values as `kernels/digest-words.ts` does. */
  digest(
    instructionSet: InstructionSet,
    /** Callback, values, and the states that they give. */
    job: [JobCallback, Float32Array, Int32Array],
  ): void
  createProgram(
    engine: Handle<'engine'>,
    ops: Float64Array,
    constants: Float32Array,
    arenaFloats: number,
  ): Handle<'program'> | null
  programBytes(engine: Handle<'engine'>, program: Handle<'program'>, batch: number): number
  run(
    engine: Handle<'engine'>,
    program: Handle<'program'>,
    weights: Handle<'region'>,
    batch: number,
    job: [JobCallback, Float32Array, ...Float32Array[]],
  ): Handle<'job'>
  /** Runs as `run` does; `times` gets the seconds of each operation, then those that all threads together were at work in each. */
  profile(
    engine: Handle<'engine'>,
    program: Handle<'program'>,
    region: Handle<'region'>,
    batch: number,
    job: [JobCallback, Float32Array, ...Float32Array[]],
    times: Float64Array,
  ): Handle<'job'>
  cancel(job: Handle<'job'>): void
  resample(
    instructionSet: InstructionSet,
    height: number,
    width: number,
    horizontalBits: number,
    verticalBits: number,
    verticalFirst: boolean,
    /** Holds callback, image and output; first, count and weights of the horizontal taps, then of the vertical ones. */
    job: [JobCallback, Uint8Array, Uint8Array, ...Int32Array[]],
  ): void
  /** Tells whether a libvips at this path has been loaded, by which JPEG can be decoded. */
  hasLibvips(library: string): boolean
  /**
   * Decodes a JPEG by a libvips that has been loaded, and resizes its rows as they come. Calls back with the value 1 where the image is there, and 0
   * where this is not the way to decode it.
   */
  decodeJpeg(
    instructionSet: InstructionSet,
    /** Is libvips' path. */
    library: string,
    /** Each side is made smaller by this, 1, 2, 4 or 8, while it is decoded. */
    shrink: number,
    /** Is what the height becomes by that. */
    height: number,
    /** Is what the width becomes by that. */
    width: number,
    horizontalBits: number,
    verticalBits: number,
    verticalFirst: boolean,
    /** Is the EXIF orientation of the image, whose levels are measured as they are upright. */
    orientation: number,
    /** Is the side of the squares that are averaged; 0 measures nothing. */
    factor: number,
    /**
     * Holds callback, file and output; first, count and weights of the horizontal taps, then of the vertical ones; the states of the digest, the averages and
     * the bytes that make no word.
     */
    job: [JobCallback, Uint8Array, Uint8Array, ...(Int32Array | Uint8Array)[]],
  ): void
  /** Measures an image that is in memory, as `decodeJpeg` does on its way. Height and width are those of the image as it is stored. */
  measurePixels(
    instructionSet: InstructionSet,
    height: number,
    width: number,
    orientation: number,
    factor: number,
    /** Holds callback, image, the states of the digest, the averages and the bytes that make no word. */
    job: [JobCallback, Uint8Array, Int32Array, Uint8Array, Uint8Array],
  ): void
  evaluate(engine: Handle<'engine'>, activation: number, input: Float32Array, output: Float32Array): void
  /** Gives GFLOP/s of all threads, as if each had a processor to itself. */
  measurePeak(engine: Handle<'engine'>, precision: number, job: [JobCallback]): Handle<'job'>
}
