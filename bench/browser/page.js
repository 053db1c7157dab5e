/** Runs inside the benchmark's page: systems are started once, then called for turns. */
import { createWasmEngine, createWebgpuEngine, Network, openCheckpoint, readVit } from 'plumage/browser'

const running = new Map()

async function bytesOf(url) {
  return new Uint8Array(await (await fetch(url)).arrayBuffer())
}

async function startPlumage(engine, { network, model, side, batch, pixels }) {
  const bytes = await bytesOf(model)
  const source = {
    label: model,
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  }
  const checkpoint = await openCheckpoint(source)
  const loaded = await Network.load(readVit(checkpoint, { network }), engine)
  const grid = loaded.gridOf([side, side])
  const { slots } = loaded.planFor(grid)
  const outputs = [slots.embedding, slots.tokens]
  return {
    version: engine.description,
    run: async () => (await loaded.run(pixels, { grid, batch, outputs })).get(slots.embedding),
    peak: () => engine.measurePeak(),
  }
}

async function startOnnxruntime(provider, { ort: folder, model, side, batch, pixels, threads }) {
  const ort = await import(/* @vite-ignore */ `${folder}ort.${provider}.min.mjs`)
  ort.env.wasm.wasmPaths = folder
  ort.env.wasm.numThreads = threads
  const name = model.split('/').pop()
  const data = await fetch(`${model}.data`)
  const externalData = data.ok
    ? [{ path: `${name}.data`, data: new Uint8Array(await data.arrayBuffer()) }]
    : []
  const session = await ort.InferenceSession.create(await bytesOf(model), {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    externalData,
  })
  const input = new ort.Tensor('float32', pixels, [batch, 3, side, side])
  return {
    version: ort.env.versions?.web ?? '',
    run: async () => {
      const outputs = await session.run({ [session.inputNames[0]]: input })
      return outputs[session.outputNames.find((output) => /embed/.test(output)) ?? session.outputNames[0]]
        .data
    },
  }
}

const STARTERS = {
  plumage: async ({ precision, relaxed, threads, ...task }) =>
    startPlumage(await createWasmEngine({ precision, relaxed, threads }), task),
  'plumage-gpu': async ({ precision, ...task }) =>
    startPlumage(await createWebgpuEngine({ precision }), task),
  onnxruntime: (task) => startOnnxruntime('wasm', task),
  'onnxruntime-gpu': (task) => startOnnxruntime('webgpu', task),
}

/** Starts a system under a name; resolves to its version and the embedding of its first pass. */
async function start({ name, kind, pixelsUrl, ...task }) {
  const all = new Float32Array((await bytesOf(pixelsUrl)).buffer)
  const pixels = all.slice(0, task.batch * 3 * task.side * task.side)
  const began = performance.now()
  const system = await STARTERS[kind]({ ...task, pixels })
  const embedding = await system.run()
  running.set(name, system)
  return { version: system.version, seconds: (performance.now() - began) / 1000, embedding: [...embedding] }
}

/** Gives the seconds of each pass of a turn of about so many seconds, after one that does not count. */
async function turn({ name, seconds }) {
  const { run } = running.get(name)
  await run()
  const passes = []
  const began = performance.now()
  do {
    const from = performance.now()
    await run()
    passes.push((performance.now() - from) / 1000)
  } while (performance.now() - began < seconds * 1000)
  return passes
}

/** Measures the floating-point operations a second of multiply-adds in registers, of all threads together. */
function peak({ name }) {
  return running.get(name).peak()
}

Object.assign(globalThis, { bench: { start, turn, peak } })
