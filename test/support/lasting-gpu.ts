/**
 * Gives tests one real device under many engines, one after the other: each takes it for its own and gives it back, and what it compiles is there for the
 * next. An emulated GPU compiles for seconds what it tries in less than one.
 */
import type { GpuDevice } from '../../src/engine/webgpu/gpu.js'
import type { DeviceParts } from '../../src/engine/webgpu/shader-support.js'

export interface TestGpu {
  readonly name: string
  /** Gives a fresh device each time. */
  request(): Promise<DeviceParts>
}

interface Module {
  readonly code: string
  readonly module: object
}

export class LastingGpu implements Disposable {
  readonly #gpu: TestGpu
  /** Are compiled once for each text: their layouts are equal for all engines, and so they fit them all. */
  readonly #pipelines = new Map<string, Promise<object>>()
  #parts: Promise<DeviceParts> | undefined
  #device: GpuDevice | undefined

  constructor(gpu: TestGpu) {
    this.#gpu = gpu
  }

  /** Gives the device as a fresh one, which is lost when it is destroyed while the real one goes on. */
  async request(): Promise<DeviceParts> {
    this.#parts ??= this.#gpu.request()
    const { device, ...rest } = await this.#parts
    this.#device = device
    let destroy = () => {}
    const lost: GpuDevice['lost'] = new Promise((resolve) => {
      destroy = () => resolve({ reason: 'destroyed', message: '' })
    })
    return {
      ...rest,
      device: overriding(device, {
        lost,
        destroy: () => destroy(),
        createShaderModule: (descriptor): Module => ({
          code: descriptor.code,
          module: device.createShaderModule(descriptor),
        }),
        createComputePipelineAsync: ({ label, layout, compute }) => {
          const { code, module } = compute.module as Module
          const made =
            this.#pipelines.get(code) ??
            device.createComputePipelineAsync({
              label,
              layout,
              compute: { ...compute, module: module as never },
            })
          this.#pipelines.set(code, made)
          return made
        },
      }),
    }
  }

  [Symbol.dispose](): void {
    this.#device?.destroy()
  }
}

/** Makes a device that is the same but for some members. */
export function overriding(device: GpuDevice, members: Partial<GpuDevice>): GpuDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name in members) return Reflect.get(members, name)
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
