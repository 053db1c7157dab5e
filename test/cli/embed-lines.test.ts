/** Asks for embeddings by lines of JSON, as Spark's `pipe()` and others do, in the test's process and as a child of it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { folderWith, runInTest } from './run-in-test.js'
import { embeddingOf } from './stand-in-encoder.mjs'

const MAIN = resolve('dist/bundle/node/cli.js')
const PHOTOS = resolve('examples/photos')
const ASK = ['embed', '--input-format', 'jsonl']

async function ask(lines: readonly string[], cwd: string, more: readonly string[] = []) {
  const outcome = await runInTest([...ASK, ...more], {
    cwd,
    input: lines.map((line) => `${line}\n`).join(''),
  })
  return { ...outcome, answers: outcome.stdout.split('\n').slice(0, -1) }
}

test('one line comes back for each, in order, with its other keys as they were written', async () => {
  using folder = folderWith(['a.jpg', 'b.jpg'])
  const { code, stderr, answers } = await ask(
    [
      '{"id": 12345678901234567890, "path": "b.jpg", "2": 1.10, "1": {"x": [1, "}"]}, "nothing": null}',
      `{"url":"file://${join(folder.path, 'a.jpg')}","k":"ä\\u2028"}`,
      `{"image":"${Buffer.from('c').toString('base64')}","id":7}\r`,
    ],
    folder.path,
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(answers[0]).toMatch(
    /^\{"id": 12345678901234567890,"path": "b\.jpg","2": 1\.10,"1": \{"x": \[1, "\}"\]\},"nothing": null,"embedding":\[[^\]]*\],"identity":"[0-9a-f]{64}"\}$/,
  )
  expect(answers[1]).toMatch(/^\{"url":"file:[^"]*a\.jpg","k":"ä\\u2028","embedding":\[/)
  expect(answers[2]).toMatch(/^\{"id":7,"embedding":\[/)
  const found = answers.map((line) => JSON.parse(line).embedding.map(Math.fround))
  expect(found).toEqual(['b.jpg', 'a.jpg', 'c'].map((text) => [...embeddingOf(Buffer.from(text))]))
})

test('whatever is wrong with a line, it has an answer that says so, and the exit code is 1', async () => {
  using folder = folderWith({ 'a.jpg': 'a', 'bad.jpg': 'broken', 'folder/x': '' })
  const lines = [
    '{"path":"gone.jpg","id":1}',
    'no json',
    '[1]',
    '',
    '{"id":2}',
    '{"path":"a.jpg","url":"https://example.org/a.jpg"}',
    '{"path":5}',
    '{"path":""}',
    '{"image":"§§","id":3}',
    '{"url":"ftp://x/y.jpg"}',
    '{"url":"a.jpg"}',
    '{"path":"folder"}',
    '{"path":"bad.jpg"}',
    '{"path":"a.jpg","embedding":"mine"}',
    '{"path":"a.jpg","error":{"code":"not-found","reason":"before"}}',
    '{"path":"a.jpg","error":"of another kind"}',
  ]
  const { code, stderr, answers } = await ask(lines, folder.path)
  expect(code).toBe(1)
  expect(stderr).toContain('15 of 16 lines failed; their answers say why.')
  const told = answers.map((line) => JSON.parse(line))
  expect(told.map(({ error }) => error?.code ?? 'none')).toEqual([
    'not-found',
    'not-json',
    'not-json',
    'not-json',
    'no-image',
    'ambiguous',
    'wrong-type',
    'wrong-type',
    'wrong-type',
    'unsupported',
    'unsupported',
    'unreadable',
    'failed',
    'key-taken',
    'none',
    'key-taken',
  ])
  expect(told[0]).toMatchObject({ path: 'gone.jpg', id: 1 })
  expect(answers[1]).toBe(
    '{"line":2,"error":{"code":"not-json","reason":"line 2 is no JSON object: it begins with \\"no json\\""}}',
  )
  expect(told[4].error.reason).toContain('found "id"')
  expect(told[8]).toEqual({ id: 3, error: expect.anything() })
  expect(Object.keys(told[14])).toEqual(['path', 'embedding', 'identity'])
})

test('columns are chosen as of any output, and what makes no sense is refused', async () => {
  using folder = folderWith(['a.jpg'])
  const line = '{"path":"a.jpg","embedding":"mine","width":5}'
  const { answers } = await ask([line], folder.path, ['--columns', 'vector=embedding,height'])
  expect(Object.keys(JSON.parse(answers[0] ?? ''))).toEqual([
    'path',
    'embedding',
    'width',
    'vector',
    'height',
  ])
  for (const [more, reason] of [
    [['photos'], 'name no other input'],
    [['--columns', 'path,embedding'], 'leave it out'],
    [['--format', 'csv'], 'leave --format csv out'],
    [['--shard', '0/2'], '--shard is not had with'],
    [['--films'], '--films is not had with'],
    [['-o', 'x.jsonl'], 'use > x.jsonl instead'],
  ] as const) {
    const { code, stderr } = await ask([line], folder.path, more)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(reason) })
  }
})

test('a thousand bad lines before a good one, and after it, keep their order', async () => {
  using folder = folderWith(['a.jpg'])
  const lines = Array.from({ length: 4500 }, (_, index) => (index % 1500 === 700 ? '{"path":"a.jpg"}' : 'x'))
  const { answers } = await ask(lines, folder.path)
  expect(answers).toHaveLength(4500)
  for (const [index, answer] of answers.entries())
    expect(
      answer.startsWith(index % 1500 === 700 ? '{"path":"a.jpg","embedding"' : `{"line":${index + 1},`),
    ).toBe(true)
})

const photo = (name: string) => JSON.stringify({ path: join(PHOTOS, name), name })

test('a process answers each line before it is given the next, and a signal ends it between lines', async () => {
  const child = spawn(process.execPath, [MAIN, ...ASK], { stdio: ['pipe', 'pipe', 'pipe'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const embeddings: unknown[] = []
  for (const name of ['hat-1.jpg', 'gone.jpg', 'hat-2.jpg']) {
    child.stdin.write(`${photo(name)}\n`)
    const { value } = await answers.next()
    const answer = JSON.parse(value)
    expect(answer.name).toBe(name)
    embeddings.push(answer.embedding?.slice(0, 8))
    if (name === 'gone.jpg') expect(answer.error.code).toBe('not-found')
  }
  const { photos } = JSON.parse(readFileSync('models/small/expected.json', 'utf8'))
  for (const [at, name] of [
    [0, 'hat-1.jpg'],
    [2, 'hat-2.jpg'],
  ] as const)
    for (const [index, value] of photos[name].first8.entries())
      expect(Math.abs(value - Number((embeddings[at] as number[])[index]))).toBeLessThan(2e-3)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  expect(code).toBe(130)
})

test('a reader that has seen enough ends it quietly', () => {
  const { stderr, stdout, status } = spawnSync(
    'bash',
    [
      '-c',
      `set -o pipefail; yes '${photo('hat-1.jpg')}' | head -2000 | "$0" "$1" embed --input-format jsonl | head -1 | cut -c1-8`,
      process.execPath,
      MAIN,
    ],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(stdout).toBe('{"path":\n')
  // Of those before, `yes` and `head` may have been ended by the pipe.
  expect([0, 141]).toContain(status)
}, 60_000)

test('split and xargs spread lines over processes, and no answer is lost', () => {
  using folder = folderWith({
    'in.jsonl': ['hat-1.jpg', 'hat-2.jpg', 'gone.jpg', 'hat-3.jpg']
      .map((name) => `${photo(name)}\n`)
      .join(''),
  })
  const script = `split -n l/2 in.jsonl part. && ls part.* | xargs -P 2 -I{} sh -c '"$0" "$1" embed --input-format jsonl < {} > out.{} || test $? = 1' "$0" "$1" && cat out.part.*`
  const { stdout, status } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
    encoding: 'utf8',
    cwd: folder.path,
  })
  expect(status).toBe(0)
  const answers = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  expect(answers.map(({ name }) => name)).toEqual(['hat-1.jpg', 'hat-2.jpg', 'gone.jpg', 'hat-3.jpg'])
  expect(answers.map(({ embedding, error }) => embedding?.length ?? error.code)).toEqual(
    [384, 384, 'not-found', 384].map((value) =>
      typeof value === 'number' ? answers[0].embedding.length : value,
    ),
  )
}, 60_000)
