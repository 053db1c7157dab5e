import { expect, test } from 'vitest'
import { turnUpright } from '../image/turn-upright.js'
import { BUCKET_RADIUS, HashBuckets } from './hash-buckets.js'
import { hashDistance, perceptualHash, turnedHashes } from './perceptual-hash.js'
import { type RgbPixels, resizePixels } from './reduce-pixels.js'
import { seededRandom } from './seeded-random.js'

/** Makes a picture of a few soft spots, whose low frequencies are far from 0. */
function made(seed: number, height = 90, width = 120): RgbPixels {
  const random = seededRandom(seed)
  const spots = Array.from({ length: 6 }, () => [random(), random(), 0.05 + 0.3 * random(), random() - 0.5])
  const data = new Uint8Array(height * width * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let value = 128
      for (const [cx = 0, cy = 0, size = 1, strength = 0] of spots)
        value += 240 * strength * Math.exp(-((x / width - cx) ** 2 + (y / height - cy) ** 2) / size ** 2)
      data.fill(Math.max(0, Math.min(255, value)), (y * width + x) * 3, (y * width + x) * 3 + 3)
    }
  return { height, width, data }
}

test('a smaller, darker copy has nearly the same hash, and another picture another one', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const picture = made(seed)
    const hash = perceptualHash(picture)
    const dark = { ...picture, data: picture.data.map((value) => value * 0.7) }
    expect(hashDistance(hash, perceptualHash(resizePixels(dark, 45, 60)))).toBeLessThanOrEqual(BUCKET_RADIUS)
    expect(hashDistance(hash, perceptualHash(made(seed + 100)))).toBeGreaterThan(10)
  }
})

test('the hashes of all eight ways in which a photo lies follow from one', () => {
  const picture = made(3, 64, 64)
  const turned = turnedHashes(perceptualHash(picture))
  for (let orientation = 1; orientation <= 8; orientation++) {
    const found = perceptualHash(turnUpright(picture, orientation))
    expect([orientation, hashDistance(found, turned[orientation - 1] ?? 0n)]).toEqual([orientation, 0])
  }
})

test('a flat picture has no frequencies', () => {
  const data = new Uint8Array(40 * 50 * 3).fill(90)
  expect(perceptualHash({ height: 40, width: 50, data })).toBe(0n)
})

test('buckets find exactly what comparing with all finds, up to 7 bits away', () => {
  const random = seededRandom(5)
  const draw = () => (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))
  const base = Array.from({ length: 40 }, draw)
  const hashes = base.flatMap((hash) =>
    Array.from({ length: 12 }, (_, flips) => {
      let changed = hash
      for (let flip = 0; flip < flips; flip++) changed ^= 1n << BigInt(Math.floor(random() * 64))
      return changed
    }),
  )
  const buckets = new HashBuckets(hashes)
  for (const hash of hashes) {
    const expected = hashes.flatMap((other, i) => (hashDistance(hash, other) <= 7 ? [i] : []))
    expect(buckets.near(hash, 7)).toEqual(expected)
  }
  expect(() => buckets.near(0n, 8)).toThrow(RangeError)
})
