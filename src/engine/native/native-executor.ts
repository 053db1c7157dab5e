/** Does by native means what lowered plans need: native memory, and jobs on the engine's threads. */
import { EngineError } from '../engine-error.js'
import type { Arithmetic } from '../lowered/arithmetic.js'
import type { EncodedPlan } from '../lowered/encode-ops.js'
import { Cancelled, type Executor, type Job, type PackedWeight } from '../lowered/load-lowered.js'
import { OP_FIELDS } from '../lowered/lowered-op.js'
import { megabytes } from '../megabytes.js'
import { PRECISIONS, type ProductPrecision } from '../ops.js'
import type { Addon, Handle, JobCallback } from './addon.js'
import { callAddon, jobError } from './addon-error.js'

type Region = Handle<'region'>
type Program = Handle<'program'>

export class NativeExecutor implements Executor<Region, Program> {
  readonly arithmetic: Arithmetic
  readonly #addon: Addon
  readonly #engine: Handle<'engine'>

  /** Throws `unavailable` where the addon was built from another table of operations. */
  constructor(addon: Addon, engine: Handle<'engine'>, arithmetic: Arithmetic) {
    const { opFields } = callAddon(() => addon.info())
    if (opFields !== OP_FIELDS) {
      throw new EngineError(
        'unavailable',
        `The native addon reads ${opFields} numbers of an operation, this library writes ${OP_FIELDS}. Build it anew: npm run build.`,
      )
    }
    this.arithmetic = arithmetic
    this.#addon = addon
    this.#engine = engine
  }

  packedFloats(precision: ProductPrecision, columns: number, depth: number): number {
    return callAddon(() =>
      this.#addon.packedFloats(this.#engine, PRECISIONS.indexOf(precision), columns, depth),
    )
  }

  allocate(floats: number): Region {
    const region = callAddon(() => this.#addon.allocate(floats))
    if (region !== null) return region
    throw new EngineError(
      'out-of-memory',
      `The packed weights need ${megabytes(floats * 4)}, which the system refuses.`,
    )
  }

  async pack(region: Region, { offset, precision, columns, depth, values }: PackedWeight): Promise<void> {
    const needed = (bytes: number) => `Packing weights needs ${megabytes(bytes)}, which the system refuses.`
    // Without a depth the values stay as they are, whatever the precision.
    const product = precision === null ? 0 : PRECISIONS.indexOf(precision)
    await new Promise<void>((resolve, reject) => {
      const settle: JobCallback = (status, value, error) => {
        const problem = jobError(status, value, error, { needed })
        if (problem === null) resolve()
        else reject(problem)
      }
      callAddon(() =>
        this.#addon.pack(this.#engine, region, offset, product, columns, depth, [settle, values]),
      )
    })
  }

  releaseRegion(region: Region): void {
    this.#addon.releaseRegion(region)
  }

  createProgram({ ops, constants, arenaFloats }: EncodedPlan): Program {
    const program = callAddon(() => this.#addon.createProgram(this.#engine, ops, constants, arenaFloats))
    if (program !== null) return program
    throw new EngineError(
      'out-of-memory',
      `The plan's constants need ${megabytes(constants.byteLength)}, which the system refuses.`,
    )
  }

  programBytes(program: Program, batch: number): number {
    return callAddon(() => this.#addon.programBytes(this.#engine, program, batch))
  }

  async run({
    region,
    program,
    batch,
    pixels,
    outputLengths,
    onStarted,
  }: Job<Region, Program>): Promise<readonly Float32Array[]> {
    const outputs = allocateOutputs(outputLengths, batch)
    const needed = (bytes: number) =>
      `The activations of a batch of ${batch} need ${megabytes(bytes)}, which the system refuses. Use a smaller batch.`
    await new Promise<void>((resolve, reject) => {
      const settle: JobCallback = (status, value, error) => {
        const problem = jobError(status, value, error, { needed, cancelled: new Cancelled() })
        if (problem === null) resolve()
        else reject(problem)
      }
      const job = callAddon(() =>
        this.#addon.run(this.#engine, program, region, batch, [settle, pixels, ...outputs]),
      )
      onStarted(() => this.#addon.cancel(job))
    })
    return outputs
  }

  releaseProgram(program: Program): void {
    this.#addon.releaseProgram(program)
  }
}

function allocateOutputs(lengths: readonly number[], batch: number): readonly Float32Array[] {
  try {
    return lengths.map((length) => new Float32Array(length))
  } catch (cause) {
    const bytes = 4 * lengths.reduce((sum, length) => sum + length, 0)
    throw new EngineError(
      'out-of-memory',
      `The outputs of a batch of ${batch} need ${megabytes(bytes)}. Ask for fewer outputs or a smaller batch.`,
      { cause },
    )
  }
}
