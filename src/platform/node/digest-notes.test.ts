import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DigestNote } from '../../encoder/weight-digest.js'
import { digestInNote, notesOfFiles } from './digest-notes.js'
import { type FileSource, openFile } from './open-file.js'

const DIGEST = 'a'.repeat(64)
const CONFIG = { heads: 2 } as never
const LATER = { changedMs: 0 }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-notes-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Opens a file that counts as one that was last changed long ago, since a test cannot wait. */
async function opened(path: string): Promise<FileSource> {
  const source = await openFile(path)
  return { ...source, stamp: async () => ({ ...(await source.stamp()), ...LATER }) }
}

async function noteOf(
  sources: readonly FileSource[],
  layout = 'timm',
  cache = join(folder, 'cache'),
): Promise<DigestNote> {
  const stampsOf = () => Promise.all(sources.map((source) => source.stamp()))
  const { pathFor, write } = await notesOfFiles(layout, stampsOf, cache)
  const textAt = (path: string) => readFile(path, 'utf8').catch(() => undefined)
  return { write, read: async (config) => digestInNote(await textAt(pathFor(config))) }
}

test('what is noted of files is found again, for the same layout and config alone', async () => {
  const path = join(folder, 'a')
  writeFileSync(path, 'weights')
  await using source = await opened(path)
  const note = await noteOf([source])
  expect(await note.read(CONFIG)).toBeNull()
  await note.write(CONFIG, DIGEST)
  expect(await (await noteOf([source])).read(CONFIG)).toBe(DIGEST)
  expect(await (await noteOf([source], 'birder')).read(CONFIG)).toBeNull()
  expect(await note.read({ heads: 4 } as never)).toBeNull()
  expect(await (await noteOf([source, source])).read(CONFIG)).toBeNull()
})

test('a file whose bytes were changed has no note, even where its size and time are what they were', async () => {
  const path = join(folder, 'a')
  writeFileSync(path, 'weights')
  utimesSync(path, 1000, 1000)
  await using before = await opened(path)
  await (await noteOf([before])).write(CONFIG, DIGEST)
  await new Promise((resolve) => setTimeout(resolve, 20))
  writeFileSync(path, 'WEIGHTS')
  utimesSync(path, 1000, 1000)
  await using after = await opened(path)
  expect(await (await noteOf([after])).read(CONFIG)).toBeNull()
})

test('nothing is noted of a file that changed just now, or while it was read', async () => {
  const path = join(folder, 'a')
  writeFileSync(path, 'weights')
  await using fresh = await openFile(path)
  await (await noteOf([fresh])).write(CONFIG, DIGEST)
  expect(await (await noteOf([fresh])).read(CONFIG)).toBeNull()
  await using source = await opened(path)
  const note = await noteOf([source])
  writeFileSync(path, 'more weights')
  await note.write(CONFIG, DIGEST)
  expect(readdirSync(folder)).toEqual(['a'])
})

test('a folder that cannot be written, and a note that is damaged, cost time and nothing else', async () => {
  const path = join(folder, 'a')
  writeFileSync(path, 'weights')
  await using source = await opened(path)
  const impossible = await noteOf([source], 'timm', join(path, 'below a file'))
  await impossible.write(CONFIG, DIGEST)
  expect(await impossible.read(CONFIG)).toBeNull()
  const note = await noteOf([source])
  await note.write(CONFIG, DIGEST)
  for (const name of readdirSync(join(folder, 'cache')))
    writeFileSync(join(folder, 'cache', name), 'half a no')
  expect(await note.read(CONFIG)).toBeNull()
})
