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
    expect(parts.reduce((sum: number, part: number) => sum + part)).toBeCloseTo(1, 12)
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
