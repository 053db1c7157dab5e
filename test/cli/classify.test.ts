import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, runInTest } from './run-in-test.js'

const labels = ['cat', 'dog, "big"', 'a\u001b[31m bird']

test('each image has its likeliest classes by name, and their parts of one whole', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const { code, stdout } = await runInTest(['classify', 'a.jpg', 'b.jpg', '-k', '9'], {
    cwd: folder.path,
    encoder: { labels },
  })
  expect(code).toBe(0)
  const found = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  expect(found.map(({ path }) => path)).toEqual(['a.jpg', 'b.jpg'])
  for (const { classes } of found) {
    expect(classes).toHaveLength(labels.length)
    const parts = classes.map(({ probability }: { probability: number }) => probability)
    expect(parts).toEqual([...parts].sort((a, b) => b - a))
    expect(parts.reduce((sum: number, part: number) => sum + part)).toBeCloseTo(1, 6)
    for (const { index, label } of classes) expect(label).toBe(labels[index])
  }
})

test('csv quotes what it must, text lets no name steer the terminal, and a bad image fails by itself', async () => {
  using folder = folderWith({ 'a,b.jpg': 'x', 'c.jpg': 'broken' })
  const run = (...args: string[]) =>
    runInTest(['classify', 'a,b.jpg', 'c.jpg', ...args], { cwd: folder.path, encoder: { labels } })
  const csv = await run('--format', 'csv', '-k', '3')
  expect(csv.code).toBe(1)
  expect(csv.stdout).toContain('path,rank,index,label,probability\n"a,b.jpg",1,')
  expect(csv.stdout).toContain('"dog, ""big"""')
  expect(csv.stderr).toContain('failed c.jpg')
  const text = await run('--format', 'text', '-k', '3')
  expect(text.stdout).toMatch(/^a,b\.jpg {2}.*\d+\.\d %.*\n$/)
  expect(text.stdout).not.toContain('\u001b')
})

test('a model without a classifier is told so, with what it is good for', async () => {
  using folder = folderWith(['a.jpg'])
  const { code, stderr } = await runInTest(['classify', 'a.jpg'], { cwd: folder.path })
  expect(code).toBe(2)
  expect(stderr).toContain('no classifier')
  expect(stderr).toContain('plumage embed')
})

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').filter(Boolean)

test.each(['jsonl', 'csv'])(
  'a file of %s holds what stdout would, and a rerun computes only what is new',
  async (format) => {
    using folder = folderWith({ 'a,"b.jpg': 'x', 'c.jpg': 'y' })
    const log = join(folder.path, 'log')
    const run = (...args: string[]) =>
      runInTest(['classify', ...args, '-k', '2'], { cwd: folder.path, encoder: { labels, log } })
    const inputs = ['a,"b.jpg', 'c.jpg']
    const streamed = await run(...inputs, '--format', format)
    expect((await run(...inputs, '-o', `classes.${format}`)).code).toBe(0)
    const path = join(folder.path, `classes.${format}`)
    expect(readFileSync(path, 'utf8')).toBe(streamed.stdout)

    writeFileSync(join(folder.path, 'd.jpg'), 'z')
    const before = linesOf(log).length
    expect((await run(...inputs, 'd.jpg', '-o', `classes.${format}`)).code).toBe(0)
    expect(linesOf(log).length).toBe(before + 1)
    const grown = await run(...inputs, 'd.jpg', '--format', format)
    expect(readFileSync(path, 'utf8')).toBe(grown.stdout)
    const computed = linesOf(log).length
    await run(...inputs, 'd.jpg', '-o', `classes.${format}`)
    expect(linesOf(log).length).toBe(computed)
  },
)

test('a finished file of other classes is not added to, and a file of embeddings is none of classes', async () => {
  using folder = folderWith(['a.jpg'])
  const run = (...args: string[]) => runInTest(args, { cwd: folder.path, encoder: { labels } })
  await run('classify', 'a.jpg', '-o', 'classes.jsonl', '-k', '2')
  const other = await run('classify', 'a.jpg', '-o', 'classes.jsonl', '-k', '3')
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('the 2 likeliest classes')
  const cropped = await run('classify', 'a.jpg', '-o', 'classes.jsonl', '-k', '2', '--tta')
  expect(cropped.stderr).toContain('of five crops')
  expect((await run('embed', 'a.jpg', '-o', 'classes.jsonl')).code).toBe(2)
})

test.each([
  [['-o', 'classes.parquet'], /jsonl or csv, not as parquet/],
  [['-o', 'classes.csv', '--format', 'text'], /not as text/],
  [['-o', 'classes'], /ends in \.jsonl, \.ndjson, \.csv\. Rename it, or add --format jsonl\|csv\./],
  [['--restart'], /needs --output/],
])('classify %j is refused in words', async (args, message) => {
  using folder = folderWith(['a.jpg'])
  const { code, stderr } = await runInTest(['classify', 'a.jpg', ...args], {
    cwd: folder.path,
    encoder: { labels },
  })
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})
