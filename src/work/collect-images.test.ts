import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeFiles } from '../platform/node/files/node-files.js'
import { type CollectOptions, collectImages } from './collect-images.js'
import { inputOfAddress } from './input-of-address.js'
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

/** Is a TIFF with one directory of these tags, of two bytes each. */
const tiff = (...tags: readonly (readonly [tag: number, value: number])[]) => {
  const bytes = Buffer.alloc(14 + 12 * tags.length)
  bytes.write('II*\0\x08', 'latin1')
  bytes.writeUInt16LE(tags.length, 8)
  for (const [i, [tag, value]] of tags.entries()) {
    const at = 10 + 12 * i
    bytes.writeUInt16LE(tag, at)
    bytes.writeUInt16LE(3, at + 2)
    bytes.writeUInt32LE(1, at + 4)
    bytes.writeUInt16LE(value, at + 8)
  }
  return bytes
}

/** Holds raw photos as cameras write them: told by a mark, by what their TIFF says, or by their name alone. */
const CAMERAS = [
  ['a.cr2', 'II*\0\x10\0\0\0CR\x02\0'],
  ['b.CR3', '\0\0\0\x18ftypcrx \0\0\0\x01'],
  ['c.crw', 'II\x1a\0\0\0HEAPCCDR'],
  ['d.raf', 'FUJIFILMCCD-RAW 0201'],
  ['e.rw2', 'IIU\0\x18\0\0\0'],
  ['f.orf', 'IIRO\x08\0\0\0'],
  ['g.DNG', tiff([254, 1], [50706, 1])],
  ['h', tiff([256, 100], [262, 32803])],
  ['i.NEF', tiff([254, 1], [259, 1])],
  ['j.arw', tiff([254, 1], [259, 1])],
  ['k.pef', tiff([259, 65535])],
  ['l.srw', tiff([259, 1])],
  ['m.x3f', 'FOVb'],
  ['n.3fr', 'bytes that nobody knows'],
] as const

/** Takes for a film what has a film's ending, or its first bytes. */
function filmRule(take: boolean): CollectOptions['films'] {
  const isNamed = (name: string) => name.endsWith('.mp4')
  return {
    take,
    advice: 'Ask for films.',
    isNamed,
    isFilm: async (path, kind) => isNamed(path) || kind?.format === 'a film',
  }
}

async function collect(inputs: readonly string[], options: Partial<CollectOptions> & { text?: string } = {}) {
  const { text = '', ...rest } = options
  const found: WorkInput[] = []
  const list = Readable.from([...Buffer.from(text)].map((byte) => Buffer.from([byte])))
  const leftOut = new LeftOut()
  const decodes: CollectOptions['decodes'] = ({ decoder }) => decoder === 'own'
  const films = filmRule(false)
  for await (const input of collectImages(inputs, {
    files: new NodeFiles(cwd),
    list,
    decodes,
    leftOut,
    films,
    ...rest,
  }))
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

/** Lists a folder, but for the one that nobody may read: a test may run as root, who may read all. */
class WithSecret extends NodeFiles {
  override async list(folder: string) {
    if (folder.endsWith('secret')) throw new Error('you have no right to read it')
    return super.list(folder)
  }
}

test('a folder that cannot be read is one failure, and the others are walked', async () => {
  mkdirSync(join(cwd, 'rights/secret'), { recursive: true })
  writeFileSync(join(cwd, 'rights/z.jpg'), '')
  expect(await collect(['rights'], { files: new WithSecret(cwd) })).toEqual([
    { path: 'rights/secret', reason: 'the folder cannot be looked through: you have no right to read it' },
    'rights/z.jpg',
  ])
  rmSync(join(cwd, 'rights'), { recursive: true })
})

test.each([2, 3, 5])(
  '%i folders that link to each other give each image once, by its own name',
  async (count) => {
    const folders = Array.from({ length: count }, (_, index) => `circle/${'edcba'[index]}`)
    for (const folder of folders) mkdirSync(join(cwd, folder), { recursive: true })
    for (const folder of folders) {
      writeFileSync(join(cwd, folder, 'x.png'), '')
      for (const other of folders)
        if (other !== folder) symlinkSync(join(cwd, other), join(cwd, folder, `to-${other.slice(-1)}`))
    }
    const expected = folders.map((folder) => `${folder}/x.png`).sort()
    expect(await collect(['circle'])).toEqual(expected)
    expect(await collect(['circle/**/*.png'])).toEqual(expected)
    expect(await collect(['circle/*/*/x.png', 'circle'])).toHaveLength(count)
    rmSync(join(cwd, 'circle'), { recursive: true })
  },
)

test('a link in a circle, and names that are no UTF-8, are a failure each', async () => {
  mkdirSync(join(cwd, 'odd/in'), { recursive: true })
  symlinkSync('loop', join(cwd, 'odd/loop'))
  symlinkSync('nowhere', join(cwd, 'odd/dangling'))
  writeFileSync(join(cwd, 'odd/z.jpg'), '')
  const garbled = (end: string) =>
    Buffer.concat([Buffer.from(join(cwd, 'odd/g')), Buffer.of(0xe9), Buffer.from(end)])
  writeFileSync(garbled('.jpg'), '')
  writeFileSync(garbled('.txt'), '')
  mkdirSync(garbled(''))
  const leftOut = new LeftOut()
  const reason = 'its name is no text in UTF-8, as all names here must be: rename it'
  expect(await collect(['odd'], { leftOut })).toEqual([
    { path: 'odd/g\\xe9', reason },
    { path: 'odd/g\\xe9.jpg', reason },
    { path: 'odd/loop', reason: 'its links lead in a circle' },
    'odd/z.jpg',
  ])
  expect(leftOut.line()).toBe('left out: 1 dangling')
  rmSync(join(cwd, 'odd'), { recursive: true })
})

test('files are told by their content, and photos that are not taken are counted by kind', async () => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0])
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic')
  const files: Readonly<Record<string, Buffer | string>> = {
    'IMG_1.JPG': jpeg,
    'IMG_2.HEIC': jpeg,
    'IMG_3.psd': '8BPS',
    'IMG_4.HEIC': heic,
    'IMG_5.jpg_large': jpeg,
    IMG_6: jpeg,
    'a.heic': heic,
    'cut.heic': '',
    '.hidden.jpg': jpeg,
    'note.txt': 'text',
    'page.html': '<html>',
    ...Object.fromEntries(CAMERAS),
  }
  mkdirSync(join(cwd, 'phone'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, 'phone', name), content)
  const leftOut = new LeftOut()
  expect(await collect(['phone'], { leftOut })).toEqual(
    ['IMG_1.JPG', 'IMG_2.HEIC', 'IMG_5.jpg_large', 'IMG_6'].map((name) => `phone/${name}`),
  )
  expect(leftOut.line()).toBe(`left out: ${CAMERAS.length} camera raw, 2 HEIC, 1 .heic, 1 PSD, 1 hidden`)
  // Where a package decodes more, more is taken.
  const decodes: CollectOptions['decodes'] = ({ decoder }) => decoder !== 'none'
  expect(await collect(['phone'], { decodes })).toContain('phone/IMG_4.HEIC')
  rmSync(join(cwd, 'phone'), { recursive: true })
})

