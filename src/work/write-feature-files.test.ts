import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Killed, MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { textEncoder } from '../../test/support/text-encoder.js'
import { FEATURE_FORMATS, type FeatureFormat } from './feature-folder.js'
import { type FeatureFilesOptions, writeFeatureFiles } from './write-feature-files.js'

interface Run extends Partial<FeatureFilesOptions> {
  readonly disk: MemoryDisk
  readonly steps?: number
  readonly abortAfter?: number
  readonly computed?: string[]
}

function write({ disk, steps, abortAfter, computed = [], ...options }: Run) {
  const files = new MemoryFiles(disk, { base: '/in', ...(steps === undefined ? {} : { steps }) })
  const interrupt = new AbortController()
  let done = 0
  return writeFeatureFiles({
    folder: '/out/maps',
    format: 'npy',
    inputs: disk.paths('/in').map((path) => path.slice('/in/'.length)),
    files,
    encoder: textEncoder(files, (path) => computed.push(path)),
    arraysOf: ({ patches }) => [{ name: 'patches', shape: [1, 1, 2], values: patches }],
    what: 'patches',
    listener: {
      done: (_path, earlier) => {
        if (!earlier && ++done === abortAfter) interrupt.abort(new Killed('interrupted'))
      },
    },
    signal: interrupt.signal,
    ...options,
  })
}

function fill(images: readonly string[]): MemoryDisk {
  const disk = new MemoryDisk()
  disk.folders.add('/in')
  for (const [index, text] of images.entries()) disk.put(`/in/${index % 3}/${index}.jpg`, text, 1)
  return disk
}

function outcome(disk: MemoryDisk): readonly [string, string][] {
  return disk.paths('/out').map((path) => {
    const text = Buffer.from(disk.stored.get(path)?.bytes ?? []).toString('latin1')
    return [path, path.endsWith('index.jsonl') ? lastLines(text) : text]
  })
}

/** An image that has changed has a line for each time it was done, of which the last one counts. */
function lastLines(index: string): string {
  const lines = new Map(
    index
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => [JSON.parse(line).path, line]),
  )
  return [...lines.values()].sort().join('\n')
}

const good = fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' })
const interruption = fc.record({
  moment: fc.oneof(
    fc.record({ steps: fc.nat(60) }),
    fc.record({ abortAfter: fc.integer({ min: 1, max: 8 }) }),
  ),
  edit: fc.option(fc.record({ index: fc.nat(7), to: good }), { freq: 3 }),
})

test('whatever moments a run is interrupted at, and whatever changes meanwhile, the folder ends as one left alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: fc.constant('broken') }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.constantFrom<FeatureFormat>(...FEATURE_FORMATS),
      fc.array(interruption, { maxLength: 6 }),
      async (images, format, interruptions) => {
        const disk = fill(images)
        const quiet = fill(images)
        let time = 1
        for (const { moment, edit } of interruptions) {
          await write({ disk, format, ...moment }).catch((error) => expect(error).toBeInstanceOf(Killed))
          if (edit === null || edit.index >= images.length) continue
          const path = `/in/${edit.index % 3}/${edit.index}.jpg`
          time++
          for (const each of [disk, quiet]) each.put(path, edit.to, time)
        }
        const result = await write({ disk, format })
        const expected = await write({ disk: quiet, format })
        expect(outcome(disk)).toEqual(outcome(quiet))
        expect(result.failed).toBe(expected.failed)
        expect(result.written + result.earlier).toBe(expected.written)
      },
    ),
    { numRuns: 100 },
  )
})

test('a file that stands there is not made again, wherever the kill comes, but for the one under way', async () => {
  const images = ['a', 'b', 'c', 'd', 'e']
  for (let steps = 0; steps < 40; steps++) {
    const disk = fill(images)
    const computed: string[] = []
    await write({ disk, steps, computed }).catch(() => {})
    await write({ disk, computed })
    expect(computed.length).toBeLessThanOrEqual(images.length + 1)
    expect(new Set(computed).size).toBe(images.length)
  }
})

