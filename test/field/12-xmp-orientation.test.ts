/**
 * Which way a photo lies is what Pillow 13's `ImageOps.exif_transpose` makes of it, wherever a file says it: EXIF of every kind of number, XMP, ImageMagick's
 * hexadecimal text, a TIFF's tag, AVIF's rotation and mirror. `12-xmp-orientation/make.py` has made the files and Pillow's answers.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeImage } from '../../src/platform/node/decode-image.js'

const folder = join(import.meta.dirname, '12-xmp-orientation')

interface Row {
  readonly name: string
  readonly orientation: number
  readonly upright: readonly [height: number, width: number]
  readonly stored: readonly [height: number, width: number]
  /** Base64 of uint8 [height, width, 3], upright. */
  readonly pixels: string
  readonly file: string
}

const rows = JSON.parse(readFileSync(join(folder, 'orientations.expected.json'), 'utf8')) as Row[]
const shapeOf = ({ height, width }: { readonly height: number; readonly width: number }) => [height, width]

test.each(rows)('$name: upright and as stored as Pillow has it', async (row) => {
  const file = Buffer.from(row.file, 'base64')
  const upright = await decodeImage(file)
  const stored = await decodeImage(file, { orientation: 'ignore' })
  expect(shapeOf(upright)).toEqual(row.upright)
  expect(shapeOf(stored)).toEqual(row.stored)
  expect(upright.orientation).toBe(row.orientation >= 1 && row.orientation <= 8 ? row.orientation : 1)
  // AVIF's decoders round otherwise; a picture that lies elsewhere differs by more.
  const pixels = Buffer.from(row.pixels, 'base64')
  const most = Math.max(...upright.data.map((level, i) => Math.abs(level - (pixels[i] ?? Number.NaN))))
  expect(most).toBeLessThanOrEqual(upright.format === 'avif' ? 12 : 0)
})

test.each(['xmp-6.jpg', 'xmp-6.png', 'xmp-6.webp', 'imagemagick-hex-6.png'])(
  '%s, as people have it, is turned to 64 x 48',
  async (name) => {
    expect(await decodeImage(join(folder, name))).toMatchObject({ height: 64, width: 48, orientation: 6 })
  },
)
