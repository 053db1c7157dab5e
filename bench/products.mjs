/**
 * Measures products over features: the Gram matrix and the joint colours of 32 photos of 37 x 37 patches of 384, beside the passes of S/14 at 518 in float32 that these
 * photos take on the same engine, and one query against 1.4 million patches in
 * float16 and in int8, beside the time that adding up the same bytes takes. Prints a table in Markdown, with the machine.
 *
 *     node bench/products.mjs [--rows 1400000] [--width 384] [--rounds 7] [--queries 40] [--threads 2] [--only pictures|scores] [--lock file]
 *
 * Rows are made: `even` ones have no direction more often than another, which is the hardest that there is, since all are nearly as far away; `grouped` ones lie
 * around 4,096 directions, as patches do around kinds of things. Agreement is the share of the ten nearest in float32 that are among the ten found. `refined`
 * looks through int8 for the nearest 64, and through those in float16 for the ten.
 */
import { parseArgs } from 'node:util'
import { dist } from './dist.mjs'
import { withLock } from './lock.mjs'
import { describeMachine } from './machine.mjs'
import { median } from './median.mjs'

const { values: options } = parseArgs({
  options: {
    /** Measures one of: pictures, scores. Default: both. */
    only: { type: 'string' },
    rows: { type: 'string', default: '1400000' },
    width: { type: 'string', default: '384' },
    rounds: { type: 'string', default: '7' },
    queries: { type: 'string', default: '40' },
    threads: { type: 'string' },
    /** Names a file that is locked (by flock) while something is measured, for machines on which others measure too. */
    lock: { type: 'string' },
  },
})
const [rows, width, rounds, queryCount] = [options.rows, options.width, options.rounds, options.queries].map(
  Number,
)
const BLOCK = 100_000
const NEAREST = 10
const REFINED_FROM = 64

const { loadEncoder } = await dist('platform/node/index.js')
const { createProducts } = await dist('platform/node/create-products.js')
const { createWasmProducts } = await dist('platform/node/wasm/wasm-products.js')
const { plainProducts } = await dist('numerics/products.js')
const { fitPatchColors } = await dist('picture/patch-colors.js')
const { unitRows } = await dist('numerics/lengths.js')
const { toHalf } = await dist('tensor/float16.js')
const { toInt8Rows } = await dist('tensor/int8.js')

const products = createProducts(options.threads === undefined ? {} : { threads: Number(options.threads) })
const machine = describeMachine()
console.log(`${machine.cpu} (${machine.flags}), ${machine.cores} cores, Node ${machine.node}\n`)
if (options.only !== 'scores') await measurePictures()
if (options.only !== 'pictures') for (const kind of ['even', 'grouped']) await measureScores(kind)
await products[Symbol.asyncDispose]()

async function measurePictures() {
  const [photos, patches] = [32, 37 * 37]
  const maps = Array.from({ length: photos }, (_, photo) => ({
    patches: unitRows(makeRows('grouped', patches, photo + 1), width),
    grid: { rows: 37, columns: 37 },
  }))
  const blocks = maps.map((map) => map.patches)
  const { sums } = await products.gram(blocks.slice(0, 2), width)
  const exact = await plainProducts.gram(blocks.slice(0, 2), width)
  const largest = exact.sums.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const error = sums.reduce((most, value, i) => Math.max(most, Math.abs(value - exact.sums[i])), 0) / largest
  const gram = await timed(() => products.gram(blocks, width))
  const rate = (photos * patches * width * (width + 1)) / gram.least / 1e9
  console.log('| 32 photos of 37 x 37 patches | s, median | s, least | |')
  console.log('| --- | --- | --- | --- |')
  const about = `${rate.toFixed(0)} GFLOP/s; error ${error.toExponential(1)} of the largest`
  console.log(row('Gram matrix, native', gram, about))
  const wasm = createWasmProducts()
  console.log(row('Gram matrix, WebAssembly', await timed(() => wasm.gram(blocks, width)), ''))
  for (const [name, way, engine] of [
    ['native', products, 'native'],
    ['WebAssembly', wasm, 'wasm'],
  ]) {
    const pass = await passOf(engine)
    console.log(row(`a pass of S/14 at 518, ${name}`, pass, pass.precision))
    for (const method of ['plumage', 'dinov2']) {
      const times = await timed(() => fitPatchColors(maps, { products: way, method }))
      const share = (100 * times.least) / (photos * pass.least)
      console.log(
        row(`joint colours as ${method}, ${name}`, times, `${share.toFixed(1)} % of ${photos} passes`),
      )
    }
  }
  console.log('')
}

/** The model that ships is a ViT-S/14 with four registers. */
async function passOf(engine) {
  const encoder = await loadEncoder('small', { engine, precision: 'float32', size: 518 })
  const photo = { height: 518, width: 518, data: new Uint8Array(518 * 518 * 3).map((_, i) => i % 251) }
  await encoder.encode(photo)
  const times = await timed(() => encoder.encode(photo))
  await encoder[Symbol.asyncDispose]()
  return { ...times, precision: `float32, ${encoder.identity.engine}` }
}

