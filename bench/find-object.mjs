/**
 * Measures how often objects are found without labels: CorLoc, the share of photos in which the box that is found and the true one have at least half of their
 * union in common (Deselaers et al. 2010). Composites are things pasted on textures; photos are those of examples/photos with boxes drawn by a person.
 *
 *     node bench/find-object.mjs [model, default models/small] [size, default 224] [--sweep]
 *
 * `--sweep` tries the bounds of what looks alike, by which the settings of src/picture/find-object.ts were chosen.
 */
import { BOXES, composite, overlapOf, PHOTOS, readPhoto, TEXTURES } from './composites.mjs'

const { findObject, loadEncoder, OBJECT_SETTINGS } = await import(
  new URL('../dist/platform/node/index.js', import.meta.url).href
)
const [model = 'models/small', size = '224'] = process.argv.slice(2).filter((one) => !one.startsWith('--'))
const isSweep = process.argv.includes('--sweep')
const EACH = 2

const encoder = await loadEncoder(model, { size: Number(size) })
const scenes = { composites: [], photos: [] }
let seed = 1
for (const name of PHOTOS) {
  for (const texture of Object.keys(TEXTURES))
    for (let i = 0; i < EACH; i++) scenes.composites.push(await seen(await composite(name, texture, seed++)))
  const [left, top, right, bottom] = BOXES[name]
  scenes.photos.push(await seen({ image: await readPhoto(name), box: { left, top, right, bottom } }))
}

async function seen({ image, box }) {
  const features = await encoder.encode(image, { facets: [{ layer: -1, of: 'k' }] })
  return { features, box, inputs: { patches: features.patches, keys: features.facets[0].patches } }
}

async function corLoc(scenes, of, settings) {
  let found = 0
  let cells = 0
  for (const { features, box, inputs } of scenes) {
    const object = await findObject({ patches: inputs[of], grid: features.grid }, settings)
    if (object === null) continue
    const first = features.patchBox(object.box.top, object.box.left)
    const last = features.patchBox(object.box.bottom - 1, object.box.right - 1)
    const own = { left: first.left, top: first.top, right: last.right, bottom: last.bottom }
    cells += object.mask.reduce((sum, one) => sum + one, 0) / object.mask.length
    if (overlapOf(own, box) >= 0.5) found++
  }
  return { share: found / scenes.length, area: cells / scenes.length }
}

const percent = (share) => `${(100 * share).toFixed(0)} %`.padStart(6)
console.log(
  `${encoder.identity.model}, ${size} x ${size}: ${scenes.composites.length} composites, ${scenes.photos.length} photos`,
)
const TAUS = [0, 0.2, 0.4, 0.6, 0.8, 0.85, 0.9, 0.95]
const sweeps = ['patches', 'keys'].flatMap((of) =>
  isSweep
    ? [true, false].flatMap((centred) => TAUS.map((tau) => ({ of, settings: { tau, centred } })))
    : [{ of, settings: OBJECT_SETTINGS[of] }],
)
for (const { of, settings } of sweeps) {
  const composites = await corLoc(scenes.composites, of, settings)
  const photos = await corLoc(scenes.photos, of, settings)
  console.log(
    `${of.padEnd(8)} ${JSON.stringify(settings).padEnd(34)} composites ${percent(composites.share)} (area ${percent(composites.area)})  photos ${percent(photos.share)} (area ${percent(photos.area)})`,
  )
}
await encoder[Symbol.asyncDispose]()
