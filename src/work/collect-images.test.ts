import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeFiles } from '../platform/node/files/node-files.js'
import { type CollectOptions, collectImages } from './collect-images.js'
import { LeftOut } from './left-out.js'
import type { WorkInput } from './work-input.js'

let cwd: string

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'plumage-collect-'))
  const files = [
    'a.jpg',
    'p/c.JPG',
    'p/b.png',
    'p/.hidden.jpg',
    'p/note.txt',
    'p/q/d.webp',
    'p/q.jpg',
    'odd[1].jpg',
    'empty/x.txt',
  ]
  for (const file of files) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true })
    writeFileSync(join(cwd, file), file)
  }
})
afterAll(() => rmSync(cwd, { recursive: true }))

async function collect(inputs: readonly string[], options: Partial<CollectOptions> & { text?: string } = {}) {
  const { text = '', ...rest } = options
  const found: WorkInput[] = []
  const list = Readable.from([...Buffer.from(text)].map((byte) => Buffer.from([byte])))
  const leftOut = new LeftOut()
  for await (const input of collectImages(inputs, { files: new NodeFiles(cwd), list, leftOut, ...rest }))
    found.push(input)
  return found
}

test('a folder gives the images in it and below, sorted by name, without hidden files', async () => {
  expect(await collect(['p'])).toEqual(['p/b.png', 'p/c.JPG', 'p/q/d.webp', 'p/q.jpg'])
})

test('the form of a path is kept: relative, with a slash, absolute', async () => {
  expect(await collect(['./p/q/'])).toEqual(['./p/q/d.webp'])
  expect(await collect([join(cwd, 'p/q')])).toEqual([join(cwd, 'p/q/d.webp')])
})

test('a file comes once however often it is named, in the order of the first time', async () => {
  expect(await collect(['p/q.jpg', 'p', './p/q.jpg', join(cwd, 'p/b.png')])).toEqual([
    'p/q.jpg',
    'p/b.png',
    'p/c.JPG',
    'p/q/d.webp',
  ])
})

test('a glob gives what it matches, sorted; a file whose very name looks like one is that file', async () => {
  expect(await collect(['p/**/*.{jpg,webp}'])).toEqual(['p/q.jpg', 'p/q/d.webp'])
  expect(await collect(['odd[1].jpg'])).toEqual(['odd[1].jpg'])
})

test('a file named by itself is given whatever it is called, and even if it does not exist', async () => {
  expect(await collect(['p/note.txt', 'gone.jpg'])).toEqual(['p/note.txt', 'gone.jpg'])
})

test('a list on stdin has a path a line, even cut in the middle of a character; folders in it are walked', async () => {
  expect(await collect(['-'], { text: 'é.jpg\r\n\np/q\na.jpg' })).toEqual(['é.jpg', 'p/q/d.webp', 'a.jpg'])
})

test('with NUL as the separator, a path may hold a line break', async () => {
  expect(await collect(['-'], { text: 'new\nline.jpg\0a.jpg\0', separator: '\0' })).toEqual([
    'new\nline.jpg',
    'a.jpg',
  ])
})

test.each([
  [['empty'], /no image in the folder empty or below: looked for names ending in \.jpg/],
  [['*.webp'], /No file matches \*\.webp/],
  [['-'], /list on standard input is empty/],
])('%j gives nothing, and says what was looked for', async (inputs, message) => {
  await expect(collect(inputs)).rejects.toThrow(message)
})

test('a link to a folder is followed, one to a folder around it is not', async () => {
  mkdirSync(join(cwd, 'links'))
  symlinkSync(join(cwd, 'p/q'), join(cwd, 'links/away'))
  symlinkSync(cwd, join(cwd, 'links/loop'))
  expect(await collect(['links'])).toEqual(['links/away/d.webp'])
  rmSync(join(cwd, 'links'), { recursive: true })
})

test.skipIf(process.getuid?.() === 0)('a folder that cannot be listed is named', async () => {
  mkdirSync(join(cwd, 'secret'))
  chmodSync(join(cwd, 'secret'), 0)
  await expect(collect(['secret'])).rejects.toThrow(/folder secret cannot be listed \(EACCES\)/)
})

test('an abort ends the wait for a list that never ends', async () => {
  const abort = new AbortController()
  setTimeout(() => abort.abort(new Error('enough')), 20)
  const list = new Readable({ read() {} })
  await expect(collect(['-'], { list, signal: abort.signal })).rejects.toThrow('enough')
})
