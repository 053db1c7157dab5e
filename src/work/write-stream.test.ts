import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { textEncoder } from '../../test/support/text-encoder.js'
import { writeStream } from './write-stream.js'

function withImages(count: number) {
  const disk = new MemoryDisk()
  const paths = Array.from({ length: count }, (_, i) => `${i}.jpg`)
  for (const path of paths) disk.put(`/${path}`, path)
  return { files: new MemoryFiles(disk), paths }
}

test('a line for each image, in order, each written before the next is made', async () => {
  const { files, paths } = withImages(5)
  const lines: string[] = []
  let writing = 0
  const counts = await writeStream({
    inputs: paths,
    format: 'jsonl',
    files,
    encoder: textEncoder(files),
    write: async (line) => {
      expect(++writing).toBe(1)
      await sleep(1)
      writing--
      lines.push(String(line))
    },
  })
  expect(counts).toEqual({ computed: 5, earlier: 0, failed: 0 })
  const records = lines.map((line) => JSON.parse(line))
  expect(records.map(({ path }) => path)).toEqual(paths)
  expect(records[0]).toMatchObject({ path: '0.jpg', embedding: [5, 415], height: 5, width: 1, model: 'text' })
})

test('a reader that takes no more holds the work up: no image is computed far ahead of it', async () => {
  const { files, paths } = withImages(100)
  const computed: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const done = writeStream({
    inputs: paths,
    format: 'jsonl',
    files,
    encoder: textEncoder(files, (path) => computed.push(path)),
    write: () => held,
  })
  await sleep(20)
  expect(computed).toHaveLength(1)
  release()
  expect((await done).computed).toBe(100)
})
