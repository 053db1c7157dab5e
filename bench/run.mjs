/**
 * The benchmark: ViT-L/14 with four registers at 518 x 518, native float32 beside onnxruntime-node float32, alternating in one run, on the same
 * hashed weights; then a cold start. Writes bench/results.json and the table in bench/README.md.
 *
 *     npm run bench                       # ViT-L/14 at 518
 *     npm run bench -- --network vit_reg4_s14_nps_ls --size 224 --batch 8 --dry   # prints only
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeModel } from './write-model.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url).href)
const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'vit_reg4_l14_nps_ls' },
    size: { type: 'string', default: '518' },
    batch: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    dry: { type: 'boolean', default: false },
  },
})
const size = [Number(options.size), Number(options.size)]
const batch = Number(options.batch)

const { hashedCheckpoint } = await dist('platform/node/verify/hashed-checkpoint.js')
const { openVit } = await dist('platform/node/open-vit.js')
const { Network } = await dist('encoder/network.js')
const { createNativeEngine, nativeAvailability } = await dist('platform/node/native/index.js')
const { toFloat32 } = await dist('tensor/tensor.js')

const availability = nativeAvailability()
if (!availability.available) throw new Error(`no native engine to measure: ${availability.reason}`)

const folder = join(root, '.plumage', 'bench')
mkdirSync(folder, { recursive: true })
const name = `${options.network}_${options.size}`
const checkpoint = hashedCheckpoint(options.network, size, 'large-1')
const modelPath = await writeModel(checkpoint, join(folder, `${name}.safetensors`))

const open = await openVit(modelPath, { network: options.network })
const { config } = open.vit
const engine = createNativeEngine()
const network = await Network.load(open.vit, engine)
await open[Symbol.asyncDispose]()
const grid = network.gridOf(size)
const { slots } = network.planFor(grid)
const pixels = Float32Array.from(
  { length: batch * 3 * size[0] * size[1] },
  (_, i) => 2 * Math.sin(i * 0.618 + (i % 7)),
)
const runNative = async () =>
  (await network.run(pixels, { grid, batch, outputs: [slots.embedding, slots.tokens] })).get(slots.embedding)

const peer = await loadPeer()
const timings = { native: [], peer: [] }
let ours = await runNative()
const theirs = peer === null ? null : await peer.run()
for (let round = 0; round < Number(options.rounds); round++) {
  timings.native.push(await timed(runNative))
  if (peer !== null) timings.peer.push(await timed(peer.run))
}
ours = await runNative()
network[Symbol.dispose]()
await peer?.release()

const tokens = 1 + config.registers + grid.rows * grid.columns
const { width: D, hidden, depth, patchSize } = config
const flop =
  batch *
  (2 * depth * tokens * (4 * D * D + 2 * D * hidden) +
    4 * depth * tokens * tokens * D +
    2 * grid.rows * grid.columns * 3 * patchSize ** 2 * D)

const cold = coldStart()
const row = {
  date: new Date().toISOString().slice(0, 10),
  network: options.network,
  size: options.size,
  batch,
  cpu: os.cpus()[0].model.trim(),
  flags: cpuFlags(),
  engine: `native ${engine.description}`,
  precision: engine.precision,
  native: summary(timings.native, flop),
  peer: peer === null ? null : { name: peer.name, ...summary(timings.peer, flop) },
  ratio: peer === null ? null : median(timings.peer) / median(timings.native),
  difference: theirs === null ? null : largestDifference(ours, theirs),
  cold,
}
console.log(JSON.stringify(row, null, 2))
if (!options.dry) writeReport(row)

async function loadPeer() {
  const require = createRequire(import.meta.url)
  let ort
  try {
    ort = require('onnxruntime-node')
  } catch (error) {
    console.error(`onnxruntime-node cannot be loaded, so there is nothing to compare with: ${error.message}`)
    return null
  }
  const { writeOnnxVit } = await import('./onnx-vit.mjs')
  const path = join(folder, `${name}.onnx`)
  const weights = {
    tensors: checkpoint.tensors,
    read: async (tensor) => toFloat32(await checkpoint.read(tensor)),
  }
  await writeOnnxVit({ weights, config, path })
  const threads = Number(/(\d+) thread/.exec(engine.description)?.[1] ?? os.availableParallelism())
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: threads,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  })
  const input = new ort.Tensor('float32', pixels, [batch, 3, ...size])
  return {
    name: `onnxruntime-node ${require('onnxruntime-node/package.json').version}, float32, ${threads} threads`,
    run: async () => (await session.run({ pixels: input })).embedding.data,
    release: () => session.release(),
  }
}

/** A fresh process: reading the file, then opening, packing and the first embedding, with its peak memory. */
function coldStart() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bench', 'cold-start.mjs'), modelPath, options.network, options.size],
    { encoding: 'utf8', maxBuffer: 1e8 },
  )
  if (status !== 0) throw new Error(`the cold start failed: ${stderr}`)
  return JSON.parse(stdout)
}

async function timed(action) {
  const started = performance.now()
  await action()
  return (performance.now() - started) / 1000
}

function summary(seconds, work) {
  const best = Math.min(...seconds)
  return { min: best, median: median(seconds), gflops: work / median(seconds) / 1e9 }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function largestDifference(a, b) {
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]))
  return largest
}

function cpuFlags() {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))[1].trim().split(' '))
    return ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'avx512_vnni', 'amx_bf16']
      .filter((flag) => flags.has(flag))
      .join(' ')
  } catch {
    return 'unknown'
  }
}

function writeReport(result) {
  const path = join(root, 'bench', 'results.json')
  let rows = []
  try {
    rows = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // The first run has nothing to add to.
  }
  const same = (other) =>
    ['network', 'size', 'batch', 'cpu', 'flags', 'engine'].every((key) => other[key] === result[key])
  rows = [...rows.filter((other) => !same(other)), result]
  writeFileSync(path, `${JSON.stringify(rows, null, 2)}\n`)

  const s = (value) => value.toFixed(2)
  const lines = rows.map((r) =>
    [
      `${r.network} ${r.size} x ${r.batch}`,
      `${r.engine}, ${r.precision}`,
      `${s(r.native.min)} / ${s(r.native.median)}`,
      r.native.gflops.toFixed(0),
      r.peer === null ? 'not installed' : `${s(r.peer.min)} / ${s(r.peer.median)}`,
      r.ratio === null ? '' : `${s(r.ratio)} x`,
      r.difference === null ? '' : r.difference.toExponential(1),
      `${s(r.cold.firstEmbedding)} (${s(r.cold.ratio)} x)`,
      `${(r.cold.peakBytes / 2 ** 30).toFixed(2)} GiB (${s(r.cold.peakRatio)} x)`,
      `${r.cpu}; ${r.flags}; ${r.peer?.name ?? ''}; ${r.date}`,
    ].join(' | '),
  )
  const readme = join(root, 'bench', 'README.md')
  const begin = '<!-- table: written by npm run bench -->'
  const text = readFileSync(readme, 'utf8')
  const table = [
    '| what | engine | s, min / median | GFLOP/s | onnxruntime-node s, min / median | lead | largest difference of the embedding | cold process to first embedding s (of read + one pass) | peak memory (of the weights) | machine |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
  writeFileSync(readme, `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${table}\n`)
}
