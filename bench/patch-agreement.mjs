/**
 * Says how near patches that are kept as components (`plumage index --regions full`) come to whole ones: the components are found by some photos, and a place in further photos is looked
 * for in others. Unrelated photos show what is held back: twins agree more.
 *
 *     node bench/patch-agreement.mjs <folder of at least 100 photos> [--model small] [--fit 64]
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url).href)
const { loadEncoder } = await dist('platform/node/index.js')
const { codedDirection, cosinesOf, encodePatches, fitPatchBasis, readPatches } = await dist(
  'collection/regions/patch-codes.js',
)
const { findPlace, placeOfCosines, placeVector } = await dist('collection/regions/find-place.js')

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: 'small' }, fit: { type: 'string', default: '64' } },
})
const [folder = '.'] = positionals
const fit = Number(values.fit)
const [TESTED, ASKED, FIRST] = [32, 12, 10]

const paths = readdirSync(folder, { recursive: true })
  .filter((name) => /\.jpe?g$/i.test(name))
  .sort()
  .slice(0, fit + TESTED)
  .map((name) => join(folder, name))
if (paths.length < fit + TESTED)
  throw new Error(`${folder} has ${paths.length} photos where ${fit + TESTED} are needed`)

const encoder = await loadEncoder(values.model, {})
const photos = []
for await (const { features, error } of encoder.encodeAll(paths)) {
  if (error !== undefined) throw error
  photos.push(features)
}
await encoder[Symbol.asyncDispose]()

const tested = photos.slice(fit)
const width = tested[0].patches.length / (tested[0].grid.rows * tested[0].grid.columns)
const basis = await fitPatchBasis(
  photos.slice(0, fit).map(({ patches }) => patches),
  width,
)
const components = basis.components.length / width
const coded = await Promise.all(
  tested.map(async (photo) => readPatches(await encodePatches(photo, basis), components, 'here')),
)

const off = []
let same = 0
for (const asked of tested.slice(0, ASKED)) {
  const { rows, columns } = asked.grid
  const middle = Math.floor(rows / 2) * columns + Math.floor(columns / 2)
  const query = placeVector(asked, [middle, middle + 1, middle - columns, middle - columns + 1])
  const direction = codedDirection(basis, query)
  const whole = tested.map((photo) => findPlace(photo, query).similarity)
  const kept = coded.map((photo) => placeOfCosines(photo, cosinesOf(photo, direction)).similarity)
  off.push(...whole.map((similarity, at) => Math.abs(similarity - kept[at])))
  const nearest = (similarities) =>
    [...similarities.keys()].sort((a, b) => similarities[b] - similarities[a]).slice(0, FIRST)
  const truth = new Set(nearest(whole))
  same += nearest(kept).filter((at) => truth.has(at)).length / FIRST / ASKED
}
const mean = off.reduce((sum, value) => sum + value, 0) / off.length
console.log(
  `${components} components of ${fit} photos hold ${(100 * basis.kept).toFixed(0)} % of what differs between patches. Of ${TESTED} further photos, similarities are ${mean.toFixed(3)} off on average and ${Math.max(...off).toFixed(2)} at worst, and ${(100 * same).toFixed(0)} % of the ${FIRST} nearest are the same.`,
)
