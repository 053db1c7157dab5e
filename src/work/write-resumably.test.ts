import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Killed, MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { textEncoder, WIDTH } from '../../test/support/text-encoder.js'
import { OUTPUT_FORMATS, type OutputFormat } from './output-format.js'
import { type ResumableResult, writeResumably } from './write-resumably.js'

interface Run {
  readonly disk: MemoryDisk
  readonly names: readonly string[]
  readonly format: OutputFormat
  /** Counts the changes that are made before the process is killed. */
  readonly steps?: number
  /** After how many images the run is interrupted. */
  readonly abortAfter?: number
  /** Milliseconds that pass whenever the clock is read: decides how much goes into a part. */
  readonly tick?: number
  readonly computed?: string[]
  readonly restart?: boolean
  readonly prune?: boolean
  readonly onCompute?: () => void
}

function write({
  disk,
  names,
  format,
  steps,
  abortAfter,
  tick = 100,
  computed = [],
  restart = false,
  prune = false,
  onCompute = () => {},
}: Run): Promise<ResumableResult> {
  const files = new MemoryFiles(disk, { base: '/in', ...(steps === undefined ? {} : { steps }) })
  const interrupt = new AbortController()
  let [time, done] = [0, 0]
  return writeResumably({
    output: `/out/x.${format}`,
    format,
    inputs: names,
    files,
    encoder: textEncoder(files, (path) => {
      computed.push(path)
      onCompute()
    }),
    restart,
    prune,
    shape: [WIDTH],
    valuesOf: ({ embedding }) => embedding,
    what: 'embedding',
    clock: () => {
      time += tick
      return time
    },
    listener: {
      done: (_path, earlier) => {
        if (!earlier && ++done === abortAfter) interrupt.abort(new Killed('interrupted'))
      },
    },
    signal: interrupt.signal,
  })
}

type Image = string | null
const image: fc.Arbitrary<Image> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' }) },
  { weight: 1, arbitrary: fc.constantFrom('broken', null) },
)

/** Says how one run ends, and what becomes of an image before the next. */
const interruption = fc.record({
  moment: fc.oneof(
    fc.record({ steps: fc.nat(60) }),
    fc.record({ abortAfter: fc.integer({ min: 1, max: 12 }) }),
  ),
  edit: fc.option(fc.record({ index: fc.nat(11), to: image }), { freq: 3 }),
  tick: fc.constantFrom(0, 100, 400, 1000),
})

function fill(images: readonly Image[]): MemoryDisk {
  const disk = emptyDisk()
  for (const [index, text] of images.entries()) if (text !== null) disk.put(`/in/${index}.jpg`, text, 1)
  return disk
}

function emptyDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.folders.add('/out').add('/in')
  return disk
}

/** A disk with the same images, on which nothing has been written yet. */
function sameImages(disk: MemoryDisk): MemoryDisk {
  const other = emptyDisk()
  for (const path of disk.paths('/in')) {
    const file = disk.stored.get(path)
    if (file !== undefined) other.put(path, file.bytes, file.mtimeMs)
  }
  return other
}

/** All that lies in the output's folder, but for work that is kept to be retried: that may be cut into parts in many ways. */
function outcome(disk: MemoryDisk): readonly [string, string][] {
  const kept = disk.paths('/out').filter((path) => !path.includes('.parts/'))
  return kept.map((path) => {
    const text = Buffer.from(disk.stored.get(path)?.bytes ?? []).toString('latin1')
    // What is missing fails when it is looked at, what is broken later: which comes first is left open.
    return [path, path.endsWith('.errors.jsonl') ? text.split('\n').sort().join('\n') : text]
  })
}

test('whatever moments a run is interrupted at, and whatever changes meanwhile, it ends as one left alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(image, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...OUTPUT_FORMATS),
      fc.array(interruption, { maxLength: 6 }),
      async (images, format, interruptions) => {
        const names = images.map((_, index) => `${index}.jpg`)
        const disk = fill(images)
        let time = 1
        for (const { moment, edit, tick } of interruptions) {
          await write({ disk, names, format, tick, ...moment }).catch((error) => {
            expect(error).toBeInstanceOf(Killed)
          })
          // What is finished keeps its row when its image breaks: a run left alone has none. That is another test.
          if (edit === null || edit.index >= images.length || edit.to === null || edit.to === 'broken')
            continue
          disk.put(`/in/${edit.index}.jpg`, edit.to, ++time)
        }
        const result = await write({ disk, names, format })
        const quiet = sameImages(disk)
        const expected = await write({ disk: quiet, names, format })
        expect(outcome(disk)).toEqual(outcome(quiet))
        expect([result.written, result.failed]).toEqual([expected.written, expected.failed])
        if (result.failed === 0) expect(disk.paths('/out')).toEqual(quiet.paths('/out'))
      },
    ),
    {
      numRuns: 100,
      // A kill between the end of the work and the removal of the list of failures left that list behind.
      examples: [
        [
          [' ', 'broken'],
          'npy',
          [
            { moment: { steps: 16 }, edit: { index: 1, to: ' ' }, tick: 0 },
            { moment: { steps: 12 }, edit: null, tick: 0 },
          ],
        ],
      ],
    },
  )
})

