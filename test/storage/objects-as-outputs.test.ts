/** An output in a bucket goes on after a kill, appears whole, lists what failed, and has one writer. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlacedFiles } from '../../src/platform/node/files/placed-files.js'
import { loadEncoder, openStorage, type Storage } from '../../src/platform/node/index.js'
import { type Folder, folderWith, type InTestOptions, runInTest } from '../cli/run-in-test.js'
import { MINI } from '../support/mini.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'

describe.skipIf(versitygw === undefined)('embed -o s3://…', () => {
  let server: S3Server
  let storage: Storage
  const before = { ...process.env }
  beforeAll(async () => {
    server = await startS3Server()
    Object.assign(process.env, server.env)
    await server.makeBucket('outputs')
    storage = await openStorage('s3://outputs')
  })
  afterAll(async () => {
    for (const name of Object.keys(server.env)) {
      const value = before[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await storage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const run = ({ path }: Folder, args: readonly string[], options: Partial<InTestOptions> = {}) =>
    runInTest([...args, '--json'], { cwd: path, files: new PlacedFiles(path), ...options })
  const keys = async (prefix: string) => {
    const found: string[] = []
    for await (const { key } of storage.list({ prefix })) found.push(key.slice(prefix.length))
    return found
  }
  const text = async (key: string) => Buffer.from((await storage.read(key))?.bytes ?? []).toString()

  test('rows are those of a file, what failed is listed, and a second run does the failed one alone', async () => {
    using folder = folderWith({ 'a.jpg': 'a', 'b.jpg': 'broken', 'c.jpg': 'c' })
    const images = ['a.jpg', 'b.jpg', 'c.jpg']
    const local = await run(folder, ['embed', ...images, '-o', 'x.jsonl'])
    const remote = await run(folder, ['embed', ...images, '-o', 's3://outputs/one/x.jsonl'])
    expect(remote.code).toBe(local.code)
    expect(remote.stderr).toContain('"failed","path":"b.jpg"')
    expect(await text('one/x.jsonl')).toBe(await readFile(join(folder.path, 'x.jsonl'), 'utf8'))
    expect(await text('one/x.jsonl.errors.jsonl')).toContain('b.jpg')
    await writeFile(join(folder.path, 'b.jpg'), 'b')
    const again = await run(folder, ['embed', ...images, '-o', 's3://outputs/one/x.jsonl'])
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('"computed":1'),
    })
    expect(await keys('one/')).toEqual(['x.jsonl', 'x.jsonl.inputs.jsonl', 'x.jsonl.meta.json'])
    const third = await run(folder, ['embed', ...images, '-o', 's3://outputs/one/x.jsonl'])
    expect(third).toMatchObject({ code: 0, stderr: expect.stringContaining('"unchanged":true') })
  })

  test('Parquet and npy are written whole', async () => {
    using folder = folderWith(['a.jpg', 'b.jpg'])
    const made = await run(folder, ['embed', 'a.jpg', 'b.jpg', '-o', 's3://outputs/two/x.parquet'])
    expect(made).toMatchObject({ code: 0 })
    await writeFile(
      join(folder.path, 'x.parquet'),
      (await storage.read('two/x.parquet'))?.bytes ?? new Uint8Array(),
    )
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder.path, 'x.parquet')) })
    expect(rows.map(({ path }) => path)).toEqual(['a.jpg', 'b.jpg'])
    expect(await run(folder, ['embed', 'a.jpg', '-o', 's3://outputs/two/x.npy'])).toMatchObject({ code: 0 })
    expect(await keys('two/')).toContain('x.npy')
  })

  test('what an interrupted run has finished is kept, and the next one goes on from there', async () => {
    using folder = folderWith(Array.from({ length: 6 }, (_, i) => `${i}.jpg`))
    const stop = new AbortController()
    const images = Array.from({ length: 6 }, (_, i) => `${i}.jpg`)
    const output = 's3://outputs/three/x.jsonl'
    let done = 0
    const stopping = new PlacedFiles(folder.path)
    const look = stopping.look.bind(stopping)
    stopping.look = async (path) => {
      if (path.endsWith('.jpg') && ++done === 5) stop.abort(new Error('interrupted'))
      return await look(path)
    }
    const cut = await run(folder, ['embed', ...images, '-o', output, '--batch', '1'], {
      files: stopping,
      signal: stop.signal,
    })
    expect(cut.code).not.toBe(0)
    expect(await storage.look('three/x.jsonl')).toBeNull()
    const again = await run(folder, ['embed', ...images, '-o', output])
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('"written":6') })
    expect((await text('three/x.jsonl')).trim().split('\n')).toHaveLength(6)
    expect((await keys('three/')).filter((key) => key.includes('parts') || key.endsWith('.lock'))).toEqual([])
  })

  test('a second writer is told at once who writes it, and what a dead one of this machine held is free', async () => {
    const [files, output] = [new PlacedFiles('/'), 's3://outputs/five/x.jsonl']
    const dead = { pid: 2 ** 22 + 1, host: hostname(), place: null, started: null, token: 'dead' }
    await storage.write('five/x.jsonl.lock', Buffer.from(JSON.stringify({ holder: dead, beats: 3 })))
    const lock = await files.lock(output)
    await lock.assertHeld()
    await expect(files.lock(output)).rejects.toMatchObject({
      name: 'FileError',
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    })
    await lock[Symbol.asyncDispose]()
    expect(await keys('five/')).toEqual([])
  })

  test('features are a file of each image, whole; a run that was stopped goes on, and those that are there stay', async () => {
    using folder = folderWith(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'])
    const images = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']
    const args = ['features', ...images, '--format', 'safetensors', '--batch', '1']
    const local = await run(folder, [...args, '-o', 'maps'])
    expect(local.code).toBe(0)
    const stop = new AbortController()
    const stopping = new PlacedFiles(folder.path)
    const write = stopping.write.bind(stopping)
    let written = 0
    stopping.write = async (path, chunks) => {
      await write(path, chunks)
      if (path.endsWith('.safetensors') && ++written === 2) stop.abort(new Error('interrupted'))
    }
    // A slash at the end means the same place.
    const cut = await run(folder, [...args, '-o', 's3://outputs/maps/'], {
      files: stopping,
      signal: stop.signal,
    })
    expect(cut.code).toBe(130)
    const earlier = (await text('maps/index.jsonl')).split('\n').length - 1
    expect(earlier).toBeGreaterThanOrEqual(1)
    const again = await run(folder, [...args, '-o', 's3://outputs/maps'])
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`"earlier":${earlier}`) })
    expect(await keys('maps/')).toEqual([
      ...['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].map((name) => `${name}.safetensors`),
      'index.jsonl',
      'manifest.json',
    ])
    expect(await keys('maps.')).toEqual([])
    expect(Buffer.from((await storage.read('maps/c.jpg.safetensors'))?.bytes ?? [])).toEqual(
      await readFile(join(folder.path, 'maps/c.jpg.safetensors')),
    )
    const other = await run(folder, ['features', ...images, '-o', 's3://outputs/maps'])
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('--restart') })
  })

  test('one array of features is written by several machines, and joined there', async () => {
    using folder = folderWith(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'])
    const images = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']
    expect(await run(folder, ['features', ...images, '-o', 'all.npy'])).toMatchObject({ code: 0 })
    const parts = [0, 1].map((i) => `s3://outputs/parts/${i}.npy`)
    for (const [i, part] of parts.entries())
      expect(await run(folder, ['features', ...images, '--shard', `${i}/2`, '-o', part])).toMatchObject({
        code: 0,
      })
    expect(await run(folder, ['merge', ...parts, '-o', 's3://outputs/parts/all.npy'])).toMatchObject({
      code: 0,
    })
    // The rows of one shard follow those of another.
    expect((await text('parts/all.names.txt')).trim().split('\n').sort()).toEqual(images)
    const whole = await readFile(join(folder.path, 'all.npy'))
    expect((await storage.look('parts/all.npy'))?.size).toBe(whole.length)
  })

  test('a picture replaces one of ours in a bucket, and nothing else', async () => {
    using folder = folderWith()
    const photo = join(folder.path, 'a.png')
    await sharp({ create: { width: 56, height: 42, channels: 3, background: 'teal' } })
      .png()
      .toFile(photo)
    const picture = (output: string) =>
      run(folder, ['picture', 'norms', photo, '-m', MINI, '-o', output], { loadEncoder })
    await storage.write('pictures/note.png', Buffer.from('no picture of ours'))
    expect(await picture('s3://outputs/pictures/note.png')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--restart'),
    })
    for (let run = 0; run < 2; run++)
      expect(await picture('s3://outputs/pictures/norms.png')).toMatchObject({ code: 0 })
    expect(await picture('s3://outputs/pictures/folder')).toMatchObject({ code: 0 })
    expect((await keys('pictures/folder/')).join()).toMatch(/a\.png\.png$/)
  })

  test.each([
    ['https://localhost:1/x', "a web server's files can only be read"],
    ['s4://outputs/x', 'Did you mean s3:?'],
    ['abfs://outputs/x', 'AZURE_STORAGE_CONNECTION_STRING'],
  ])('nothing is written to %s, and no folder of that name is made', async (address, message) => {
    using folder = folderWith(['a.jpg'])
    for (const args of [
      ['embed', 'a.jpg', '-o', `${address}.jsonl`],
      ['features', 'a.jpg', '-o', address],
      ['picture', 'norms', 'a.jpg', '-o', `${address}.png`],
      ['report', 'a.jpg', '-o', `${address}.html`],
    ])
      expect(await run(folder, args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
    expect(await readdir(folder.path)).toEqual(['a.jpg'])
  })

  test('file: is the path that it names', async () => {
    using folder = folderWith(['a.jpg'])
    await mkdir(join(folder.path, 'out put'))
    const made = await run(folder, ['embed', 'a.jpg', '-o', `file://${folder.path}/out%20put/x.jsonl`])
    expect(made).toMatchObject({ code: 0 })
    expect(await readdir(join(folder.path, 'out put'))).toContain('x.jsonl')
  })
})
