/** One picture, given in every way that a program may have it, is the same pixels; and what is given wrongly is named. */
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeImage } from './decode-image.js'
import type { ImageSource } from './image-source.js'

const WIDTH = 7
const HEIGHT = 5
const RGB = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 37) % 256)
const raw = (channels: 1 | 2 | 3 | 4) => ({ raw: { width: WIDTH, height: HEIGHT, channels } })

let folder = ''
let path = ''
let file: Buffer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage source '))
  path = join(folder, 'a picture#1.png')
  await sharp(RGB, raw(3)).png().toFile(path)
  file = await readFile(path)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function arrayBufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy.buffer
}

function sharedBufferOf(bytes: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}

/** A view that begins and ends inside of its buffer. */
function viewIn(bytes: Uint8Array): DataView {
  const around = new Uint8Array(bytes.length + 16).fill(9)
  around.set(bytes, 8)
  return new DataView(around.buffer, 8, bytes.length)
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const WAYS: Readonly<Record<string, () => ImageSource>> = {
  'a path': () => path,
  'a file: text': () => pathToFileURL(path).href,
  'a file: URL': () => pathToFileURL(path),
  'a data: text': () => `data:image/png;base64,${file.toString('base64')}`,
  'a data: URL': () => new URL(`data:image/png;base64,${file.toString('base64')}`),
  'a long data: text': () => `data:text/plain;note=${'x'.repeat(9000)};base64,${file.toString('base64')}`,
  'a Buffer': () => file,
  'a Uint8Array': () => new Uint8Array(file),
  'a DataView': () => viewIn(file),
  'an ArrayBuffer': () => arrayBufferOf(file),
  'a SharedArrayBuffer': () => sharedBufferOf(file),
  'a Blob': () => new Blob([arrayBufferOf(file)]),
  'a File': () => new File([arrayBufferOf(file)], 'wren.png'),
  'a web stream': () => new Blob([arrayBufferOf(file)]).stream(),
  'a Node stream': () => createReadStream(path, { highWaterMark: 16 }),
  'an async iterable': () => pieces(file, 10),
  'a sharp instance of a file': () => sharp(path),
  'a sharp instance of pixels': () => sharp(RGB, raw(3)),
  'RGB pixels': () => ({ height: HEIGHT, width: WIDTH, data: RGB }),
  'clamped RGB pixels': () => ({
    height: HEIGHT,
    width: WIDTH,
    data: Uint8ClampedArray.from(RGB),
    channels: 3,
  }),
}

test.each(Object.entries(WAYS))('%s gives the pixels of the file', async (_, source) => {
  const image = await decodeImage(source())
  expect(image).toMatchObject({ height: HEIGHT, width: WIDTH, upright: true })
  expect(Array.from(image.data)).toEqual(Array.from(RGB))
})

describe('pixels', () => {
  const pixels = (channels: number) => ({
    height: 1,
    width: 2,
    data: Uint8ClampedArray.from({ length: 2 * channels }, (_, i) => i * 10),
  })

  test.each([
    [1, [0, 0, 0, 10, 10, 10]],
    [2, [0, 0, 0, 20, 20, 20]],
    [3, [0, 10, 20, 30, 40, 50]],
    [4, [0, 10, 20, 40, 50, 60]],
  ])('of %d channels become RGB; alpha is left out, as of a file', async (channels, levels) => {
    expect(Array.from((await decodeImage(pixels(channels))).data)).toEqual(levels)
    expect(Array.from((await decodeImage({ ...pixels(channels), channels })).data)).toEqual(levels)
  })

  test('that do not come to their height and width are refused', async () => {
    const wrong = { name: 'ImageError', code: 'wrong-shape' }
    await expect(decodeImage({ ...pixels(3), width: 3 })).resolves.toMatchObject({ width: 3 })
    await expect(decodeImage({ ...pixels(3), width: 5 })).rejects.toMatchObject(wrong)
    await expect(decodeImage({ ...pixels(3), channels: 4 })).rejects.toMatchObject(wrong)
    await expect(decodeImage({ ...pixels(3), height: 0.5 })).rejects.toMatchObject(wrong)
    await expect(decodeImage({ ...pixels(3), height: 0 })).rejects.toMatchObject(wrong)
  })

  test('of other numbers than bytes are refused by their kind', async () => {
    const data = new Float32Array(6)
    await expect(decodeImage({ height: 1, width: 2, data } as never)).rejects.toThrow(
      /0 to 255.*Float32Array/,
    )
  })

  test('that were decoded here keep what was found in their file', async () => {
    const lying = await sharp(RGB, raw(3)).withMetadata({ orientation: 6 }).png().toBuffer()
    const stored = await decodeImage(lying, { orientation: 'ignore' })
    expect(await decodeImage(stored, { orientation: 'ignore' })).toEqual(stored)
    expect(await decodeImage(stored)).toEqual(await decodeImage(lying))
  })
})

test('a sharp instance does what it was told, and may be given again', async () => {
  const instance = sharp(RGB, raw(3)).rotate(90).greyscale()
  const first = await decodeImage(instance)
  expect(first).toMatchObject({ height: WIDTH, width: HEIGHT, format: 'raw' })
  expect(await decodeImage(instance)).toEqual(first)
  await expect(decodeImage(sharp(join(folder, 'nowhere.png')))).rejects.toMatchObject({ code: 'unreadable' })
})

test('a file whose name looks like an address is the file', async () => {
  const before = process.cwd()
  const odd = 'data:,odd'
  await writeFile(join(folder, odd), file)
  try {
    process.chdir(folder)
    expect(await decodeImage(odd)).toMatchObject({ height: HEIGHT, format: 'png' })
  } finally {
    process.chdir(before)
  }
})

test('a function gives pixels when they are wanted, and is asked once', async () => {
  let asked = 0
  const give = () => {
    asked++
    return { height: 1, width: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
  }
  const image = await decodeImage(give)
  expect([...image.data]).toEqual([1, 2, 3, 4, 5, 6])
  expect(asked).toBe(1)
})

describe('what is no image is named', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /An image is a path.*got undefined/],
    ['null', null, /got null/],
    ['a number', 7, /got 7/],
    ['an empty text', '', /empty text/],
    ['a promise', Promise.resolve('a.png'), /await it first/],
    ['an array of paths', ['a.png', 'b.png'], /an array of 2.*encodeAll/],
    ['an object', { url: 'a.png' }, /an object with url/],
    ['bytes in base64', 'A'.repeat(5000), /a text of 5000 characters.*base64/],
    ['a function that gives no pixels', () => 'a.png', /gives pixels.*a string/],
    ['an address of another kind', 'ftp://wren.example/a.png', /got ftp:/],
  ])('%s', async (_, source, message) => {
    await expect(decodeImage(source as ImageSource)).rejects.toThrow(message)
  })

  test('a file: address of another machine, and one where nothing is', async () => {
    await expect(decodeImage('file://elsewhere.example/a.png')).rejects.toMatchObject({ code: 'not-found' })
    await expect(decodeImage(pathToFileURL(join(folder, 'nowhere.png')))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('nowhere.png'),
    })
  })

  test('a stream of texts, one that fails, one that was read before, and an empty one', async () => {
    await expect(decodeImage(Readable.from(['a', 'b']))).rejects.toThrow(/gives strings/)
    const failing = new Readable({ read: () => failing.destroy(new Error('the disk is gone')) })
    await expect(decodeImage(failing)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('the disk is gone'),
    })
    const used = new Blob([arrayBufferOf(file)]).stream()
    used.getReader()
    await expect(decodeImage(used)).rejects.toMatchObject({ code: 'unreadable' })
    await expect(decodeImage(Readable.from([]))).rejects.toMatchObject({ code: 'empty' })
  })
})

describe('limits', () => {
  test('a stream or a Blob of more bytes than are allowed is given up', async () => {
    let closed = false
    async function* endless() {
      try {
        while (true) yield new Uint8Array(1000)
      } finally {
        closed = true
      }
    }
    await expect(decodeImage(endless(), { maxFileBytes: 5000 })).rejects.toMatchObject({ code: 'too-large' })
    expect(closed).toBe(true)
    const blob = new Blob([new Uint8Array(6000)])
    await expect(decodeImage(blob, { maxFileBytes: 5000 })).rejects.toMatchObject({ code: 'too-large' })
    await expect(decodeImage(createReadStream(path), { maxFileBytes: file.length })).resolves.toMatchObject({
      height: HEIGHT,
    })
  })

  test('an abort gives a silent stream up, with the reason', async () => {
    const silent = new Readable({ read: () => {} })
    const reason = new Error('no longer wanted')
    const controller = new AbortController()
    const running = decodeImage(silent, { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 10)
    await expect(running).rejects.toBe(reason)
    await expect.poll(() => silent.destroyed).toBe(true)
  })
})
