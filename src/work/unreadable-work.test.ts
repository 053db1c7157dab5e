/** Earlier work that this process may not read is told as a trouble of the output, with the place and what to do, whichever part of it is refused. */
import { expect, test } from 'vitest'
import { MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { textEncoder } from '../../test/support/text-encoder.js'
import { PartStore } from './part-store.js'
import { writeFeatureFiles } from './write-feature-files.js'

const identity = { model: 'm', recipe: 'r', identity: 'abc' }
const open = (disk: MemoryDisk) => PartStore.open(new MemoryFiles(disk), '/out.parts', identity, [1])

async function withParts(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  await using store = await open(disk)
  await store.add({ path: 'a', size: 1, mtimeMs: 1, height: 1, width: 1 }, Float32Array.of(1))
  await store.flush()
  return disk
}

test.each(['/out.parts', '/out.parts/manifest.json', '/out.parts/00000001.part'])(
  'unfinished work whose %s may not be read is no place to write to',
  async (path) => {
    const disk = await withParts()
    disk.forbidden.add(path)
    await expect(open(disk)).rejects.toMatchObject({
      name: 'OutputError',
      code: 'not-writable',
      message: `${path} holds earlier work and cannot be read (EACCES). Is it yours to read? Choose another output, or make it readable.`,
    })
  },
)

test('a part that may no longer be read when the output is put together is named', async () => {
  const disk = await withParts()
  await using store = await open(disk)
  disk.forbidden.add('/out.parts/00000001.part')
  await expect(store.rows(['a']).next()).rejects.toMatchObject({
    code: 'not-writable',
    message: expect.stringContaining('00000001.part'),
  })
})

test.each(['/maps/manifest.json', '/maps/index.jsonl'])(
  'a folder of features whose %s may not be read is no place to write to',
  async (path) => {
    const disk = new MemoryDisk()
    disk.put('/in/a.jpg', 'text', 1)
    const files = new MemoryFiles(disk, { base: '/in' })
    const write = () =>
      writeFeatureFiles({
        folder: '/maps',
        format: 'npy',
        inputs: ['a.jpg'],
        files,
        encoder: textEncoder(files, () => {}),
        arraysOf: ({ patches }) => [{ name: 'patches', shape: [1, 1, 2], values: patches }],
        what: 'patches',
        listener: {},
      })
    await write()
    disk.forbidden.add(path)
    await expect(write()).rejects.toMatchObject({
      name: 'OutputError',
      code: 'not-writable',
      message: expect.stringContaining(path),
    })
  },
)
