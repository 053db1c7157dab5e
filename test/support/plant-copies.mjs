/**
 * Plants copies of photos, as people and programs make them, and lookalikes that are none, for the test and the benchmark of duplicates. The same seed plants the same.
 */
import sharp from 'sharp'

/** See plant-copies.d.mts. */
export function drawingFrom(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const jpeg = (image, quality = 88) => image.jpeg({ quality: Math.round(quality) }).toBuffer()

async function sizeOf(photo) {
  const { width, height } = await sharp(photo).metadata()
  return { width, height }
}

async function cut(photo, { left, top, right, bottom }) {
  const { width, height } = await sizeOf(photo)
  const [x, y] = [Math.round(left * width), Math.round(top * height)]
  const box = {
    left: x,
    top: y,
    width: Math.round(right * width) - x,
    height: Math.round(bottom * height) - y,
  }
  return await jpeg(sharp(photo).extract(box))
}

async function part(photo, random, share) {
  const side = Math.sqrt(share)
  const [left, top] = [random() * (1 - side), random() * (1 - side)]
  return await cut(photo, { left, top, right: left + side, bottom: top + side })
}

/** Draws text: a viewer's words and a maker's mark. */
function text(width, height, elements) {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans, sans-serif">${elements}</svg>`,
  )
}

/** Each makes a copy of a photo. */
export const COPIES = {
  async resize(photo, random) {
    const { width } = await sizeOf(photo)
    return await jpeg(sharp(photo).resize(Math.round(width * (0.3 + 0.6 * random()))))
  },
  recompress: (photo, random) => jpeg(sharp(photo), 25 + 50 * random()),
  /** Lies as a camera that is held otherwise stores it, and says so; or as a program turns it, and says nothing. */
  async turned(photo, random) {
    const [orientation, back] = [
      [3, 180],
      [6, 270],
      [8, 90],
    ][Math.floor(random() * 3)]
    const turned = sharp(photo).rotate(back)
    return await jpeg(random() < 0.5 ? turned.withMetadata({ orientation }) : turned, 90)
  },
  mirrored: (photo) => jpeg(sharp(photo).flop()),
  grey: (photo) => jpeg(sharp(photo).grayscale()),
  brightened: (photo, random) =>
    jpeg(sharp(photo).modulate({ brightness: 0.75 + 0.5 * random(), saturation: 0.5 + random() })),
  async watermark(photo, random) {
    const { width, height } = await sizeOf(photo)
    const [x, y] = [width * (0.05 + 0.2 * random()), height * (0.3 + 0.6 * random())]
    const fill = `fill="${random() < 0.5 ? 'white' : 'black'}" fill-opacity="${0.4 + 0.4 * random()}"`
    const size = Math.round(width * (0.08 + 0.08 * random()))
    const mark = `<text x="${x}" y="${y}" font-weight="bold" font-size="${size}" ${fill}>© PLANTED</text>`
    return await jpeg(sharp(photo).composite([{ input: text(width, height, mark) }]))
  },
  crop(photo, random) {
    const [left, top, right, bottom] = Array.from({ length: 4 }, () => 0.02 + 0.08 * random())
    return cut(photo, { left, top, right: 1 - right, bottom: 1 - bottom })
  },
  /** Is the photo on a telephone, with the words of a viewer above and below. */
  async screenshot(photo, random) {
    const [width, height, bars] = [390, 844, 160]
    const size = await sizeOf(photo)
    const shown = Math.round((size.height * width) / size.width)
    const tall = Math.min(shown, height - bars)
    const input = await sharp(photo)
      .resize(width, shown)
      .extract({ left: 0, top: (shown - tall) >> 1, width, height: tall })
      .toBuffer()
    const top = bars / 2 + Math.floor(random() * (height - bars - tall + 1))
    const words = `<g fill="#234"><text x="20" y="36" font-size="18">9:41</text><rect x="330" y="20" width="40" height="16" rx="4"/><text x="20" y="${height - 40}" font-size="16">${Math.floor(99 * random())} people like this</text></g>`
    const frame = { width, height, channels: 3, background: random() < 0.5 ? '#fff' : '#eee' }
    return await sharp({ create: frame })
      .composite([
        { input, left: 0, top },
        { input: text(width, height, words), left: 0, top: 0 },
      ])
      .png()
      .toBuffer()
  },
  half: (photo, random) => part(photo, random, 0.5),
}