test('what is in a part is not computed again, wherever the kill comes', async () => {
  const images = Array.from({ length: 12 }, (_, i) => `${i}`)
  const names = images.map((_, index) => `${index}.jpg`)
  for (let steps = 0; steps < 60; steps++) {
    const disk = fill(images)
    const before: string[] = []
    await write({ disk, names, format: 'csv', steps, computed: before, tick: 400 }).catch(() => {})
    const parts = disk.paths('/out/x.csv.parts').filter((path) => path.endsWith('.part'))
    const safe = names.filter((name) => parts.some((path) => disk.text(path).includes(`"${name}"`)))
    const finished = disk.stored.has('/out/x.csv.meta.json') && parts.length === 0
    const after: string[] = []
    await write({ disk, names, format: 'csv', computed: after, tick: 400 })
    expect(after).toEqual(
      finished ? [] : names.filter((name) => !safe.includes(name)).map((name) => `/in/${name}`),
    )
  }
})

test('finished work is told from its inputs alone: nothing is computed, nothing written', async () => {
  const disk = fill(['a', 'b'])
  const names = ['0.jpg', '1.jpg']
  await write({ disk, names, format: 'npy' })
  const before = outcome(disk)
  const computed: string[] = []
  const again = await write({ disk, names, format: 'npy', computed })
  expect(again).toEqual({ written: 2, computed: 0, failed: 0, failures: null, unchanged: true })
  expect(computed).toEqual([])
  expect(outcome(disk)).toEqual(before)
})

test.each(['', '[]', '{"format":"csv"}', '{"format":"csv","identity":[],"inputs":1}', 'null'])(
  'an output whose meta.json is %j may be anything: it is written over only where that is asked for',
  async (text) => {
    const disk = fill(['a'])
    await write({ disk, names: ['0.jpg'], format: 'csv' })
    const good = outcome(disk)
    disk.put('/out/x.csv.meta.json', text)
    const refusal = {
      name: 'OutputError',
      code: 'exists',
      message: expect.stringMatching(/x\.csv.*--restart/),
    }
    await expect(write({ disk, names: ['0.jpg'], format: 'csv' })).rejects.toMatchObject(refusal)
    expect(await write({ disk, names: ['0.jpg'], format: 'csv', restart: true })).toMatchObject({
      computed: 1,
    })
    expect(outcome(disk)).toEqual(good)
  },
)

test.each(OUTPUT_FORMATS)(
  'a finished %s is added to: only new images are computed, and it ends as if made at once',
  async (format) => {
    const texts = ['a', 'b, "quoted"', 'c', 'd\u2028', 'e']
    const disk = fill(texts)
    const quiet = fill(texts)
    const names = texts.map((_, index) => `${index}.jpg`)
    await write({ disk, names: [...names.slice(3), ...names.slice(0, 1)], format })
    const computed: string[] = []
    const result = await write({ disk, names, format, computed })
    expect(computed).toEqual(['/in/1.jpg', '/in/2.jpg'])
    expect(result).toMatchObject({ written: 5, computed: 2, unchanged: false })
    await write({ disk: quiet, names, format })
    expect(outcome(disk)).toEqual(outcome(quiet))
    expect(disk.paths('/out')).toEqual(quiet.paths('/out'))
  },
)

test('a finished output is never written over by one of other inputs, unless that is asked for', async () => {
  const disk = fill(['a', 'b', 'c'])
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'jsonl' })
  const before = outcome(disk)
  const other = { disk, names: ['1.jpg', '2.jpg'], format: 'jsonl' } as const
  await expect(write(other)).rejects.toMatchObject({
    code: 'other-inputs',
    message: expect.stringMatching(/has 1 row of images that are not among these inputs \(0\.jpg\)/),
  })
  expect(outcome(disk)).toEqual(before)
  const computed: string[] = []
  expect(await write({ ...other, prune: true, computed })).toMatchObject({ written: 2 })
  expect(computed).toEqual(['/in/2.jpg'])
})

test('a finished row is kept where its image is gone or broken now, and that is told', async () => {
  const disk = fill(['a', 'b', 'c'])
  const names = ['0.jpg', '1.jpg', '2.jpg']
  await write({ disk, names: names.slice(0, 2), format: 'jsonl' })
  disk.stored.delete('/in/0.jpg')
  disk.put('/in/1.jpg', 'broken', 7)
  const result = await write({ disk, names, format: 'jsonl' })
  expect(result).toMatchObject({ written: 3, computed: 1, failed: 2 })
  const rows = disk.text('/out/x.jsonl').trimEnd().split('\n')
  expect(rows.map((line) => JSON.parse(line).path)).toEqual(names)
})

