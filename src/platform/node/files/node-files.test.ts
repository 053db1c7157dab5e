/** Holds the disk and its stand-in in memory to the same contract, so that what is tried without a disk holds on one. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { MemoryDisk, MemoryFiles } from '../../../../test/support/memory-files.js'
import { smallDiskOrNull } from '../../../../test/support/small-disk.js'
import type { Files } from '../../../work/files.js'
import { NodeFiles } from './node-files.js'

const root = mkdtempSync(join(tmpdir(), 'plumage-files-'))
afterAll(() => rmSync(root, { recursive: true }))
let disks = 0

const places: Readonly<Record<string, () => Promise<Files>>> = {
  'the disk': async () => {
    const files = new NodeFiles(join(root, String(++disks)))
    await files.makeFolder('.')
    return files
  },
  memory: async () => {
    const files = new MemoryFiles(new MemoryDisk(), { base: '/here' })
    await files.makeFolder('.')
    return files
  },
}

describe.each(Object.entries(places))('%s', (_name, make) => {
  let files: Files
  beforeEach(async () => {
    files = await make()
  })

  test('a file written whole reads back, from text and bytes, as a text and in parts', async () => {
    const bytes = new TextEncoder().encode('lumage')
    await files.write('a.txt', ['é', 'P', bytes])
    expect(await files.readText('a.txt')).toBe('éPlumage')
    await using file = await files.open('a.txt')
    expect(file.size).toBe(9)
    const into = new Uint8Array(4)
    expect(await file.read(into, 2)).toBe(4)
    expect(new TextDecoder().decode(into)).toBe('Plum')
    expect(await file.read(into, 7)).toBe(2)
    expect(await file.read(into, 9)).toBe(0)
  })

  test('bytes that are used anew once the next are asked for are written as they were', async () => {
    async function* chunks() {
      const bytes = new Uint8Array(1)
      for (const letter of 'abc') {
        bytes[0] = letter.charCodeAt(0)
        yield bytes
      }
    }
    await files.write('x', chunks())
    expect(await files.readText('x')).toBe('abc')
  })

  test('where the chunks break off, the old file stays', async () => {
    await files.write('a', ['old'])
    async function* broken() {
      yield 'new'
      throw new Error('no more')
    }
    await expect(files.write('a', broken())).rejects.toThrow('no more')
    expect(await files.readText('a')).toBe('old')
    expect((await files.list('.')).map(({ name }) => name)).toEqual(['a'])
  })

  test('lines are added at the end, to what is there and to what is not', async () => {
    for (const text of ['a\n', 'b\n']) {
      await using file = await files.append('lines')
      await Promise.all([file.write(text), file.write(text)])
      await file.sync()
    }
    expect(await files.readText('lines')).toBe('a\na\nb\nb\n')
  })

  test('what is absent is nothing, not an error: to look at, to read as a text, to remove', async () => {
    await files.write('file', [''])
    for (const path of ['gone', 'gone/too', 'file/too']) {
      expect(await files.look(path)).toBeNull()
      expect(await files.readText(path)).toBeNull()
    }
    await files.remove('gone')
  })

  test('files and folders are told apart, and a file has its size', async () => {
    await files.makeFolder('p/q')
    await files.write('p/a', ['1234'])
    expect(await files.look('p')).toMatchObject({ kind: 'folder' })
    expect(await files.look('p/a')).toMatchObject({ kind: 'file', size: 4 })
    const entries = await files.list('p')
    expect([...entries].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'a', kind: 'file' },
      { name: 'q', kind: 'folder' },
    ])
  })

  test('a folder moves and goes with all that is in it', async () => {
    await files.makeFolder('p/q')
    await files.write('p/q/a', ['a'])
    await files.rename('p', 'r')
    expect(await files.readText('r/q/a')).toBe('a')
    expect(await files.look('p')).toBeNull()
    await files.remove('r')
    expect(await files.list('.')).toEqual([])
  })

  test('a pattern gives the files that match, a plain name is no pattern', async () => {
    await files.makeFolder('p')
    for (const name of ['p/a.jpg', 'p/b.jpg', 'p/c.txt']) await files.write(name, [''])
    expect([...((await files.glob('p/*.jpg', {})) ?? [])].sort()).toEqual(['p/a.jpg', 'p/b.jpg'])
    expect(await files.glob('*.png', {})).toEqual([])
    expect(await files.glob('p/a.jpg', {})).toBeNull()
  })

  test('what cannot be written is refused with the path and a code', async () => {
    await files.write('file', [''])
    const refusal = (path: string) => ({
      name: 'FileError',
      code: 'not-writable',
      message: expect.stringContaining(path),
    })
    await expect(files.write('gone/a', ['a'])).rejects.toMatchObject(refusal('gone/a'))
    await expect(files.append('gone/a')).rejects.toMatchObject(refusal('gone/a'))
    await expect(files.makeFolder('file')).rejects.toMatchObject(refusal('file'))
    await expect(files.makeFolder('file/p', 'file/p/x.csv')).rejects.toMatchObject(refusal('file/p/x.csv'))
  })

  test.skipIf(process.platform !== 'linux')(
    'a folder that the system says cannot be there is refused, too',
    async () => {
      await expect(new NodeFiles(root).makeFolder('/proc/plumage/x')).rejects.toMatchObject({
        name: 'FileError',
        message: expect.stringContaining('/proc/plumage/x'),
      })
    },
  )

  test('a lock keeps a second holder out until it is given back', async () => {
    const lock = await files.lock('x')
    await expect(files.lock('x')).rejects.toMatchObject({ name: 'FileError', code: 'locked' })
    await lock[Symbol.asyncDispose]()
    await (await files.lock('x'))[Symbol.asyncDispose]()
  })
})

describe('on the disk alone', () => {
  test('what is no file is not taken for one, nor opened: a pipe would be waited for without end', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')])
    expect(await new NodeFiles(root).look('pipe')).toMatchObject({ kind: 'other' })
  })

  test('a link is listed as a link, looked at as what it leads to, and is known to be the same', async () => {
    const files = new NodeFiles(join(root, 'links'))
    await files.makeFolder('p')
    symlinkSync('p', join(files.base, 'l'))
    expect(await files.list('.')).toContainEqual({ name: 'l', kind: 'link' })
    expect(await files.look('l')).toMatchObject({ kind: 'folder' })
    expect((await files.look('l'))?.id).toBe((await files.look('p'))?.id)
  })

  test('a disk that is full is named so, nothing is left of the file, and the old one stays', async ({
    skip,
  }) => {
    using disk =
      smallDiskOrNull('64k') ?? skip('no small disk can be mounted here: that needs Linux and root')
    const files = new NodeFiles(disk.path)
    await files.write('x', ['old'])
    const large = new Uint8Array(2 ** 20)
    await expect(files.write('x', [large])).rejects.toMatchObject({ name: 'FileError', code: 'disk-full' })
    expect(readdirSync(disk.path)).toEqual(['x'])
    expect(await files.readText('x')).toBe('old')
  })

  test('a link is followed, also through several and to what is not there yet; it stays one, and the file keeps its rights', async () => {
    const files = new NodeFiles(join(root, 'followed'))
    await files.makeFolder('deep/er')
    await files.write('deep/target', ['old'])
    chmodSync(join(files.base, 'deep/target'), 0o600)
    symlinkSync('../target', join(files.base, 'deep/er/first'))
    symlinkSync('deep/er/first', join(files.base, 'second'))
    symlinkSync('deep/new', join(files.base, 'dangling'))
    for (const [link, target] of [
      ['second', 'deep/target'],
      ['dangling', 'deep/new'],
    ] as const) {
      await files.write(link, ['new'])
      expect(lstatSync(join(files.base, link)).isSymbolicLink()).toBe(true)
      expect(await files.readText(target)).toBe('new')
    }
    expect(lstatSync(join(files.base, 'deep/target')).mode & 0o777).toBe(0o600)
  })

  test('pipes and circles of links are refused and stay what they are', async () => {
    const files = new NodeFiles(join(root, 'special'))
    await files.makeFolder('.')
    execFileSync('mkfifo', [join(files.base, 'pipe')])
    symlinkSync('b', join(files.base, 'a'))
    symlinkSync('a', join(files.base, 'b'))
    await files.write('file', ['x'])
    for (const path of ['pipe', 'a']) {
      await expect(files.write(path, ['x'])).rejects.toMatchObject({ code: 'not-writable' })
      await expect(files.rename('file', path)).rejects.toMatchObject({ code: 'not-writable' })
    }
    expect(lstatSync(join(files.base, 'pipe')).isFIFO()).toBe(true)
    expect(lstatSync(join(files.base, 'a')).isSymbolicLink()).toBe(true)
  })

  test('a temporary name that leads elsewhere is not written into', async () => {
    const files = new NodeFiles(join(root, 'planted'))
    await files.makeFolder('.')
    await files.write('victim', ['precious'])
    symlinkSync('victim', join(files.base, 'x.tmp'))
    await files.write('x', ['new'])
    expect(await files.readText('victim')).toBe('precious')
    expect(await files.readText('x')).toBe('new')
  })

  test('a name that is no UTF-8 is listed as such', async () => {
    const files = new NodeFiles(join(root, 'garbled'))
    await files.makeFolder('.')
    writeFileSync(
      Buffer.concat([Buffer.from(`${files.base}/a`), Buffer.from([0xff]), Buffer.from('.jpg')]),
      '',
    )
    expect(await files.list('.')).toEqual([{ name: 'a\\xff.jpg', kind: 'file', garbled: true }])
  })

  test('a file larger than the buffer is written in order, small chunks around large ones', async () => {
    const large = new Uint8Array(3 * 2 ** 20).fill(7)
    await new NodeFiles(root).write('large', ['a', large, 'b'])
    const found = readFileSync(join(root, 'large'))
    expect(found.length).toBe(large.length + 2)
    expect([found.at(0), found.at(1), found.at(-2), found.at(-1)]).toEqual([97, 7, 7, 98])
  })

  test('a temporary file that a kill has left is written over', async () => {
    writeFileSync(join(root, 'y.tmp'), 'a longer rest of an earlier run')
    await new NodeFiles(root).write('y', ['new'])
    expect(readFileSync(join(root, 'y'), 'utf8')).toBe('new')
    expect(existsSync(join(root, 'y.tmp'))).toBe(false)
  })
})
