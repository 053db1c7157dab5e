/** Lives as long as a GPU device: it has the buffers and pipelines, and runs one program after the other. What belongs to it dies with it. */
import { disposed, EngineError } from '../engine-error.js'
import { megabytes } from '../megabytes.js'
import { encodeDispatch } from './encode-dispatch.js'
import { COMPUTE, type GpuBuffer, type GpuDevice, MAP_READ, USAGE } from './gpu.js'
import type { Dispatch } from './op-on-gpu.js'
import type { DeviceParts, ShaderSupport } from './shader-support.js'
import { PARAMS_BYTES } from './shaders/params.js'

/** [bytes] go to the device at once; more would be copied a second time on their way. */
const PIECE = 16 * 2 ** 20
/** [bytes] may be on their way before the device is waited for. */
const UNDER_WAY = 4 * PIECE
/** Counts the multiplications of a submission: these at first, then within these bounds what the device is seen to do in the time for one. */
const FIRST_COST = 5e8
const LEAST_COST = 1e7
const MOST_COST = 1e12
/** [milliseconds] A submission is short enough that a run can be given up and no watchdog wakes, and long enough that the device never waits. */
const SHORT = 10
const LONG = 40
/** The device may hold two submissions: one to work on, one to find when it is done. */
const SUBMISSIONS = 2

/** Holds what dispatches read and write. */
export interface RunBuffers {
  readonly params: ArrayBuffer
  readonly segments: readonly GpuBuffer[]
  readonly rows: GpuBuffer
  readonly constants: GpuBuffer
  readonly arenaBytes: number
  /** Counts the floats of each output. */
  readonly outputLengths: readonly number[]
}

export class Gpu {
  readonly device: GpuDevice
  /** Reads like `nvidia ampere`. */
  readonly name: string
  /** Says in which way programs compute; it is settled before any is compiled. */
  support: ShaderSupport
  readonly #layout: object
  readonly #pipelineLayout: object
  readonly #pipelines = new Map<string, Promise<object>>()
  /** Holds buffers from run to run, which only ever grow. */
  readonly #kept = new Map<string, GpuBuffer>()
  #last: Promise<unknown> = Promise.resolve()
  #written = 0
  #costOfSubmission = FIRST_COST
  /** Is when the device was last seen to finish something. */
  #finishedAt = 0
  #lost: string | null = null
  #isGivenBack = false

