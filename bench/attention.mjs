/**
 * Measures what attention costs that is handed out, beside a pass of S/14 at 518 that nobody looks into: rows of the class token of all layers, the mean of all heads'
 * matrices of the last layer, and all of its matrices. Each round takes all of them in turn. Prints a table in Markdown, in processor-seconds and by the clock.
 *
 *     node bench/attention.mjs [--precisions float32,bfloat16] [--engine native] [--rounds 7] [--lock file]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'

const { values: options } = parseArgs({
  options: {
    precisions: { type: 'string', default: 'float32,bfloat16' },
    engine: { type: 'string', default: 'native' },
    rounds: { type: 'string', default: '7' },
    /** Names a file that is locked (by flock) while something is measured, for machines on which others measure too. */
    lock: { type: 'string' },
  },
})
const { loadEncoder } = await dist('platform/node/index.js')
const photo = fileURLToPath(new URL('../examples/photos/hat-1.jpg', import.meta.url))

const machine = describeMachine()
console.log(`${machine.cpu} (${machine.flags}), ${machine.cores} cores, Node ${machine.node}\n`)
console.log('| S/14 at 518 | precision | processor, least s | of a pass | clock, least s | of a pass |')
console.log('| --- | --- | --- | --- | --- | --- |')
for (const precision of options.precisions.split(',')) await measure(precision)

async function measure(precision) {
  const encoder = await loadEncoder('small', { engine: options.engine, precision, size: 518 })
  const layers = Array.from({ length: encoder.depth }, (_, layer) => layer)
  const inexact = true
  const kinds = {
    'a pass': {},
    'rows of the class token, all layers': { attention: { layers, from: 'class', inexact } },
    'mean of the heads, last layer': { attention: { from: 'all', heads: 'mean', inexact } },
    'each head, last layer': { attention: { from: 'all', inexact } },
  }
  for (const wanted of Object.values(kinds)) await encoder.encode(photo, wanted)
  const least = Object.fromEntries(
    Object.keys(kinds).map((name) => [name, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]]),
  )
  await withLock(options.lock, async () => {
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [name, wanted] of Object.entries(kinds)) {
        const began = [process.cpuUsage(), performance.now()]
        await encoder.encode(photo, wanted)
        const { user, system } = process.cpuUsage(began[0])
        const taken = [(user + system) / 1e6, (performance.now() - began[1]) / 1e3]
        least[name] = least[name].map((seconds, i) => Math.min(seconds, taken[i]))
      }
  })
  await encoder[Symbol.asyncDispose]()
  const pass = least['a pass']
  for (const [name, seconds] of Object.entries(least)) {
    const cells = seconds.flatMap((own, i) => [own.toPrecision(3), `${((100 * own) / pass[i]).toFixed(1)} %`])
    console.log(`| ${name} | ${precision} | ${cells.join(' | ')} |`)
  }
}
