/**
 * Measures tiles: the memory of a whole process that encodes a large photo with ViT-B/14 of made weights, decoder included, and the seams of a tiled map beside
 * the untiled one, where a photo is small enough for both.
 *
 *     node bench/tiles.mjs --megapixels 2,12,50 [--keep float16] [--precision float32] [--tile 518]
 *     node bench/tiles.mjs --seams [--model models/small] [--size 896]
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import sharp from 'sharp'
import { PHOTOS, readPhoto } from './composites.mjs'
import { dist } from './dist.mjs'
import { folder, modelFile } from './model-files.mjs'

const { values } = parseArgs({
  options: {
    megapixels: { type: 'string', default: '2,12,50' },
    keep: { type: 'string', default: 'float16' },
    precision: { type: 'string', default: 'float32' },
    tile: { type: 'string', default: '518' },
    overlap: { type: 'string', default: '126' },
    seams: { type: 'boolean', default: false },
    model: { type: 'string', default: 'models/small' },
    size: { type: 'string', default: '896' },
    child: { type: 'string' },
  },
})

const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

if (values.child !== undefined) await encodeAlone(JSON.parse(values.child))
else if (values.seams) await seams()
else for (const megapixels of values.megapixels.split(',').map(Number)) await memory(megapixels)

/** Encodes in a process of its own, so that its peak is that of one photo. */
async function memory(megapixels) {
  const photo = await photoFile(Math.round(Math.sqrt(megapixels * 1e6)))
  const model = await modelFile('vit_reg4_b14_nps_ls', 224, 'safetensors')
  const { keep, precision, tile, overlap } = values
  const task = JSON.stringify({ photo, model, keep, precision, tile: Number(tile), overlap: Number(overlap) })
  const child = [fileURLToPath(import.meta.url), '--child', task]
  const { stdout } = await promisify(execFile)(process.execPath, child)
  const { size, patches, tiles, seconds, loaded, peak, map } = JSON.parse(stdout)
  console.log(
    `${megapixels} megapixels: ${size.join(' x ')}, ${patches} patches in ${tiles} tiles of ${tile}, overlap ${overlap}, ${precision}, kept as ${keep} ` +
      `(${mebibytes(map)}): ${seconds.toFixed(1)} s, peak of the process ${mebibytes(peak)} (${mebibytes(loaded)} once the model was loaded)`,
  )
}

async function encodeAlone({ photo, model, keep, precision, tile, overlap }) {
  const { loadEncoder } = await dist('platform/node/index.js')
  const peakNow = () => process.resourceUsage().maxRSS * 1024
  const encoder = await loadEncoder(model, { precision, scale: 1 })
  const loaded = peakNow()
  const started = performance.now()
  const { grid, tiles, imageSize, patches } = await encoder.encode(photo, {
    tiles: { size: tile, overlap, keep },
  })
  const seconds = (performance.now() - started) / 1000
  console.log(
    JSON.stringify({
      size: imageSize,
      patches: grid.rows * grid.columns,
      tiles: tiles.rows * tiles.columns,
      seconds,
      loaded,
      peak: peakNow(),
      map: patches.byteLength,
    }),
  )
  await encoder[Symbol.asyncDispose]()
}

/** Makes a square JPEG of the photos of examples/photos, each enlarged to its place in a sheet. */
async function photoFile(side) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `sheet_${side}.jpg`)
  if (existsSync(path)) return path
  const { data } = await sheet(side)
  await sharp(data, { raw: { height: side, width: side, channels: 3 }, limitInputPixels: false })
    .jpeg({ quality: 90 })
    .toFile(path)
  return path
}

