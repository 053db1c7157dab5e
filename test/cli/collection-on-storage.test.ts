/** The commands of collections take `s3://` wherever they take a folder, and say the same. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { MINI } from '../support/mini.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'
import { runInTest } from './run-in-test.js'

const photos = join(import.meta.dirname, '../../examples/photos')
const THERE = 's3://bucket/photos.plumage'
let folder: string
let server: S3Server | undefined
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-cli-storage-'))
  mkdirSync(join(folder, 'photos'))
  for (const name of readdirSync(photos)
    .filter((one) => one.endsWith('.jpg'))
    .slice(0, 8))
    cpSync(join(photos, name), join(folder, 'photos', name))
  if (versitygw === undefined) return
  server = await startS3Server()
  await server.makeBucket('bucket')
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

describe.skipIf(versitygw === undefined)('on S3', () => {
  test('photos are indexed, searched, mirrored, checked, compacted, exported and imported there', async () => {
    const [first = ''] = readdirSync(join(folder, 'photos'))
    const query = join('photos', first)
    for (const to of ['here.plumage', THERE])
      expect(await run('index', 'photos', '--to', to, '-m', MINI)).toMatchObject({ code: 0 })
    const expected = await run('search', query, '--in', 'here.plumage')
    expect(expected.stdout.trim().split('\n')).toHaveLength(7)
    expect((await run('search', query, '--in', THERE)).stdout).toBe(expected.stdout)
    const mirrored = await run('search', query, '--in', THERE, '--mirror', 'mirror')
    expect(mirrored.stdout).toBe(expected.stdout)
    expect((await run('search', query, '--in', 'mirror')).stdout).toBe(expected.stdout)
    expect((await run('label', '--in', 'mirror', '--set', 'cat', query)).stderr).toContain(
      'is a mirror of s3:',
    )

    expect(await run('label', '--in', THERE, '--set', 'cat', query)).toMatchObject({ code: 0 })
    const told = JSON.parse((await run('collection', 'info', '--in', THERE, '--json')).stdout) as object
    expect(told).toMatchObject({ photos: 8, states: { embedded: 8 }, waitingChanges: 0, readers: 0 })
    expect((await run('collection', 'check', '--deep', '--in', THERE)).stdout).toContain(
      '8 rows are as they should be',
    )
    expect(await run('collection', 'compact', '--in', THERE)).toMatchObject({ code: 0, stderr: '' })
    expect((await run('index', 'photos', '--to', THERE)).stdout).toContain('8 unchanged')
    expect(await run('collection', 'export', 'out.parquet', '--in', THERE)).toMatchObject({ code: 0 })
    const copy = 's3://bucket/copy.plumage'
    expect(
      (await run('collection', 'import', 'out.parquet', '--to', copy, '--base', 'photos')).stdout,
    ).toContain('8 added')
    expect((await run('search', query, '--in', copy)).stdout).toBe(expected.stdout)

    expect((await run('search', query, '--in', THERE, '--cache', '1', '-n', '2')).code).toBe(0)
    expect((await run('search', query, '--in', 'here.plumage', '--mirror', 'other')).stderr).toContain(
      '--mirror',
    )
    expect(existsSync(join(folder, 'other'))).toBe(false)
    expect((await run('search', query, '--in', 's3://bucket/none.plumage')).stderr).toContain(
      'There is no collection',
    )
    expect((await run('search', query, '--in', 's3://nowhere/none.plumage')).stderr).toContain(
      'no bucket nowhere',
    )
    expect((await run('search', query, '--in', 'gs://bucket/a')).stderr).toContain(
      'is no place for a collection',
    )
    expect(await run('collection', 'remove', copy, '--yes')).toMatchObject({ code: 0 })
  }, 60_000)

  test('photos that lie there are indexed as those of a folder: again, moved, gone, and with what lies beside them', async () => {
    await using bucket = await openStorage('s3://bucket')
    const names = readdirSync(join(folder, 'photos')).sort()
    const [first = '', second = ''] = names
    for (const name of names) await bucket.write(`roll/${name}`, readFileSync(join(folder, 'photos', name)))
    const xmp =
      '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmp:Rating="4" xmlns:xmp="http://ns.adobe.com/xap/1.0/"/></rdf:RDF>'
    await bucket.write(
      `roll/${first}.xmp`,
      Buffer.from(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${xmp}</x:xmpmeta>`),
    )
    await bucket.write('roll/note.txt', Buffer.from('no photo'))
    await bucket.write('rolls-of-others/a.jpg', Buffer.from('no photo'))
    const index = () => run('index', 's3://bucket/roll/', '--to', 'far.plumage', '-m', MINI)
    expect(await index()).toMatchObject({ code: 0, stdout: 'far.plumage has 8 photos: 8 added\n' })
    const rated = await run('search', join('photos', second), '--in', 'far.plumage', '--where', 'rating = 4')
    expect(rated.stdout).toContain(`roll/${first}`)
    expect((await index()).stdout).toContain('8 unchanged')

    await bucket.write(`roll/sub/${second}`, readFileSync(join(folder, 'photos', second)))
    await bucket.remove(`roll/${second}`)
    await bucket.remove(`roll/${names[2]}`)
    expect((await index()).stdout).toContain('has 8 photos: 1 moved, 1 gone, 6 unchanged')
    expect((await run('duplicates', '--in', 'far.plumage')).code).toBe(0)
    // The photo that is searched by, and what is like it.
    const page = await run('search', `s3://bucket/roll/${first}`, '--in', 'far.plumage', '-o', 'far.html')
    expect([
      page.code,
      readFileSync(join(folder, 'far.html'), 'utf8').match(/data:image\/jpeg/g)?.length,
    ]).toEqual([0, 7])

    const check = async (...options: string[]) =>
      await run('collection', 'check', ...options, '--in', 'far.plumage')
    expect((await check('--deep')).stdout).toContain('8 rows are as they should be')
    await bucket.write(`roll/${first}`, Buffer.from('another'))
    expect(await check()).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`roll/${first}: its size is 7`),
    })

    await bucket.write(`elsewhere/${first}`, readFileSync(join(folder, 'photos', first)))
    expect(
      (await run('collection', 'root', 'roll', 's3://bucket/elsewhere', '--in', 'far.plumage')).code,
    ).toBe(0)
    for (const [args, words] of [
      [['s3://bucket/none'], 'There is no object below s3://bucket/none'],
      [['s3://bucket/roll', '--watch'], 'in folders of this machine alone'],
      [['s3://bucket/roll', '--video'], 'in folders of this machine alone'],
    ] as const)
      expect(await run('index', ...args, '--to', 'far.plumage')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(words),
      })
  })
})
