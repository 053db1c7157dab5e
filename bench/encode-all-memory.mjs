/**
 * Measures how much memory `encodeAll` keeps over a long run: stand-in images, so that nothing but the pipeline itself is measured, each third with an abort
 * signal of its own. Prints one line of JSON: what is held after a garbage collection, while the run still goes on, beyond what was held early.
 *
 *     node --expose-gc bench/encode-all-memory.mjs [images, default 1000000]
 */
const { encodeAll } = await import(new URL('../dist/encoder/encode-all.js', import.meta.url).href)

const images = Number(process.argv[2] ?? 1e6)
/** By now everything has been compiled and every cache is filled. */
const WARM = Math.min(20_000, Math.floor(images / 2))

function* sources() {
  for (let i = 0; i < images; i++) yield i
}

const stages = {
  batchSize: () => 8,
  prepare: async (source) => ({ source, shape: `${source % 3}`, byteLength: 100 }),
  compute: async (batch) => batch.map(({ source }) => ({ embedding: Float32Array.of(source) })),
}

function heldMegabytes() {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 }
}

const options = {
  signal: new AbortController().signal,
  signalOf: (source) => (source % 3 === 0 ? new AbortController().signal : undefined),
  onProgress: () => {},
}

let early
let late
let count = 0
for await (const { features } of encodeAll(sources(), stages, options)) {
  if (features === undefined) throw new Error('a stand-in failed')
  count++
  if (count === WARM) early = heldMegabytes()
  if (count === images) late = heldMegabytes()
}
console.log(
  JSON.stringify({
    images: count,
    grownMegabytes: Number((late.heap - early.heap).toFixed(2)),
    grownResidentMegabytes: Number((late.resident - early.resident).toFixed(2)),
  }),
)