test.each(['utf-16le', 'utf-16be', 'utf-8'] as const)(
  'a list in %s, with its mark, is read',
  async (encoding) => {
    const text = '\ufeffa.jpg\r\né/ü.jpg\r\n'
    const little = Buffer.from(text, 'utf16le')
    const bytes =
      encoding === 'utf-8'
        ? Buffer.from(text)
        : encoding === 'utf-16le'
          ? little
          : Buffer.from(little).swap16()
    const list = () => Readable.from([...bytes].map((byte) => Buffer.of(byte)))
    expect(await collect(['-'], { list: list() })).toEqual(['a.jpg', 'é/ü.jpg'])
    // Without the mark too, where lines end in line breaks.
    if (encoding === 'utf-8') return
    expect(await collect(['-'], { list: Readable.from([bytes.subarray(2)]) })).toEqual(['a.jpg', 'é/ü.jpg'])
  },
)

test('a list in UTF-32 is refused by name', async () => {
  const list = Readable.from([Buffer.from('fffe000061000000', 'hex')])
  await expect(collect(['-'], { list })).rejects.toMatchObject({ code: 'unreadable-list' })
})

test('an image on stdin is one image', async () => {
  const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(300, 7)])
  const list = Readable.from([...bytes].map((byte) => Buffer.of(byte)))
  expect(await collect(['-'], { list })).toEqual([{ path: '-', bytes: new Uint8Array(bytes) }])
})

test('an abort ends the wait for a list that never ends', async () => {
  const abort = new AbortController()
  setTimeout(() => abort.abort(new Error('enough')), 20)
  const list = new Readable({ read() {} })
  await expect(collect(['-'], { list, signal: abort.signal })).rejects.toThrow('enough')
})

test('the address of a file or a folder is its path, also in a list, and no pattern', async () => {
  const address = pathToFileURL(join(cwd, 'odd[1].jpg')).href
  const folder = pathToFileURL(join(cwd, 'p/q')).href
  const expected = [join(cwd, 'odd[1].jpg'), join(cwd, 'p/q/d.webp')]
  expect(await collect([address, folder])).toEqual(expected)
  expect(await collect(['-'], { text: `${address}\n${folder}\n` })).toEqual(expected)
  expect(await collect(['file://elsewhere/a.jpg', 'file:///%ff'])).toEqual([
    { path: 'file://elsewhere/a.jpg', reason: 'it leads to another machine' },
    { path: 'file:///%ff', reason: 'it is no address of a file' },
  ])
})

