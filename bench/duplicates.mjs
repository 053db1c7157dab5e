/**
 * Measures how well duplicates are found: copies are planted among photos that have nothing to do with each other, each kind its own row, with lookalikes, three for each photo; the
 * counts of cleanvision and fastdup stand beside ours where they are installed. It writes bench/duplicates.json.
 *
 *     npm run bench -- --duplicates --photos <folder> [--originals 200] [--copies 3] [--seed 1] [--model models/small] [--python bench/.venv/bin/python]
 *
 * The photos are anybody's, in the folder of `--photos` or of the environment's PLUMAGE_BENCH_PHOTOS: at least 200 that show different things, such as those of the Berkeley
 * segmentation data set (BIDS/BSDS500 on GitHub). Each gets `--copies` copies, of kinds that take turns.
 * Thresholds were chosen on other seeds than those that are measured.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { COPIES, drawingFrom, LOOKALIKES } from '../test/support/plant-copies.mjs'
import { dist } from './dist.mjs'
import { describeMachine } from './machine.mjs'
import { pythonPath } from './systems.mjs'

const { values: options } = parseArgs({
  options: {
    photos: { type: 'string', default: process.env.PLUMAGE_BENCH_PHOTOS },
    originals: { type: 'string', default: '200' },
    copies: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string', default: 'models/small' },
    python: { type: 'string', default: pythonPath },
    dry: { type: 'boolean', default: false },
  },
})
if (options.photos === undefined)
  throw new Error('Name a folder of at least 200 photos: --photos <folder>, or PLUMAGE_BENCH_PHOTOS.')
const { createCollection, findDuplicates, findFlaws, indexFolders, loadEncoder } =
  await dist('platform/node/index.js')

const work = mkdtempSync(join(tmpdir(), 'plumage-duplicates-'))
try {
  const planted = await plant(join(work, 'photos'))
  const result = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    photos: basename(options.photos),
    originals: Number(options.originals),
    copies: Number(options.copies),
    seed: Number(options.seed),
    model: options.model,
    ...(await measure(planted)),
  }
  result.peers = ['cleanvision', 'fastdup'].map((name) => peer(name, planted))
  print(result)
  if (!options.dry)
    writeFileSync(new URL('duplicates.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`)
} finally {
  rmSync(work, { recursive: true })
}

/** Gives for each file the photo that it was made of, and how. */
async function plant(folder) {
  mkdirSync(folder)
  const random = drawingFrom(Number(options.seed))
  const names = readdirSync(options.photos, { recursive: true })
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .sort()
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[names[i], names[j]] = [names[j], names[i]]
  }
  const originals = names.slice(0, Number(options.originals))
  const read = (name) => readFileSync(join(options.photos, name))
  const files = new Map()
  const write = (name, bytes, of, kind) => {
    writeFileSync(join(folder, name), bytes)
    files.set(name, { of, kind })
  }
  const kinds = Object.keys(COPIES)
  let turn = 0
  for (const [of, name] of originals.entries()) {
    const [photo, other] = [read(name), read(originals[(of + 1) % originals.length])]
    const number = String(of).padStart(4, '0')
    write(`${number}.jpg`, photo, of, 'original')
    for (let copy = 0; copy < Number(options.copies); copy++) {
      const kind = kinds[turn++ % kinds.length]
      write(
        `${number}-${kind}.${kind === 'screenshot' ? 'png' : 'jpg'}`,
        await COPIES[kind](photo, random, other),
        of,
        kind,
      )
    }
    for (const [kind, make] of Object.entries(LOOKALIKES))
      write(`${number}-like-${kind}.jpg`, await make(photo, random, other), of, `like ${kind}`)
  }
  return { folder, files, originals: originals.length }
}

