/** Lance tables of addresses, and collections, give their rows for a job: each keeps what names it there. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { connect } from '@lancedb/lancedb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { blockOf } from '../../src/collection/row-block.js'
import { openJobSource } from '../../src/jobs/sources/open-job-source.js'
import { createCollection } from '../../src/platform/node/collection/open-collection.js'
import { nodeSourceWorld } from '../../src/platform/node/jobs/source-world.js'
import { openStorage } from '../../src/platform/node/storage/open-storage.js'
import { aboutFor, identityOfMade, idOf } from '../collection/made-collection.js'
import { gathered } from '../support/gathered.js'
import { packageRoot } from '../support/repository.js'
import { type S3Server, startS3Server, versitygw } from '../support/s3-server.js'

let base = ''
const world = () => nodeSourceWorld({ base, storages: new Map() })
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'plumage-lance-'))
})
afterAll(() => rmSync(base, { recursive: true }))

test('a Lance table gives the column that is named, under the ids of its rows', async () => {
  const rows = Array.from({ length: 3000 }, (_, at) => ({
    'Image URL': `https://x.org/${at}.jpg`,
    caption: `c${at}`,
  }))
  const connection = await connect(base)
  const table = await connection.createTable('photos', rows)
  await table.delete("caption = 'c1'")
  table.close()
  connection.close()
  const options = { column: 'Image URL', contact: 'wren@example.org' }
  const source = await openJobSource('photos.lance', world(), options)
  expect([source.kind, source.total]).toEqual(['lance', 2999])
  const found = (await gathered(source.rows())).flat()
  expect(found.map(({ place }) => place.address)).toEqual(
    rows.filter((_, at) => at !== 1).map((row) => row['Image URL']),
  )
  expect(new Set(found.map(({ id }) => id)).size).toBe(2999)
  expect(found[0]?.id).toMatch(/^row \d+@\d+$/)
  const wrong = await openJobSource('photos.lance', world(), { ...options, column: 'Image UR' })
  await expect(gathered(wrong.rows())).rejects.toMatchObject({
    code: 'unknown-column',
    message: expect.stringContaining('Did you mean Image URL?'),
  })
})

/** Makes a collection of rows of these paths below one root; `job` says that a job has made it. */
async function makeCollection(
  where: string,
  {
    root,
    paths,
    job,
    sourceRow,
  }: {
    readonly root: string
    readonly paths: readonly string[]
    readonly job?: true
    readonly sourceRow?: string
  },
): Promise<void> {
  const { model } = aboutFor(2)
  await using made = await createCollection(where, { identity: identityOfMade(), model, width: 2 })
  const ofJob = job && { job: { id: '0123456789abcdef', isWhole: true } }
  await made.store.setAbout({ ...made.about, roots: { photos: root }, ...ofJob })
  if (sourceRow !== undefined) await made.addColumns([{ name: 'source_row', type: 'text' }])
  const rows = paths.map((path, at) => ({
    id: idOf(at),
    ...(sourceRow === undefined ? {} : { source_row: sourceRow }),
    root: 'photos',
    path,
    state: path === 'gone.jpg' ? 'gone' : 'embedded',
  }))
  await made.add(blockOf(rows, Object.keys(rows[0] ?? {}), new Uint16Array(2 * rows.length)))
}

test('a collection gives its photos under their ids, but for those that are gone', async () => {
  const paths = ['a.jpg', 'sub/b.jpg', 'gone.jpg', 'film.mp4#t=1.000']
  await makeCollection(join(base, 'made.plumage'), { root: join(base, 'photos'), paths })
  const source = await openJobSource('made.plumage', world())
  expect(source.kind).toBe('collection')
  const found = (await gathered(source.rows())).flat()
  expect(found).toEqual(
    ['a.jpg', 'sub/b.jpg'].map((path, at) => {
      const full = join(base, 'photos', path)
      return { id: idOf(at), name: full, place: { address: full } }
    }),
  )
  expect(source.leftOut.counts).toEqual({ 'frame of a film': 1 })
})

test('what a job has made of web addresses needs a contact', async () => {
  const where = join(base, 'web.plumage')
  await makeCollection(where, { root: 'https://', paths: ['x.org/a.jpg'], job: true })
  const asked = await openJobSource(where, world())
  await expect(gathered(asked.rows())).rejects.toMatchObject({ code: 'no-contact' })
  const source = await openJobSource(where, world(), { contact: 'wren@example.org' })
  const found = (await gathered(source.rows())).flat()
  expect(found.map(({ place }) => place.address)).toEqual(['https://x.org/a.jpg'])
})