test('an address of the network stands in the output as it was given, but for a password, and comes once', async () => {
  const text =
    'https://example.org/a.jpg\nHTTPS://Example.org:443/a.jpg#top\nhttps://wren:egg@example.org/b.jpg?w=1\n'
  const expected = [
    { path: 'https://example.org/a.jpg', address: 'https://example.org/a.jpg' },
    { path: 'https://example.org/b.jpg?w=1', address: 'https://wren:egg@example.org/b.jpg?w=1' },
  ]
  expect(await collect(['-'], { text })).toEqual(expected)
  expect(await collect(text.trim().split('\n'))).toEqual(expected)
})

test('data that is an image is named by its beginning and a hash, where it is long', async () => {
  const [short, long, other] = ['aGk=', 'A'.repeat(500), `${'A'.repeat(499)}B`].map(
    (text) => `data:image/png,${text}`,
  )
  const found = await collect([short ?? '', long ?? '', other ?? ''])
  const names = found.map((input) => (typeof input === 'string' ? input : input.path))
  expect(names[0]).toBe(short)
  expect(names[1]).toMatch(/^data:image\/png,A{10,}…~[0-9a-f]{12}$/)
  expect(names[2]).not.toBe(names[1])
})

test('addresses of other kinds fail by themselves, with the kinds that are fetched', async () => {
  const reason = expect.stringMatching(
    /^gcs: is not .* \(https:, http:, s3:, az:, gs:, data:, file:\).*pipe it in/,
  )
  expect(await collect(['gcs://bucket/a.jpg'])).toEqual([{ path: 'gcs://bucket/a.jpg', reason }])
  expect(await collect(['https://[/a.jpg'])).toEqual([
    { path: 'https://[/a.jpg', reason: expect.stringContaining('no address') },
  ])
})

test('the address of a file on Windows has its drive in front', () => {
  expect(inputOfAddress('file:///C:/a%20b/c.jpg', { separator: '\\' })).toBe('C:\\a b\\c.jpg')
})

test('films of folders and lists are counted with what is left out, or are taken where it is asked for', async () => {
  const film = '\0\0\0\x18ftypisom'
  mkdirSync(join(cwd, 'trip/clips'), { recursive: true })
  for (const name of ['trip/a.jpg', 'trip/b.mp4', 'trip/clips/c', 'trip/.d.mp4'])
    writeFileSync(join(cwd, name), film)
  const leftOut = new LeftOut()
  expect(await collect(['trip'], { leftOut })).toEqual(['trip/a.jpg'])
  expect(leftOut.line()).toBe('left out: 2 films, 1 hidden')
  expect(await collect(['trip'], { films: filmRule(true) })).toEqual([
    'trip/a.jpg',
    'trip/b.mp4',
    'trip/clips/c',
  ])
  const listed = new LeftOut()
  const text = 'trip/b.mp4\ntrip/a.jpg\n'
  expect(await collect(['-'], { text, leftOut: listed })).toEqual(['trip/a.jpg'])
  expect(listed.line()).toBe('left out: 1 film')
  expect(await collect(['-'], { text, films: filmRule(true) })).toEqual(['trip/b.mp4', 'trip/a.jpg'])
  await expect(collect(['-'], { text: 'trip/b.mp4\n' })).rejects.toThrow(/no image .*1 film.*Ask for films/)
  await expect(collect(['trip/clips'])).rejects.toThrow(/1 film\).*Ask for films/)
  expect(await collect(['trip/b.mp4'])).toEqual(['trip/b.mp4'])
  rmSync(join(cwd, 'trip'), { recursive: true })
})

test('of an address nothing is asked before its turn, but in a bucket whether it is a folder; offline, not even that', async () => {
  const asked: string[] = []
  const files = new NodeFiles(cwd)
  const look = files.look.bind(files)
  files.look = async (path) => {
    asked.push(path)
    return await look(path)
  }
  const addresses = ['https://host/a.jpg', 's3://bucket/a.jpg', 'file:///none.jpg']
  const gather = async (inputs: readonly string[], offline: boolean) => {
    asked.length = 0
    return await collect(inputs, { files, offline })
  }
  const online = await gather(addresses, false)
  expect(asked).toContain('s3://bucket/a.jpg')
  expect(asked.filter((path) => /^(https|file):/.test(path))).toEqual([])
  expect(await gather(addresses, true)).toEqual(online)
  expect(asked.filter((path) => /^[a-z0-9]+:/.test(path))).toEqual([])
  await expect(gather(['s3://bucket/'], true)).rejects.toMatchObject({
    code: 'nothing-found',
    message: expect.stringContaining('--offline'),
  })
})

test('a signature is no part of a name', async () => {
  expect(await collect(['https://host/a.jpg?w=1&X-Amz-Signature=SECRET'])).toEqual([
    { path: 'https://host/a.jpg?w=1', address: 'https://host/a.jpg?w=1&X-Amz-Signature=SECRET' },
  ])
})
