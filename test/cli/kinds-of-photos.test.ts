/** Each command that takes a folder takes the same files of it, and tells in the same words which it leaves out and what to do. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { HEIC_EXTENSIONS, IMAGE_EXTENSIONS, isDecodedName } from '../../src/work/image-extensions.js'
import { MINI } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { runInTest } from './run-in-test.js'

const PHOTO = join(packageRoot, 'examples/photos/hat-1.jpg')
/** Are photos that nothing here decodes, and files that are none. */
const LEFT_OUT = {
  'b.jxl': '\xff\x0a',
  'c.jp2': '\0\0\0\x0cjP  \r\n\x87\n',
  'd.psd': '8BPS\0\x01',
  'e.ico': '\0\0\x01\0\x02\0\x20\x20',
  'g.mp4': '\0\0\0\x14ftypisom\0\0\0\0isom',
  'notes.txt': 'text',
  'list.bin': 'BMW',
}
const TOLD =
  'left out: 1 ICO, 1 JPEG 2000, 1 JPEG XL, 1 PSD, 1 film. Films are taken with --F. For JPEG XL, JPEG 2000, PSD, ICO: Convert to JPEG or PNG.'

let folder: string
const run = (...args: string[]) =>
  runInTest(args, { cwd: folder, loadEncoder, heicAdvice: 'Ask for a decoder.' })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-kinds-'))
  mkdirSync(join(folder, 'p'))
  copyFileSync(PHOTO, join(folder, 'p/a.jpg'))
  writeFileSync(join(folder, 'p/h.bmp'), bmp())
  for (const [name, text] of Object.entries(LEFT_OUT)) writeFileSync(join(folder, 'p', name), text, 'latin1')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Is of 32 x 32 pixels of 24 bits. */
function bmp(): Buffer {
  const head = Buffer.alloc(54)
  head.write('BM')
  const fields = { 2: 54 + 3072, 10: 54, 14: 40, 18: 32, 22: 32, 34: 3072 }
  for (const [at, value] of Object.entries(fields)) head.writeUInt32LE(value, Number(at))
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  return Buffer.concat([head, Buffer.from(Uint8Array.from({ length: 3072 }, (_, i) => (i * 7) % 251))])
}

test.each([
  ['embed', ['embed', 'p', '-m', MINI, '-o', 'e.npy']],
  ['features', ['features', 'p', '-m', MINI, '-o', 'features']],
  ['picture', ['picture', 'pca', 'p', '-m', MINI, '-o', 'pictures']],
  ['report', ['report', 'p', '-m', MINI, '-o', 'r.html']],
  ['index', ['index', 'p', '--to', 'p.plumage', '-m', MINI]],
  ['job create', ['job', 'create', 'p', '--to', 'job', '-m', MINI, '--rows-per-part', '8']],
] as const)('%s takes two photos, and names the others by their kinds', async (command, args) => {
  const { code, stdout, stderr } = await run(...args)
  expect([code, stderr.match(/could not be read/g)]).toEqual([0, null])
  const told = stderr.split('\n').filter((line) => line.includes('left out'))
  // A report shows no films, and a job takes none of a folder.
  const lines = told.map((line) =>
    line.replace(
      /Films (?:of folders and lists )?are (taken with --(films|video)[^.]*|not taken here)\./,
      'Films are taken with --F.',
    ),
  )
  if (command === 'job create') {
    expect(lines).toEqual([TOLD.replace(', 1 film. Films are taken with --F', '')])
    expect(stdout).toContain('2 images in 1 parts')
  } else expect(lines).toEqual([TOLD])
})

test('names alone tell what buckets and tars hold, and HEIC is among it where it is decoded', () => {
  for (const ending of IMAGE_EXTENSIONS)
    expect(isDecodedName(`x${ending.toUpperCase()}`, () => false)).toBe(true)
  for (const ending of HEIC_EXTENSIONS) {
    expect(isDecodedName(`x${ending}`, () => false)).toBe(false)
    expect(isDecodedName(`x${ending}`, ({ decoder }) => decoder === 'optional')).toBe(true)
  }
  expect(isDecodedName('.jpg', () => true)).toBe(false)
})
