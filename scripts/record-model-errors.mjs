/**
 * Writes test/golden/family-errors.json: how near each golden network comes on each engine and in each precision of this machine, which docs/models.md shows.
 *
 *     npm run build && node scripts/record-model-errors.mjs [engine:precision ...]
 *
 * It keeps the largest error of float32 as a part of the tolerance, and the lowest cosine of narrower precisions; what this machine lacks keeps what was recorded
 * before. Of the native engine it keeps the worst of all instruction sets that the processor has, so that it is best run where these are many. Names of columns record these
 * anew alone. Then `npm run format`, and `npx vitest run test/golden/models-list.test.ts --update` writes the list.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chooseEngine } from '../dist/platform/node/choose-engine.js'
import { nativeAvailability, nativePrecisions } from '../dist/platform/node/native/index.js'
import { verifyGoldens } from '../dist/platform/node/verify-goldens.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const sets = ['families', 'more'].map((name) => join(root, 'test/golden/families', name))
const target = join(root, 'test/golden/family-errors.json')
const COLUMNS = [
  ...['reference:float64', 'native:float32', 'native:bfloat16', 'native:int8'],
  ...['wasm:float32', 'wasm:float16', 'wasm:int8', 'webgpu:float32'],
]

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !COLUMNS.includes(name))
if (unknown !== undefined) {
  console.error(`${unknown} is none of ${COLUMNS.join(', ')}.`)
  process.exit(2)
}
const before = existsSync(target) ? JSON.parse(readFileSync(target, 'utf8')) : { columns: [], cases: {} }
const cases = {}
for (const [at, column] of COLUMNS.entries()) {
  const isAsked = asked.length === 0 || asked.includes(column)
  const found = (isAsked ? await measure(column) : null) ?? recordedBefore(column)
  for (const [id, figure] of Object.entries(found)) {
    cases[id] ??= COLUMNS.map(() => null)
    cases[id][at] = figure
  }
}
const of = createHash('sha256')
for (const set of sets) of.update(readFileSync(join(set, 'index.json')))
writeFileSync(target, `${JSON.stringify({ of: of.digest('hex'), columns: COLUMNS, cases }, null, 2)}\n`)

function recordedBefore(column) {
  const at = before.columns.indexOf(column)
  const figures = Object.entries(before.cases).map(([id, own]) => [id, own[at] ?? null])
  return Object.fromEntries(figures.filter(([, figure]) => figure !== null))
}

/** Gives the figure of each case by its id; null where the engine or precision is not to be had here. */
async function measure(column) {
  const [engine, precision] = column.split(':')
  const isExact = precision === 'float32' || precision === 'float64'
  const figures = new Map()
  for (const choice of choicesOf(engine, precision)) {
    const chosen = await chooseEngine(choice).catch((error) => console.warn(`${column}: ${error.message}`))
    if (chosen === undefined) return null
    const options = { engine: chosen.engine, kinds: ['family', 'head'] }
    for (const set of sets) {
      for await (const { id, tensor, error, tolerance, passed, note = '' } of verifyGoldens(set, options)) {
        if (/tokens that went to other/.test(note)) continue
        if (!passed) console.warn(`${column}: ${id} ${tensor} is ${error} off, of ${tolerance}. ${note}`)
        const figure = isExact ? (tolerance === 0 ? 0 : error / tolerance) : 1 - error
        const former = figures.get(id) ?? figure
        figures.set(id, isExact ? Math.max(former, figure) : Math.min(former, figure))
      }
    }
    await chosen.engine[Symbol.asyncDispose]()
  }
  console.log(`${column}: ${figures.size} cases`)
  const rounded = (figure) => (isExact ? Number(figure.toPrecision(2)) : Math.floor(figure * 1e6) / 1e6)
  return figures.size === 0
    ? null
    : Object.fromEntries([...figures].map(([id, figure]) => [id, rounded(figure)]))
}

/** Names each path of an engine. */
function choicesOf(engine, precision) {
  if (engine !== 'native') return [engine === 'reference' ? { engine } : { engine, precision }]
  return nativeAvailability()
    .instructionSets.filter((set) => nativePrecisions(set).includes(precision))
    .map((instructionSet) => ({ engine, precision, instructionSet }))
}
