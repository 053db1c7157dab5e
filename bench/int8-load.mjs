/**
 * Measures what loading a network takes from its own file and from the one that `plumage convert --int8` makes of it: seconds by the clock and of the
 * processor, and the most memory of the process, each in a fresh process, with the files in the page cache.
 *
 *     node bench/int8-load.mjs [--models b,l] [--layout birder] [--size <pixels>] [--runs <n>]
 *
 * The layout may be that of any library, such as hugging-face, whose files keep queries, keys and values apart. Weights are pseudo-random. Every figure is a median; what is behind it in brackets is the least and the most.
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
      layout: { type: 'string', default: 'birder' },
      size: { type: 'string', default: '518' },
      runs: { type: 'string', default: '7' },
    },
  })
  console.log(describeMachine())
  for (const letter of values.models.split(',')) await compareModel(letter, values)
}

async function compareModel(letter, { layout, size, runs }) {
  const network = networkNamed(letter)
  const made = await modelFile(network, Number(size), 'safetensors')
  const base = made.replace(/\.safetensors$/, '')
  const isOwn = layout === 'birder'
  const own = isOwn
    ? made
    : await converted(made, `${base}.${layout}/model.safetensors`, { to: layout, network })
  const told = isOwn ? { network } : {}
  const narrow = await converted(own, `${base}.${layout}.int8.safetensors`, { int8: true, ...told })
  const rows = [
    ['own file', own, told.network ?? '', 'float32'],
    ['own file', own, told.network ?? '', 'int8'],
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

/** Writes a folder where the library keeps files beside its weights. */
async function converted(model, output, options) {
  if (existsSync(output)) return output
  const { convertModel } = await dist('bundle/node/node.js')
  const started = performance.now()
  await convertModel(model, output.replace(/\/model\.safetensors$/, ''), options)
  console.log(`${output} written in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return output
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
