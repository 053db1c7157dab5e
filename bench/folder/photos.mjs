/**
 * Makes the folders of photos that the folder benchmark reads: small ones as they lie on the web, and large ones as a camera makes them. They are made
 * of the example photos, since no larger ones are at hand: parts and tiles of them, enlarged, with the grain of a sensor, so that a decoder has nearly as
 * many coefficients to unpack as in a camera's files (1.2 bits a pixel where they are small, 1.8 where they are large). The same numbers are drawn each time.
 */
import { existsSync } from 'node:fs'
import { link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const EXAMPLES = fileURLToPath(new URL('../../examples/photos/', import.meta.url))
export const BENCH_FOLDER = fileURLToPath(new URL('../../.plumage/bench/', import.meta.url))

/** Tells each kind by its name: its sides, into how many tiles it is divided, and how many levels its grain deviates by. */
export const KINDS = {
  small: { width: 540, height: 370, columns: 1, rows: 1, grain: 3, megapixels: 0.2 },
  screen: { width: 1152, height: 864, columns: 1, rows: 1, grain: 4, megapixels: 1 },
  medium: { width: 1600, height: 1200, columns: 1, rows: 1, grain: 6, megapixels: 2 },
  large: { width: 4000, height: 3000, columns: 4, rows: 3, grain: 8, megapixels: 12 },
}

/** So many are drawn; more files are further names of these. Each is decoded as if it were the only one: nothing keeps what was decoded. */
const DISTINCT = 80
const QUALITY = 87

/**
 * @param {keyof typeof KINDS} kind
 * @param {number} count
 * @returns {Promise<{ folder: string, paths: string[] }>} a folder with so many JPEG files, which is kept and reused
 */
export async function folderOfPhotos(kind, count) {
  const folder = `${BENCH_FOLDER}${kind}-${count}`
  if (!existsSync(folder)) {
    const unfinished = `${folder}.new`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    const random = randomNumbers(KINDS[kind].width)
    const grain = grainOf(KINDS[kind].grain, random)
    for (let i = 0; i < count; i++) {
      const path = pathIn(unfinished, i)
      if (i < DISTINCT) await drawPhoto(path, KINDS[kind], grain, random)
      else await link(pathIn(unfinished, i % DISTINCT), path)
    }
    await rename(unfinished, folder)
  }
  return { folder, paths: Array.from({ length: count }, (_, i) => pathIn(folder, i)) }
}

function pathIn(folder, index) {
  return `${folder}/photo-${String(index).padStart(4, '0')}.jpg`
}

async function drawPhoto(path, { width, height, columns, rows }, grain, random) {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.jpg')).sort()
  const [tileWidth, tileHeight] = [width / columns, height / rows]
  const tiles = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const photo = sharp(EXAMPLES + names[Math.floor(random() * names.length)])
      const part = await partOf(photo, tileWidth / tileHeight, random)
      const input = await part
        .flop(random() < 0.5)
        .resize(tileWidth, tileHeight, { fit: 'fill' })
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer()
      const raw = { width: tileWidth, height: tileHeight, channels: 3 }
      tiles.push({ input, raw, left: column * tileWidth, top: row * tileHeight })
    }
  }
  const raw = { width, height, channels: 3 }
  const levels = await sharp({ create: { ...raw, background: 'black' } })
    .composite(tiles)
    .removeAlpha()
    .raw()
    .toBuffer()
  const shift = Math.floor(random() * grain.length)
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] + grain[(i + shift) % grain.length]
    levels[i] = level < 0 ? 0 : level > 255 ? 255 : level
  }
  await sharp(levels, { raw }).jpeg({ quality: QUALITY, chromaSubsampling: '4:2:0' }).toFile(path)
}

/** Takes a random part of this aspect ratio: between three quarters of what fits and all of it. */
async function partOf(photo, ratio, random) {
  const { width, height } = await photo.metadata()
  const scale = 0.75 + 0.25 * random()
  const partWidth = Math.floor(scale * Math.min(width, height * ratio))
  const partHeight = Math.floor(partWidth / ratio)
  return photo.extract({
    left: Math.floor(random() * (width - partWidth)),
    top: Math.floor(random() * (height - partHeight)),
    width: partWidth,
    height: partHeight,
  })
}

/** Gives normal deviates, a prime number of them so that they repeat at no side of a photo. */
function grainOf(deviation, random) {
  const PRIME = 1_000_003
  return Float32Array.from(
    { length: PRIME },
    () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

/** Follows the linear congruence of Numerical Recipes: the same numbers come everywhere. */
function randomNumbers(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
