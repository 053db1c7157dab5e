/** Transparent pixels are what the library makes of them that wrote the model: dropped alpha, or white under it, to the bit. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import type { LoadOptions } from '../../src/encoder/load-options.js'
import { decodedFromPixels } from '../../src/image/given-pixels.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { embedField } from './field-model.js'
import { folderOfFieldCase } from './folder-of-field-case.js'

const folder = join(import.meta.dirname, 'transparency')
const expected: Readonly<Record<string, { readonly drop: string; readonly white: string }>> = JSON.parse(
  await readFile(join(folder, 'expected.json'), 'utf8'),
)

describe.each(Object.entries(expected))('%s', (name, levels) => {
  test.each(['drop', 'white'] as const)('has the pixels of transformers with %s', async (transparency) => {
    const { data, transparentColour } = await decodeImage(join(folder, name), { transparency })
    expect(Buffer.from(data).toString('hex')).toBe(levels[transparency])
    if (transparency === 'white') expect(transparentColour).toBeUndefined()
  })
})

test('pixels that a program gives are laid on white as those of a file are', async () => {
  const { data, info } = await sharp(join(folder, 'rgba.png')).raw().toBuffer({ resolveWithObject: true })
  const { height, width } = info
  const laid = decodedFromPixels({ data, height, width }, { transparency: 'white' })
  expect(Buffer.from(laid.data).toString('hex')).toBe(expected['rgba.png']?.white)
  const dropped = decodedFromPixels({ data, height, width })
  expect(Buffer.from(dropped.data).toString('hex')).toBe(expected['rgba.png']?.drop)
})

const MODEL = '08-hf-processor-without-crop'
const { transformers_version: _version, ...config } = JSON.parse(
  await readFile(folderOfFieldCase(`${MODEL}/config.json`), 'utf8'),
)
const embed = (version: string | undefined, photo: string, options: LoadOptions = {}) =>
  embedField(
    {
      weights: `${MODEL}/model.safetensors`,
      config: version === undefined ? config : { ...config, transformers_version: version },
      processor: `${MODEL}/preprocessor_config.vit.json`,
    },
    photo,
    options,
  )

describe('the version of transformers that wrote the model decides', async () => {
  const whitened = await mkdtemp(join(tmpdir(), 'plumage-white-'))
  const laid = join(whitened, 'laid.png')
  const rgb = Buffer.from(expected['rgba.png']?.white ?? '', 'hex')
  await sharp(rgb, { raw: { height: 9, width: 8, channels: 3 } })
    .png()
    .toFile(laid)
  afterAll(() => rm(whitened, { recursive: true }))
  const rgba = 'transparency/rgba.png'

  test.each([
    ['4.31.0.dev0', {}, 'dropped'],
    ['5.20.2', {}, 'dropped'],
    ['5.21.0', {}, 'white'],
    ['6.0.0', {}, 'white'],
    [undefined, {}, 'white'],
    ['4.57.6', { transparency: 'white' }, 'white'],
    ['5.24.0', { transparency: 'drop' }, 'dropped'],
    ['5.24.0', { recipe: 'birder' }, 'dropped'],
    ['5.24.0', { recipe: 'birder', transparency: 'white' }, 'white'],
  ] as const)('%s with %o: alpha is %s', async (version, options, becomes) => {
    const found = await embed(version, rgba, options)
    const onWhite = await embed(version, relative(import.meta.dirname, laid), options)
    expect(found.recipe.includes('on-white')).toBe(becomes === 'white')
    if (becomes === 'white') expect(found.embedding).toEqual(onWhite.embedding)
    else expect(found.embedding).not.toEqual(onWhite.embedding)
  })

  test('another way is another identity', async () => {
    const [older, newer] = [await embed('5.20.2', rgba), await embed('5.21.0', rgba)]
    expect(older.identity.digest).not.toBe(newer.identity.digest)
  })
})
