/** The parts of bench/ that could be wrong without anybody noticing: errors, rounds with real processes, and what the README shows. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const bench = resolve('bench')
const folder = mkdtempSync(join(tmpdir(), 'plumage-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface RunningChild {
  readonly version: string
  readonly embedding: Float32Array
  readonly coldStart: number
  turn(budget: number): Promise<{ seconds: number[]; others: number | null }>
  end(): Promise<number>
}
const { Child } = (await import(join(bench, 'child.mjs'))) as {
  Child: { start(command: string, args: string[], task: object): Promise<RunningChild> }
}
const { compare } = (await import(join(bench, 'truth.mjs'))) as {
  compare(
    embedding: Float32Array,
    truth: { embeddings: readonly (readonly number[])[] },
  ): { cosine: number; error: number }
}
const { chooseSystems } = (await import(join(bench, 'systems.mjs'))) as {
  chooseSystems(list?: string): readonly { id: string }[]
}
const { barChart } = (await import(join(bench, 'chart.mjs'))) as {
  barChart(chart: {
    title: string
    bars: readonly { label: string; value: number; text: string; strong: boolean }[]
  }): string
}
const { writeReport } = (await import(join(bench, 'report.mjs'))) as { writeReport(folder?: string): void }

test('an error is that of the worst image, as a share of its largest value', () => {
  const truth = {
    embeddings: [
      [1, -4],
      [3, 4],
    ],
  }
  expect(compare(Float32Array.of(1, -4, 3, 4), truth)).toEqual({ cosine: 1, error: 0 })
  const { cosine, error } = compare(Float32Array.of(1, -4, 4, 3, 9, 9), truth)
  expect(error).toBe(1 / 4)
  expect(cosine).toBeCloseTo(24 / 25, 12)
})

test('a batch shorter than the truth is compared as far as it goes, and a NaN is never right', () => {
  const embeddings = [
    [1, 2],
    [3, 4],
  ]
  expect(compare(Float32Array.of(1, 2), { embeddings })).toMatchObject({ error: 0 })
  expect(compare(Float32Array.of(1, Number.NaN, 3, 4), { embeddings })).toEqual({
    cosine: Number.NaN,
    error: Number.NaN,
  })
})

test('systems are named whole or by what stands before a dash; a name that means nothing is told', () => {
  expect(chooseSystems('onnxruntime,plumage-int8').map(({ id }) => id)).toEqual([
    'plumage-int8',
    'onnxruntime-float32',
    'onnxruntime-int8',
  ])
  expect(() => chooseSystems('plum')).toThrow(/No system is named plum; there are plumage-float32, /)
})

/** Makes a worker that sleeps instead of computing. */
function worker(name: string, body: string): string[] {
  const path = join(folder, name)
  const serve = JSON.stringify(join(bench, 'workers', 'serve.mjs'))
  writeFileSync(path, `import { serve, task } from ${serve}\n${body}\n`)
  return [path]
}

test('a system makes its first embedding, then runs when its turn comes, then tells its memory', async () => {
  const args = worker(
    'sleeper.mjs',
    `await serve('1.2.3', async () => {
      await new Promise((resolve) => setTimeout(resolve, task.milliseconds))
      return Float32Array.of(task.batch, 0.1)
    })`,
  )
  const child = await Child.start(process.execPath, args, { batch: 3, milliseconds: 20 })
  expect(child.version).toBe('1.2.3')
  expect(child.embedding).toEqual(Float32Array.of(3, 0.1))
  expect(child.coldStart).toBeGreaterThan(0.02)
  const { seconds } = await child.turn(0.1)
  expect(seconds.every((second) => second > 0.015)).toBe(true)
  expect(seconds.reduce((sum, second) => sum + second)).toBeGreaterThanOrEqual(0.1)
  expect((await child.turn(0.001)).seconds).toHaveLength(1)
  expect(await child.end()).toBeGreaterThan(2 ** 20)
})

test('a system that refuses or ends is told with its own last word', async () => {
  const refusing = worker('refusing.mjs', `throw new RangeError('no such precision')`)
  await expect(Child.start(process.execPath, refusing, {})).rejects.toThrow(/^no such precision$/)
  const dying = worker(
    'dying.mjs',
    `await serve('1', async () => { if (task.count-- === 0) process.exit(1); return new Float32Array(1) })`,
  )
  const child = await Child.start(process.execPath, dying, { count: 1 })
  await expect(child.turn(1)).rejects.toThrow('it ended without a word')
  await expect(Child.start('no-such-program', [], {})).rejects.toThrow('no-such-program')
})

test('the longest bar fills the chart, others their share of it, and texts cannot break out of it', () => {
  const bar = { text: '', strong: false }
  const svg = barChart({
    title: 'a < b',
    bars: [
      { ...bar, label: 'A & B', value: 2 },
      { ...bar, label: 'C', value: 1 },
    ],
  })
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  expect(widths[1]).toBe(widths[0] / 2)
  expect(svg).toContain('<title>a &lt; b</title>')
  expect(svg).toContain('>A &amp; B</text>')
})

test('the README and the charts show what was measured', () => {
  const copy = join(folder, 'report')
  for (const name of ['results.json', 'browser-results.json', 'README.md'])
    cpSync(join(bench, name), join(copy, name))
  writeReport(copy)
  const charts = readdirSync(join(bench, 'charts'))
  expect(readdirSync(join(copy, 'charts'))).toEqual(charts)
  for (const name of ['README.md', ...charts.map((chart) => join('charts', chart))])
    expect(readFileSync(join(copy, name), 'utf8'), name).toBe(readFileSync(join(bench, name), 'utf8'))
})