  constructor({ device, name }: DeviceParts, support: ShaderSupport) {
    this.device = device
    this.name = name
    this.support = support
    const storage = (binding: number, type: 'storage' | 'read-only-storage') => ({
      binding,
      visibility: COMPUTE,
      buffer: { type },
    })
    this.#layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
        storage(1, 'storage'),
        storage(2, 'read-only-storage'),
        storage(3, 'read-only-storage'),
        storage(4, 'read-only-storage'),
        storage(5, 'read-only-storage'),
        storage(6, 'storage'),
      ],
    })
    this.#pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [this.#layout as never] })
    void device.lost.then(({ reason, message }) => {
      this.#lost = `${reason === 'destroyed' ? 'it was given back' : 'the driver took it away'}${message === '' ? '' : `: ${message}`}`
    })
  }

  get isLost(): boolean {
    return this.#lost !== null || this.#isGivenBack
  }

  /** [bytes] are the most that a shader can see of a buffer. */
  get mostBytes(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits
    return Math.min(maxBufferSize, maxStorageBufferBindingSize)
  }

  /** Runs what needs the device to itself, one after the other; every way that the device can fail gets its name. */
  async exclusive<T>(what: string, action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#guarded(what, action))
    this.#last = turn.catch(() => {})
    return await turn
  }

  async #guarded<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { device } = this
    if (this.isLost) throw this.#lostError()
    for (const filter of ['validation', 'internal', 'out-of-memory'] as const) device.pushErrorScope(filter)
    let result: T | undefined
    let failure: unknown = null
    try {
      result = await action()
    } catch (error) {
      failure = error ?? new Error('failed')
    }
    // Scopes come off in this order, the last one first.
    const pop = () => device.popErrorScope().catch(() => null)
    const [memory, internal, validation] = [await pop(), await pop(), await pop()]
    if (failure instanceof EngineError) throw failure
    if (this.isLost) throw this.#lostError(failure)
    if (memory !== null) throw outOfMemory(this.name, what, memory.message)
    const trouble = validation ?? internal
    if (trouble !== null) {
      throw new EngineError('unavailable', `The GPU (${this.name}) refused ${what}: ${trouble.message}`)
    }
    if (failure !== null) throw failure
    return result as T
  }

  #lostError(cause?: unknown): EngineError {
    if (this.#isGivenBack) return disposed('engine')
    return new EngineError(
      'device-lost',
      `The GPU (${this.name}) was lost (${this.#lost}). Call again: the device is asked for anew and the weights are sent to it again.`,
      { cause },
    )
  }

  buffer(label: string, bytes: number, usage: number): GpuBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16)
    if (size > this.mostBytes)
      throw outOfMemory(
        this.name,
        label,
        `${megabytes(size)} where one buffer has at most ${megabytes(this.mostBytes)}`,
      )
    return this.device.createBuffer({ label, size, usage })
  }

  /** Waits now and then, so that what is on its way stays small. */
  async write(buffer: GpuBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): Promise<void> {
    const { queue } = this.device
    for (let at = 0; at < data.byteLength; at += PIECE) {
      const bytes = Math.min(PIECE, data.byteLength - at)
      queue.writeBuffer(buffer, offset + at, data.buffer, data.byteOffset + at, bytes)
      this.#written += bytes
      if (this.#written < UNDER_WAY) continue
      this.#written = 0
      await queue.onSubmittedWorkDone()
    }
  }

  /** Compiles each text once, however many programs use it. */
  pipeline({ label, code }: Dispatch): Promise<object> {
    let made = this.#pipelines.get(code)
    if (made === undefined) {
      const module = this.device.createShaderModule({ label, code }) as never
      made = this.device.createComputePipelineAsync({
        label,
        layout: this.#pipelineLayout as never,
        compute: { module, entryPoint: 'main' },
      })
      made = made.catch((cause) => {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new EngineError(
          'unavailable',
          `The GPU (${this.name}) refused the shader ${label}: ${reason}`,
          { cause },
        )
      })
      // Whoever runs it hears of it.
      made.catch(() => {})
      this.#pipelines.set(code, made)
    }
    return made
  }

  /** Runs one batch and resolves to the outputs, which the device has packed one behind the other. */
  async run(
    dispatches: readonly Dispatch[],
    pixels: Float32Array<ArrayBuffer>,
    buffers: RunBuffers,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array[]> {
    const { device } = this
    const { queue } = device
    const ready = await Promise.all(
      dispatches.map(async (dispatch, index) => ({
        dispatch,
        pipeline: await this.pipeline(dispatch),
        offset: index * PARAMS_BYTES,
      })),
    )
    const arena = this.#keep('activations', buffers.arenaBytes, USAGE.storage)
    const input = this.#keep('pixels', pixels.byteLength, USAGE.storage | USAGE.copyTarget)
    const outputBytes = buffers.outputLengths.reduce((sum, length) => sum + length, 0) * 4
    const outputs = this.#keep('outputs', outputBytes, USAGE.storage | USAGE.copySource)
    const back = this.#keep('read back', outputBytes, USAGE.mapRead | USAGE.copyTarget)
    const params = this.#keep('numbers', buffers.params.byteLength, USAGE.uniform | USAGE.copyTarget)
    await this.write(input, 0, pixels)
    await this.write(params, 0, new Uint8Array(buffers.params))
    const groups = buffers.segments.map((segment) =>
      this.#group([params, arena, segment, buffers.rows, buffers.constants, input, outputs]),
    )
    const submitted: Promise<unknown>[] = []
    while (ready.length > 0) {
      signal?.throwIfAborted()
      if (submitted.length >= SUBMISSIONS) await submitted[submitted.length - SUBMISSIONS]
      signal?.throwIfAborted()
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      let cost = 0
      while (cost < this.#costOfSubmission) {
        const next = ready.shift()
        if (next === undefined) break
        cost += next.dispatch.cost
        encodeDispatch(pass, next, groups)
      }
      pass.end()
      if (ready.length === 0) encoder.copyBufferToBuffer(outputs, 0, back, 0, outputBytes)
      queue.submit([encoder.finish()])
      submitted.push(this.#finished(cost, performance.now()))
    }
    await back.mapAsync(MAP_READ)
    const mapped = back.getMappedRange()
    let at = 0
    const values = buffers.outputLengths.map((length) => {
      const from = at
      at += length * 4
      return new Float32Array(mapped.slice(from, at))
    })
    back.unmap()
    return values
  }

  /** Learns from how long it took what to submit at once. */
  async #finished(cost: number, submittedAt: number): Promise<void> {
    const isFull = cost >= this.#costOfSubmission
    await this.device.queue.onSubmittedWorkDone()
    const now = performance.now()
    const took = now - Math.max(submittedAt, this.#finishedAt)
    this.#finishedAt = now
    if (took > LONG) this.#costOfSubmission = Math.max(LEAST_COST, cost / 2)
    else if (took < SHORT && isFull) this.#costOfSubmission = Math.min(MOST_COST, cost * 2)
  }

  #group([params, ...storage]: readonly GpuBuffer[]): object {
    return this.device.createBindGroup({
      layout: this.#layout as never,
      entries: [
        { binding: 0, resource: { buffer: params as never, offset: 0, size: PARAMS_BYTES } },
        ...storage.map((buffer, index) => ({ binding: index + 1, resource: { buffer: buffer as never } })),
      ],
    })
  }

  #keep(label: string, bytes: number, usage: number): GpuBuffer {
    const kept = this.#kept.get(label)
    if (kept !== undefined && kept.size >= bytes) return kept
    kept?.destroy()
    this.#kept.delete(label)
    const made = this.buffer(label, bytes, usage)
    this.#kept.set(label, made)
    return made
  }

  /** Resolves when the device is gone and what was under way on it has ended. */
  async destroy(): Promise<void> {
    this.#isGivenBack = true
    this.device.destroy()
    await Promise.all([this.device.lost, this.#last])
  }
}

function outOfMemory(name: string, what: string, reason: string): EngineError {
  return new EngineError(
    'out-of-memory',
    `The GPU (${name}) has no room for ${what} (${reason}). Take the precision float16, smaller images or batches, a smaller model, or ` +
      'another engine.',
  )
}
