/**
 * Makes photos in which it is known where the object is: things cut out of the photos of examples/photos, of which a person has drawn the boxes, pasted on
 * textures. The same photos come out each time.
 */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'

const { seededRandom } = await import(new URL('../dist/numerics/seeded-random.js', import.meta.url).href)

/** Says where the thing is in each photo: left, top, right, bottom in pixels. */
export const BOXES = {
  'hat-1': [8, 90, 384, 455],
  'hat-2': [50, 22, 330, 458],
  'hat-3': [87, 60, 319, 444],
  'pants-1': [87, 60, 372, 510],
  'pants-2': [20, 60, 376, 469],
  'pants-3': [38, 55, 352, 510],
  'shoes-1': [41, 71, 312, 358],
  'shoes-2': [30, 82, 382, 523],
  'shoes-3': [66, 41, 316, 458],
  't-shirt-1': [16, 39, 372, 380],
  't-shirt-2': [30, 62, 392, 445],
  't-shirt-3': [27, 90, 376, 422],
}

export const PHOTOS = Object.keys(BOXES)
const SIDE = 448

export async function readPhoto(name) {
  const path = new URL(`../examples/photos/${name}.jpg`, import.meta.url)
  const { data, info } = await sharp(await readFile(path))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { height: info.height, width: info.width, data: new Uint8Array(data) }
}

/** Says what a thing is pasted on. */
export const TEXTURES = {
  clouds: (random) => mixed(random, smoothNoise(random, 5)),
  grain: (random) => mixed(random, smoothNoise(random, 0)),
  stripes: (random) => {
    const [x, y] = [random() - 0.5, random() - 0.5]
    return mixed(random, (row, column) => (Math.sin((x * column + y * row) * 0.5) + 1) / 2)
  },
  checks: (random) => {
    const side = 14 + Math.floor(random() * 30)
    return mixed(random, (row, column) => (Math.floor(row / side) + Math.floor(column / side)) % 2)
  },
  floor: null,
}

/**
 * Gives a photo of SIDE x SIDE pixels and the box of the thing in it.
 *
 * @param seed chooses place, size and colours
 */
export async function composite(name, texture, seed) {
  const random = seededRandom(seed)
  const colours = texture === 'floor' ? await floorOf(random) : TEXTURES[texture](random)
  const photo = await readPhoto(name)
  const [left, top, right, bottom] = BOXES[name]
  const isThing = cutOut(name, photo)
  const scale = ((0.35 + 0.35 * random()) * SIDE) / Math.max(right - left, bottom - top)
  const [width, height] = [Math.round((right - left) * scale), Math.round((bottom - top) * scale)]
  const [x, y] = [Math.floor(random() * (SIDE - width)), Math.floor(random() * (SIDE - height))]
  const thing = await sharp(photo.data, { raw: { width: photo.width, height: photo.height, channels: 3 } })
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer()
  const data = new Uint8Array(SIDE * SIDE * 3)
  const box = { left: SIDE, top: SIDE, right: 0, bottom: 0 }
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const to = (row * SIDE + column) * 3
      const [r, c] = [row - y, column - x]
      const inside = r >= 0 && r < height && c >= 0 && c < width
      if (inside && isThing(Math.floor(r / scale), Math.floor(c / scale))) {
        data.set(thing.subarray((r * width + c) * 3, (r * width + c) * 3 + 3), to)
        box.left = Math.min(box.left, column)
        box.top = Math.min(box.top, row)
        box.right = Math.max(box.right, column + 1)
        box.bottom = Math.max(box.bottom, row + 1)
      } else data.set(colours(row, column), to)
    }
  }
  return { image: { height: SIDE, width: SIDE, data }, box }
}

const masks = new Map()