/** Each makes a photo that is like another and no copy of it; `other` is a third photo. */
export const LOOKALIKES = {
  /** Is a burst: a part of the scene, an eighth to a quarter of it, has moved by a few hundredths, and the camera's noise is another. */
  async moved(photo, random) {
    const { width, height } = await sizeOf(photo)
    const [x, y, size] = [
      width * (0.25 + 0.5 * random()),
      height * (0.25 + 0.5 * random()),
      width * (0.12 + 0.1 * random()),
    ]
    const angle = 2 * Math.PI * random()
    const far = width * (0.025 + 0.025 * random())
    return await warped(photo, random, (u, v) => {
      const near = far * Math.exp(-(((u - x) ** 2 + (v - y) ** 2) / size ** 2) * 2)
      return [near * Math.cos(angle), near * Math.sin(angle)]
    })
  },
  /** Is the scene from a step aside: what is near moves more than what is far. */
  async aside(photo, random) {
    const { width } = await sizeOf(photo)
    const waves = Array.from({ length: 4 }, () => [2 + 5 * random(), 2 + 5 * random(), 6.28 * random()])
    const far = width * (0.012 + 0.01 * random())
    return await warped(photo, random, (u, v) => {
      const depth = waves.reduce((sum, [a, b, c]) => sum + Math.sin((a * u + b * v) / width + c), 0)
      return [far * depth, 0.3 * far * depth]
    })
  },
  /** Has something of another photo in it. */
  async another(photo, random, other) {
    const { width, height } = await sizeOf(photo)
    const [w, h] = [Math.round(width * (0.2 + 0.15 * random())), Math.round(height * (0.2 + 0.15 * random()))]
    const thing = await sharp(other).resize(w, h, { fit: 'cover' }).toBuffer()
    const oval = text(w, h, `<ellipse cx="${w / 2}" cy="${h / 2}" rx="${w / 2}" ry="${h / 2}" fill="#fff"/>`)
    const input = await sharp(thing)
      .ensureAlpha()
      .composite([{ input: oval, blend: 'dest-in' }])
      .png()
      .toBuffer()
    const [left, top] = [Math.floor(random() * (width - w)), Math.floor(random() * (height - h))]
    return await jpeg(sharp(photo).composite([{ input, left, top }]))
  },
}

/** Takes each pixel from where `shift` says, and adds the noise of a small camera. */
async function warped(photo, random, shift) {
  const { data, info } = await sharp(photo)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height } = info
  const out = Buffer.alloc(data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [dx, dy] = shift(x, y)
      const u = Math.min(width - 1.001, Math.max(0, x - dx))
      const v = Math.min(height - 1.001, Math.max(0, y - dy))
      const [i, j] = [Math.floor(u), Math.floor(v)]
      const [a, b] = [u - i, v - j]
      const noise = 6 * (random() + random() - 1)
      for (let c = 0; c < 3; c++) {
        const at = (j * width + i) * 3 + c
        const top = data[at] + a * (data[at + 3] - data[at])
        const below = data[at + 3 * width] + a * (data[at + 3 * width + 3] - data[at + 3 * width])
        out[(y * width + x) * 3 + c] = Math.max(0, Math.min(255, Math.round(top + b * (below - top) + noise)))
      }
    }
  return await jpeg(sharp(out, { raw: { width, height, channels: 3 } }), 92)
}