test('a collection in PostgreSQL is one by its address, whose options are no pattern, and is named without its password', async () => {
  const source = await openJobSource('postgres://me:secret@host/db?collection=a&password=secret', world())
  expect([source.kind, source.label]).toEqual(['collection', 'postgres://me@host/db?collection=a'])
})

describe('several that belong together', () => {
  const list = (names: readonly string[]) =>
    JSON.stringify({
      format: 1,
      job: 'made',
      identity: identityOfMade().digest,
      collections: names,
      near: null,
    })

  test('are one source, in their order', async () => {
    const names = ['shard-00000.plumage', 'shard-00001.plumage']
    mkdirSync(join(base, 'set'))
    for (const [at, name] of names.entries())
      await makeCollection(join(base, 'set', name), { root: '/photos', paths: [`${at}.jpg`], job: true })
    writeFileSync(join(base, 'set/collections.json'), list(names))
    const source = await openJobSource('set', world())
    expect(source.kind).toBe('collection')
    const found = (await gathered(source.rows())).flat()
    expect(found.map(({ name }) => name)).toEqual(['/photos/0.jpg', '/photos/1.jpg'])
  })

  describe.skipIf(versitygw === undefined)('on S3', () => {
    let server: S3Server | undefined
    beforeAll(async () => {
      server = await startS3Server()
      await server.makeBucket('bucket')
      for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
    })
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]()
      vi.unstubAllEnvs()
    })

    test('are sources by their addresses, and so are photos and Lance tables there', async () => {
      await using bucket = await openStorage('s3://bucket')
      const there = nodeSourceWorld({ base, storages: new Map([['s3://bucket', bucket]]) })
      const addresses = async (where: string) => {
        const source = await openJobSource(where, there)
        const found = (await gathered(source.rows())).flat()
        return [source.kind, ...found.map(({ place }) => place.address)]
      }
      const name = 'shard-00000.plumage'
      await makeCollection(`s3://bucket/set/${name}`, { root: 's3://', paths: ['bucket/p/a.jpg'], job: true })
      await bucket.write('set/collections.json', new TextEncoder().encode(list([name])))
      const expected = ['collection', 's3://bucket/p/a.jpg']
      expect(await addresses(`s3://bucket/set/${name}`)).toEqual(expected)
      expect(await addresses('s3://bucket/set/')).toEqual(expected)

      const connection = await connect(join(base, 'local'))
      const table = await connection.createTable('urls', [{ url: 's3://bucket/p/b.jpg' }])
      table.close()
      connection.close()
      for (const entry of readdirSync(join(base, 'local/urls.lance'), {
        recursive: true,
        withFileTypes: true,
      }))
        if (entry.isFile()) {
          const path = join(entry.parentPath, entry.name)
          await bucket.write(`tables/${relative(join(base, 'local'), path)}`, readFileSync(path))
        }
      expect(await addresses('s3://bucket/tables/urls.lance')).toEqual(['lance', 's3://bucket/p/b.jpg'])

      // The collection lies on the disk, and says of its photo only where its shard was.
      const tar = execFileSync('tar', ['-cf', '-', '-C', packageRoot, 'examples/photos/hat-1.jpg'])
      await bucket.write('p/s.tar', tar)
      const members = join(base, 'members.plumage')
      const paths = ['bucket/p/s.tar/examples/photos/hat-1.jpg']
      await makeCollection(members, { root: 's3://', paths, sourceRow: 's3://bucket/p/s.tar#0' })
      const source = await openJobSource(members, world())
      const [row] = (await gathered(source.rows())).flat()
      expect(row).toMatchObject({
        id: 's3://bucket/p/s.tar#0',
        name: 's3://bucket/p/s.tar/examples/photos/hat-1.jpg',
        place: { address: 's3://bucket/p/s.tar', offset: 512, version: expect.any(String) },
      })
      await expect(addresses('s3://bucket/tables/none.lance')).rejects.toMatchObject({
        code: 'unreadable',
        message: expect.stringContaining('There is no Lance table none in s3://bucket/tables'),
      })
    })
  })
})
