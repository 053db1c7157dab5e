/**
 * Loads a model, encodes an image with it and disposes of it again and again, and looks at what is left: threads, open files, handles and memory after
 * the first rounds and after the last. Prints one line of JSON, and on stderr how a long run stands. Nothing but the disposals themselves keeps this
 * process alive, so that one that is given up too early ends it.
 *
 *     node --expose-gc test/support/soak-loads.mjs <engine> <rounds> [<model>]
 *
 * The model is a network of one block unless another one is named: with it a round costs what engines, threads and files cost, and thousands of rounds
 * end. (On the WebAssembly engine that is 0.15 s of processor: Node takes 0.05 s to start an empty worker.) A larger one, such as the one in models/mini, shows in a
 * few rounds that its weights are given back.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const { loadEncoder } = await import(new URL('../../dist/platform/node/index.js', import.meta.url).href)
const SMALLEST = fileURLToPath(new URL('../golden/data/tiny/vit-act-silu.safetensors', import.meta.url))
const [engine, rounds, model = SMALLEST] = process.argv.slice(2)
/** Whole patches of both models fit into it. */
const SIDE = 56
const image = { height: SIDE, width: SIDE, data: new Uint8Array(SIDE * SIDE * 3).fill(128) }
/**
 * By now everything has been compiled, and Node has its own threads. V8 gives its heap the room that it likes over the first hundreds of rounds, which
 * a long run leaves out for that reason.
 */
const WARM = Math.max(Math.min(5, Math.floor(Number(rounds) / 2)), Math.floor(Number(rounds) / 10))

const entries = (folder) => (process.platform === 'linux' ? readdirSync(folder).length : 0)

function look() {
  globalThis.gc()
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
for (let round = 1; round <= Number(rounds); round++) {
  const encoder = await loadEncoder(model, { engine, size: SIDE })
  // A GPU would compile its shaders for each engine anew, which takes ten seconds where it is emulated.
  if (engine !== 'webgpu' && (round <= WARM || round % 10 === 0)) await encoder.encode(image)
  await encoder[Symbol.asyncDispose]()
  if (round === WARM) early = look()
  if (Number(rounds) >= 1000 && round % Math.floor(Number(rounds) / 20) === 0)
    console.error(round, JSON.stringify(look()))
}
const seconds = Math.round((performance.now() - begun) / 1000)
console.log(JSON.stringify({ engine, rounds: Number(rounds), seconds, early, late: look() }))
