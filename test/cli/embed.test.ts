import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { smallDiskOrNull } from '../support/small-disk.js'
import { folderWith, runInTest } from './run-in-test.js'
import { embeddingOf, WIDTH } from './stand-in-encoder.mjs'

const vectorOf = (text: string) => Array.from(embeddingOf(Buffer.from(text)))
const lines = (text: string) => text.split('\n').filter(Boolean)
const read = (folder: { path: string }, name: string) => readFileSync(join(folder.path, name), 'utf8')

test('stdout has one JSON line per image, whose numbers read back as the same float32', async () => {
  using folder = folderWith(['b.png', 'a.jpg', 'note.txt'])
  const { code, stdout, stderr } = await runInTest(['embed', 'b.png', 'a.jpg'], { cwd: folder.path })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const records = lines(stdout).map((line) => JSON.parse(line))
  expect(records.map(({ path }) => path)).toEqual(['b.png', 'a.jpg'])
  expect(records[0]).toMatchObject({ height: 20, width: 30 })
  expect(records[0].embedding.map(Math.fround)).toEqual(vectorOf('b.png'))
})

test('one bad and one missing image fail by themselves: exit code 1, each named on stderr', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken', 'c.jpg': 'c' })
  const { code, stdout, stderr } = await runInTest(
    ['embed', 'a.jpg', 'b.jpg', 'gone.jpg', 'c.jpg', '-o', 'x.jsonl'],
    {
      cwd: folder.path,
    },
  )
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('failed b.jpg: this is no image: it says so itself\n')
  expect(stderr).toContain('failed gone.jpg: there is no such file')
  expect(stderr).toContain('2 of 4 images failed')
  expect(lines(read(folder, 'x.jsonl')).map((line) => JSON.parse(line).path)).toEqual(['a.jpg', 'c.jpg'])
  expect(
    lines(read(folder, 'x.jsonl.errors.jsonl'))
      .map((line) => JSON.parse(line).path)
      .sort(),
  ).toEqual(['b.jpg', 'gone.jpg'])
})

test('on stdout too, what is no file fails by itself, and a pipe is not waited for', async () => {
  using folder = folderWith(['a.jpg', 'folder/x.txt'])
  execFileSync('mkfifo', [join(folder.path, 'pipe.jpg')])
  const { code, stdout, stderr } = await runInTest(['embed', '-'], {
    cwd: folder.path,
    input: 'gone.jpg\npipe.jpg\na.jpg\n',
  })
  expect(code).toBe(1)
  expect(lines(stdout)).toHaveLength(1)
  expect(lines(stderr).map((line) => line.split(': ')[1].slice(0, 18))).toEqual([
    'there is no such f',
    'it is a pipe or a ',
    '2 of 3 images fail',
  ])
})

test('a name that would command the terminal is printed harmlessly', async () => {
  using folder = folderWith({ 'a\u001b[2J.jpg': 'broken' })
  const { stderr } = await runInTest(['embed', 'a\u001b[2J.jpg'], { cwd: folder.path })
  expect(stderr).toContain('failed a\ufffd[2J.jpg')
})

test('a rerun after failures computes only what failed, and then cleans up', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken', 'c.jpg': 'c' })
  const options = { cwd: folder.path, encoder: { log: join(folder.path, 'log') } }
  expect((await runInTest(['embed', '.', '-o', 'x.csv'], options)).code).toBe(1)
  writeFileSync(join(folder.path, 'b.jpg'), 'mended')
  expect((await runInTest(['embed', '.', '-o', 'x.csv'], options)).code).toBe(0)
  expect(lines(read(folder, 'log')).map((path) => path.slice(-5))).toEqual(['a.jpg', 'c.jpg', 'b.jpg'])
  expect(lines(read(folder, 'x.csv')).map((line) => line.split(',')[0])).toEqual([
    'sample',
    './a.jpg',
    './b.jpg',
    './c.jpg',
  ])
  for (const name of ['x.csv.parts', 'x.csv.errors.jsonl', 'x.csv.lock'])
    expect(existsSync(join(folder.path, name))).toBe(false)
})

test('finished work is not done again, unless an input changed or --restart asks for it', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const log = join(folder.path, 'log')
  const options = { cwd: folder.path, encoder: { log } }
  const computed = () => lines(readFileSync(log, 'utf8')).length
  const command = ['embed', 'a.jpg', 'b.jpg', '-o', 'x.jsonl']
  await runInTest(command, options)
  const first = read(folder, 'x.jsonl')
  expect((await runInTest(command, options)).code).toBe(0)
  expect(computed()).toBe(2)
  await runInTest([...command, '--restart'], options)
  expect(computed()).toBe(4)
  expect(read(folder, 'x.jsonl')).toBe(first)
  appendFileSync(join(folder.path, 'b.jpg'), ' changed')
  await runInTest(command, options)
  expect(read(folder, 'x.jsonl')).not.toBe(first)
})

