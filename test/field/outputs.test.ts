/** What people have as outputs and inputs, and what happened to it before: pipes, devices, links, circles, long and odd names, lists from Windows. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { type Folder, folderWith, runInTest } from '../cli/run-in-test.js'
import { embeddingOf } from '../cli/stand-in-encoder.mjs'

const lines = (text: string) => text.split('\n').filter(Boolean)
const pathsOf = (text: string) => lines(text).map((line) => JSON.parse(line).path)
const run = (folder: Folder, ...args: string[]) => runInTest(args, { cwd: folder.path })
const JPEG = '\u00ff\u00d8\u00ff\u00e0'

test('a named pipe is written into, once it has a reader, and stays a pipe', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const pipe = join(folder.path, 'pipe.jsonl')
  execFileSync('mkfifo', [pipe])
  const running = run(folder, 'embed', 'a.jpg', 'b.jpg', '-o', 'pipe.jsonl')
  const reader = spawn('cat', [pipe])
  let text = ''
  reader.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(reader, 'close')
  expect(await running).toMatchObject({ code: 0, stderr: '' })
  expect(pathsOf(text)).toEqual(['a.jpg', 'b.jpg'])
  expect(lstatSync(pipe).isFIFO()).toBe(true)
  expect(readdirSync(folder.path).sort()).toEqual(['a.jpg', 'b.jpg', 'pipe.jsonl'])
})

test('an interrupt ends the wait for a reader; a reader that goes away is told', async () => {
  using folder = folderWith(Array.from({ length: 50 }, (_, i) => `p/${i}.jpg`))
  execFileSync('mkfifo', [join(folder.path, 'pipe')])
  const interrupt = new AbortController()
  setTimeout(() => interrupt.abort(new Error('SIGINT')), 100)
  const args = ['embed', 'p', '-o', 'pipe']
  const waiting = await runInTest(args, { cwd: folder.path, signal: interrupt.signal })
  expect(waiting.code).toBe(130)
  const running = runInTest(args, { cwd: folder.path, encoder: { delayMs: 5 } })
  const reader = spawn('head', ['-c', '10', join(folder.path, 'pipe')])
  await once(reader, 'close')
  expect(await running).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('its reader has gone away'),
  })
})

test.skipIf(process.getuid?.() !== 0)(
  'a device takes what is written, also through a link, and stays one',
  async () => {
    using folder = folderWith(['a.jpg'])
    const device = join(folder.path, 'null.csv')
    execFileSync('mknod', [device, 'c', '1', '3'])
    symlinkSync('null.csv', join(folder.path, 'link'))
    for (const name of ['null.csv', 'link']) {
      expect(await run(folder, 'embed', 'a.jpg', '-o', name)).toMatchObject({ code: 0, stderr: '' })
    }
    expect(lstatSync(device).isCharacterDevice()).toBe(true)
    expect(lstatSync(join(folder.path, 'link')).isSymbolicLink()).toBe(true)
    for (const [command, name] of [
      ['embed', 'null.csv --format npy'],
      ['features', 'null.csv'],
    ] as const) {
      const outcome = await run(folder, command, 'a.jpg', '-o', ...name.split(' '))
      expect(outcome).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/npy needs a file|pipe or a device/),
      })
    }
    expect(readdirSync(folder.path).sort()).toEqual(['a.jpg', 'link', 'null.csv'])
  },
)

test('a link is followed and kept: the file that it leads to has the rows, and all that belongs to it beside it', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'b', 'far/target.jsonl': '' })
  symlinkSync('far/target.jsonl', join(folder.path, 'link.jsonl'))
  expect((await run(folder, 'embed', 'a.jpg', '-o', 'link.jsonl')).code).toBe(0)
  expect((await run(folder, 'embed', 'a.jpg', 'b.jpg', '-o', 'far/target.jsonl')).code).toBe(0)
  expect(lstatSync(join(folder.path, 'link.jsonl')).isSymbolicLink()).toBe(true)
  expect(pathsOf(readFileSync(join(folder.path, 'far/target.jsonl'), 'utf8'))).toEqual(['a.jpg', 'b.jpg'])
  expect(readdirSync(folder.path).sort()).toEqual(['a.jpg', 'b.jpg', 'far', 'link.jsonl'])
})

test('a descriptor of the process is written into as it was opened: what a shell has begun there goes on', async () => {
  using folder = folderWith(['a.jpg'])
  const file = join(folder.path, 'log')
  writeFileSync(file, 'before\n')
  const descriptor = openSync(file, 'a')
  const main = resolve('test/cli/stand-in-main.mjs')
  const child = spawn(process.execPath, [main, 'embed', 'a.jpg', '-o', '/dev/stdout'], {
    cwd: folder.path,
    stdio: ['ignore', descriptor, 'inherit'],
  })
  expect((await once(child, 'close'))[0]).toBe(0)
  closeSync(descriptor)
  const [first, second] = lines(readFileSync(file, 'utf8'))
  expect([first, JSON.parse(second ?? '').path]).toEqual(['before', 'a.jpg'])
  expect(readdirSync(folder.path).sort()).toEqual(['a.jpg', 'log'])
})

test('bytes that are no text never go to a terminal, and all formats but npy go to stdout elsewhere', async () => {
  using folder = folderWith(['a.jpg'])
  const { PassThrough } = await import('node:stream')
  const terminal = Object.assign(new PassThrough(), { isTTY: true })
  const refused = await runInTest(['embed', 'a.jpg', '-o', '-', '--format', 'parquet'], {
    cwd: folder.path,
    stdout: terminal,
  })
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('add --output embeddings.parquet'),
  })
  expect(terminal.read()).toBeNull()
  const csv = await run(folder, 'embed', 'a.jpg', '-o', '-', '--format', 'csv')
  expect(csv.stdout).toMatch(/^sample,0,1,2,3,4\na\.jpg,/)
  const parquet = await run(folder, 'embed', 'a.jpg', '-o', '-', '--format', 'parquet')
  expect(parquet.stdout).toMatch(/^PAR1.*PAR1$/s)
})

test.each([2, 3])('%i folders whose links lead to each other give each image once', async (count) => {
  using folder = folderWith(['a', 'b', 'c'].slice(0, count).map((name) => `p/${name}/${name}.png`))
  const names = readdirSync(join(folder.path, 'p'))
  for (const name of names) {
    for (const other of names)
      if (other !== name) symlinkSync(`../${other}`, join(folder.path, 'p', name, `to-${other}`))
  }
  const { code, stdout, stderr } = await run(folder, 'embed', 'p')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(pathsOf(stdout)).toEqual(names.map((name) => `p/${name}/${name}.png`))
})

test('names of up to 255 bytes have their feature files', async () => {
  const long = `${'a prompt that became a file name '.repeat(8)}.png`.slice(-255)
  using folder = folderWith({
    'p/a.png': 'a',
    [`p/${long}`]: 'b',
    [`p/${long.slice(1)}`]: 'c',
    'p/z.png': 'z',
  })
  expect((await run(folder, 'features', 'p', '-o', 'out', '--batch', '1')).code).toBe(0)
  expect(readdirSync(join(folder.path, 'out/p')).filter((name) => name.endsWith('.npy'))).toHaveLength(4)
  expect(pathsOf((await run(folder, 'embed', 'p')).stdout)).toHaveLength(4)
})

test('a path that is too long for the system fails by itself', async () => {
  using folder = folderWith(['a.jpg'])
  const long = 'x/'.repeat(2040)
  symlinkSync('.', join(folder.path, 'x'))
  const deep = `${'x/'.repeat(12)}${'./'.repeat(2000)}a.jpg`
  const { code, stderr } = await run(folder, 'features', 'a.jpg', `${long}${long}b.jpg`, deep, '-o', 'out')
  expect(code).toBe(1)
  expect(stderr).toContain('the name is too long')
  expect(existsSync(join(folder.path, 'out/a.jpg.npy'))).toBe(true)
})

test('a list as Windows PowerShell writes it is read, and so is an image on stdin', async () => {
  using folder = folderWith(['a.png'])
  const list = Buffer.from('\ufeffa.png\r\n', 'utf16le')
  const listed = await runInTest(['embed', '-'], { cwd: folder.path, stdin: Readable.from([list]) })
  expect(pathsOf(listed.stdout)).toEqual(['a.png'])
  const image = Buffer.from(`${JPEG}${'x'.repeat(300)}`, 'latin1')
  const given = await runInTest(['embed', '-'], { cwd: folder.path, stdin: Readable.from([image]) })
  expect(given.code).toBe(0)
  const { path, embedding } = JSON.parse(given.stdout)
  expect([path, ...embedding.map(Math.fround)]).toEqual(['-', ...embeddingOf(image)])
  // In a file it is known by its bytes, since it has no time.
  const log = join(folder.path, 'log')
  for (const end of ['one', 'one', 'two']) {
    const stdin = Readable.from([Buffer.concat([image, Buffer.from(end)])])
    const outcome = await runInTest(['embed', '-', '-o', 'x.npy'], {
      cwd: folder.path,
      stdin,
      encoder: { log },
    })
    expect(outcome.code).toBe(0)
  }
  expect(lines(readFileSync(log, 'utf8'))).toHaveLength(2)
})

test('names with separators of lines are one line for every reader, in names.txt and in JSON lines', async () => {
  const names = ['a\u2028b.png', 'c\u0085d.png', 'e\x0bf.png', 'g\x1ch.png', 'i\u2029j.png', 'z.png']
  using folder = folderWith(names.map((name) => `p/${name}`))
  for (const output of ['x.npy', 'x.jsonl'])
    expect((await run(folder, 'embed', 'p', '-o', output)).code).toBe(0)
  for (const file of ['x.names.txt', 'x.jsonl', 'x.jsonl.inputs.jsonl']) {
    const text = readFileSync(join(folder.path, file), 'utf8')
    // Python's splitlines splits at some of these.
    expect(text.trimEnd().split(/[\p{Cc}\u2028\u2029]/u)).toHaveLength(names.length)
  }
  const read = lines(readFileSync(join(folder.path, 'x.names.txt'), 'utf8'))
  const unescaped = read.map((line) => (line.startsWith('"') ? JSON.parse(line) : line))
  expect(unescaped).toEqual(pathsOf(readFileSync(join(folder.path, 'x.jsonl'), 'utf8')))
})

test('a phone’s folder: images under any name are taken, and what is not taken is counted by kind in one line', async () => {
  using folder = folderWith()
  mkdirSync(join(folder.path, 'phone'))
  const files = {
    'IMG_1.JPG': JPEG,
    'IMG_2.HEIC': JPEG,
    'IMG_3.jxl': '\xff\x0a',
    'IMG_4.HEIC': '\0\0\0\x18ftypheic\0\0\0\0mif1heic',
    'IMG_5.jpg_large': JPEG,
    'IMG_6.NEF': 'II*\0\x08\0\0\0\0\0',
    'IMG_7.cr3': '\0\0\0\x18ftypcrx \0\0\0\x01',
    'notes.txt': 'text',
  }
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder.path, 'phone', name), Buffer.from(text, 'latin1'))
  const { code, stdout, stderr } = await run(folder, 'embed', 'phone')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      'left out: 2 camera raw, 1 HEIC, 1 JPEG XL. For HEIC: Ask for a decoder. For camera raw: Export it as JPEG, PNG or TIFF with a program that develops such photos. For JPEG XL: Convert to JPEG or PNG.\n',
  })
  expect(pathsOf(stdout)).toEqual(
    ['IMG_1.JPG', 'IMG_2.HEIC', 'IMG_5.jpg_large'].map((name) => `phone/${name}`),
  )
  const json = await run(folder, 'embed', 'phone', '-o', 'x.npy', '--json')
  expect(JSON.parse(lines(json.stderr)[0] ?? '')).toEqual({
    event: 'left-out',
    counts: { HEIC: 1, 'JPEG XL': 1, 'camera raw': 2 },
  })
})

test('a name that is no UTF-8, a link to itself and a folder that is gone are a failure each, and the rest is done', async () => {
  using folder = folderWith(['p/a.jpg'])
  writeFileSync(
    Buffer.concat([Buffer.from(join(folder.path, 'p/b')), Buffer.of(0xff), Buffer.from('.jpg')]),
    '',
  )
  symlinkSync('loop', join(folder.path, 'p/loop'))
  const { code, stdout, stderr } = await run(folder, 'embed', 'p', 'gone.jpg')
  expect(code).toBe(1)
  expect(pathsOf(stdout)).toEqual(['p/a.jpg'])
  expect(stderr).toContain('failed p/b\\xff.jpg: its name is no text in UTF-8')
  expect(stderr).toContain('failed p/loop: its links lead in a circle')
  expect(stderr).toContain('3 of 4 images failed')
})

test('an output that nothing here has written is not written over, but an empty file is no loss', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'x.csv': 'my own', 'y.csv': '' })
  const refused = await run(folder, 'embed', 'a.jpg', '-o', 'x.csv')
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/x\.csv is there already.*--restart/),
  })
  expect(readFileSync(join(folder.path, 'x.csv'), 'utf8')).toBe('my own')
  expect(existsSync(join(folder.path, 'x.csv.parts'))).toBe(false)
  expect((await run(folder, 'embed', 'a.jpg', '-o', 'y.csv')).code).toBe(0)
  expect(statSync(join(folder.path, 'y.csv')).size).toBeGreaterThan(0)
  expect((await run(folder, 'embed', 'a.jpg', '-o', 'x.csv', '--restart')).code).toBe(0)
})

test('a finished output of another model is refused, and --columns renames in place without computing', async () => {
  using folder = folderWith(['p/a.jpg', 'p/b.jpg'])
  const log = join(folder.path, 'log')
  const options = { cwd: folder.path, encoder: { log } }
  await runInTest(['embed', 'p', '-o', 'x.parquet'], options)
  const other = { cwd: folder.path, encoder: { weights: '1'.repeat(64) } }
  expect(await runInTest(['embed', 'p', '-o', 'x.parquet'], other)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/x\.parquet is finished and was made with .*; this run has .*--restart/),
  })
  const columns = ['--columns', 'id=path,vector=embedding,model']
  expect((await runInTest(['embed', 'p', '-o', 'x.parquet', ...columns], options)).code).toBe(0)
  expect(lines(readFileSync(log, 'utf8'))).toHaveLength(2)
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet')
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder.path, 'x.parquet')) })
  expect(rows.map(({ id, model }) => [id, model])).toEqual([
    ['p/a.jpg', 'stand-in'],
    ['p/b.jpg', 'stand-in'],
  ])
  expect(rows[0]?.vector).toEqual(Array.from(embeddingOf(Buffer.from('p/a.jpg'))))
})
