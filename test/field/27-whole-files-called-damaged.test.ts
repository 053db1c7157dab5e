/** A whole file of a kind that is not decoded is named as such, and only what shows damage is called damaged. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/platform/node/decode-image.js'
import { decodingError } from '../../src/platform/node/sharp-decoder.js'

const folder = join(import.meta.dirname, '27-whole-files-called-damaged')

test.each([
  ['zstd.tif', 'packed with ZSTD'],
  ['lzma.tif', 'packed with LZMA'],
  ['lab.tif', 'CIELAB in 8 + 8 + 8 bits'],
  ['sequence.avif', 'AVIF sequence, a moving picture'],
])('%s is unsupported: %s', async (name, reason) => {
  await expect(decodeImage(join(folder, name))).rejects.toMatchObject({
    name: 'ImageError',
    code: 'unsupported',
    message: expect.stringMatching(new RegExp(`${name}.*${reason.replaceAll('+', '\\+')}`)),
  })
})

test('12 bits are decoded, to Pillow’s pixels', async () => {
  const { data } = await decodeImage(join(folder, '12bit.tif'))
  expect(createHash('sha256').update(data).digest('hex').slice(0, 16)).toBe('e0db8cbdd9560021')
})

describe('what the decoder says decides only where the file itself does not', () => {
  const whole = sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })

  test.each(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)(
    'a whole %s that the decoder gives up on for a reason of its own is not called damaged',
    async (format) => {
      const bytes = await whole.clone().toFormat(format).toBuffer()
      const reason = new Error('Input buffer contains something rare')
      const error = decodingError('wren', reason, bytes, format)
      expect(error).toMatchObject({ code: 'undecodable', message: expect.not.stringContaining('copied') })
      const named = decodingError(
        'wren',
        new Error('tiff2vips: XYZ support is not configured'),
        bytes,
        format,
      )
      expect(named).toMatchObject({ code: 'unsupported' })
      const cut = decodingError('wren', reason, bytes.subarray(0, bytes.length >> 1), format)
      expect(cut).toMatchObject({ code: 'truncated', message: expect.stringContaining('is cut off') })
    },
  )
})

test.each([
  [0xc3, 8, 'lossless JPEG'],
  [0xc5, 8, 'hierarchical JPEG'],
  [0xc1, 12, 'JPEG of 12 bits'],
])('a JPEG of the rare frame %i with %i bits is unsupported: %s', async (frame, bits, name) => {
  const file = await readFile(join(folder, '../12-xmp-orientation/xmp-6.jpg'))
  const at = file.indexOf(Buffer.from([0xff, 0xc0]))
  file.set([frame, file[at + 2] ?? 0, file[at + 3] ?? 0, bits], at + 1)
  await expect(decodeImage(file)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`is ${name}, which is not decoded`),
  })
})

test('what follows a whole file is not taken for its end', async () => {
  const file = await readFile(join(folder, '../12-xmp-orientation/xmp-6.jpg'))
  expect(await decodeImage(Buffer.concat([file, Buffer.alloc(1000)]))).toMatchObject({ height: 64 })
})
