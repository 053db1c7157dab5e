/** Compares masked encoding, masks and five crops with what Birder gives (make-expected.py), on every engine that this machine has. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { topClasses } from '../../src/numerics/top-classes.js'
import * as birder from '../../src/platform/node/birder.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'

const PHOTOS = join(packageRoot, 'examples/photos')

interface Listed {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

interface Case {
  readonly path: string
  readonly network: string
  readonly pixels: { readonly path: string; readonly tensor: string }
  readonly tolerances: Readonly<Record<string, number>>
}

interface Expected {
  readonly masked: Readonly<Record<string, Case & { readonly [given in 'ids' | 'mask' | 'token']: Listed }>>
  readonly cropped: Readonly<Record<string, Case>>
  readonly masks: {
    readonly noise: readonly (readonly number[])[]
    readonly uniform: readonly {
      readonly kept_mask_ratio?: number
      readonly min_mask_size?: number
      readonly mask: Listed
      readonly keep: Listed
      readonly restore: Listed
    }[]
    readonly ids: Listed
  }
}

const goldens = join(import.meta.dirname, '../golden/families/families')
const expected = JSON.parse(readFileSync(join(import.meta.dirname, 'expected.json'), 'utf8')) as Expected
const arrayOf = ({ shape, values }: Listed) => birder.ndArray(Float32Array.from(values), shape)

async function tensor(path: string, name: string): Promise<birder.NdArray> {
  await using checkpoint = await openCheckpoint(await openFile(path))
  const found = await checkpoint.read(name)
  return birder.ndArray(toFloat32(found), found.shape)
}

/** Gives two images: where the case has one, the second is its mirror image. */
async function pixelsOf({ pixels }: Case): Promise<birder.NdArray> {
  const { data, shape } = await tensor(join(goldens, pixels.path), pixels.tensor)
  const [batch = 1, channels = 3, height = 1, width = 1] = shape
  const length = channels * height * width
  if (batch > 1) return birder.ndArray(data.subarray(0, 2 * length), [2, channels, height, width])
  const mirrored = data.map((_, at) => data[at - (at % width) + width - 1 - (at % width)] ?? Number.NaN)
  return birder.ndArray(Float32Array.of(...data, ...mirrored), [2, channels, height, width])
}

async function expectNear(
  id: string,
  { tolerances }: Case,
  found: Readonly<Record<string, birder.NdArray | undefined>>,
) {
  expect(Object.keys(found).sort()).toEqual(Object.keys(tolerances).sort())
  for (const [name, array] of Object.entries(found)) {
    const { data, shape } = await tensor(join(import.meta.dirname, 'expected.safetensors'), `${id}/${name}`)
    expect(array?.shape, name).toEqual(shape)
    const difference = Math.max(...data.map((value, at) => Math.abs(value - (array?.data[at] ?? Number.NaN))))
    expect(difference, name).toBeLessThanOrEqual(tolerances[name] ?? 0)
  }
}

describe.each(['reference', 'wasm', 'native'] as const)('on the %s engine', (engine) => {
  const load = ({ path, network }: Case) =>
    birder.loadModel(join(goldens, path), {
      engine,
      network,
      ...(engine === 'reference' ? {} : { precision: 'float32' as const }),
    })

  test.each(Object.entries(expected.masked))('%s is shown a part of its patches', async (id, golden) => {
    const [net] = await load(golden)
    await using owned = net
    const x = await pixelsOf(golden)
    const [ids, mask, maskToken] = [golden.ids, golden.mask, golden.token].map(arrayOf) as [
      birder.NdArray,
      birder.NdArray,
      birder.NdArray,
    ]
    const kept = await owned.maskedEncodingOmission(x, ids, { returnKeys: 'all' })
    const every = await owned.maskedEncodingOmission(x, ids, { returnAllFeatures: true })
    const zeroed = await owned.maskedEncodingRetention(x, mask, { returnKeys: 'all' })
    const replaced = await owned.maskedEncodingRetention(x, mask, { maskToken })
    await expectNear(id, golden, {
      'omission.tokens': kept.tokens,
      'omission.embedding': kept.embedding,
      'omission.features': every.tokens,
      'retention.features': zeroed.features,
      'retention.embedding': zeroed.embedding,
      'retention.token': replaced.features,
    })
    const all = await owned.maskedEncodingOmission(x)
    const whole = await owned.forwardFeatures(x)
    expect(all.tokens?.shape).toEqual(whole.shape)
    all.tokens?.data.forEach((value, at) => {
      expect(Math.abs(value - (whole.data[at] ?? Number.NaN))).toBeLessThan(1e-5)
    })
  })

  test.each(Object.entries(expected.cropped))('%s sees five crops', async (id, golden) => {
    const [net] = await load(golden)
    await using owned = net
    const { path, tensor: name } = golden.pixels
    const x = await tensor(join(goldens, path), name)
    const [probabilities] = await birder.inferBatch(owned, x, { tta: true })
    const [logits] = await birder.inferBatch(owned, x, { tta: true, returnLogits: true })
    await expectNear(id, golden, { probabilities, logits })
  })
})