async function measureScores(kind) {
  const stored = { F16: [], I8: [] }
  const queries = unitRows(makeRows(kind, queryCount, 12345), width)
  const exact = Array.from({ length: queryCount }, () => [])
  for (let first = 0; first < rows; first += BLOCK) {
    const block = unitRows(makeRows(kind, Math.min(BLOCK, rows - first), first + 7), width)
    stored.F16.push({ dtype: 'F16', bytes: new Uint8Array(toHalf(block).buffer) })
    const { bytes, scales } = toInt8Rows(block, width)
    stored.I8.push({ dtype: 'I8', bytes: new Uint8Array(bytes.buffer), scales })
    keepNearest(exact, await products.similarity(queries, block, width), first)
  }
  console.log(
    `| ${rows} ${kind} rows of ${width} | s, median | s, least | of adding up the bytes | agreement of the nearest ${NEAREST} |`,
  )
  console.log('| --- | --- | --- | --- | --- |')
  const queryOf = (q) => queries.subarray(q * width, (q + 1) * width)
  const find = async (dtype, q, count = NEAREST) =>
    (await products.nearestRows(queryOf(q), stored[dtype], count)).rows
  const refined = async (q) => {
    const candidates = (await find('I8', q, REFINED_FROM)).toSorted()
    const chosen = Array.from(candidates, (number) => rowOf(stored.F16, number))
    const { rows } = await products.nearestRows(queryOf(q), chosen, NEAREST)
    return rows.map((place) => candidates[place])
  }
  const ways = [
    ['float16', 'F16', (q) => find('F16', q)],
    ['int8', 'I8', (q) => find('I8', q)],
    ['int8, refined in float16', 'I8', refined],
  ]
  for (const [name, dtype, look] of ways) {
    const arrays = stored[dtype].flatMap(({ bytes, scales }) =>
      scales === undefined ? [bytes] : [bytes, new Uint8Array(scales.buffer)],
    )
    // They take turns, so that whatever else the machine does comes upon both.
    const [found, added] = await inTurns(
      (round) => look(round % queryCount),
      () => products.sumBytes(arrays),
    )
    let agreed = 0
    for (let q = 0; q < queryCount; q++) {
      const nearest = new Set(exact[q].map(({ row }) => row))
      agreed += (await look(q)).reduce((sum, number) => sum + (nearest.has(number) ? 1 : 0), 0)
    }
    const ratio = `${(found.least / added.least).toFixed(2)} (least of each; ${(found.median / added.median).toFixed(2)} of medians)`
    console.log(`${row(name, found, ratio)} ${(agreed / queryCount / NEAREST).toFixed(4)} |`)
  }
  console.log('')
}

function rowOf(blocks, number) {
  const { bytes } = blocks[Math.floor(number / BLOCK)]
  const at = (number % BLOCK) * width * 2
  return { dtype: 'F16', bytes: bytes.subarray(at, at + width * 2) }
}

/** Keeps the nearest of [queries, rows] scores with those that were there. */
function keepNearest(nearest, scores, first) {
  const count = scores.length / nearest.length
  for (const [q, found] of nearest.entries()) {
    for (let i = 0; i < count; i++) {
      const score = scores[q * count + i]
      if (found.length === NEAREST && score <= found[NEAREST - 1].score) continue
      found.push({ row: first + i, score })
      found.sort((a, b) => b.score - a.score)
      found.length = Math.min(found.length, NEAREST)
    }
  }
}

async function timed(action) {
  const [times] = await inTurns(action)
  return times
}

async function inTurns(...actions) {
  return withLock(options.lock, async () => {
    const seconds = actions.map(() => [])
    for (let round = 0; round < rounds; round++)
      for (const [i, action] of actions.entries()) {
        const start = performance.now()
        await action(round)
        seconds[i].push((performance.now() - start) / 1000)
      }
    return seconds.map((own) => ({ median: median(own), least: Math.min(...own) }))
  })
}

function row(name, { median: middle, least }, more) {
  return `| ${name} | ${middle.toPrecision(3)} | ${least.toPrecision(3)} | ${more} |`
}

/** Makes values that nearly are of a normal distribution; grouped ones have most of their length along one of 4,096 directions. */
function makeRows(kind, count, seed) {
  const made = new Float32Array(count * width)
  fillNoise(made, seed)
  if (kind === 'even') return made
  const group = new Float32Array(width)
  for (let r = 0; r < count; r++) {
    fillNoise(group, 1_000_003 + (Math.imul(r + seed, 0x9e3779b1) >>> 20))
    for (let i = 0; i < width; i++) made[r * width + i] += 1.5 * group[i]
  }
  return made
}

/** Adds up the four bytes of what xorshift gives. */
function fillNoise(values, seed) {
  let state = Math.imul(seed + 1, 0x85ebca77) | 1
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    values[i] = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510
  }
}
