import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { type Folder, folderWith, runInTest } from './run-in-test.js'
import { embeddingOf } from './stand-in-encoder.mjs'

const NAMES = Array.from({ length: 12 }, (_, index) => `photos/${String(index).padStart(2, '0')}.jpg`)
const text = (folder: Folder, name: string) => readFileSync(join(folder.path, name), 'utf8')
const lines = (found: string) => found.split('\n').filter(Boolean)

/** Runs the same command for each of three machines; # stands for the number. */
async function each(folder: Folder, args: readonly string[], options: { readonly input?: string } = {}) {
  const codes: number[] = []
  for (const index of [0, 1, 2]) {
    const words = args.map((word) => word.replaceAll('#', String(index)))
    codes.push((await runInTest([...words, '--shard', `${index}/3`], { cwd: folder.path, ...options })).code)
  }
  return codes
}

test('three machines embed a folder, and what is joined has each photo once, with its own embedding', async () => {
  using folder = folderWith(NAMES)
  const cwd = folder.path
  expect(await each(folder, ['embed', 'photos', '-o', 'part-#.parquet'])).toEqual([0, 0, 0])
  const { code, stdout, stderr } = await runInTest(
    ['merge', 'part-2.parquet', 'part-0.parquet', 'part-1.parquet', '-o', 'all.parquet'],
    { cwd },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const file = await asyncBufferFromFile(join(cwd, 'all.parquet'))
  const rows = await parquetReadObjects({ file })
  expect(rows.map(({ path }) => path).sort()).toEqual(NAMES)
  for (const { path, embedding } of rows)
    expect(embedding).toEqual([...embeddingOf(Buffer.from(String(path)))])
  const told = new Map(
    (await parquetMetadataAsync(file)).key_value_metadata?.map(({ key, value }) => [key, value]),
  )
  const { sum } = JSON.parse(text(folder, 'all.parquet.meta.json'))
  expect(told.get('rows')).toBe('12')
  expect(told.get('rowSum')).toBe(sum)
  expect(told.has('shard')).toBe(false)
  expect(stdout).toBe(
    `all.parquet has 12 rows of 3 shards, of 12 inputs; the sum of the names of its rows is ${sum}\n`,
  )
  // A shard says in its own file which it is.
  const part = await parquetMetadataAsync(await asyncBufferFromFile(join(cwd, 'part-1.parquet')))
  expect(part.key_value_metadata).toContainEqual({ key: 'shard', value: '1/3' })
  // All of it is done as one machine would see it.
  const log = join(cwd, 'log')
  expect((await runInTest(['embed', 'photos', '-o', 'all.parquet'], { cwd, encoder: { log } })).code).toBe(0)
  expect(() => readFileSync(log)).toThrow('ENOENT')
})

test('lists on stdin are split as well, and stacks of patches are joined as embeddings are', async () => {
  using folder = folderWith(NAMES)
  const cwd = folder.path
  const input = NAMES.join('\n')
  const found: string[] = []
  for (const index of [0, 1, 2]) {
    const { stdout } = await runInTest(['embed', '-', '--shard', `${index}/3`], { cwd, input })
    found.push(...lines(stdout).map((line) => JSON.parse(line).path))
  }
  expect(found.sort()).toEqual(NAMES)
  expect(await each(folder, ['features', '-', '-o', 'maps-#.npy'], { input })).toEqual([0, 0, 0])
  expect(
    (await runInTest(['merge', 'maps-0.npy', 'maps-1.npy', 'maps-2.npy', '-o', 'maps.npy'], { cwd })).code,
  ).toBe(0)
  expect((await runInTest(['features', '-', '-o', 'whole.npy'], { cwd, input })).code).toBe(0)
  expect(readFileSync(join(cwd, 'maps.npy')).length).toBe(readFileSync(join(cwd, 'whole.npy')).length)
  expect(lines(text(folder, 'maps.names.txt')).sort()).toEqual(NAMES)
  expect(await each(folder, ['features', 'photos', '-o', 'maps-#'])).toEqual([0, 0, 0])
  const files = await Promise.all([0, 1, 2].map((index) => lines(text(folder, `maps-${index}/index.jsonl`))))
  expect(
    files
      .flat()
      .map((line) => JSON.parse(line).path)
      .sort(),
  ).toEqual(NAMES)
})

test('a shard that is missing is named and nothing is written; --partial joins what is there and says so', async () => {
  using folder = folderWith(NAMES)
  const cwd = folder.path
  await each(folder, ['embed', 'photos', '-o', 'part-#.jsonl'])
  const refused = await runInTest(['merge', 'part-0.jsonl', 'part-2.jsonl', '-o', 'all.jsonl'], { cwd })
  expect(refused).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Shard 1/3 is missing; 2 are there'),
  })
  expect(() => text(folder, 'all.jsonl')).toThrow('ENOENT')
  const partial = await runInTest(['merge', 'part-0.jsonl', 'part-2.jsonl', '-o', 'all.jsonl', '--partial'], {
    cwd,
  })
  expect(partial).toMatchObject({ code: 1, stderr: 'plumage: all.jsonl is a part: shard 1/3 is missing.\n' })
  const { identity, rows } = JSON.parse(text(folder, 'all.jsonl.meta.json'))
  expect(identity.missing).toBe('1/3')
  expect(lines(text(folder, 'all.jsonl'))).toHaveLength(rows)
  // The whole is not taken for the part.
  const all = ['merge', 'part-0.jsonl', 'part-1.jsonl', 'part-2.jsonl', '-o', 'all.jsonl']
  expect(await runInTest(all, { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('all.jsonl is there already'),
  })
  expect((await runInTest([...all, '--restart', '--json'], { cwd })).stdout).toContain('"missing":[]')
  expect((await runInTest(all, { cwd })).stdout).toContain('of 12 inputs, as it was already;')
})

