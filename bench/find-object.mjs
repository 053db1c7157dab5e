/**
 * Measures how often objects are found without labels: CorLoc, the share of photos in which the box that is found and the true one have at least half of their
 * union in common (Deselaers et al. 2010). Composites are things pasted on textures; photos are those of examples/photos with boxes drawn by a person.
 *
 *     node bench/find-object.mjs [model, default models/small] [size, default 448] [--sweep] [--write]
 *
 * `--sweep` tries what objects are looked for in and the bounds of what looks alike, by which the settings of src/picture/find-object.ts were chosen on every
 * second composite (`chosen on`; `others` are the rest), and LOST (Siméoni et al. 2021), which found fewer in all and is for this reason not in the library. `--write`
 * puts the figures of both models into bench/README.md.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { BOXES, composite, overlapOf, PHOTOS, readPhoto, TEXTURES } from './composites.mjs'
import { foundByLost } from './lost.mjs'

const { createProducts, findObject, loadEncoder, OBJECT_SETTINGS } = await import(
  new URL('../dist/platform/node/index.js', import.meta.url).href
)
const [model = 'models/small', size = '448'] = process.argv.slice(2).filter((one) => !one.startsWith('--'))
const isSweep = process.argv.includes('--sweep')
const EACH = 2
const FACETS = {
  patches: null,
  'keys of the last block': { layer: -1, of: 'k' },
  keys: { layer: -2, of: 'k' },
  'values of the last block': { layer: -1, of: 'v' },
}
const TAUS = { true: [0.1, 0.2, 0.3, 0.4, 'otsu'], false: [0.2, 0.5, 0.7, 0.9, 'otsu'] }
/** Are shown beside the settings of the library. */
const OTHERS = [
  ['patches', { tau: 0.2, epsilon: 1e-5, centred: false }, 'TokenCut as in the paper, on output patches'],
  ['keys of the last block', { tau: 0.2, epsilon: 1e-5, centred: false }, 'TokenCut as in the paper'],
  ['keys of the last block', 'lost', 'LOST as in the paper'],
  ['keys of the last block', 'lost, centred', 'LOST, of keys less their mean'],
]

const products = createProducts()

async function scenesOf(model) {
  const encoder = await loadEncoder(model, { size: Number(size) })
  const facets = Object.values(FACETS).filter((facet) => facet !== null)
  const seen = async ({ image, box }) => {
    const features = await encoder.encode(image, { facets })
    const named = Object.keys(FACETS).slice(1)
    const inside = named.map((name, index) => [name, features.facets[index].patches])
    return { features, box, inputs: { patches: features.patches, ...Object.fromEntries(inside) } }
  }
  const scenes = { fit: [], rest: [], photos: [] }
  let seed = 1
  for (const name of PHOTOS) {
    for (const texture of Object.keys(TEXTURES))
      for (let i = 0; i < EACH; i++)
        scenes[i === 0 ? 'fit' : 'rest'].push(await seen(await composite(name, texture, seed++)))
    const [left, top, right, bottom] = BOXES[name]
    scenes.photos.push(await seen({ image: await readPhoto(name), box: { left, top, right, bottom } }))
  }
  const name = encoder.identity.model
  await encoder[Symbol.asyncDispose]()
  return { name, scenes }
}

async function corLoc(scenes, of, settings) {
  let found = 0
  for (const { features, box, inputs } of scenes) {
    const map = { patches: inputs[of], grid: features.grid }
    const own =
      typeof settings === 'string'
        ? await foundByLost(map, products, settings === 'lost, centred')
        : (await findObject(map, { ...settings, products }))?.box
    if (own === undefined || own === null) continue
    const first = features.patchBox(own.top, own.left)
    const last = features.patchBox(own.bottom - 1, own.right - 1)
    const pixels = { left: first.left, top: first.top, right: last.right, bottom: last.bottom }
    if (overlapOf(pixels, box) >= 0.5) found++
  }
  return found / scenes.length
}

const percent = (share) => `${(100 * share).toFixed(0)} %`.padStart(6)

async function told(scenes, of, settings) {
  const shares = {}
  for (const [name, some] of Object.entries(scenes)) shares[name] = await corLoc(some, of, settings)
  return shares
}

async function measure(model) {
  const { name, scenes } = await scenesOf(model)
  const rows = []
  const add = async (label, of, settings) => {
    const shares = await told(scenes, of, settings)
    rows.push({ label, shares })
    const text =
      typeof settings === 'string' ? settings : `tau ${settings.tau}${settings.centred ? ', centred' : ''}`
    console.log(
      `${name} ${of.padEnd(24)} ${text.padEnd(18)} chosen on ${percent(shares.fit)} others ${percent(shares.rest)} photos ${percent(shares.photos)}`,
    )
  }
  for (const of of ['patches', 'keys']) await add(`\`${of}\``, of, OBJECT_SETTINGS[of])
  for (const [of, settings, label] of OTHERS) await add(label, of, settings)
  if (isSweep)
    for (const of of Object.keys(FACETS)) {
      for (const centred of [true, false])
        for (const tau of TAUS[centred]) await add('', of, { tau, centred, epsilon: 1e-5 })
      for (const way of ['lost', 'lost, centred']) await add('', of, way)
    }
  return { name, rows }
}

const BEGIN = '<!-- objects: written by node bench/find-object.mjs --write -->'
const END = '<!-- end of objects -->'

async function write() {
  const tables = []
  for (const model of ['models/small', 'models/mini']) {
    const { name, rows } = await measure(model)
    const lines = rows.map(
      ({ label, shares: { fit, rest, photos } }) =>
        `| ${label} | ${[fit, rest, photos].map((share) => percent(share).trim()).join(' | ')} |`,
    )
    tables.push(
      `\`${model}\` (${name}) at ${size}:\n\n| looked for in | 60 composites, chosen on | 60 others | 12 photos |\n| --- | --- | --- | --- |\n${lines.join('\n')}`,
    )
  }
  const path = new URL('README.md', import.meta.url)
  const text = await readFile(path, 'utf8')
  const [before, rest] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))]
  await writeFile(path, `${before}${BEGIN}\n${tables.join('\n\n')}\n${rest}`)
}

if (process.argv.includes('--write')) await write()
else await measure(model)
await products[Symbol.asyncDispose]()
