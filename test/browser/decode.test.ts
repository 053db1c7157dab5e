/** Compares pixels in a real Chromium with Node's: for PNG they are the same bits, whatever is in it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp, { type CreateRaw, type PngOptions } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import {
  buildPage,
  callIn,
  chromiumPath,
  openPage,
  serveSite,
  sharedChromium,
  type TestSite,
} from '../support/chromium.js'
import { packageRoot } from '../support/repository.js'

const WIDTH = 61
const HEIGHT = 43

/** Puts every colour beside every other, and every alpha. */
function noise(channels: 1 | 2 | 3 | 4, seed = 1): { data: Buffer; raw: CreateRaw } {
  let state = seed
  const data = Buffer.alloc(WIDTH * HEIGHT * channels)
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    data[i] = state >>> 16
  }
  return { data, raw: { width: WIDTH, height: HEIGHT, channels } }
}

const png = (channels: 1 | 2 | 3 | 4, options: PngOptions = {}) => {
  const { data, raw } = noise(channels)
  return sharp(data, { raw }).png(options)
}

/** Makes the bytes of files, by name. */
async function files(): Promise<Map<string, Buffer>> {
  const made = new Map<string, Buffer>()
  for (const channels of [1, 2, 3, 4] as const) {
    made.set(`${channels}-channels.png`, await png(channels).toBuffer())
  }
  made.set('interlaced.png', await png(4, { progressive: true }).toBuffer())
  made.set('palette.png', await png(3, { palette: true }).toBuffer())
  made.set('palette-alpha.png', await png(4, { palette: true }).toBuffer())
  for (let orientation = 1; orientation <= 8; orientation++) {
    made.set(`turned-${orientation}.png`, await png(3).withMetadata({ orientation }).toBuffer())
  }
  made.set('p3.png', await png(3).withIccProfile('p3').toBuffer())
  const { data, raw } = noise(4)
  made.set('lossless.webp', await sharp(data, { raw }).webp({ lossless: true, exact: true }).toBuffer())
  made.set(
    'turned-6.webp',
    await sharp(noise(3).data, { raw: noise(3).raw })
      .withMetadata({ orientation: 6 })
      .webp({ lossless: true })
      .toBuffer(),
  )
  return made
}

interface FieldRow {
  readonly name: string
  readonly file: string
}

const fieldRows = (path: string): readonly FieldRow[] =>
  JSON.parse(readFileSync(join(packageRoot, 'test/field', path), 'utf8'))

/** Takes files that say their orientation elsewhere than in a plain EXIF block, TIFF, which browsers do not know, and BMP, which they read in their own way. */
function fieldFiles(): Map<string, Buffer> {
  const turned = fieldRows('12-xmp-orientation/orientations.expected.json').filter(({ name }) =>
    /^(jpeg xmp [3678]|png (xmp|raw profile|exif chunk)|webp|tiff)/.test(name),
  )
  const tiff = fieldRows('13-tiff-levels/modes.expected.json').filter(({ name }) =>
    /^II photometric [01235] .*(LZW|predictor|extra -)$|^(RGB|grey) in .*packing 5$/.test(name),
  )
  const bmp = fieldRows('bmp/kinds.expected.json').filter(({ name }) =>
    /^(8 bits|16 bits, 565|24 bits, OS.2|runs of 8|32 bits, header of 124.* ff0000)$/.test(name),
  )
  const chosen = [...turned.filter((_, i) => i % 2 === 0), ...tiff.filter((_, i) => i % 6 === 0), ...bmp]
  return new Map(
    chosen.map(({ name, file }) => [
      `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.bin`,
      Buffer.from(file, 'base64'),
    ]),
  )
}

/** Takes those of 8 bits and fewer: a browser converts others in its own way. */
function transparentFiles(): Map<string, Buffer> {
  const folder = join(packageRoot, 'test/field/transparency')
  const names = readdirSync(folder).filter(
    (name) => /\.(png|gif|webp|tiff)$/.test(name) && !/16-bits/.test(name),
  )
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]))
}

/** Makes what photos are: JPEG, where decoders may round differently. */
async function photos(): Promise<Map<string, Buffer>> {
  const made = new Map<string, Buffer>()
  const folder = join(packageRoot, 'examples/photos')
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.jpg'))) {
    made.set(name, readFileSync(join(folder, name)))
  }
  const first = sharp([...made.values()][0])
  for (const orientation of [1, 3, 6, 8]) {
    made.set(`turned-${orientation}.jpg`, await first.clone().withMetadata({ orientation }).jpeg().toBuffer())
  }
  made.set('p3.jpg', await first.clone().withIccProfile('p3').jpeg({ quality: 95 }).toBuffer())
  made.set('progressive.jpg', await first.clone().jpeg({ progressive: true }).toBuffer())
  made.set('grey.jpg', await first.clone().greyscale().jpeg().toBuffer())
  made.set('4-4-4.jpg', await first.clone().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer())
  return made
}