test('a finished output whose file has changed since is not taken for what it was', async () => {
  const disk = fill(['a', 'b'])
  await write({ disk, names: ['0.jpg'], format: 'csv' })
  disk.put('/out/x.csv', 'something else')
  await expect(write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv' })).rejects.toMatchObject({
    code: 'exists',
    message: expect.stringContaining('has changed since it was finished'),
  })
})

test('vectors that were changed in their file, which is as long as before, are not gone on with; a copy of another time is', async () => {
  const disk = fill(['a', 'b'])
  await write({ disk, names: ['0.jpg'], format: 'csv' })
  const text = disk.text('/out/x.csv')
  disk.put('/out/x.csv', text, 99)
  expect(await write({ disk, names: ['0.jpg'], format: 'csv' })).toMatchObject({ unchanged: true })
  disk.put(
    '/out/x.csv',
    text.replace(/\d(?=\n$)/, (digit) => String(9 - Number(digit))),
    99,
  )
  await expect(write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv' })).rejects.toMatchObject({
    code: 'exists',
    message: expect.stringContaining('has changed since it was finished'),
  })
})

test('what stands where work would keep its own, and is not its own, is neither written over nor removed', async () => {
  const disk = fill(['a', 'b'])
  disk.put('/out/x.names.txt', 'precious')
  await expect(write({ disk, names: ['0.jpg'], format: 'npy' })).rejects.toThrow(
    /x\.names\.txt is there already/,
  )
  disk.folders.add('/out/x.csv.parts')
  disk.put('/out/x.csv.parts/notes.txt', 'precious')
  for (const restart of [false, true]) {
    const run = write({ disk, names: ['0.jpg'], format: 'csv', restart })
    await expect(run).rejects.toThrow(/x\.csv\.parts\/notes\.txt is none of the files/)
  }
  expect(disk.text('/out/x.names.txt') + disk.text('/out/x.csv.parts/notes.txt')).toBe('preciousprecious')
  await write({ disk, names: ['0.jpg'], format: 'npy', restart: true })
  expect(disk.text('/out/x.names.txt')).toBe('0.jpg\n')
  disk.stored.delete('/out/x.npy')
  expect(await write({ disk, names: ['0.jpg'], format: 'npy' })).toMatchObject({ computed: 1 })
})

test('unfinished work on other images is refused, not thrown away', async () => {
  const disk = fill(['a', 'b', 'c', 'd'])
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv', abortAfter: 1, tick: 1000 }).catch(() => {})
  await expect(write({ disk, names: ['2.jpg', '3.jpg'], format: 'csv' })).rejects.toMatchObject({
    code: 'other-inputs',
  })
  const computed: string[] = []
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv', computed })
  expect(computed).toEqual(['/in/1.jpg'])
})

test('a process whose lock was taken while it slept writes nothing more', async () => {
  const disk = fill(['a', 'b'])
  const thief = new MemoryFiles(disk)
  const run = write({
    disk,
    names: ['0.jpg', '1.jpg'],
    format: 'csv',
    onCompute: () => disk.locks.set('/out/x.csv', thief),
  })
  await expect(run).rejects.toMatchObject({ name: 'OutputError', code: 'locked' })
  expect(disk.paths('/out').filter((path) => path.endsWith('x.csv'))).toEqual([])
})

test('parts signed with something that is no JSON are refused by name, not thrown away', async () => {
  const disk = fill(['a', 'broken'])
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv' })
  const parts = disk.paths('/out/x.csv.parts').filter((path) => path.endsWith('.part'))
  disk.put('/out/x.csv.parts/manifest.json', '{"fingerprint":')
  await expect(write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv' })).rejects.toMatchObject({
    name: 'OutputError',
    code: 'damaged',
    message: expect.stringMatching(/x\.csv\.parts\/manifest\.json.*--restart/),
  })
  expect(disk.paths('/out/x.csv.parts')).toEqual(expect.arrayContaining(parts))
})

test('a full disk is an OutputError, and what was finished before is not lost', async () => {
  const disk = fill(['a', 'b'])
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv', abortAfter: 1, tick: 1000 }).catch(() => {})
  disk.full = true
  await expect(write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv' })).rejects.toMatchObject({
    name: 'OutputError',
    code: 'disk-full',
  })
  disk.full = false
  const computed: string[] = []
  await write({ disk, names: ['0.jpg', '1.jpg'], format: 'csv', computed })
  expect(computed).toEqual(['/in/1.jpg'])
})

test('an output that a living process writes is refused as an OutputError', async () => {
  const disk = fill(['a'])
  await new MemoryFiles(disk).lock('/out/x.csv')
  await expect(write({ disk, names: ['0.jpg'], format: 'csv' })).rejects.toMatchObject({
    name: 'OutputError',
    code: 'locked',
  })
})