test('a finished file is written anew in another format', async () => {
  using folder = folderWith(['a.jpg'])
  await runInTest(['embed', 'a.jpg', '-o', 'x.csv'], { cwd: folder.path })
  await runInTest(['embed', 'a.jpg', '-o', 'x.csv', '--format', 'jsonl'], { cwd: folder.path })
  expect(JSON.parse(read(folder, 'x.csv')).path).toBe('a.jpg')
})

test('csv is laid out as Birder writes it: sorted by the bytes of the path, quoted only where needed', async () => {
  const names = ['z,y.jpg', 'é.jpg', '\u{1F426}.jpg', '豈.jpg', 'a"b.jpg', 'B.jpg']
  using folder = folderWith(names)
  expect((await runInTest(['embed', ...names, '-o', 'x.csv'], { cwd: folder.path })).code).toBe(0)
  const [header, ...rows] = lines(read(folder, 'x.csv'))
  expect(header).toBe('sample,0,1,2,3,4')
  expect(rows.map((row) => row.split(/,-?\d+\./)[0])).toEqual([
    'B.jpg',
    '"a""b.jpg"',
    '"z,y.jpg"',
    'é.jpg',
    '豈.jpg',
    '\u{1F426}.jpg',
  ])
  expect(rows[0].split(',').slice(1).map(Number).map(Math.fround)).toEqual(vectorOf('B.jpg'))
})

test('npy has a header that NumPy reads, [N, D] float32 behind it, and the names beside it', async () => {
  using folder = folderWith(['b.jpg', 'a.jpg', 'new\nline.jpg'])
  await runInTest(['embed', 'b.jpg', 'a.jpg', 'new\nline.jpg', '-o', 'x.npy'], { cwd: folder.path })
  const bytes = readFileSync(join(folder.path, 'x.npy'))
  const end = 10 + bytes.readUInt16LE(8)
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00')
  expect(end % 64).toBe(0)
  expect(bytes.subarray(10, end).toString().trimEnd()).toBe(
    `{'descr': '<f4', 'fortran_order': False, 'shape': (3, ${WIDTH}), }`,
  )
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + end, bytes.byteOffset + bytes.length))
  expect(Array.from(values)).toEqual(['b.jpg', 'a.jpg', 'new\nline.jpg'].flatMap(vectorOf))
  expect(read(folder, 'x.names.txt')).toBe('b.jpg\na.jpg\n"new\\nline.jpg"\n')
})

test('parquet reads back equal, with the identity in its metadata', async () => {
  using folder = folderWith(['b.jpg', 'a.jpg'])
  await runInTest(['embed', 'b.jpg', 'a.jpg', '-o', 'x.parquet'], { cwd: folder.path })
  const file = await asyncBufferFromFile(join(folder.path, 'x.parquet'))
  const rows = await parquetReadObjects({ file })
  expect(rows.map(({ path }) => path)).toEqual(['b.jpg', 'a.jpg'])
  expect(rows.map(({ embedding }) => embedding)).toEqual([vectorOf('b.jpg'), vectorOf('a.jpg')])
  expect(rows[0]).toMatchObject({ height: 20, width: 30 })
  const { key_value_metadata, schema } = await parquetMetadataAsync(file)
  expect(schema.map(({ name }) => name)).toEqual([
    'schema',
    'path',
    'embedding',
    'list',
    'element',
    'height',
    'width',
  ])
  expect(key_value_metadata).toContainEqual({ key: 'weights', value: 'aaaabbbbcccc'.padEnd(64, '0') })
})

test('unfinished work of another model is not mixed in: exit code 2, and the way out is named', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken' })
  const command = ['embed', 'a.jpg', 'b.jpg', '-o', 'x.npy']
  expect((await runInTest(command, { cwd: folder.path })).code).toBe(1)
  const other = { cwd: folder.path, encoder: { weights: '111122223333'.padEnd(64, '0') } }
  const { code, stderr } = await runInTest(command, other)
  expect(code).toBe(2)
  expect(stderr).toContain('weights aaaabbbbcccc;')
  expect(stderr).toContain('111122223333')
  expect(stderr).toContain('--restart')
  expect((await runInTest([...command, '--restart'], other)).code).toBe(1)
})

test('an output that another process writes is refused by name', async () => {
  using folder = folderWith(['a.jpg'])
  // Process 1 runs as long as the system does.
  writeFileSync(
    join(folder.path, 'x.csv.lock'),
    JSON.stringify({ pid: 1, host: (await import('node:os')).hostname(), started: null }),
  )
  const { code, stderr } = await runInTest(['embed', 'a.jpg', '-o', 'x.csv'], { cwd: folder.path })
  expect(code).toBe(2)
  expect(stderr).toMatch(/x\.csv is being written by process 1 on .*delete .*x\.csv\.lock/)
})