describe.skipIf(chromiumPath === null)('decoding in Chromium', async () => {
  const exact = new Map([...(await files()), ...fieldFiles()])
  const jpegs = await photos()
  const transparent = transparentFiles()
  const whole = exact.get('3-channels.png')
  if (whole === undefined) throw new Error('there is no picture of three channels')
  const folder = mkdtempSync(join(tmpdir(), 'plumage-decode-'))
  for (const [name, bytes] of [...exact, ...jpegs, ...transparent]) writeFileSync(join(folder, name), bytes)
  let browser: Browser
  let site: TestSite
  let page: Page
  beforeAll(async () => {
    site = await serveSite(await buildPage(), { images: folder })
    browser = await sharedChromium()
    page = await openPage(browser, site.plain)
  })
  afterAll(async () => {
    await page?.close()
    await site?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function bothSides(name: string) {
    const ours = await decodeImage(join(folder, name))
    const theirs = await callIn(page, 'pixelsOf', `/images/${name}`)
    const { data, ...found } = theirs
    return { ours, found, data: Buffer.from(data, 'base64') }
  }

  test.each([...exact.keys()])('%s has the very pixels that Node gives', async (name) => {
    const { ours, found, data } = await bothSides(name)
    const { data: expected, ...rest } = ours
    expect(found).toEqual(rest)
    expect(data.equals(expected)).toBe(true)
  })

  test.each([...transparent.keys()])(
    '%s has the very pixels that Node gives, laid on white',
    async (name) => {
      const ours = await decodeImage(join(folder, name), { transparency: 'white' })
      const { data, ...found } = await callIn(page, 'pixelsOnWhite', `/images/${name}`)
      const { data: expected, ...rest } = ours
      expect(found).toEqual(rest)
      expect(Buffer.from(data, 'base64').equals(expected)).toBe(true)
    },
  )

  test.each([...jpegs.keys()])('%s has the pixels that Node gives', async (name) => {
    const { ours, found, data } = await bothSides(name)
    const { data: expected, ...rest } = ours
    expect(found).toEqual(rest)
    let largest = 0
    for (let i = 0; i < data.length; i++)
      largest = Math.max(largest, Math.abs((data[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)))
    expect(largest).toBe(0)
  })

  test('AVIF that is turned by its own properties lies as it does in Node', async () => {
    for (const { name, file } of fieldRows('12-xmp-orientation/orientations.expected.json')) {
      if (!name.startsWith('avif')) continue
      const path = `${name.replaceAll(' ', '-')}.avif`
      writeFileSync(join(folder, path), Buffer.from(file, 'base64'))
      const { ours, found, data } = await bothSides(path)
      expect({ name, ...found }).toEqual({ name, ...ours, data: undefined })
      const most = Math.max(...ours.data.map((level, i) => Math.abs(level - (data[i] ?? Number.NaN))))
      expect({ name, isNear: most <= 24, most }).toMatchObject({ isNear: true })
    }
  })

  test('a picture is the same in whatever way a page has it', async () => {
    expect(await callIn(page, 'waysThatDiffer', '/images/3-channels.png')).toEqual([])
  })

  test('what cannot be had as an image is refused by name', async () => {
    expect(await callIn(page, 'refusedSources', '/images/3-channels.png')).toEqual({
      missing: 'ImageError not-found',
      scheme: 'ImageError unsupported',
      long: 'ImageError too-large',
      longBlob: 'ImageError too-large',
      aborted: 'Error enough',
      floats: expect.stringMatching(/^TypeError .*Float32Array/),
      shape: 'ImageError wrong-shape',
    })
  })

  test.each([
    ['nothing', Buffer.alloc(0), 'empty'],
    ['a text', Buffer.from('not an image at all'), 'not-an-image'],
    ['half of a PNG', whole.subarray(0, 900), 'truncated'],
    ['a HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'unsupported'],
  ])('%s is refused by name', async (name, bytes, code) => {
    const file = `${name.replaceAll(' ', '-')}.bin`
    writeFileSync(join(folder, file), bytes)
    expect(await callIn(page, 'decodeError', `/images/${file}`)).toBe(code)
  })
})
