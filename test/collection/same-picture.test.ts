/** Proves planted copies of real photos, and proves no lookalike. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { invertProof, provenPair, tellProof } from '../../src/collection/duplicates/tell-proof.js'
import { type PictureProof, proveSame, reducePicture } from '../../src/numerics/same-picture.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { COPIES, type CopyKind, drawingFrom, LOOKALIKES } from '../support/plant-copies.mjs'

const photo = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../examples/photos', `${name}.jpg`))
const NAMES = ['hat-2', 'shoes-1', 't-shirt-3']
const pictureOf = async (bytes: Buffer) => reducePicture(await decodeImage(bytes))

const WORDS: Readonly<Record<CopyKind, RegExp>> = {
  resize: /at 0\.\d\d times the size/,
  recompress: /^the same picture, compressed otherwise$/,
  turned: /turned by (90|180|270)°|compressed otherwise/,
  mirrored: /mirrored/,
  grey: /grey/,
  brightened: /brighter|darker|compressed otherwise/,
  watermark: /with a mark over \d+ %/,
  crop: /cropped to [6-9]\d %$/,
  screenshot: /in a plain frame, of which it fills \d+ %/,
  half: /cropped to (49|50|51) %$/,
}

test.each(Object.keys(COPIES) as CopyKind[])(
  'a copy is proven, and its words say how it was made: %s',
  async (kind) => {
    const random = drawingFrom(101)
    for (const name of NAMES.slice(0, 2)) {
      const original = photo(name)
      const copy = await COPIES[kind](original, random, original)
      const proof = proveSame(await pictureOf(original), await pictureOf(copy))
      expect([name, proof !== null]).toEqual([name, true])
      if (proof !== null) expect(tellProof(proof)).toMatch(WORDS[kind])
    }
  },
)

test('no lookalike is proven: another moment, another place of the camera, another thing in the picture', async () => {
  const random = drawingFrom(102)
  for (const [at, name] of NAMES.entries()) {
    const original = await pictureOf(photo(name))
    for (const [kind, plant] of Object.entries(LOOKALIKES)) {
      const other = photo(NAMES[(at + 1) % NAMES.length] ?? '')
      const lookalike = await pictureOf(await plant(photo(name), random, other))
      expect([name, kind, proveSame(original, lookalike)]).toEqual([name, kind, null])
    }
    const next = await pictureOf(photo(NAMES[(at + 1) % NAMES.length] ?? ''))
    expect(proveSame(original, next)).toBe(null)
  }
})

test('a proof gives where each pixel lies in the other photo, and is the same seen from the other side', async () => {
  const original = photo('shoes-1')
  const { height, width } = await decodeImage(original)
  const whole = await pictureOf(original)
  const half = await pictureOf(await COPIES.half(original, drawingFrom(7), original))
  const proof = proveSame(whole, half) as PictureProof
  const [a, b, c, d, e, f] = [...proof.map]
  for (const [i, value] of [a, b, d, e].entries()) expect(value).toBeCloseTo(i === 0 || i === 3 ? 1 : 0, 2)
  // The cut was at whole pixels.
  for (const move of [c, f]) expect(Math.abs((move ?? 0) - Math.round(move ?? 0))).toBeLessThan(0.2)
  const back = invertProof(proof)
  expect([back.shareOfFirst, back.map[2]]).toEqual([proof.shareOfSecond, expect.closeTo(-(c ?? 0), 0)])
  expect(proof.shareOfFirst).toBeCloseTo(0.5, 1)
  expect([height, width].every((side) => side > 100)).toBe(true)
})

test('what was made of a photo is told from the photo, so that an enlarged, cut, grey, marked or framed copy never wins', async () => {
  const original = photo('shoes-1')
  const picture = await pictureOf(original)
  const { default: sharp } = await import('sharp')
  const { width = 0 } = await sharp(original).metadata()
  const made = {
    enlarged: await sharp(original)
      .resize(2 * width)
      .jpeg({ quality: 90 })
      .toBuffer(),
    grey: await COPIES.grey(original, drawingFrom(1), original),
    cropped: await COPIES.crop(original, drawingFrom(1), original),
    marked: await COPIES.watermark(original, drawingFrom(1), original),
    shown: await COPIES.screenshot(original, drawingFrom(1), original),
    squared: await sharp(original)
      .resize(Math.round(0.7 * width), 2 * width, { fit: 'contain', background: '#000' })
      .jpeg()
      .toBuffer(),
  }
  for (const [how, copy] of Object.entries(made)) {
    const proof = proveSame(picture, await pictureOf(copy))
    expect([how, proof === null ? null : provenPair(0, 1, 0.9, proof)]).toMatchObject([
      how,
      { made: 'second', covers: { first: true, second: false } },
    ])
    const other = proveSame(await pictureOf(copy), picture)
    expect([how, other === null ? null : provenPair(0, 1, 0.9, other)]).toMatchObject([
      how,
      { made: 'first', covers: { first: false, second: true } },
    ])
  }
})

test('a thing on a plain ground is no frame of what was cut out of it', async () => {
  const { default: sharp } = await import('sharp')
  const thing = await sharp(photo('shoes-1')).resize(500).png().toBuffer()
  const ground = { create: { width: 1000, height: 1000, channels: 3, background: '#fff' } } as const
  const whole = await sharp(ground)
    .composite([{ input: thing }])
    .jpeg()
    .toBuffer()
  const cut = await sharp(thing).resize(400).jpeg().toBuffer()
  const proof = proveSame(await pictureOf(whole), await pictureOf(cut))
  expect(proof === null ? null : provenPair(0, 1, 0.9, proof)).toMatchObject({ made: 'second' })
})

test.each([
  ['shoes-1', 4],
  ['hat-2', 20],
])(
  'a soft photo that was enlarged and then compressed hard is no finer: %s, %d times',
  async (name, times) => {
    const { default: sharp } = await import('sharp')
    const small = await sharp(photo(name)).resize(160).blur(2).png().toBuffer()
    const large = await sharp(small)
      .resize(160 * times)
      .jpeg({ quality: 60 })
      .toBuffer()
    expect(proveSame(await pictureOf(small), await pictureOf(large))?.enlarged).toBe('second')
  },
)

test('a photo is finer than its small copies, by however much they are smaller', async () => {
  const { default: sharp } = await import('sharp')
  const original = photo('shoes-1')
  const picture = await pictureOf(original)
  const { width = 0 } = await sharp(original).metadata()
  for (const part of [1.6, 2.5, 4]) {
    const small = await sharp(original)
      .resize(Math.round(width / part))
      .jpeg({ quality: 60 })
      .toBuffer()
    expect([part, proveSame(await pictureOf(small), picture)?.enlarged]).toEqual([part, null])
  }
})