test('an encoder that augments has the probabilities of inferImage, for each image of a batch', async () => {
  const [net, info] = await birder.loadModel(MINI, { engine: 'wasm', precision: 'float32' })
  await using owned = net
  const options = { engine: 'wasm', precision: 'float32', orientation: 'ignore' } as const
  await using encoder = await loadEncoder(MINI, options)
  const photos = readdirSync(PHOTOS)
    .filter((name) => name.endsWith('.jpg'))
    .slice(0, 2)
    .map((name) => join(PHOTOS, name))
  const transform = birder.classificationTransform(owned.size, info.rgbStats)
  for await (const { source, features } of encoder.encodeAll(photos, { tta: true, batch: 2 })) {
    const [expectedOnes] = await birder.inferImage(owned, source, transform, { tta: true })
    const whole = await encoder.encode(source)
    expect(features?.embedding).toEqual(whole.embedding)
    const found = topClasses(features?.logits ?? new Float32Array(), 5)
    const without = topClasses(whole.logits ?? new Float32Array(), 1)
    for (const { index, probability } of found)
      expect(Math.abs(probability - (expectedOnes.data[index] ?? Number.NaN))).toBeLessThan(1e-5)
    expect(found[0]?.probability).not.toBeCloseTo(without[0]?.probability ?? 0, 6)
  }
})

test('crops are averaged by class scores, which a network without a classifier has not', async () => {
  const backbone = join(import.meta.dirname, '../golden/families/more/meta/dinotxt/backbone.pth')
  await using encoder = await loadEncoder(backbone, { engine: 'reference', heads: 2, size: 28 })
  const image = { height: 28, width: 28, data: new Uint8Array(28 * 28 * 3) }
  await expect(encoder.encode(image, { tta: true })).rejects.toMatchObject({ code: 'unsupported' })
})

