/**
 * Makes, loads, runs and disposes of an engine again and again, and tells whether threads, handles and memory are afterwards as they were.
 *
 *     node scripts/soak.mjs [--engine native] [--times 10000] [--threads 3]
 *
 * A quarter as many lives come first and are not counted, until what is only made once is there, and V8 has given its heap the room that it likes. Ends with 1 where something has grown: by any thread
 * or handle, or by more than 20 MB of memory.
 */
import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MOST_MEGABYTES = 20

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'native' },
    times: { type: 'string', default: '10000' },
    threads: { type: 'string', default: '3' },
  },
})
const times = Number(values.times)
const threads = Number(values.threads)

/** Loaded only for the engine that is asked for: another one may not be built. */
const ENGINES = {
  native: async () => {
    const { createNativeEngine } = await import('../dist/platform/node/native/index.js')
    return () => createNativeEngine({ threads })
  },
  wasm: async () => {
    const { createWasmEngine } = await import('../dist/platform/node/wasm/index.js')
    return () => createWasmEngine({ threads })
  },
  webgpu: async () => {
    const { createWebgpuEngine } = await import('../dist/platform/node/webgpu/index.js')
    return () => createWebgpuEngine()
  },
  reference: async () => {
    const { createReferenceEngine } = await import('../dist/engine/reference/reference-engine.js')
    return () => createReferenceEngine()
  },
}
const prepare = ENGINES[values.engine]
if (prepare === undefined) {
  throw new Error(`There is no engine ${values.engine}; there are ${Object.keys(ENGINES).join(', ')}.`)
}
const createEngine = await prepare()

/** [4, 32] becomes [4, 40]: every value is 32 products of a half and a quarter, and a half. */
const plan = {
  inputs: [{ kind: 'pixels', slot: 'x' }],
  slots: new Map([
    ['x', [4, 32]],
    ['y', [4, 40]],
  ]),
  steps: [{ op: 'linear', input: 'x', output: 'y', weight: 'w', bias: 'b' }],
  weights: new Map([
    ['w', [40, 32]],
    ['b', [40]],
  ]),
  constants: new Map(),
}
const weights = {
  read: async (_name, shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
}
const pixels = new Float32Array(8 * 4 * 32).fill(0.25)

async function live() {
  const engine = await createEngine()
  try {
    const model = await engine.load(plan, weights)
    const program = await model.compile(plan, ['y'])
    const outputs = await program.run(pixels, { batch: 8 })
    if (!outputs.get('y').every((value) => value === 4.5))
      throw new Error('the engine computes wrong numbers')
    program[Symbol.dispose]()
    model[Symbol.dispose]()
  } finally {
    if (engine[Symbol.asyncDispose] !== undefined) await engine[Symbol.asyncDispose]()
    else engine[Symbol.dispose]?.()
  }
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

/** Counts what this process holds, after everything that can be collected has been. */
async function state() {
  for (let turn = 0; turn < 4; turn++) {
    gc()
    await wait(20)
  }
  const count = (folder) => (process.platform === 'linux' ? readdirSync(folder).length : 0)
  return {
    threads: count('/proc/self/task'),
    files: count('/proc/self/fd'),
    handles: process.getActiveResourcesInfo().length,
    megabytes: Math.round(process.memoryUsage.rss() / 2 ** 20),
    heapMegabytes: Math.round(process.memoryUsage().heapTotal / 2 ** 20),
  }
}

for (let i = 0; i < times / 4; i++) await live()
const before = await state()
const start = performance.now()
for (let i = 0; i < times; i++) await live()
const seconds = (performance.now() - start) / 1000
const after = await state()
console.log(`${values.engine}, ${times} times in ${seconds.toFixed(1)} s`)
for (const key of Object.keys(before)) console.log(`${key.padEnd(14)} ${before[key]} -> ${after[key]}`)
const same = ['threads', 'files', 'handles'].every((key) => before[key] === after[key])
if (!same || after.megabytes - before.megabytes > MOST_MEGABYTES) process.exitCode = 1
