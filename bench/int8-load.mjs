/**
 * Measures what loading a network takes from its own file and from the one that `plumage convert --int8` makes of it: seconds by the clock and of the
 * processor, and the most memory of the process, each in a fresh process, with the files in the page cache.
 *
 *     node bench/int8-load.mjs [--models b,l] [--size <pixels>] [--runs <n>]
 *
 * Weights are pseudo-random. Every figure is a median; what is behind it in brackets is the least and the most.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { describeMachine } from './machine.mjs'
import { median } from './median.mjs'
import { intoPageCache, modelFile } from './model-files.mjs'
import { networkNamed } from './networks.mjs'

const program = fileURLToPath(import.meta.url)

if (process.argv[2] === 'child') console.log(JSON.stringify(await loadOnce(...process.argv.slice(3))))
else await compare()

/** Is what a fresh process does: it starts the library, and then loads. */
async function loadOnce(model, network, precision, width) {
  const { loadEncoder, nativeAvailability } = await dist('bundle/node/node.js')
  nativeAvailability()
  const before = { wall: performance.now(), ...process.cpuUsage(), peak: process.resourceUsage().maxRSS }
  const told = network === '' ? {} : { network }
  const encoder = await loadEncoder(model, { ...told, engine: 'native', precision, size: Number(width) })
  const { user, system } = process.cpuUsage()
  const stages = {
    wall: (performance.now() - before.wall) / 1000,
    busy: (user + system - before.user - before.system) / 1e6,
    peak: process.resourceUsage().maxRSS / 1024,
    own: (process.resourceUsage().maxRSS - before.peak) / 1024,
  }
  await encoder[Symbol.asyncDispose]()
  return stages
}

async function compare() {
  const { values } = parseArgs({
    options: {
      models: { type: 'string', default: 'b,l' },
      size: { type: 'string', default: '518' },
      runs: { type: 'string', default: '7' },
    },
  })
  console.log(describeMachine())
  for (const letter of values.models.split(',')) await compareModel(letter, values)
}

async function compareModel(letter, { size, runs }) {
  const network = networkNamed(letter)
  const own = await modelFile(network, Number(size), 'safetensors')
  const narrow = own.replace(/\.safetensors$/, '.int8.safetensors')
  if (!existsSync(narrow)) await writeNarrow(own, narrow, network)
  const rows = [
    ['own file', own, network, 'float32'],
    ['own file', own, network, 'int8'],
    ['int8 file', narrow, '', 'float32'],
    ['int8 file', narrow, '', 'int8'],
  ]
  console.log(
    `\n| ViT-${letter.toUpperCase()}/14 | engine in | file, MB | load, s | processor-seconds | peak, MB | by the load, MB |`,
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  for (const [name, file, told, precision] of rows) {
    intoPageCache(file)
    const measured = Array.from({ length: Number(runs) }, () => inChild(file, told, precision, size))
    const megabytes = (statSync(file).size / 1e6).toFixed(0)
    const column = (key, digits) =>
      spread(
        measured.map((one) => one[key]),
        digits,
      )
    const cells = [
      name,
      precision,
      megabytes,
      column('wall', 3),
      column('busy', 3),
      column('peak', 0),
      column('own', 0),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

async function writeNarrow(own, narrow, network) {
  const { convertModel } = await dist('bundle/node/node.js')
  const started = performance.now()
  await convertModel(own, narrow, { int8: true, network })
  console.log(`converted in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

function inChild(...told) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'child', ...told], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the load failed: ${stderr}`)
  return JSON.parse(stdout)
}

function spread(values, digits) {
  const shown = (value) => value.toFixed(digits)
  return `${shown(median(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`
}