test('a full disk is told as such, no half of a file is left, and a rerun goes on', async ({ skip }) => {
  using disk = smallDiskOrNull('64k') ?? skip('no small disk can be mounted here: that needs Linux and root')
  using folder = folderWith(Array.from({ length: 100 }, (_, i) => `p/${i}.jpg`))
  const output = join(disk.path, 'x.csv')
  writeFileSync(join(disk.path, 'filler'), Buffer.alloc(44 * 1024))
  const { code, stderr } = await runInTest(['embed', 'p', '-o', output], { cwd: folder.path })
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(
      /^plumage: .*x\.csv.* could not be written: the disk is full.* kept in .*x\.csv\.parts.*\n$/,
    ),
  })
  expect(existsSync(output)).toBe(false)
  disk.remount('size=4m')
  expect((await runInTest(['embed', 'p', '-o', output], { cwd: folder.path })).code).toBe(0)
  expect(lines(readFileSync(output, 'utf8'))).toHaveLength(101)
})

test.each([
  [['embed'], 'No image was named'],
  [['embed', 'empty'], 'no image in the folder empty'],
  [['embed', '*.webp'], 'No file matches *.webp'],
  [['embed', '-'], 'list on standard input is empty'],
  [['embed', 'a.jpg', '-o', 'x.txt'], 'does not tell the format'],
  [['embed', 'a.jpg', '-o', 'empty'], '--output empty is a folder'],
  [['embed', 'a.jpg', '--format', 'csv'], 'needs a file'],
  [['embed', 'a.jpg', '--restart'], 'needs --output'],
  [['embed', 'a.jpg', '-o', 'a.jpg/x.csv'], 'could not be written'],
  [['embed', 'a.jpg', '--size', '0'], 'found 0'],
  [['embed', 'a.jpg', '--batch', 'many'], 'found many'],
  [['embed', 'a.jpg', '--precision', 'float32'], 'computes in float64, not in float32'],
  [['embed', 'a.jpg', '--nonsense'], 'unknown option'],
  [['embed', 'a.jpg', '--sise', '224'], 'Did you mean --size?'],
  [['embed', 'a.jpg', '--null'], 'no input is -'],
  [['embed', 'a.jpg', '-o', '-', '--format', 'npy'], 'npy needs a file'],
  [['embed', 'a.jpg', '-o', '-', '--restart'], '--restart needs --output to be a file'],
  [['embed', 'a.jpg', '-o', 'x.csv', '--columns', 'path,embedding'], 'as Birder writes it'],
  [['embed', 'a.jpg', '--columns', 'path,embeding'], 'Did you mean embedding?'],
  [['embed', 'a.jpg', '--columns', 'path'], 'One of the columns must be embedding'],
  [['nonsense'], 'unknown command'],
  [['embde'], 'Did you mean embed?'],
] as const)('%j is wrong usage: exit code 2 and one line that says %s', async (args, text) => {
  using folder = folderWith(['a.jpg', 'empty/readme.txt'])
  const { code, stdout, stderr } = await runInTest(args, { cwd: folder.path })
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain(text)
  expect(lines(stderr)).toHaveLength(1)
})

test('progress is JSON lines with --json and silence without, where there is no terminal', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken' })
  const { stderr } = await runInTest(['embed', 'a.jpg', 'b.jpg', '-o', 'x.csv', '--json'], {
    cwd: folder.path,
  })
  const events = lines(stderr).map((line) => JSON.parse(line))
  expect(events.map(({ event }) => event)).toEqual(['progress', 'failed', 'phase', 'finished', 'error'])
  expect(events[3]).toMatchObject({ done: 1, failed: 1, total: 2, written: 1 })
})

test('an interrupt ends with 130, keeps what is finished and says how to go on', async () => {
  using folder = folderWith(Array.from({ length: 40 }, (_, i) => `${i + 10}.jpg`))
  const log = join(folder.path, 'log')
  const interrupt = new AbortController()
  const options = { cwd: folder.path, encoder: { log, delayMs: 20 } }
  const running = runInTest(['embed', '.', '-o', 'x.jsonl'], { ...options, signal: interrupt.signal })
  while (!existsSync(log)) await sleep(5)
  interrupt.abort(new Error('SIGINT'))
  const { code, stderr } = await running
  expect(code).toBe(130)
  expect(stderr).toBe(
    'plumage: Interrupted. What was finished is kept in x.jsonl.parts: run the same command again to go on from there.\n',
  )
  expect(existsSync(join(folder.path, 'x.jsonl'))).toBe(false)
  expect(
    (await runInTest(['embed', '.', '-o', 'x.jsonl'], { cwd: folder.path, encoder: { log } })).code,
  ).toBe(0)
  expect(lines(read(folder, 'log'))).toHaveLength(40)
  expect(lines(read(folder, 'x.jsonl'))).toHaveLength(40)
})
