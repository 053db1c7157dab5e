/**
 * Tells where a GPU's time goes: it runs a vision transformer of given sizes through WebGPU in Node with a timestamp around every dispatch. Weights are
 * pseudo-random, so that no file is needed. Separate passes cost something, so that the sum is a little more than a run takes, which is told as well.
 *
 *     node bench/webgpu-profile.mjs [--width 1024 --heads 16 --depth 24 --patch 14 --size 518 --batch 1 --precision float32] [--device]
 *
 * --device prints what the GPU offers, and ends.
 */
import { parseArgs } from 'node:util'
import { create } from 'webgpu'
import { countFlop } from '../dist/engine/count-flop.js'
import { deviceOf } from '../dist/engine/webgpu/request-device.js'
import { createWebgpuEngineOn } from '../dist/engine/webgpu/webgpu-engine.js'
import { planVit } from '../dist/model/plan-vit.js'
import { DAWN_OPTIONS } from '../dist/platform/node/webgpu/index.js'
import { pseudoRandomVit, SIZE_OPTIONS, sizesFrom } from './pseudo-random-vit.mjs'

const { values } = parseArgs({
  options: {
    ...SIZE_OPTIONS,
    precision: { type: 'string', default: 'float32' },
    device: { type: 'boolean', default: false },
  },
})
const RUNS = 5

const gpu = create([...DAWN_OPTIONS])
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
if (adapter === null) throw new Error('No GPU was found.')
if (values.device) {
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = adapter.info
  console.log({ vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize })
  console.log([...adapter.features].sort().join(' '))
  for (const name of ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize'])
    console.log(name, adapter.limits[name])
  for (const { componentType, resultComponentType, M, N, K } of adapter.info.subgroupMatrixConfigs ?? [])
    console.log(`matrices ${componentType} -> ${resultComponentType}, ${M} x ${N} x ${K}`)
  process.exit()
}

/** While this holds, each dispatch is a pass of its own and is written down in `timed`. */
let isTimed = false
const labels = new WeakMap()
const timed = []
const MOST = 2048

const parts = await deviceOf({
  features: adapter.features,
  limits: adapter.limits,
  info: adapter.info,
  requestDevice: (descriptor) =>
    adapter.requestDevice({
      ...descriptor,
      requiredFeatures: [...descriptor.requiredFeatures, 'timestamp-query'],
    }),
})
const { device } = parts
const queries = device.createQuerySet({ type: 'timestamp', count: 2 * MOST })
const watched = new Proxy(device, {
  get(target, name) {
    if (name === 'createComputePipelineAsync')
      return async (descriptor) => {
        const pipeline = await target.createComputePipelineAsync(descriptor)
        labels.set(pipeline, descriptor.label)
        return pipeline
      }
    if (name === 'createCommandEncoder')
      return () => {
        const encoder = target.createCommandEncoder()
        return isTimed ? watchedEncoder(encoder) : encoder
      }
    const value = Reflect.get(target, name)
    return typeof value === 'function' ? value.bind(target) : value
  },
})

function watchedEncoder(encoder) {
  return {
    copyBufferToBuffer: (...args) => encoder.copyBufferToBuffer(...args),
    finish: () => encoder.finish(),
    beginComputePass() {
      let pipeline
      let group
      return {
        setPipeline: (chosen) => {
          pipeline = chosen
        },
        setBindGroup: (...args) => {
          group = args
        },
        dispatchWorkgroups(...groups) {
          const at = 2 * timed.length
          timed.push(`${labels.get(pipeline)} ${groups.join('x')}`)
          const pass = encoder.beginComputePass({
            timestampWrites: {
              querySet: queries,
              beginningOfPassWriteIndex: at,
              endOfPassWriteIndex: at + 1,
            },
          })
          pass.setPipeline(pipeline)
          pass.setBindGroup(...group)
          pass.dispatchWorkgroups(...groups)
          pass.end()
        },
        end: () => {},
      }
    },
  }
}

const sizes = sizesFrom(values)
const { size, rows, batch } = sizes
const { config, weights, positions } = pseudoRandomVit(sizes)
const tables = new Map([['positions', { shape: [rows * rows, config.width], values: positions }]])
const { plan, slots } = planVit(config, { rows, columns: rows }, tables)
const engine = await createWebgpuEngineOn(async () => ({ ...parts, device: watched }), {
  precision: values.precision,
})
const model = await engine.load(plan, weights)
const program = model.compile(plan, [slots.embedding, slots.tokens])
const pixels = Float32Array.from({ length: batch * 3 * size * size }, (_, i) => Math.sin(i * 0.37))
const first = performance.now()
await program.run(pixels, { batch })
console.log(
  `${engine.description}, ${values.precision}: first run ${(performance.now() - first).toFixed(1)} ms`,
)
const seconds = []
for (let run = 0; run < 2 * RUNS; run++) {
  const started = performance.now()
  await program.run(pixels, { batch })
  seconds.push((performance.now() - started) / 1000)
}
const flop = batch * countFlop(plan, [slots.embedding, slots.tokens])
const median = seconds.sort((a, b) => a - b)[RUNS]
console.log(
  `a run: min ${(1000 * seconds[0]).toFixed(2)} ms, median ${(1000 * median).toFixed(2)} ms, ${(flop / median / 1e12).toFixed(2)} TFLOP/s`,
)

isTimed = true
const sums = new Map()
for (let run = 0; run < RUNS; run++) {
  timed.length = 0
  await program.run(pixels, { batch })
  const bytes = 16 * timed.length
  const resolved = device.createBuffer({ size: bytes, usage: 0x200 | 4 })
  const back = device.createBuffer({ size: bytes, usage: 1 | 8 })
  const encoder = device.createCommandEncoder()
  encoder.resolveQuerySet(queries, 0, 2 * timed.length, resolved, 0)
  encoder.copyBufferToBuffer(resolved, 0, back, 0, bytes)
  device.queue.submit([encoder.finish()])
  await back.mapAsync(1)
  const times = new BigUint64Array(back.getMappedRange().slice(0))
  back.unmap()
  timed.forEach((label, index) => {
    const entry = sums.get(label) ?? { count: 0, milliseconds: 0 }
    entry.count += 1 / RUNS
    entry.milliseconds += Number(times[2 * index + 1] - times[2 * index]) / 1e6 / RUNS
    sums.set(label, entry)
  })
}
const whole = [...sums.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0)
for (const [label, { count, milliseconds }] of [...sums].sort(
  ([, a], [, b]) => b.milliseconds - a.milliseconds,
))
  console.log(
    `${milliseconds.toFixed(3).padStart(9)} ms ${((100 * milliseconds) / whole).toFixed(1).padStart(5)} %  ${Math.round(count)} x ${label}`,
  )
console.log(`${whole.toFixed(3).padStart(9)} ms on the GPU`)
engine[Symbol.dispose]()
