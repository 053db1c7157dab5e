/**
 * What a fresh process takes from a checkpoint file to its first embedding, beside the time of just reading the file and of one forward pass.
 * Prints one line of JSON. Run by run.mjs.
 */
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'

const [path, networkName, side] = process.argv.slice(2)
const dist = (file) => import(new URL(`../dist/${file}`, import.meta.url).href)
const { openVit } = await dist('platform/node/open-vit.js')
const { Network } = await dist('encoder/network.js')
const { createNativeEngine } = await dist('platform/node/native/index.js')

const readSeconds = await seconds(async () => {
  const file = await open(path)
  const buffer = Buffer.allocUnsafe(16 * 2 ** 20)
  while ((await file.read(buffer, 0, buffer.length)).bytesRead > 0);
  await file.close()
})
const size = [Number(side), Number(side)]
const pixels = new Float32Array(3 * size[0] * size[1]).fill(0.5)
let network
let run
const firstEmbedding = await seconds(async () => {
  const file = await openVit(path, { network: networkName })
  network = await Network.load(file.vit, createNativeEngine())
  await file[Symbol.asyncDispose]()
  const grid = network.gridOf(size)
  const { slots } = network.planFor(grid)
  run = () => network.run(pixels, { grid, outputs: [slots.embedding] })
  await run()
})
const forward = Math.min(await seconds(run), await seconds(run))
const peakBytes = process.resourceUsage().maxRSS * 1024
const weightBytes = statSync(path).size
console.log(
  JSON.stringify({
    readSeconds,
    firstEmbedding,
    forward,
    ratio: firstEmbedding / (readSeconds + forward),
    peakBytes,
    peakRatio: peakBytes / weightBytes,
  }),
)

async function seconds(action) {
  const started = performance.now()
  await action()
  return (performance.now() - started) / 1000
}
