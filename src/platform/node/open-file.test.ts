import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFile, siblingsOf } from './open-file.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-file-'))
  await writeFile(join(folder, 'model.pt'), 'abcdef')
  await writeFile(join(folder, 'notes.txt'), '')
})
afterAll(() => rm(folder, { recursive: true }))

test('reads pieces, each in memory of its own', async () => {
  await using file = await openFile(join(folder, 'model.pt'))
  expect(file).toMatchObject({ label: join(folder, 'model.pt'), size: 6 })
  const piece = await file.read(2, 3)
  expect(Buffer.from(piece).toString()).toBe('cde')
  expect(piece.buffer.byteLength).toBe(3)
  piece.fill(0)
  expect(Buffer.from(await file.read(0, 6)).toString()).toBe('abcdef')
})

test('a missing file is not found, by its path', async () => {
  const path = join(folder, 'none.pt')
  await expect(openFile(path)).rejects.toMatchObject({
    name: 'CheckpointError',
    code: 'not-found',
    message: expect.stringContaining(path),
  })
  await expect(openFile(join(folder, 'model.pt', 'inner'))).rejects.toMatchObject({ code: 'not-found' })
})

test('a folder is refused with the checkpoint that loading takes of it, an index of several files included', async () => {
  await expect(openFile(folder)).rejects.toThrow(/is a folder.* its checkpoint is .*model\.pt\. Name that/)
  const parts = await mkdtemp(join(folder, 'parts-'))
  await writeFile(join(parts, 'pytorch_model-00001-of-00001.bin'), '')
  await writeFile(join(parts, 'pytorch_model.bin.index.json'), '')
  await expect(openFile(parts)).rejects.toThrow(/its checkpoint is .*pytorch_model\.bin\.index\.json/)
})

test('a device is refused rather than waited for', async () => {
  await expect(openFile('/dev/null')).rejects.toMatchObject({ code: 'unknown-format' })
})

test('a file that shrinks after it was opened is truncated, not zeros', async () => {
  const path = join(folder, 'shrinking.pt')
  await writeFile(path, 'abcdef')
  await using file = await openFile(path)
  await truncate(path, 4)
  await expect(file.read(0, 6)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('2 bytes before'),
  })
})

test('siblings are found beside the file', async () => {
  await using file = await siblingsOf(join(folder, 'notes.txt'))('model.pt')
  expect(file.size).toBe(6)
})

test('an aborted signal opens nothing', async () => {
  await expect(openFile(join(folder, 'model.pt'), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
})
