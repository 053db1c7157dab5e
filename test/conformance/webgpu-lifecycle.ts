/** Tries what the WebGPU engine owes beyond the contract: limits kept to, a lost device named and replaced, wrong results refused. */
import { afterAll, describe, expect, test } from 'vitest'
import type { WeightSource } from '../../src/engine/engine.js'
import type { GpuDevice } from '../../src/engine/webgpu/gpu.js'
import type { DeviceParts } from '../../src/engine/webgpu/shader-support.js'
import { createWebgpuEngineOn } from '../../src/engine/webgpu/webgpu-engine.js'
import { GPU, HALF_GPU, LASTING_GPU } from '../support/gpus.js'
import { overriding, type TestGpu } from '../support/lasting-gpu.js'
import { pseudoRandom, tower, weights } from './one-step.js'

/** Keeps every device made here, the last one last. */
const devices: GpuDevice[] = []
afterAll(() => {
  for (const device of devices) device.destroy()
})

async function requestOf(gpu: TestGpu | null): Promise<DeviceParts> {
  if (gpu === null) throw new Error('there is no GPU')
  const made = await gpu.request()
  devices.push(made.device)
  return made
}
async function request(): Promise<DeviceParts> {
  if (LASTING_GPU === null) throw new Error('there is no GPU')
  return await LASTING_GPU.request()
}

describe.skipIf(GPU === null)('the WebGPU engine', () => {
  test('a lost device is named, and the next call has a new one with the weights on it', async () => {
    const [rows, width] = [40, 64]
    const { plan, output } = tower(4, rows, width)
    let isDoomed = false
    const ask = async () =>
      submitting(await requestOf(GPU), (device) => {
        if (isDoomed) device.destroy()
        isDoomed = false
      })
    const reads: string[] = []
    const source: WeightSource = {
      read: (name, shape) => {
        reads.push(name)
        return weights.read(name, shape)
      },
    }
    using engine = await createWebgpuEngineOn(ask, { verify: false })
    using model = await engine.load(plan, source)
    using program = model.compile(plan, [output])
    const pixels = pseudoRandom(rows * width, 1)
    const expected = (await program.run(pixels)).get(output)
    expect(reads).toHaveLength(4)

    isDoomed = true
    await expect(program.run(pixels)).rejects.toMatchObject({ code: 'device-lost' })
    const before = devices.length
    const again = await Promise.all([program.run(pixels), program.run(pixels)])
    for (const run of again) expect(run.get(output)).toEqual(expected)
    // There is one for both, and the weights were sent once.
    expect(devices).toHaveLength(before + 1)
    expect(reads).toHaveLength(8)
  })

  test('a batch whose activations do not fit into one buffer is run in parts', async () => {
    const { plan, output } = tower(2, 8, 64)
    const small = async () => {
      const { device, ...rest } = await request()
      const limits = { ...copyOf(device.limits), maxStorageBufferBindingSize: 24 * 1024 }
      return { ...rest, device: withLimits(device, limits) }
    }
    const batch = 11
    const pixels = pseudoRandom(batch * 8 * 64, 5)
    const run = async (ask: typeof request) => {
      using engine = await createWebgpuEngineOn(ask, { verify: false })
      using model = await engine.load(plan, weights)
      using program = model.compile(plan, [output])
      return (await program.run(pixels, { batch })).get(output)
    }
    expect(await run(small)).toEqual(await run(request))
  })

  test('a weight that no buffer can hold is refused by name', async () => {
    const { plan } = tower(1, 8, 64)
    const tiny = async () => {
      const { device, ...rest } = await request()
      return { ...rest, device: withLimits(device, { ...copyOf(device.limits), maxBufferSize: 8 * 1024 }) }
    }
    using engine = await createWebgpuEngineOn(tiny, { verify: false })
    await expect(engine.load(plan, weights)).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringContaining('w0'),
    })
  })

  test.each([
    // It looks as if a driver summed in halves.
    [
      'a linear layer',
      (code: string) => code.replaceAll(/(?<=sum0_0 = )(fma\(.*\));/g, 'quantizeToF16($1);'),
    ],
    ['its largest tile', (code: string) => code.replaceAll('a1.w', 'a1.z')],
    ['attention', (code: string) => code.replaceAll('exp2(ownMost', '0.99 * exp2(ownMost')],
  ])('a device that gets %s wrong is refused before it is used', async (_, change) => {
    const wrong = async () => {
      const { device, ...rest } = await request()
      const createShaderModule = (descriptor: { label: string; code: string }) =>
        device.createShaderModule({
          ...descriptor,
          code: change(descriptor.code),
        })
      return { ...rest, device: overriding(device, { createShaderModule }) }
    }
    await expect(createWebgpuEngineOn(wrong)).rejects.toMatchObject({ code: 'wrong-result' })
  })

  test.each([
    ['is refused', (code: string) => code.replace('enable f16', 'enable what_is_not_there')],
    ['is wrong', asIfWrong],
  ])('where a faster way to compute %s, the plain one is taken', async (_, change) => {
    const boastful = async () => {
      const { device, ...rest } = await request()
      const features = { has: (name: string) => name === 'shader-f16' || device.features.has(name) }
      const createShaderModule = ({ label, code }: { label: string; code: string }) =>
        device.createShaderModule({ label, code: code.startsWith('enable f16') ? change(code) : code })
      return { ...rest, matrixUnits: [], device: overriding(device, { features, createShaderModule }) }
    }
    using engine = await createWebgpuEngineOn(boastful, { precision: 'float16' })
    expect(engine.description).not.toContain('halves')
  })

  test('a shader that the device refuses is an error of the run', async () => {
    const broken = async () => {
      const { device, ...rest } = await request()
      const createShaderModule = (descriptor: { label: string; code: string }) =>
        device.createShaderModule({ ...descriptor, code: 'this is no shader' })
      return { ...rest, device: overriding(device, { createShaderModule }) }
    }
    const { plan, output } = tower(1, 2, 4)
    using engine = await createWebgpuEngineOn(broken, { verify: false })
    using model = await engine.load(plan, weights)
    await expect(model.compile(plan, [output]).run(new Float32Array(8))).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  test('an engine that is disposed of says so', async () => {
    const engine = await createWebgpuEngineOn(request, { verify: false })
    engine[Symbol.dispose]()
    await expect(engine.load(tower(1, 2, 4).plan, weights)).rejects.toMatchObject({ code: 'disposed' })
  })
})