test('two images that would have one file get one each, whatever the order and however often', async () => {
  const disk = fill([])
  disk.put('/in/a.jpg', 'a')
  disk.put('/other/a.jpg', 'b')
  const files = () => disk.paths('/out/maps').filter((path) => path.endsWith('.npy'))
  disk.put('/a.jpg', 'c')
  const computed: string[] = []
  const run = { disk, inputs: ['a.jpg', '../other/a.jpg', '../a.jpg'], computed }
  await write(run)
  await write(run)
  expect(computed).toHaveLength(3)
  expect(files()).toEqual([
    '/out/maps/a.jpg.npy',
    expect.stringMatching(/maps\/a\.jpg~[0-9a-f]{12}\.npy$/),
    '/out/maps/other/a.jpg.npy',
  ])
})

test('a name that would be too long for its file is shortened, and kept apart by a hash', async () => {
  const disk = fill([])
  const long = 'ß'.repeat(120)
  const names = ['x', 'y'].map((letter) => `${long}${letter.repeat(11)}.jpg`)
  for (const name of names) disk.put(`/in/${name}`, name)
  expect(await write({ disk, inputs: names })).toEqual({ written: 2, earlier: 0, failed: 0 })
  const files = disk.paths('/out/maps').filter((path) => path.endsWith('.npy'))
  expect(files).toHaveLength(2)
  for (const file of files)
    expect(Buffer.from(`${file.slice('/out/maps/'.length)}.tmp`).length).toBeLessThanOrEqual(255)
  const computed: string[] = []
  expect(await write({ disk, inputs: names, computed })).toEqual({ written: 0, earlier: 2, failed: 0 })
})

test('in a folder that is not its own, a run writes over nothing', async () => {
  const disk = fill([])
  disk.put('/in/a.jpg', 'a')
  disk.put('/in/b.jpg', 'b')
  disk.put('/out/maps/a.jpg.npy', 'precious')
  expect(await write({ disk, inputs: ['a.jpg', 'b.jpg'] })).toEqual({ written: 1, earlier: 0, failed: 1 })
  expect(disk.text('/out/maps/a.jpg.npy')).toBe('precious')
})

test('an image whose arrays cannot be made fails by itself; a full disk ends the run', async () => {
  const disk = fill(['a', 'b', 'c'])
  const arraysOf: FeatureFilesOptions['arraysOf'] = ({ embedding }) => {
    if (embedding[1] === 98) throw new Error('there is no b')
    return [{ name: 'embedding', shape: [2], values: embedding }]
  }
  expect(await write({ disk, arraysOf })).toEqual({ written: 2, earlier: 0, failed: 1 })
  disk.put('/in/0/0.jpg', 'changed', 5)
  const encoder = textEncoder(new MemoryFiles(disk), () => {
    disk.full = true
  })
  await expect(write({ disk, encoder, arraysOf })).rejects.toMatchObject({
    name: 'OutputError',
    code: 'disk-full',
  })
})

test('lines of the index that are garbled, or lack what they should say, have their images done again', async () => {
  const disk = fill(['a', 'b', 'c'])
  await write({ disk })
  const [first, ...others] = disk.text('/out/maps/index.jsonl').split('\n')
  disk.put(
    '/out/maps/index.jsonl',
    ['{"path":"1/1.jpg"}', first, 'null', '{"pa', ...others.slice(2)].join('\n'),
  )
  const computed: string[] = []
  expect(await write({ disk, computed })).toEqual({ written: 2, earlier: 1, failed: 0 })
  expect(computed).toEqual(['/in/1/1.jpg', '/in/2/2.jpg'])
})

test("a file that lay there before the first run is nobody's to write over, in later runs neither, until --restart gives leave", async () => {
  const disk = fill(['a', 'b', 'c'])
  disk.put('/out/maps/0/0.jpg.npy', 'precious', -2)
  disk.put('/out/maps/2/2.jpg.npy', 'precious', -2)
  expect(await write({ disk, inputs: ['0/0.jpg', '1/1.jpg'] })).toMatchObject({ failed: 1 })
  expect(await write({ disk })).toMatchObject({ failed: 2 })
  expect(disk.text('/out/maps/0/0.jpg.npy')).toBe('precious')
  await write({ disk, restart: true, abortAfter: 1 }).catch(() => {})
  expect(await write({ disk })).toMatchObject({ failed: 0 })
  expect(disk.text('/out/maps/2/2.jpg.npy')).not.toBe('precious')
})
