/** Images in tars of every kind that the system's tar writes are found where they lie; a damaged tar is told by its name. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gathered } from '../../../test/support/gathered.js'
import { memorySource } from '../../../test/support/memory-source.js'
import { readTar } from '../../formats/read-tar.js'
import { nodeSourceWorld } from '../../platform/node/jobs/source-world.js'
import { MemoryStorage } from '../../storage/memory-storage.js'
import { expandBraces } from './expand-pattern.js'
import { openJobSource } from './open-job-source.js'
import type { SourceOptions, SourceTrouble } from './source.js'

let base = ''
const bucket = new MemoryStorage('s3://shards')
const world = () => nodeSourceWorld({ base, storages: new Map([['s3://shards', bucket]]) })
const LONG = `${'long-name-'.repeat(24)}.jpg`
const DEEP = `${'deep/'.repeat(60)}photo.jpg`
const CONTENT: Readonly<Record<string, string>> = {
  'a.jpg': 'first',
  'a.json': '{}',
  'é ü.png': 'x'.repeat(5000),
  [LONG]: 'long',
  [DEEP]: 'deep',
  'empty.jpg': '',
  '.hidden.jpg': 'no',
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'plumage-shards-'))
  for (const [name, text] of Object.entries(CONTENT)) {
    mkdirSync(join(base, 'in', name, '..'), { recursive: true })
    writeFileSync(join(base, 'in', name), text)
  }
  mkdirSync(join(base, 'small'))
  for (const name of ['one.jpg', 'two.jpg']) writeFileSync(join(base, 'small', name), name)
})
afterAll(() => rmSync(base, { recursive: true }))

function tar(name: string, format: string, folder = 'in', options: readonly string[] = []): string {
  execFileSync('tar', [
    ...options,
    `--format=${format}`,
    '-cf',
    join(base, name),
    '-C',
    join(base, folder),
    '.',
  ])
  return name
}

async function rowsOf(address: string, options: SourceOptions = {}) {
  return (await gathered((await openJobSource(address, world(), options)).rows())).flat()
}

describe.each(['gnu', 'pax', 'oldgnu', 'posix'])('a tar of the format %s', (format) => {
  test('gives each image by its range, whatever its name', async () => {
    const shard = tar(`${format}.tar`, format)
    const rows = await rowsOf(shard)
    const bytes = readFileSync(join(base, shard))
    const found = Object.fromEntries(
      rows.map(({ name, place: { offset = 0, length = 0 } }) => [
        name.replace(`${shard}/./`, ''),
        bytes.subarray(offset, offset + length).toString(),
      ]),
    )
    const images = Object.entries(CONTENT).filter(([name]) => !/json|hidden/.test(name))
    expect(found).toEqual(Object.fromEntries(images))
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  })
})

test.each(['ustar', 'v7'])('a tar of the format %s gives its images', async (format) => {
  const rows = await rowsOf(tar(`${format}.tar`, format, 'small'))
  expect(rows.map(({ name }) => name).sort()).toEqual([`${format}.tar/./one.jpg`, `${format}.tar/./two.jpg`])
})

test('the prefix of ustar is a part of the name', async () => {
  mkdirSync(join(base, 'prefix', 'p'.repeat(90)), { recursive: true })
  writeFileSync(join(base, 'prefix', 'p'.repeat(90), `${'q'.repeat(60)}.jpg`), 'x')
  const [row] = await rowsOf(tar('prefix.tar', 'ustar', 'prefix'))
  expect(row?.name).toBe(`prefix.tar/./${'p'.repeat(90)}/${'q'.repeat(60)}.jpg`)
})

test('links and sparse files are no images, and are counted', async () => {
  mkdirSync(join(base, 'odd'))
  writeFileSync(join(base, 'odd/a.jpg'), 'photo')
  execFileSync('ln', [join(base, 'odd/a.jpg'), join(base, 'odd/b.jpg')])
  execFileSync('ln', ['-s', 'a.jpg', join(base, 'odd/c.jpg')])
  writeFileSync(join(base, 'odd/d.jpg'), '')
  truncateSync(join(base, 'odd/d.jpg'), 3 * 2 ** 20)
  writeFileSync(join(base, 'odd/d.jpg'), 'end', { flag: 'a' })
  writeFileSync(join(base, 'odd/e.jpg'), 'last')
  for (const format of ['gnu', 'pax']) {
    const source = await openJobSource(
      tar(`odd-${format}.tar`, format, 'odd', ['-S', '--sort=name']),
      world(),
    )
    const rows = (await gathered(source.rows())).flat()
    expect(rows.map(({ name }) => name.split('/').at(-1))).toEqual(['a.jpg', 'e.jpg'])
    expect(source.leftOut.counts).toEqual({ 'link in a tar': 2, 'sparse file in a tar': 1 })
  }
})

test('many shards are one source, named by braces, patterns and in buckets', async () => {
  for (const n of ['00', '01', '02']) {
    const shard = tar(`s-${n}.tar`, 'gnu', 'small', ['--sort=name'])
    await bucket.write(`set/${shard}`, readFileSync(join(base, shard)))
  }
  const expected = ['s-00.tar#1', 's-00.tar#2', 's-01.tar#1', 's-01.tar#2', 's-02.tar#1', 's-02.tar#2']
  expect((await rowsOf('s-{00..02}.tar')).map(({ id }) => id)).toEqual(expected)
  expect((await rowsOf('s-*.tar')).map(({ id }) => id)).toEqual(expected)
  const rows = await rowsOf('s3://shards/set/s-0?.tar')
  expect(rows.map(({ id }) => id)).toEqual(expected.map((id) => `s3://shards/set/${id}`))
  const { version } = (await bucket.look('set/s-00.tar')) ?? {}
  expect(rows[0]?.place).toEqual({ address: 's3://shards/set/s-00.tar', offset: 1024, length: 7, version })
  await expect(rowsOf('s-{00..03}.tar')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('s-03.tar'),
  })
})

test('a damaged shard ends by its name, and the others go on where somebody is told', async () => {
  const whole = readFileSync(join(base, tar('whole.tar', 'gnu', 'small', ['--sort=name'])))
  const put = (name: string, bytes: Uint8Array) => writeFileSync(join(base, name), bytes)
  put('bad-1.tar', whole.subarray(0, 1024 + 3))
  put('bad-2.tar', whole.subarray(0, 2560))
  put('bad-3.tar', Buffer.concat([whole, whole]))
  put('bad-4.tar', Buffer.alloc(2048, 'x'))
  put('bad-5.tar', whole)
  for (const [n, why] of [
    [1, /cut off/],
    [2, /cut off/],
    [3, /several tars/],
    [4, /at byte 0 no header/],
  ] as const)
    await expect(rowsOf(`bad-${n}.tar`)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringMatching(new RegExp(`bad-${n}\\.tar.*${why.source}`)),
    })
  const troubles: SourceTrouble[] = []
  const rows = await rowsOf('bad-{1..5}.tar', { onTrouble: (trouble) => troubles.push(trouble) })
  expect(troubles.map(({ label }) => label).sort()).toEqual([
    'bad-1.tar',
    'bad-2.tar',
    'bad-3.tar',
    'bad-4.tar',
  ])
  expect(rows.map(({ id }) => id)).toEqual([
    ...['bad-2.tar#1', 'bad-2.tar#2', 'bad-3.tar#1', 'bad-3.tar#2', 'bad-5.tar#1', 'bad-5.tar#2'],
  ])
})

test('whatever has happened to a tar, its members lie within it or it is refused', async () => {
  const whole = readFileSync(join(base, tar('fuzz.tar', 'pax', 'in', ['--blocking-factor=1'])))
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(whole.length), async (changes, length) => {
      const bytes = Uint8Array.from(whole).subarray(0, length)
      for (const [at, byte] of changes) if (at < length) bytes[at] = byte
      try {
        for await (const member of readTar(memorySource(bytes), 512))
          expect(member.offset + member.length).toBeLessThanOrEqual(length)
      } catch (error) {
        expect(String(error)).toMatch(/^Error: (at byte|it is cut off|it ends at)/)
      }
    }),
    { numRuns: 500 },
  )
})

test('what lies between headers is not read', async () => {
  mkdirSync(join(base, 'large'))
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg'])
    writeFileSync(join(base, 'large', name), Buffer.alloc(2 ** 20))
  const bytes = readFileSync(join(base, tar('large.tar', 'gnu', 'large')))
  let read = 0
  const source = memorySource(bytes)
  const counting = {
    ...source,
    read: (offset: number, length: number) => {
      read += length
      return source.read(offset, length)
    },
  }
  expect((await gathered(readTar(counting))).length).toBe(4)
  expect(read).toBeLessThan(100_000)
})

test('braces are expanded as shells do', () => {
  expect(expandBraces('a{08..11}b{x,y}')).toEqual(
    ['08', '09', '10', '11'].flatMap((n) => [`a${n}bx`, `a${n}by`]),
  )
  expect(expandBraces('{2..0}')).toEqual(['2', '1', '0'])
  expect(expandBraces('{one}-{1,2}')).toEqual(['{one}-1', '{one}-2'])
  expect(expandBraces('plain')).toEqual(['plain'])
  expect(() => expandBraces('{0..99999999}')).toThrow(/more than/)
})
