/**
 * Loads the mini model and disposes of it again and again, and looks at what is left: threads, open files and memory after the first rounds and after
 * the last. Prints one line of JSON. Nothing but the disposals themselves keeps this process alive, so that one that is given up too early ends it.
 *
 *     node --expose-gc test/support/soak-loads.mjs <engine> <rounds>
 */
import { readdirSync } from 'node:fs'

const { loadEncoder } = await import(new URL('../../dist/platform/node/index.js', import.meta.url).href)
const [engine, rounds] = process.argv.slice(2)
const image = { height: 28, width: 28, data: new Uint8Array(28 * 28 * 3).fill(128) }
/** By now everything has been compiled, and Node has its own threads. */
const WARM = Math.min(5, Math.floor(Number(rounds) / 2))

const entries = (folder) => (process.platform === 'linux' ? readdirSync(folder).length : 0)

function look() {
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    threads: entries('/proc/self/task'),
    files: entries('/proc/self/fd'),
    residentMegabytes: Math.round(rss / 2 ** 20),
    heapMegabytes: Math.round((heapUsed + external) / 2 ** 20),
  }
}

let early
for (let round = 1; round <= Number(rounds); round++) {
  const encoder = await loadEncoder('mini', { engine, size: 28 })
  // A GPU would compile its shaders for each engine anew, which takes ten seconds where it is emulated.
  if (engine !== 'webgpu' && (round <= WARM || round % 10 === 0)) await encoder.encode(image)
  await encoder[Symbol.asyncDispose]()
  if (round === WARM) early = look()
}
console.log(JSON.stringify({ engine, rounds: Number(rounds), early, late: look() }))
