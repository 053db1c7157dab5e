/**
 * Each kind of BMP that Pillow 13 opens gives Pillow's own pixels or is refused by what it is; none gives others. `bmp/make.py` has made a small file of each kind and
 * Pillow's answers.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_MAX_PIXELS } from '../../src/image/decodable.js'
import { ImageError } from '../../src/image/image-error.js'
import { beyondPixels } from '../../src/platform/node/collection/beyond-pixels.js'
import { openPhoto } from '../../src/platform/node/collection/open-photo.js'
import { decodeImage } from '../../src/platform/node/decode-image.js'

interface Row {
  readonly name: string
  readonly file: string
  /** Begins the SHA-256 of Pillow's uint8 [height, width, 3]; null where it refuses. */
  readonly rgb: string | null
  /** Is that of the image laid on white. */
  readonly white: string | null
}

const rows = JSON.parse(
  readFileSync(join(import.meta.dirname, 'bmp/kinds.expected.json'), 'utf8'),
) as readonly Row[]

/** Pillow takes indices of these for levels, by a rule that is none of the format's, or judges less strictly what nobody writes. */
const REFUSED = [
  '4 bits, greys in their order',
  '4 bits, black and white',
  '8 bits, black and white',
  '8 bits, one black',
  'runs of 8 of 4 bits',
  'runs of 4 of 8 bits',
]

async function outcome(file: Uint8Array, transparency: 'drop' | 'white' = 'drop'): Promise<string> {
  try {
    const { data } = await decodeImage(file, { transparency })
    return createHash('sha256').update(data).digest('hex').slice(0, 16)
  } catch (error) {
    if (error instanceof ImageError) return error.code
    throw error
  }
}

test.each(rows)('$name', async ({ name, file, rgb, white }) => {
  const bytes = Buffer.from(file, 'base64')
  const found = await outcome(bytes)
  if (rgb === null || REFUSED.includes(name)) expect(found).toMatch(/^(unsupported|truncated|undecodable)$/)
  else expect([found, await outcome(bytes, 'white')]).toEqual([rgb, white])
})

test('what is refused is named with what to do', async () => {
  const [file = ''] = rows.filter(({ name }) => name === '16 bits, 444').map((row) => row.file)
  await expect(decodeImage(Buffer.from(file, 'base64'))).rejects.toThrow(
    /is BMP of a kind that is not decoded: its pixels of 16 bits have the masks f00 f0 f 0\. Convert it to JPEG or PNG\.$/,
  )
})

test('a BMP shows all that it holds, but for one with alpha', async () => {
  const beyond = async (name: string) => {
    const [file = ''] = rows.filter((row) => row.name === name).map((row) => row.file)
    const bytes = Buffer.from(file, 'base64')
    return await beyondPixels(
      openPhoto(bytes, 'a.bmp', { maxPixels: DEFAULT_MAX_PIXELS, transparency: 'drop' }),
    )
  }
  expect(await beyond('24 bits')).toBeNull()
  expect(await beyond('8 bits')).toBeNull()
  expect(await beyond('32 bits, header of 124, masks ff0000 ff00 ff ff000000')).toBe('transparency')
})

test('a large claim is refused before memory is taken', async () => {
  const [file = ''] = rows.filter(({ name }) => name === '24 bits').map((row) => row.file)
  const bytes = Buffer.from(file, 'base64')
  bytes.writeUInt32LE(2 ** 31 - 1, 18)
  expect(await outcome(bytes)).toBe('too-large')
})

test('bytes that are changed or cut off give pixels or an error by name', async () => {
  const files = rows.map(({ file }) => Buffer.from(file, 'base64'))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (file, edits, part) => {
        const bytes = Buffer.from(file.subarray(0, Math.max(18, Math.ceil(file.length * part))))
        for (const [at, value] of edits) if (at >= 2 && at < bytes.length) bytes[at] = value
        expect(await outcome(bytes)).toMatch(/^([0-9a-f]{16}|[a-z-]+)$/)
      },
    ),
    { numRuns: 300 },
  )
})
