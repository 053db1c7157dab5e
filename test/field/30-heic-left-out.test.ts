/** A file's content says what it is and never its name; a telephone's HEIC is decoded where libheif-js is installed, else named with that advice. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileKindOrNull } from '../../src/image/image-format.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { HEIC_ADVICE, hasHeicDecoder } from '../../src/platform/node/heic/heic-decoder.js'
import { packageRoot } from '../support/repository.js'

const given = join(import.meta.dirname, '30-heic-left-out')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-heic-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test.each(['IMG_2.HEIC', 'IMG_5.jpg_large', 'IMG_6.png', 'IMG_7'])(
  'a JPEG by the name of %s is a JPEG',
  async (name) => {
    const path = join(folder, name)
    await sharp({ create: { width: 12, height: 10, channels: 3, background: 'green' } })
      .jpeg()
      .toFile(path)
    expect(await decodeImage(path)).toMatchObject({ format: 'jpeg', height: 10, width: 12 })
  },
)

test.each([
  ['ICO', '\0\0\x01\0\x02\0\x20\x20'],
  ['JPEG XL', '\xff\x0a\0\0'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['PSD', '8BPS\0\x01'],
  ['a raw photo of a camera', 'II*\0\x10\0\0\0CR\x02\0'],
])('%s is named, whatever the file is called', async (kind, beginning) => {
  const path = join(folder, 'photo.jpg')
  await writeFile(path, Buffer.from(beginning.padEnd(64, '\0'), 'latin1'))
  await expect(decodeImage(path)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`is ${kind}, which is not decoded`),
  })
})

test.runIf(hasHeicDecoder()).each([
  ['lying', 6],
  ['upright', 1],
])('a HEIC that is %s has the pixels of pillow-heif', async (name, orientation) => {
  const image = await decodeImage(join(given, `${name}.heic`))
  const expected = await decodeImage(join(given, `${name}.expected.png`))
  expect(image).toMatchObject({ format: 'heic', orientation, upright: true, height: expected.height })
  expect(Buffer.compare(image.data, expected.data)).toBe(0)
  const asOpened = await decodeImage(join(given, `${name}.heic`), { orientation: 'ignore' })
  expect(Buffer.compare(asOpened.data, expected.data)).toBe(0)
})

test.runIf(hasHeicDecoder())('a HEIC that is cut off or too large is refused', async () => {
  const file = await readFile(join(given, 'upright.heic'))
  for (const [part, code] of [
    [0.2, 'unsupported'],
    [0.6, 'truncated'],
    [0.9, 'truncated'],
  ] as const) {
    const cut = file.subarray(0, Math.floor(file.length * part))
    await expect(decodeImage(cut)).rejects.toMatchObject({ name: 'ImageError', code })
  }
  await expect(decodeImage(file, { maxPixels: 100 })).rejects.toMatchObject({ code: 'too-large' })
})

test('where the package is not installed, HEIC is named with the advice to install it', async () => {
  const root = join(folder, 'elsewhere')
  await mkdir(join(root, 'node_modules'), { recursive: true })
  await writeFile(join(root, 'package.json'), '{ "type": "module" }')
  await cp(join(packageRoot, 'dist'), join(root, 'dist'), { recursive: true })
  const program =
    "const { hasHeicDecoder } = await import('./dist/platform/node/heic/heic-decoder.js');" +
    "const { decodeHeic } = await import('./dist/platform/node/heic/decode-heic.js');" +
    "console.log(hasHeicDecoder(), await decodeHeic(new Uint8Array(), 'IMG_4.HEIC', 1e6).catch(String))"
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
  })
  expect(stdout.trim()).toBe(
    `false ImageError: IMG_4.HEIC is HEIC, which is not decoded here. ${HEIC_ADVICE}`,
  )
  expect(HEIC_ADVICE).toMatch(/npm install libheif-js.*JPEG/)
  expect(fileKindOrNull(await readFile(join(given, 'lying.heic')))).toEqual({
    decoder: 'optional',
    format: 'heic',
  })
})
