/**
 * Measures how fast a folder of JPEG photos becomes embeddings, beside its two parts, decoding and computing, each by itself, and beside what else embeds a
 * folder. Prints a table for each kind of photo and size, in Markdown.
 *
 *     node bench/folder.mjs                                     # 640 small and 640 large photos, S/14 at 224 and 518
 *     node bench/folder.mjs --peers --peer-count 64             # also birder-predict and a DataLoader, on the first 64 photos
 *     node bench/folder.mjs --photos large --sizes 224 --precisions int8 --decode whole,scaled
 *
 * A system's start is a run on one photo, the shorter of two, and its images a second are those of all others after it, so that a run on fewer photos says the same.
 */
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measured } from './folder/measured.mjs'
import { BENCH_FOLDER, folderOfPhotos, KINDS } from './folder/photos.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'
import { pythonPath } from './systems.mjs'

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: 'small,large' },
    sizes: { type: 'string', default: '224,518' },
    precisions: { type: 'string', default: 'float32,int8' },
    decode: { type: 'string', default: 'whole' },
    count: { type: 'string', default: '640' },
    peers: { type: 'boolean', default: false },
    'peer-count': { type: 'string' },
    /** Names a file that is locked (by flock) while a system is measured, for machines on which others measure too. */
    lock: { type: 'string' },
  },
})
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const NETWORK = 'vit_reg4_s14_nps_ls'
const TAG = 'tiny-imagenet'
const MODEL = here(`../models/small/${NETWORK}_${TAG}.safetensors`)
const count = Number(options.count)
const peerCount = Math.min(Number(options['peer-count'] ?? count), count)

/** @typedef {{ name: string, count: number, command: (photos: Photos) => readonly string[], cwd?: string }} System */
/** @typedef {{ folder: string, list: string }} Photos are a folder and a file that lists what is in it */

for (const kind of options.photos.split(',')) {
  const all = await folderOfPhotos(kind, count)
  for (const side of options.sizes.split(',').map(Number)) await runCase(kind, side, all.paths)
}
const machine = describeMachine()
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${machine.flags}; ${machine.system}, Node ${machine.node}`,
)

async function runCase(kind, side, paths) {
  console.log(`\n${count} JPEG of ${KINDS[kind].megapixels} megapixels, ${NETWORK}, ${side} x ${side}\n`)
  console.log('| | photos | start, s | images/s | processor ms an image | of what both parts allow |')
  console.log('| --- | --- | --- | --- | --- | --- |')
  const rows = new Map()
  for (const system of systemsFor(side)) {
    const { name } = system
    const row = await rowOf(system, paths)
    rows.set(name, row)
    if (typeof row === 'string') console.log(`| ${name} | | | missing: ${row} | | |`)
    else {
      const { photos, start, rate, processor } = row
      const cells = [name, photos, start.toFixed(2), rate.toPrecision(3), processor.toPrecision(3)]
      console.log(`| ${[...cells, shareOfBound(name, rate, rows)].join(' | ')} |`)
    }
  }
}

/** Decoding and computing share the cores, and each by itself has all of them: a second holds no more images than 1 / (1 / d + 1 / c). */
function shareOfBound(name, rate, rows) {
  const [, precision, mode] = /^embed, (\S+?)(?:, (scaled))?$/.exec(name) ?? []
  const decoding = rows.get(`decoding alone${mode === undefined ? '' : ', scaled'}`)
  const computing = rows.get(`computing alone, ${precision}`)
  if (decoding?.rate === undefined || computing?.rate === undefined) return ''
  const bound = 1 / (1 / decoding.rate + 1 / computing.rate)
  return `${Math.round((100 * rate) / bound)} % of ${bound.toPrecision(3)}`
}

function systemsFor(side) {
  const modes = options.decode.split(',')
  const precisions = options.precisions.split(',')
  const named = (name, mode) => (mode === 'whole' ? name : `${name}, ${mode}`)
  const part = (...words) => [process.execPath, here('folder/part.mjs'), ...words]
  const own = [
    ...modes.map((mode) => ({
      name: named('decoding alone', mode),
      command: ({ list }) => part('decode', MODEL, `${side}`, list, mode),
    })),
    ...precisions.map((precision) => ({
      name: `computing alone, ${precision}`,
      command: ({ list }) => part('compute', MODEL, `${side}`, list, precision),
    })),
    ...precisions.flatMap((precision) =>
      modes.map((mode) => ({
        name: named(`embed, ${precision}`, mode),
        command: ({ folder }) => [
          ...[
            process.execPath,
            here('../dist/bundle/node/cli.js'),
            'embed',
            folder,
            '--restart',
            '--decode',
            mode,
          ],
          ...['--size', `${side}`, '--precision', precision, '--output', `${BENCH_FOLDER}out.npy`],
        ],
      })),
    ),
  ].map((system) => ({ ...system, count }))
  return options.peers ? [...own, ...peersFor(side)] : own
}

/** @returns {System[]} */
function peersFor(side) {
  const home = birderHome()
  const size = ['--size', `${side}`]
  return [
    {
      name: 'PyTorch DataLoader, 2 workers, and Birder’s network, float32',
      count: peerCount,
      command: ({ list }) => [pythonPath, here('peers/folder_peer.py'), MODEL, NETWORK, `${side}`, list],
    },
    {
      name: 'birder-predict, 2 workers, float32',
      count: peerCount,
      cwd: home,
      command: ({ folder }) => [
        ...[`${dirname(pythonPath)}/birder-predict`, '-n', NETWORK, '-t', TAG, '--st', ...size],
        ...['-j', '2', '--save-embeddings', '--skip-results-analysis', folder],
      ],
    },
  ]
}

/** Birder looks for a model in the folder `models` below where it is started. */
function birderHome() {
  const home = `${BENCH_FOLDER}birder`
  mkdirSync(`${home}/models`, { recursive: true })
  linkAnew(MODEL, `${home}/models/${basename(MODEL)}`)
  return home
}

async function rowOf({ command, cwd, count: photos }, paths) {
  const run = (some) => withLock(options.lock, () => measured(command(some), { cwd }))
  try {
    const ones = [await run(photosOf(paths.slice(0, 1))), await run(photosOf(paths.slice(0, 1)))]
    const one = ones.reduce((least, other) => (other.wall < least.wall ? other : least))
    const all = await run(photosOf(paths.slice(0, photos)))
    const processor = (1000 * (all.processor - one.processor)) / (photos - 1)
    return { photos, start: one.wall, rate: (photos - 1) / (all.wall - one.wall), processor }
  } catch (error) {
    return error.message
  }
}

/** Makes a folder of links to the photos, and the list of them. */
function photosOf(paths) {
  const folder = `${BENCH_FOLDER}run`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const links = paths.map((path) => `${folder}/${basename(path)}`)
  for (const [i, path] of paths.entries()) linkAnew(path, links[i])
  const list = `${BENCH_FOLDER}run.txt`
  writeFileSync(list, `${links.join('\n')}\n`)
  return { folder, list }
}

function linkAnew(from, to) {
  rmSync(to, { force: true })
  linkSync(from, to)
}

console.log(`${availableParallelism()} decoders where decoding is alone.`)