async function sheet(side) {
  const each = Math.ceil(side / 3)
  const parts = []
  for (const [index, name] of PHOTOS.slice(0, 9).entries()) {
    const { data, height, width } = await readPhoto(name)
    const input = await sharp(data, { raw: { height, width, channels: 3 } })
      .resize(each, each, { fit: 'cover' })
      .raw()
      .toBuffer()
    const at = { top: Math.floor(index / 3) * each, left: (index % 3) * each }
    parts.push({ input, raw: { height: each, width: each, channels: 3 }, ...at })
  }
  const background = { width: 3 * each, height: 3 * each, channels: 3, background: '#888' }
  const whole = await sharp({ create: background, limitInputPixels: false }).composite(parts).raw().toBuffer()
  const data = await sharp(whole, { raw: { ...background }, limitInputPixels: false })
    .extract({ left: 0, top: 0, width: side, height: side })
    .raw()
    .toBuffer()
  return { height: side, width: side, data: new Uint8Array(data) }
}

/** Compares tiled maps with the untiled one. */
async function seams() {
  const { loadEncoder } = await dist('platform/node/index.js')
  const { cutAlong } = await dist('encoder/tiles.js')
  const encoder = await loadEncoder(values.model, { scale: 1 })
  const { patchSize, width } = encoder
  const photo = await sheet(Number(values.size))
  const whole = await encoder.encode(photo)
  const side = whole.grid.rows
  const cosine = (a, i, b, j) => {
    let [ab, aa, bb] = [0, 0, 0]
    for (let k = 0; k < width; k++) {
      const [x, y] = [a[i * width + k], b[j * width + k]]
      ab += x * y
      aa += x * x
      bb += y * y
    }
    return ab / Math.sqrt(aa * bb)
  }
  console.log(
    `${encoder.identity.model}, ${values.size} x ${values.size}: ${side} x ${side} patches; cosine with the untiled map, and steps between neighbours`,
  )
  const trained = encoder.size[0]
  for (const tile of [trained, 2 * trained].filter((one) => one < side * patchSize)) {
    for (const share of [0, 8, 4, 2]) {
      const overlap = share === 0 ? 0 : Math.round(tile / patchSize / share) * patchSize
      const { starts, weights } = cutAlong(side, tile / patchSize, overlap / patchSize, 'cut')
      const ownerOf = Array.from({ length: side }, (_, patch) =>
        starts.findIndex((start, i) => weights[i][patch - start] === 1),
      )
      // A line stands between a patch and the one before, where another tile has it.
      const lines = ownerOf.flatMap((owner, patch) =>
        patch > 0 && owner !== ownerOf[patch - 1] ? [patch] : [],
      )
      const isNear = (at) => lines.some((line) => at === line || at === line - 1)
      for (const blend of overlap === 0 ? ['cut'] : ['cut', 'feathered']) {
        const { patches } = await encoder.encode(photo, { tiles: { size: tile, overlap, blend } })
        const means = { near: [0, 0], within: [0, 0], across: [0, 0], elsewhere: [0, 0], acrossWhole: [0, 0] }
        const note = (name, value) => {
          means[name][0] += value
          means[name][1]++
        }
        for (let row = 0; row < side; row++) {
          for (let column = 0; column < side; column++) {
            const at = row * side + column
            note(isNear(row) || isNear(column) ? 'near' : 'within', cosine(patches, at, whole.patches, at))
            if (column === 0) continue
            const step = 1 - cosine(patches, at, patches, at - 1)
            note(lines.includes(column) ? 'across' : 'elsewhere', step)
            if (lines.includes(column))
              note('acrossWhole', 1 - cosine(whole.patches, at, whole.patches, at - 1))
          }
        }
        const mean = (name) => (means[name][0] / means[name][1]).toFixed(4)
        console.log(
          `tiles of ${tile}, overlap ${String(overlap).padStart(3)}, ${blend.padEnd(9)}: cosine beside seams ${mean('near')}, within ${mean('within')}; ` +
            `step across a seam ${mean('across')} (untiled there ${mean('acrossWhole')}), elsewhere ${mean('elsewhere')}`,
        )
      }
    }
  }
  await encoder[Symbol.asyncDispose]()
}
