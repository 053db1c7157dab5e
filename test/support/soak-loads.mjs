/**
 * Loads a model, encodes an image with it and disposes of it again and again, and looks at what is left: threads, open files, handles and memory after
 * the first rounds and after the last. Prints one line of JSON, and on stderr how a long run stands. Nothing but the disposals themselves keeps this
 * process alive, so that one that is given up too early ends it.
 *
 *     node --expose-gc test/support/soak-loads.mjs <engine> <rounds> [--model <path>] [--encode-every 10]
 *
 * The model is a network of one block unless another one is named: with it a round costs what engines, threads and files cost, and thousands of rounds
 * end. (On the WebAssembly engine that is 0.15 s of processor: Node takes 0.05 s to start an empty worker.) A larger one, such as the one in models/mini, shows in a
 * few rounds that its weights are given back. A GPU compiles its shaders for each engine anew: where it is emulated, test/support/trust-gpu.mjs leaves
 * out what each load compiles to compare the device, and `--encode-every 0` what an image takes.
 */
import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { loadEncoder } = await import(new URL('../../dist/platform/node/index.js', import.meta.url).href)
const SMALLEST = fileURLToPath(new URL('../golden/data/tiny/vit-act-silu.safetensors', import.meta.url))
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: SMALLEST },
    'encode-every': { type: 'string', default: '10' },
  },
})
const [engine] = positionals
const rounds = Number(positionals[1])
const every = Number(values['encode-every'])
/** Whole patches of both models fit into it. */
const SIDE = 56
const image = { height: SIDE, width: SIDE, data: new Uint8Array(SIDE * SIDE * 3).fill(128) }
/**
 * By now everything has been compiled, and Node has its own threads. V8 gives its heap the room that it likes over the first hundreds of rounds, which
 * a long run leaves out for that reason.
 */
const WARM = Math.max(Math.min(5, Math.floor(rounds / 2)), Math.floor(rounds / 10))

const entries = (folder) => (process.platform === 'linux' ? readdirSync(folder).length : 0)

/** Collects until what was collected has let go of its threads and files, which takes some turns of the event loop. */
async function look() {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc()
    await wait(20)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    threads: entries('/proc/self/task'),
    files: entries('/proc/self/fd'),
    handles: process.getActiveResourcesInfo().length,
    residentMegabytes: Math.round(rss / 2 ** 20),
    heapMegabytes: Math.round((heapUsed + external) / 2 ** 20),
  }
}

const begun = performance.now()
let early
for (let round = 1; round <= rounds; round++) {
  const encoder = await loadEncoder(values.model, { engine, size: SIDE, onWarning: () => {} })
  if (every > 0 && (round - 1) % every === 0) await encoder.encode(image)
  await encoder[Symbol.asyncDispose]()
  if (round === WARM) early = await look()
  if (rounds >= 1000 && round % Math.floor(rounds / 20) === 0)
    console.error(round, JSON.stringify(await look()))
}
const seconds = Math.round((performance.now() - begun) / 1000)
console.log(JSON.stringify({ engine, rounds, seconds, early, late: await look() }))
