/**
 * Measures what a fresh process of Plumage takes from a checkpoint file to its first embedding, beside the time of just reading the file and of one
 * forward pass. Started as a program it is that process.
 */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { dist } from './dist.mjs'
import { loadNetwork } from './load-network.mjs'
import { modelFile } from './model-files.mjs'

const program = fileURLToPath(import.meta.url)
if (process.argv[1] === program) console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]))))

/** Measures in float32. */
export async function coldStartFromFile({ network, side, threads }) {
  const model = await modelFile(network, side, 'safetensors')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, JSON.stringify({ model, network, side, threads })],
    { encoding: 'utf8', maxBuffer: 1e8 },
  )
  if (status !== 0) throw new Error(`the cold start failed: ${stderr}`)
  return JSON.parse(stdout)
}

async function measure({ model, threads, ...task }) {
  const { createNativeEngine } = await dist('platform/node/native/index.js')

  const readSeconds = await seconds(async () => {
    const file = await open(model)
    const buffer = Buffer.allocUnsafe(16 * 2 ** 20)
    while ((await file.read(buffer, 0, buffer.length)).bytesRead > 0);
    await file.close()
  })
  const pixels = new Float32Array(3 * task.side ** 2).fill(0.5)
  let run
  const firstEmbedding = await seconds(async () => {
    const { network, grid, slots } = await loadNetwork(model, task, createNativeEngine({ threads }))
    run = () => network.run(pixels, { grid, outputs: [slots.embedding] })
    await run()
  })
  const forward = Math.min(await seconds(run), await seconds(run))
  const peakBytes = process.resourceUsage().maxRSS * 1024
  return {
    readSeconds,
    firstEmbedding,
    forward,
    ratio: firstEmbedding / (readSeconds + forward),
    peakBytes,
    peakRatio: peakBytes / statSync(model).size,
  }
}

async function seconds(action) {
  const started = performance.now()
  await action()
  return (performance.now() - started) / 1000
}
