/** What takes a path takes the address of an object in a bucket: images, prefixes of them, models. */
import { mkdtempSync, rmSync } from 'node:fs'
import { copyFile, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadEncoder, openFile, openStorage, type Storage } from '../../src/platform/node/index.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { runInTest } from '../cli/run-in-test.js'
import { gathered } from '../support/gathered.js'
import { MINI, MINI_FOLDER } from '../support/mini.js'
import { packageRoot } from '../support/repository.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'

const run = (input: string) =>
  runInTest(['embed', input, '--model', MINI_FOLDER, '--engine', 'wasm'], { cwd: packageRoot, loadEncoder })
const photo = (name: string) => join(packageRoot, 'examples/photos', name)

describe.skipIf(versitygw === undefined)('a bucket', () => {
  let server: S3Server
  let storage: Storage
  const before = { ...process.env }
  const cache = mkdtempSync(join(tmpdir(), 'plumage-cache-'))
  const files = mkdtempSync(join(tmpdir(), 'plumage-s3-'))
  beforeAll(async () => {
    server = await startS3Server(files)
    process.env.PLUMAGE_CACHE = cache
    Object.assign(process.env, server.env)
    await server.makeBucket('inputs')
    storage = await openStorage('s3://inputs')
    for (const name of ['hat-1.jpg', 'hat-2.jpg'])
      await storage.write(`photos/${name}`, await readFile(photo(name)))
    await storage.write('photos/odd #?%20 name.jpg', await readFile(photo('hat-3.jpg')))
    await storage.write('photos/note.txt', Buffer.from('no image'))
    await storage.write('photos/film.mp4', Buffer.from('no film'))
    await storage.write('photos-of-others/hat-3.jpg', await readFile(photo('hat-3.jpg')))
    for (const path of [MINI, join(MINI_FOLDER, 'class_names.json')])
      await storage.write(`models/${basename(path)}`, await readFile(path))
  })
  afterAll(async () => {
    for (const name of [...Object.keys(server.env), 'PLUMAGE_CACHE']) {
      const value = before[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await storage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    for (const folder of [cache, files]) rmSync(folder, { recursive: true, force: true })
  })

  test('a file that was put into the folder of the server has no ETag, and is told by its time and size', async () => {
    const byHand = join(files, 'data/inputs/by-hand')
    await mkdir(byHand)
    await copyFile(photo('hat-1.jpg'), join(byHand, 'hat-1.jpg'))
    const [listed] = await gathered(storage.list({ prefix: 'by-hand/' }))
    const { version = '' } = listed ?? {}
    expect(await storage.look('by-hand/hat-1.jpg')).toMatchObject({ size: 28473, version })
    expect(version).toMatch(/^~\d+-28473$/)
    const bytes = await readFile(photo('hat-1.jpg'))
    const read = await storage.read('by-hand/hat-1.jpg', { version, offset: 10, length: 20 })
    expect(read).toEqual({ version, bytes: new Uint8Array(bytes.subarray(10, 30)) })
    const { stdout } = await run('s3://inputs/by-hand/')
    expect(stdout.trim().split('\n')).toHaveLength(1)
    await writeFile(join(byHand, 'hat-1.jpg'), bytes)
    await utimes(join(byHand, 'hat-1.jpg'), 1, 1)
    await expect(storage.read('by-hand/hat-1.jpg', { version })).rejects.toMatchObject({ code: 'changed' })
  })

  test('a model and images of it give what the same files give', async () => {
    await using local = await loadEncoder(MINI, { engine: 'wasm', threads: 1 })
    await using remote = await loadEncoder(`s3://inputs/models/${basename(MINI)}`, {
      engine: 'wasm',
      threads: 1,
    })
    const expected = await local.encode(photo('hat-1.jpg'))
    const found = await remote.encode('s3://inputs/photos/hat-1.jpg')
    expect(found.embedding).toEqual(expected.embedding)
    expect(found.identity).toEqual(expected.identity)
    const odd = await local.encode('s3://inputs/photos/odd #?%20 name.jpg')
    expect(odd.embedding).toEqual((await local.encode(photo('hat-3.jpg'))).embedding)
    const asUrl = new URL('s3://inputs/photos/odd%20%23%3F%2520%20name.jpg')
    expect((await local.encode(asUrl)).embedding).toEqual(odd.embedding)
    await expect(local.encode('s3://inputs/photos/gone.jpg')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('what lies beside a model is read too', async () => {
    await using open = await openVit(`s3://inputs/models/${basename(MINI)}`)
    await using local = await openVit(MINI)
    expect(open.configFiles.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
      local.configFiles.map(({ bytes }) => Buffer.from(bytes).toString()),
    )
  })

  test('an object that changes while it is read fails, and is not read on', async () => {
    await storage.write('changing', Buffer.from('0123456789'))
    await using file = await openFile('s3://inputs/changing')
    expect(Buffer.from(await file.read(2, 3)).toString()).toBe('234')
    await storage.write('changing', Buffer.from('abcdefghij'))
    await expect(file.read(2, 3)).rejects.toMatchObject({ code: 'changed' })
    await expect(openFile('s3://inputs/gone')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('a prefix is all images below it, and what is left out is counted', async () => {
    const { code, stdout, stderr } = await run('s3://inputs/photos/')
    const paths = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).path)
    expect(paths).toEqual([
      's3://inputs/photos/hat-1.jpg',
      's3://inputs/photos/hat-2.jpg',
      's3://inputs/photos/odd #?%20 name.jpg',
    ])
    expect(stderr).toContain('left out: 1 film')
    expect(code).toBe(0)
  })

  test('a film in a bucket fails by itself, with what to do', async () => {
    const { code, stderr } = await run('s3://inputs/photos/film.mp4')
    expect(code).toBe(1)
    expect(stderr).toContain('films are read from the disks of this machine alone')
  })

  test('offline, a bucket is not even asked what is there', async () => {
    const offline = (input: string) =>
      runInTest(['embed', input, '--offline', '--model', MINI_FOLDER, '--engine', 'wasm'], {
        cwd: packageRoot,
        loadEncoder,
      })
    expect(await offline('s3://inputs/photos/hat-1.jpg')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`offline` is set'),
    })
    expect(await offline('s3://inputs/photos/')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--offline'),
    })
  })

  test('a prefix without images, and a bucket that is not there, are told as such', async () => {
    const none = await run('s3://inputs/models/')
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no image below s3://inputs/models/'),
    })
    const bucket = await run('s3://no-bucket/')
    expect(bucket).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no bucket no-bucket') })
  })
})
