import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk, MemoryFiles } from '../../test/support/memory-files.js'
import { textEncoder, WIDTH } from '../../test/support/text-encoder.js'
import { mergeShards } from './merge-shards.js'
import { OUTPUT_FORMATS, type OutputFormat } from './output-format.js'
import { type Shard, ShardPick, shardText } from './shard.js'
import { writeResumably } from './write-resumably.js'

function diskWith(images: readonly string[]): MemoryDisk {
  const disk = new MemoryDisk()
  disk.folders.add('/out').add('/in')
  for (const [index, text] of images.entries()) disk.put(`/in/${index}.jpg`, text, 1)
  return disk
}

/** Embeds what falls to a shard, or all. */
async function embed(disk: MemoryDisk, names: readonly string[], format: OutputFormat, shard?: Shard) {
  const files = new MemoryFiles(disk, { base: '/in' })
  const pick = shard === undefined ? undefined : new ShardPick(shard)
  const output = `/out/${shard === undefined ? 'whole' : shardText(shard).replace('/', '-of-')}.${format}`
  await writeResumably({
    output,
    format,
    inputs: pick === undefined ? names : names.filter((name) => pick.takes(name)),
    files,
    encoder: textEncoder(files),
    shape: [WIDTH],
    valuesOf: ({ embedding }) => embedding,
    what: 'embedding',
    ...(pick === undefined ? {} : { shard: pick }),
  })
  return output
}

const bytesOf = (disk: MemoryDisk, path: string) => Buffer.from(disk.stored.get(path)?.bytes ?? [])
const sortedLines = (disk: MemoryDisk, path: string) => disk.text(path).split('\n').sort()

/** Numbers of shards, of which one may have been split in two. */
const split = fc
  .integer({ min: 1, max: 5 })
  .chain((of) => fc.record({ of: fc.constant(of), halved: fc.option(fc.integer({ min: 0, max: of - 1 })) }))

function shardsOf({ of, halved }: { readonly of: number; readonly halved: number | null }): readonly Shard[] {
  return Array.from({ length: of }, (_, index) =>
    index === halved
      ? [
          { index, of: 2 * of },
          { index: index + of, of: 2 * of },
        ]
      : [{ index, of }],
  ).flat()
}

