import { beforeEach, expect, test } from 'vitest'
import { MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { featuresOf, textEncoder } from '../../test/support/text-encoder.js'
import { type EncodeInputsOptions, encodeInputs, type Sink } from './encode-inputs.js'
import type { FileEncoder } from './file-encoder.js'

let disk: MemoryDisk
let files: MemoryFiles
beforeEach(() => {
  disk = new MemoryDisk()
  for (const name of ['a', 'b', 'c', 'd']) disk.put(`/${name}.jpg`, name)
  files = new MemoryFiles(disk)
})

/** Holds what happened, in order, and the counts. */
async function run(options: Partial<EncodeInputsOptions> = {}, sink: Partial<Sink> = {}) {
  const events: string[] = []
  const computed: string[] = []
  const counts = await encodeInputs({
    inputs: ['a.jpg', 'b.jpg', 'c.jpg'],
    files,
    encoder: textEncoder(files, (path) => computed.push(path)),
    sink: { has: () => false, keep: async () => null, ...sink },
    listener: {
      done: (path, earlier) => events.push(`${earlier ? 'had' : 'done'} ${path}`),
      failed: ({ path, reason }) => events.push(`failed ${path}: ${reason}`),
    },
    ...options,
  })
  return { counts, events, computed }
}

/** An encoder that answers with these indices, whatever it is given. */
function answering(...indices: number[]): FileEncoder {
  return {
    ...textEncoder(files),
    async *encodeAll(sources) {
      for await (const source of sources) {
        const index = indices.shift()
        if (index !== undefined) yield { index, source, features: featuresOf('') }
      }
    },
  }
}

test('each result reaches the sink with the file it was made from, and is counted', async () => {
  const kept: [string, number, string][] = []
  const { counts, events } = await run(
    {},
    {
      keep: async ({ path, size }, { embedding }) => {
        kept.push([path, size, embedding.join()])
        return null
      },
    },
  )
  expect(kept).toEqual([
    ['a.jpg', 1, '1,97'],
    ['b.jpg', 1, '1,98'],
    ['c.jpg', 1, '1,99'],
  ])
  expect(counts).toEqual({ computed: 3, earlier: 0, failed: 0 })
  expect(events).toEqual(['done a.jpg', 'done b.jpg', 'done c.jpg'])
})

test('what the sink has already never reaches the encoder', async () => {
  const { counts, computed, events } = await run({}, { has: ({ path }) => path !== 'b.jpg' })
  expect(computed).toEqual(['/b.jpg'])
  expect(counts).toEqual({ computed: 1, earlier: 2, failed: 0 })
  expect(events).toContain('had a.jpg')
})

test('a bad image, a missing one, a folder and one that the sink cannot keep fail alone', async () => {
  disk.put('/b.jpg', 'broken')
  disk.put('/folder/x', '')
  const paths = ['gone.jpg', 'a.jpg', 'b.jpg', 'folder', 'c.jpg', 'd.jpg']
  const failures: string[] = []
  const { counts, events } = await run(
    { inputs: paths },
    {
      keep: async ({ path }) => (path === 'c.jpg' ? new Error('it does not fit') : null),
      fail: async ({ path }) => void failures.push(path),
    },
  )
  expect(counts).toEqual({ computed: 2, earlier: 0, failed: 4 })
  expect(events.filter((event) => event.startsWith('failed')).sort()).toEqual([
    'failed b.jpg: no image: broken',
    'failed c.jpg: it does not fit',
    'failed folder: it is a folder, expected an image file',
    'failed gone.jpg: there is no such file (looked in /)',
  ])
  expect(failures.sort()).toEqual(['b.jpg', 'c.jpg', 'folder', 'gone.jpg'])
})

test('a file is looked at just before its turn: a list may name what is still being made', async () => {
  async function* paths() {
    yield 'a.jpg'
    disk.put('/new.jpg', 'new')
    yield 'new.jpg'
  }
  expect((await run({ inputs: paths() })).counts.computed).toBe(2)
})

test('a sink that can keep nothing more ends the run', async () => {
  const keep = () => Promise.reject(new Error('the disk is full'))
  await expect(run({}, { keep })).rejects.toThrow('the disk is full')
})

test('a list that breaks off ends the run with its own error', async () => {
  async function* paths() {
    yield 'a.jpg'
    throw new Error('the list is cut off')
  }
  await expect(run({ inputs: paths() })).rejects.toThrow('the list is cut off')
})

test('an abort throws its reason, before the first image and after the last', async () => {
  const before = AbortSignal.abort(new Error('enough'))
  await expect(run({ signal: before })).rejects.toThrow('enough')
  const after = new AbortController()
  const keep = async ({ path }: { path: string }) => {
    if (path === 'c.jpg') after.abort(new Error('late'))
    return null
  }
  await expect(run({ signal: after.signal }, { keep })).rejects.toThrow('late')
})

test('an encoder that answers for what it was not given, twice, or not at all is found out', async () => {
  await expect(run({ encoder: answering(7) })).rejects.toThrow(/answered for image 7, which it was not given/)
  await expect(run({ encoder: answering(0, 0) })).rejects.toThrow(/answered for image 0/)
  await expect(run({ encoder: answering(0, 1) })).rejects.toThrow(/left 1 images unanswered/)
})