describe('masks', () => {
  const { noise, uniform, ids } = expected.masks
  test.each(uniform)('a uniform mask of the same noise is that of Birder', (golden) => {
    const drawn = noise.flat().values()
    const side = golden.min_mask_size ?? 1
    const [mask, keep, restore] = birder.uniformMask(2, 2 * side, 4 * side, 0.6, {
      minMaskSize: side,
      ...(golden.kept_mask_ratio === undefined ? {} : { keptMaskRatio: golden.kept_mask_ratio }),
      random: () => drawn.next().value ?? Number.NaN,
    })
    expect(mask).toMatchObject({ shape: golden.mask.shape, data: Float32Array.from(golden.mask.values) })
    expect(keep.shape).toEqual(golden.keep.shape)
    // Patches of one square have the same noise, and torch does not say in which order it sorts these.
    const sorted = (values: Iterable<number>) =>
      side === 1 ? [...values] : [...values].sort((a, b) => a - b)
    const rows = (array: { readonly shape: readonly number[] }, values: ArrayLike<number>) =>
      Array.from({ length: 2 }, (_, image) =>
        sorted(Array.from(values).slice((image * values.length) / 2, ((image + 1) * values.length) / 2)),
      ).concat([[...array.shape]])
    expect(rows(keep, keep.data)).toEqual(rows(golden.keep, golden.keep.values))
    if (side === 1) expect([...restore.data]).toEqual(golden.restore.values)
  })

  test('the numbers of kept patches follow from a mask', () => {
    const mask = birder.ndArray(Float32Array.of(0, 1, 0, 1, 0, 1, 0, 0, 0, 1), [2, 5])
    expect(birder.getIdsKeep(mask)).toMatchObject({ shape: ids.shape, data: Float32Array.from(ids.values) })
  })

  test.each<readonly [string, () => unknown, RegExp]>([
    [
      'squares that do not fit',
      () => birder.uniformMask(1, 3, 4, 0.5, { minMaskSize: 2 }),
      /no whole squares/,
    ],
    ['half an image', () => birder.uniformMask(1.5, 4, 4, 0.5), /as many images/],
    ['no image', () => birder.uniformMask(0, 4, 4, 0.5), /as many images/],
    ['a ratio above 1', () => birder.uniformMask(1, 4, 4, 1.5), /from 0 to 1/],
    [
      'more masked than left',
      () => birder.uniformMask(1, 4, 4, 0.5, { keptMaskRatio: 0.6 }),
      /keptMaskRatio/,
    ],
    ['a mask of halves', () => birder.getIdsKeep(birder.ndArray(Float32Array.of(0.5), [1, 1])), /got 0\.5/],
    ['a mask of one axis', () => birder.getIdsKeep(birder.ndArray(Float32Array.of(1), [1])), /\[B, G\]/],
    [
      'images that keep different counts',
      () => birder.getIdsKeep(birder.ndArray(Float32Array.of(0, 0, 0, 1), [2, 2])),
      /as many patches/,
    ],
  ])('%s are refused', (_what, run, message) => expect(run).toThrow(message))
})

describe('what cannot be masked', () => {
  const [first] = Object.values(expected.masked)
  const golden = first as Case
  const at = (values: readonly number[], shape: readonly number[]) =>
    birder.ndArray(Float32Array.from(values), shape)
  test.each<readonly [string, (net: birder.BirderNet, x: birder.NdArray) => Promise<unknown>, RegExp]>([
    [
      'a patch that is not there',
      (net, x) => net.maskedEncodingOmission(x, at([16, 0], [2, 1])),
      /0 to 15.*16/,
    ],
    ['no patch', (net, x) => net.maskedEncodingOmission(x, at([], [2, 0])), /at least one/],
    ['one image of two', (net, x) => net.maskedEncodingOmission(x, at([0], [1, 1])), /2 images.*told of 1/],
    [
      'a mask of another grid',
      (net, x) => net.maskedEncodingRetention(x, at([0, 1], [2, 1])),
      /4 x 4 patches/,
    ],
    [
      'a token of another width',
      (net, x) => net.maskedEncodingRetention(x, at(Array(32).fill(0), [2, 16]), { maskToken: at([1], [1]) }),
      /16 numbers here, got 1/,
    ],
    [
      'a mistyped result',
      (net, x) => net.maskedEncodingOmission(x, null, { returnKeys: 'token' as 'tokens' }),
      /returnKeys/,
    ],
  ])('%s is refused in words', async (_what, run, message) => {
    const [net] = await birder.loadModel(join(goldens, golden.path), {
      engine: 'reference',
      network: golden.network,
    })
    await using owned = net
    await expect(run(owned, await pixelsOf(golden))).rejects.toThrow(message)
  })

  test.each([
    ['birder/deit', /DeiT/],
    ['birder/vit-windowed', /windows/],
  ])('%s has no masks in Birder either', async (id, message) => {
    const { path } = expected.cropped['birder/deit'] as Case
    const file = path.replace('birder/deit', id)
    const network = id === 'birder/deit' ? 'deit_s16' : 'vit_windowed_s16'
    const [net] = await birder.loadModel(join(goldens, file), { engine: 'reference', network })
    await using owned = net
    const x = birder.ndArray(new Float32Array(3 * 256), [1, 3, 16, 16])
    await expect(owned.maskedEncodingOmission(x)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message),
    })
  })
})