async function measure({ folder, files }) {
  const encoder = await loadEncoder(options.model)
  const identity = encoder.identity
  const model = { source: options.model, options: {} }
  const settings = { identity, width: encoder.embeddingWidth, model }
  const collection = await createCollection(join(work, 'photos.plumage'), settings)
  const begun = performance.now()
  await indexFolders(collection, [folder], encoder)
  await encoder[Symbol.asyncDispose]()
  const indexed = performance.now()
  const { groups, tried, untried } = await findDuplicates(collection, {
    mostTries: Number.POSITIVE_INFINITY,
    onProgress: ({ tried, total }) => {
      if (tried % 500 === 0) console.error(`compared ${tried} of ${total} pairs`)
    },
  })
  const seconds = { index: (indexed - begun) / 1000, duplicates: (performance.now() - indexed) / 1000 }
  const pairs = groups
    .filter(({ kind }) => kind === 'copies')
    .flatMap(({ kept, members }) =>
      members.map(({ copy, words }) => ({ kept: kept.path, member: copy.path, words })),
    )
  const flaws = {}
  for (const { flaw } of await findFlaws(collection)) flaws[flaw] = (flaws[flaw] ?? 0) + 1
  await collection[Symbol.asyncDispose]()
  return { seconds, tried, untried, ...judged(files, pairs), flaws }
}

/** A pair is right where both were made of one photo and neither is a lookalike. */
function judged(files, pairs) {
  const isCopy = ({ kind }) => !kind.startsWith('like ')
  const rows = {}
  for (const { kind } of files.values())
    if (isCopy({ kind }) && kind !== 'original') rows[kind] ??= { planted: 0, found: 0, right: 0, wrong: 0 }
  for (const { kind } of files.values()) if (rows[kind] !== undefined) rows[kind].planted++
  const found = new Set()
  const wrong = []
  for (const pair of pairs) {
    const [a, b] = [files.get(pair.kept), files.get(pair.member)]
    const isRight = a.of === b.of && isCopy(a) && isCopy(b)
    if (!isRight) wrong.push(pair)
    for (const [name, { kind }] of [
      [pair.kept, a],
      [pair.member, b],
    ]) {
      if (isRight) found.add(name)
      if (rows[kind] !== undefined) rows[kind][isRight ? 'right' : 'wrong']++
    }
  }
  for (const name of found) if (rows[files.get(name).kind] !== undefined) rows[files.get(name).kind].found++
  for (const row of Object.values(rows)) {
    row.recall = row.found / row.planted
    row.precision = row.right / Math.max(1, row.right + row.wrong)
  }
  return { rows, pairs: pairs.length, precision: 1 - wrong.length / Math.max(1, pairs.length), wrong }
}

/** Others give sets of files; each pair in a set counts. */
function peer(name, { folder, files }) {
  const script = new URL('peers/duplicates_peer.py', import.meta.url).pathname
  try {
    const text = execFileSync(options.python, [script, name, folder], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 28,
    })
    const { version, sets, flaws } = JSON.parse(text.slice(text.lastIndexOf('\n{') + 1))
    const pairs = sets.flatMap((set) =>
      set.flatMap((kept, i) => set.slice(i + 1).map((member) => ({ kept, member }))),
    )
    const { wrong, ...rest } = judged(files, pairs)
    return { name, version, ...rest, wrong: wrong.length, flaws }
  } catch (error) {
    return { name, missing: `not measured: ${String(error.message).split('\n')[0]}` }
  }
}

function print({ rows, precision, pairs, wrong, seconds, tried, untried, flaws, peers }) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`.padStart(8)
  console.log(
    `kind         planted  recall  precision${peers.map(({ name }) => `  ${name} recall`).join('')}`,
  )
  for (const [kind, row] of Object.entries(rows)) {
    const others = peers.map((one) =>
      (one.rows === undefined ? '-' : percent(one.rows[kind].recall)).padStart(one.name.length + 9),
    )
    console.log(
      `${kind.padEnd(12)} ${String(row.planted).padStart(7)} ${percent(row.recall)} ${percent(row.precision)} ${others.join('')}`,
    )
  }
  console.log(
    `same picture: ${pairs} pairs, precision ${percent(precision)}; ${tried} tried, ${untried} untried`,
  )
  for (const { kept, member, words } of wrong) console.log(`  wrong: ${kept} and ${member}: ${words}`)
  console.log(
    `indexed in ${seconds.index.toFixed(0)} s, compared in ${seconds.duplicates.toFixed(0)} s; flaws ${JSON.stringify(flaws)}`,
  )
  for (const one of peers)
    console.log(
      one.missing === undefined
        ? `${one.name} ${one.version}: ${one.pairs} pairs, precision ${percent(one.precision)}; flaws ${JSON.stringify(one.flaws)}`
        : `${one.name}: ${one.missing}`,
    )
}
