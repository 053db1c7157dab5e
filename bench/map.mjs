/**
 * Measures a map of many embeddings: the graph of their nearest rows, where the map begins (principal components) and its layout. The rows are made (bench/made-embeddings.mjs).
 *
 *     node bench/map.mjs [--rows 100000] [--width 384] [--neighbours 15]
 */
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { describeMachine } from './machine.mjs'
import { madeEmbeddings } from './made-embeddings.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    width: { type: 'string', default: '384' },
    neighbours: { type: 'string', default: '15' },
  },
})
const [count, width, neighbours] = [options.rows, options.width, options.neighbours].map(Number)
const { createProducts } = await dist('platform/node/create-products.js')
const { nearestGraph } = await dist('numerics/nearest-graph.js')
const { layOutMap, startMap } = await dist('numerics/umap.js')
const { toHalf } = await dist('tensor/float16.js')

const products = createProducts()
const rows = new Float32Array(count * width)
let at = 0
for await (const block of madeEmbeddings({ count, width, products })) {
  rows.set(block, at)
  at += block.length
}
const machine = describeMachine()
console.log(`${machine.cpu} (${machine.flags}), ${machine.cores} cores, Node ${machine.node}`)
console.log(`${count} x ${width}, ${neighbours} neighbours\n`)
console.log('| what | s | processor-s |\n| --- | --- | --- |')
const begun = performance.now()
const stored = [{ dtype: 'F16', bytes: bytesOf(toHalf(rows)) }]
const graph = await timed('graph', () => nearestGraph(stored, width, neighbours, { products }))
const points = await timed('principal components', () => startMap([rows], width, { products }))
await timed('layout', () => layOutMap({ graph, points, neighbours }))
console.log(`| all | ${((performance.now() - begun) / 1000).toFixed(1)} | |`)
await products[Symbol.asyncDispose]()

function bytesOf(halves) {
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength)
}

async function timed(name, work) {
  const [start, used] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(used)
  const seconds = (performance.now() - start) / 1000
  console.log(`| ${name} | ${seconds.toFixed(1)} | ${((user + system) / 1e6).toFixed(1)} |`)
  return result
}