/** Writes a shader of halves in float32, which any GPU compiles, with weights that are off. */
function asIfWrong(code: string): string {
  return code
    .replace('enable f16;', '')
    .replaceAll(
      'bitcast<vec4<f16>>(weight[at])',
      '1.02 * vec4<f32>(unpack2x16float(weight[at].x), unpack2x16float(weight[at].y))',
    )
    .replaceAll('vec4<f16>', 'vec4<f32>')
}

describe.skipIf(HALF_GPU === null)('operands in halves', () => {
  test('what no half can hold is not passed off as a number', async () => {
    const { plan, output } = tower(1, 5, 64)
    using engine = await createWebgpuEngineOn(() => requestOf(HALF_GPU), {
      precision: 'float16',
      verify: false,
    })
    expect(engine.description).toMatch(/halves|f16 matrices/)
    using model = await engine.load(plan, weights)
    const found = await model.compile(plan, [output]).run(new Float32Array(5 * 64).fill(1e6))
    expect(found.get(output)?.some(Number.isFinite)).toBe(false)
  })
})

/** Wraps a device so that something is done right after it was given work. */
function submitting({ device, ...rest }: DeviceParts, after: (device: GpuDevice) => void): DeviceParts {
  const { queue } = device
  const watched: GpuDevice['queue'] = {
    writeBuffer: (...given) => queue.writeBuffer(...given),
    submit: (commands) => {
      queue.submit(commands)
      after(device)
    },
    onSubmittedWorkDone: () => queue.onSubmittedWorkDone(),
  }
  return { ...rest, device: overriding(device, { queue: watched }) }
}

function copyOf(limits: GpuDevice['limits']): GpuDevice['limits'] {
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits
  const { maxComputeWorkgroupsPerDimension } = limits
  return {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize,
    maxComputeWorkgroupsPerDimension,
  }
}

function withLimits(device: GpuDevice, limits: GpuDevice['limits']): GpuDevice {
  return overriding(device, { limits })
}