test('photos that failed on some machine are listed, and the exit code is 1 until they are mended', async () => {
  using folder = folderWith({
    ...Object.fromEntries(NAMES.map((name) => [name, name])),
    'photos/05.jpg': 'broken',
  })
  const cwd = folder.path
  expect((await each(folder, ['embed', 'photos', '-o', 'part-#.csv'])).sort()).toEqual([0, 0, 1])
  const merge = ['merge', 'part-0.csv', 'part-1.csv', 'part-2.csv', '-o', 'all.csv']
  const failed = await runInTest(merge, { cwd })
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('1 images of 12 inputs failed; they are listed in all.csv.errors.jsonl'),
  })
  expect(JSON.parse(text(folder, 'all.csv.errors.jsonl'))).toMatchObject({ path: 'photos/05.jpg' })
  writeFileSync(join(cwd, 'photos/05.jpg'), 'mended')
  expect(await each(folder, ['embed', 'photos', '-o', 'part-#.csv'])).toEqual([0, 0, 0])
  expect((await runInTest([...merge, '--restart'], { cwd })).code).toBe(0)
  await runInTest(['embed', 'photos', '-o', 'whole.csv'], { cwd })
  expect(text(folder, 'all.csv')).toBe(text(folder, 'whole.csv'))
  expect(() => text(folder, 'all.csv.errors.jsonl')).toThrow('ENOENT')
})

test('what another model made is refused by what differs, as are other columns and a machine that saw other photos', async () => {
  using folder = folderWith(NAMES)
  const cwd = folder.path
  const embed = (output: string, shard: string, ...more: string[]) =>
    runInTest(['embed', 'photos', '-o', output, '--shard', shard, ...more], { cwd })
  const merge = () => runInTest(['merge', 'a.jsonl', 'b.jsonl', '-o', 'all.npy'], { cwd })
  await embed('a.jsonl', '0/2')
  const encoder = { weights: 'ddddeeeeffff'.padEnd(64, '0') }
  await runInTest(['embed', 'photos', '-o', 'b.jsonl', '--shard', '1/2'], { cwd, encoder })
  expect((await merge()).stderr).toContain(
    'b.jsonl was made with weights ddddeeeeffff; a.jsonl with weights aaaabbbbcccc. Only what is alike can be joined.',
  )
  await embed('b.jsonl', '1/2', '--restart', '--columns', 'sample=path,embedding')
  expect((await merge()).stderr).toContain(
    'b.jsonl was made with columns sample=path,embedding; a.jsonl with columns as they are',
  )
  rmSync(join(cwd, 'photos/07.jpg'))
  await embed('b.jsonl', '1/2', '--restart')
  expect((await merge()).stderr).toContain('b.jsonl is a shard of 11 inputs, a.jsonl of 12')
  // Whether or not it had that photo, the other machine's output is of another whole until it has looked again.
  await embed('a.jsonl', '0/2', '--prune')
  expect((await merge()).code).toBe(0)
  expect(await runInTest(['merge', 'a.jsonl', 'b.jsonl', '-o', 'all.csv'], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('CSV is sorted by path, and a.jsonl is not'),
  })
})

test('another shard is not written into an output, and one that cannot be is refused before anything begins', async () => {
  using folder = folderWith(NAMES)
  const cwd = folder.path
  await runInTest(['embed', 'photos', '-o', 'x.jsonl', '--shard', '0/2'], { cwd })
  const other = await runInTest(['embed', 'photos', '-o', 'x.jsonl', '--shard', '1/2'], { cwd })
  expect(other).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('made with shard 0/2; this run has shard 1/2'),
  })
  const beyond = await runInTest(['embed', 'photos', '--shard', '2/2'], { cwd })
  expect(beyond).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Counted from 1, this would be 1/2.'),
  })
  const index = await runInTest(['merge', 'x.jsonl', '-o', 'x.jsonl'], { cwd })
  expect(index).toMatchObject({ code: 2, stderr: expect.stringContaining('x.jsonl is one of the shards') })
})