test('joined shards are, byte for byte as CSV and row for row otherwise, what one run over all writes', async () => {
  const images = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' }) },
      { weight: 1, arbitrary: fc.constant('broken') },
    ),
    { minLength: 1, maxLength: 20 },
  )
  await fc.assert(
    fc.asyncProperty(images, split, fc.constantFrom(...OUTPUT_FORMATS), async (texts, how, format) => {
      const disk = diskWith(texts)
      const names = texts.map((_, index) => `${index}.jpg`)
      const whole = await embed(disk, names, format)
      const outputs: string[] = []
      for (const shard of shardsOf(how)) outputs.push(await embed(disk, names, format, shard))
      const output = `/out/all.${format}`
      const files = new MemoryFiles(disk, { base: '/in' })
      const merged = await mergeShards({ shards: [...outputs].reverse(), output, format, files })
      const failed = texts.filter((text) => text === 'broken').length
      expect(merged).toMatchObject({ inputs: texts.length, failed, missing: [], unchanged: false })
      expect(merged.rows.count).toBe(texts.length - failed)
      if (format === 'csv') expect(disk.text(output)).toBe(disk.text(whole))
      if (format === 'jsonl') expect(sortedLines(disk, output)).toEqual(sortedLines(disk, whole))
      if (format === 'npy') expect(bytesOf(disk, output).length).toBe(bytesOf(disk, whole).length)
      expect(sortedLines(disk, `${output}.inputs.jsonl`)).toEqual(sortedLines(disk, `${whole}.inputs.jsonl`))
      if (failed > 0)
        expect(sortedLines(disk, `${output}.errors.jsonl`)).toEqual(
          sortedLines(disk, `${whole}.errors.jsonl`),
        )
      else expect(disk.stored.has(`${output}.errors.jsonl`)).toBe(false)
      const meta = (path: string) => JSON.parse(disk.text(`${path}.meta.json`))
      expect(meta(output)).toMatchObject({
        rows: meta(whole).rows,
        sum: meta(whole).sum,
        identity: meta(whole).identity,
      })
      expect(meta(output).sum).toBe(merged.rows.sum)
      // Once more nothing is written.
      expect((await mergeShards({ shards: outputs, output, format, files })).unchanged).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('whatever is left out, doubled or moved between shards is refused, and nothing is written', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `${index}.jpg`)
  const disk = diskWith(names)
  const shards = shardsOf({ of: 4, halved: null })
  const outputs: string[] = []
  for (const shard of shards) outputs.push(await embed(disk, names, 'jsonl', shard))
  const files = new MemoryFiles(disk, { base: '/in' })
  const [a = '', b = '', c = '', d = ''] = outputs
  const merge = (inputs: readonly string[]) =>
    mergeShards({ shards: inputs, output: '/out/all.jsonl', format: 'jsonl', files }).catch((error) => error)
  expect(await merge([a, b, d])).toMatchObject({
    code: 'incomplete',
    message: expect.stringMatching(/^Shard 2\/4 is missing; 3 are there/),
  })
  expect(await merge([a])).toMatchObject({
    code: 'incomplete',
    message: expect.stringContaining('Shards 1/4, 2/4, 3/4 are missing'),
  })
  expect(await merge([a, b, c, d, b])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringContaining('(shard 1/4) have the same images'),
  })
  const half = await embed(disk, names, 'jsonl', { index: 5, of: 8 })
  expect(await merge([a, b, c, d, half])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringContaining('1-of-4.jsonl (shard 1/4) and /out/5-of-8.jsonl (shard 5/8)'),
  })
  const third = await embed(disk, names, 'jsonl', { index: 0, of: 3 })
  expect(await merge([a, b, c, d, third])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringContaining('no multiple of 3'),
  })
  const whole = await embed(disk, names, 'jsonl')
  expect(await merge([a, whole])).toMatchObject({
    code: 'no-shard',
    message: expect.stringContaining('written without --shard'),
  })
  expect(await merge([a, '/out/4.jsonl'])).toMatchObject({
    code: 'incomplete',
    message: expect.stringContaining('4.jsonl is not there'),
  })
  expect(await merge([a, '/in/0.jpg'])).toMatchObject({
    code: 'no-shard',
    message: expect.stringContaining('0.jpg.meta.json'),
  })
  const fewer = await embed(disk, names.slice(1), 'csv', { index: 3, of: 4 })
  expect(await merge([a, b, c, fewer])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringContaining('is a shard of 19 inputs, /out/0-of-4.jsonl of 20'),
  })
  expect(disk.stored.has('/out/all.jsonl')).toBe(false)
  expect(disk.stored.has('/out/all.jsonl.meta.json')).toBe(false)
})

