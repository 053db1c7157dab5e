/**
 * Measures what a collection costs beside embeddings: `plumage index` and `plumage embed` of the same JPEG photos of 12 megapixels, with the same model, size,
 * precision and threads, in turns in one run. It prints a table in Markdown and writes bench/index-cost.json.
 *
 *     node bench/index-cost.mjs [--count 48] [--rounds 3] [--precision float32] [--size 224] [--threads 2] [--lock FILE] [--dry]
 *
 * Each figure is the least of the rounds. Processor time is that of the whole tree of processes: it says what was done where other work makes the wall clock say
 * something else. A run on one photo beside shows what goes to the start, LanceDB's included.
 */
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measured } from './folder/measured.mjs'
import { BENCH_FOLDER, folderOfPhotos, KINDS } from './folder/photos.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '48' },
    rounds: { type: 'string', default: '3' },
    precision: { type: 'string', default: 'float32' },
    size: { type: 'string', default: '224' },
    threads: { type: 'string' },
    lock: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
})
const machine = describeMachine()
const [count, rounds, threads] = [options.count, options.rounds, options.threads ?? machine.cores].map(Number)
const cli = fileURLToPath(new URL('../dist/bundle/node/cli.js', import.meta.url))
const { paths } = await folderOfPhotos('large', count)
const collection = `${BENCH_FOLDER}index-cost.plumage`
const network = ['--precision', options.precision, '--size', options.size, '--threads', `${threads}`]
const COMMANDS = {
  embed: (folder) => ['embed', folder, '--restart', '--output', `${BENCH_FOLDER}index-cost.npy`, ...network],
  index: (folder) => ['index', folder, '--to', collection, ...network],
}

const FOLDERS = { one: folderOf('index-cost-one', paths.slice(0, 1)), all: folderOf('index-cost', paths) }
const least = {}
for (let round = 0; round < rounds; round++)
  for (const which of ['one', 'all'])
    for (const [name, wordsOf] of Object.entries(COMMANDS)) {
      rmSync(collection, { recursive: true, force: true })
      const command = [process.execPath, cli, ...wordsOf(FOLDERS[which])]
      const found = await withLock(options.lock, () => measured(command))
      const known = least[`${name} ${which}`] ?? found
      least[`${name} ${which}`] = {
        wall: Math.min(known.wall, found.wall),
        processor: Math.min(known.processor, found.processor),
      }
    }

const rows = Object.keys(COMMANDS).map((name) => {
  const [all, one] = [least[`${name} all`], least[`${name} one`]]
  return { name, all, one, photoMs: (1000 * (all.processor - one.processor)) / (count - 1) }
})
const [embed, index] = rows
const times = {
  processor: index.all.processor / embed.all.processor,
  wall: index.all.wall / embed.all.wall,
  photo: index.photoMs / embed.photoMs,
}
const { precision, size } = options
const result = {
  date: new Date().toISOString(),
  machine,
  count,
  rounds,
  precision,
  size: Number(size),
  threads,
  rows,
  times,
}
print()
if (!options.dry)
  writeFileSync(new URL('index-cost.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`)

function print() {
  console.log(
    `${count} JPEG of ${KINDS.large.megapixels} megapixels, small (S/14), ${size} x ${size}, ${precision}, ${threads} threads, least of ${rounds} rounds\n`,
  )
  console.log(
    '| command | wall, s | processor, s | of it for one photo, s | processor ms for each further photo |',
  )
  console.log('| --- | --- | --- | --- | --- |')
  for (const { name, all, one, photoMs } of rows) {
    const cells = [
      all.wall.toFixed(1),
      all.processor.toFixed(2),
      one.processor.toFixed(2),
      photoMs.toFixed(0),
    ]
    console.log(`| \`${name}\` | ${cells.join(' | ')} |`)
  }
  const cells = [times.wall.toFixed(2), times.processor.toFixed(2), '', times.photo.toFixed(2)]
  console.log(`| times | ${cells.join(' | ')} |`)
  console.log(
    `\n${machine.cpu}, ${machine.cores} cores, ${machine.flags}; ${machine.system}, Node ${machine.node}`,
  )
}

/** Makes a folder of links to the photos. */
function folderOf(name, files) {
  const folder = `${BENCH_FOLDER}${name}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const path of files) linkSync(path, `${folder}/${basename(path)}`)
  return folder
}