/** Tells the thing from what is around it by colours that are also seen outside its box; where that leaves little, all of the box is the thing. */
function cutOut(name, { width, height, data }) {
  const [left, top, right, bottom] = BOXES[name]
  const [rows, columns] = [bottom - top, right - left]
  const mask = masks.get(name) ?? new Uint8Array(rows * columns)
  if (!masks.has(name)) {
    const around = coloursAround(BOXES[name], { width, height, data })
    for (let at = 0; at < mask.length; at++) {
      const from = ((top + Math.floor(at / columns)) * width + left + (at % columns)) * 3
      mask[at] = isAmong(around, data, from) ? 0 : 1
    }
    if (mask.reduce((sum, one) => sum + one, 0) < 0.4 * mask.length) mask.fill(1)
    masks.set(name, mask)
  }
  return (row, column) => mask[Math.min(rows - 1, row) * columns + Math.min(columns - 1, column)] === 1
}

function coloursAround([left, top, right, bottom], { width, height, data }) {
  const around = []
  const see = (row, column) => {
    if (row < 0 || row >= height || column < 0 || column >= width) return
    const from = (row * width + column) * 3
    around.push(data[from], data[from + 1], data[from + 2])
  }
  for (let i = 0; i < 40; i++) {
    const row = Math.round(top + ((bottom - top) * i) / 40)
    const column = Math.round(left + ((right - left) * i) / 40)
    see(row, left - 6)
    see(row, right + 6)
    see(top - 6, column)
    see(bottom + 6, column)
  }
  return around
}

function isAmong(colours, data, from) {
  for (let at = 0; at < colours.length; at += 3) {
    const [r, g, b] = [
      data[from] - colours[at],
      data[from + 1] - colours[at + 1],
      data[from + 2] - colours[at + 2],
    ]
    if (r * r + g * g + b * b < 22 * 22) return true
  }
  return false
}

/** Mixes two colours by a share from 0 to 1 of each place, with a little grain. */
function mixed(random, share) {
  const [one, other] = [0, 1].map(() => [0, 1, 2].map(() => random() * 255))
  return (row, column) => {
    const part = share(row, column)
    const grain = (random() - 0.5) * 12
    return one.map((level, c) => Math.max(0, Math.min(255, level * part + other[c] * (1 - part) + grain)))
  }
}

/** Sums octaves of values that lie on grids, the coarsest of which has 2 ** (8 - octaves) pixels from one to the next. */
function smoothNoise(random, octaves) {
  const levels = Array.from({ length: octaves + 1 }, (_, octave) => {
    const step = octaves === 0 ? 1 : 2 ** (7 - octave)
    const side = Math.ceil(SIDE / step) + 2
    return { step, side, values: Float32Array.from({ length: side * side }, random), weight: 0.6 ** octave }
  })
  const total = levels.reduce((sum, { weight }) => sum + weight, 0)
  return (row, column) =>
    levels.reduce((sum, { step, side, values, weight }) => {
      const [y, x] = [row / step, column / step]
      const [r, c] = [Math.floor(y), Math.floor(x)]
      const [dy, dx] = [y - r, x - c]
      const at = (i, j) => values[(r + i) * side + c + j]
      const value =
        (at(0, 0) * (1 - dx) + at(0, 1) * dx) * (1 - dy) + (at(1, 0) * (1 - dx) + at(1, 1) * dx) * dy
      return sum + weight * value
    }, 0) / total
}

/** Lays a corner of a photo side by side with its mirror images. */
async function floorOf(random) {
  const names = ['pants-1', 'shoes-3', 't-shirt-3', 'hat-2', 't-shirt-1']
  const photo = await readPhoto(names[Math.floor(random() * names.length)])
  const [rows, columns] = [90, 60]
  const mirrored = (at, size) => (at % (2 * size) < size ? at % size : size - 1 - (at % size))
  return (row, column) => {
    const from = ((photo.height - 1 - mirrored(row, rows)) * photo.width + mirrored(column, columns)) * 3
    return photo.data.subarray(from, from + 3)
  }
}

/** Gives the part of two boxes' union that is in both. */
export function overlapOf(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (width <= 0 || height <= 0) return 0
  const area = ({ left, top, right, bottom }) => (right - left) * (bottom - top)
  return (width * height) / (area(a) + area(b) - width * height)
}