test('rows that were moved, doubled or dropped by hand are found by their names, whatever the files beside them say', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `${index}.jpg`)
  const forge = async (change: (lines: string[], other: string[]) => string[]) => {
    const disk = diskWith(names)
    const files = new MemoryFiles(disk, { base: '/in' })
    const [a, b] = [
      await embed(disk, names, 'jsonl', { index: 0, of: 2 }),
      await embed(disk, names, 'jsonl', { index: 1, of: 2 }),
    ]
    const linesOf = (path: string) => disk.text(path).split('\n').slice(0, -1)
    const { createHash } = await import('node:crypto')
    const sha = (text: string) => createHash('sha256').update(text).digest('hex')
    const texts = [a, `${a}.inputs.jsonl`].map(
      (path) => `${change(linesOf(path), linesOf(path.replace('0-of', '1-of'))).join('\n')}\n`,
    )
    const [rows = '', list = ''] = texts
    const meta = JSON.parse(disk.text(`${a}.meta.json`))
    const listed = list
      .split('\n')
      .slice(0, -1)
      .map((line) => String(JSON.parse(line).path))
    const sum = listed.reduce((total, name) => total + BigInt(`0x${sha(name).slice(0, 32)}`), 0n) % 2n ** 128n
    const forged = {
      ...meta,
      rows: listed.length,
      bytes: [rows.length],
      digest: sha(rows),
      listed: sha(list),
      sum: sum.toString(16).padStart(32, '0'),
    }
    disk.put(a, rows, meta.mtimes[0])
    disk.put(`${a}.inputs.jsonl`, list)
    disk.put(`${a}.meta.json`, JSON.stringify(forged))
    return await mergeShards({ shards: [a, b], output: '/out/all.jsonl', format: 'jsonl', files }).catch(
      (error) => error,
    )
  }
  expect(await forge((lines) => lines)).toMatchObject({ rows: { count: 12 } })
  expect(await forge((lines) => [...lines, ...lines.slice(0, 1)])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringMatching(/0-of-2.jsonl has two rows of \d+\.jpg\./),
  })
  expect(await forge((lines, other) => [...lines, ...other.slice(0, 1)])).toMatchObject({
    code: 'other-inputs',
    message: expect.stringMatching(/is shard 0\/2 and has a row of \d+\.jpg, which belongs to shard 1\/2\./),
  })
  expect(await forge((lines) => lines.slice(1))).toMatchObject({
    code: 'damaged',
    message: expect.stringContaining('of 11 images, which are not the 12'),
  })
})

test('what has changed since it was finished is refused by name', async () => {
  const names = ['0.jpg', '1.jpg', '2.jpg', '3.jpg']
  for (const ending of ['', '.inputs.jsonl']) {
    const disk = diskWith(names)
    const files = new MemoryFiles(disk, { base: '/in' })
    const outputs = [
      await embed(disk, names, 'jsonl', { index: 0, of: 2 }),
      await embed(disk, names, 'jsonl', { index: 1, of: 2 }),
    ]
    const path = `${outputs[0]}${ending}`
    disk.put(path, disk.text(path).replace(/"(height|size)":\d/, '"$1":9'), 99)
    const error = await mergeShards({
      shards: outputs,
      output: '/out/all.jsonl',
      format: 'jsonl',
      files,
    }).catch((reason) => reason)
    expect(error).toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(`${path} has changed since`),
    })
  }
})

test('a merge that is killed at any moment leaves nothing, or all of it, and can be run again', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `${index}.jpg`)
  const made = diskWith(names)
  const outputs = [
    await embed(made, names, 'npy', { index: 0, of: 2 }),
    await embed(made, names, 'npy', { index: 1, of: 2 }),
  ]
  const expected = diskAfter(made)
  await mergeShards({
    shards: outputs,
    output: '/out/all.npy',
    format: 'npy',
    files: new MemoryFiles(expected, { base: '/in' }),
  })
  for (let steps = 0; steps < 40; steps++) {
    const disk = diskAfter(made)
    const files = new MemoryFiles(disk, { base: '/in', steps })
    const options = { shards: outputs, output: '/out/all.npy', format: 'npy' } as const
    await mergeShards({ ...options, files }).catch(() => null)
    const merged = await mergeShards({
      ...options,
      restart: true,
      files: new MemoryFiles(disk, { base: '/in' }),
    })
    expect(merged.rows.count).toBe(6)
    for (const name of ['all.npy', 'all.names.txt', 'all.npy.inputs.jsonl'])
      expect(bytesOf(disk, `/out/${name}`)).toEqual(bytesOf(expected, `/out/${name}`))
  }
})

function diskAfter(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk()
  for (const [path, { bytes, mtimeMs }] of disk.stored) copy.put(path, bytes, mtimeMs)
  return copy
}
