/**
 * The part of WebGPU that is used, as the devices of browsers and of Node's Dawn have it: the universal rooms know neither's types.
 * https://www.w3.org/TR/webgpu/
 */

export interface GpuBuffer {
  readonly size: number
  mapAsync(mode: number): Promise<unknown>
  getMappedRange(): ArrayBuffer
  unmap(): void
  destroy(): void
}

export interface GpuPass {
  setPipeline(pipeline: object): void
  setBindGroup(index: number, group: object, offsets: number[]): void
  dispatchWorkgroups(x: number, y: number, z: number): void
  end(): void
}

export interface GpuEncoder {
  beginComputePass(): GpuPass
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void
  finish(): object
}

export interface GpuDevice {
  readonly features: { has(feature: string): boolean }
  readonly limits: {
    readonly maxBufferSize: number
    readonly maxStorageBufferBindingSize: number
    readonly maxComputeWorkgroupStorageSize: number
    readonly maxComputeWorkgroupsPerDimension: number
  }
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBuffer, dataOffset: number, size: number): void
    submit(commands: object[]): void
    onSubmittedWorkDone(): Promise<unknown>
  }
  /** Settles when the device is gone. */
  readonly lost: Promise<{ readonly reason?: string | undefined; readonly message: string }>
  createBuffer(descriptor: { label: string; size: number; usage: number }): GpuBuffer
  createShaderModule(descriptor: { label: string; code: string }): object
  createBindGroupLayout(descriptor: { entries: BindingLayout[] }): object
  createPipelineLayout(descriptor: { bindGroupLayouts: never[] }): object
  createComputePipelineAsync(descriptor: {
    label: string
    layout: never
    compute: { module: never; entryPoint: string }
  }): Promise<object>
  createBindGroup(descriptor: { layout: never; entries: BindingEntry[] }): object
  createCommandEncoder(): GpuEncoder
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void
  popErrorScope(): Promise<{ readonly message: string } | null>
  destroy(): void
}

export interface BindingLayout {
  binding: number
  visibility: number
  buffer: { type: 'uniform' | 'storage' | 'read-only-storage'; hasDynamicOffset?: boolean }
}

export interface BindingEntry {
  binding: number
  resource: { buffer: never; offset?: number; size?: number }
}

/** Holds GPUBufferUsage, GPUShaderStage and GPUMapMode, as the standard numbers them. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const
export const COMPUTE = 4
export const MAP_READ = 1
