/** Field case 1: two models in shards whose index files are equal, since an index says names and sizes only. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectNothingSilent, workplaceWith } from './real-commands.js'

const CASE = join(import.meta.dirname, '01-identity-of-shards')
const INDEX = 'model.safetensors.index.json'
const workplace = () =>
  workplaceWith(Object.fromEntries(['model-a', 'model-b', 'photos'].map((name) => [name, join(CASE, name)])))

test('the second of two models is not taken for the first, whose index file is the same', async () => {
  const read = (name: string) => readFileSync(join(CASE, name, INDEX), 'utf8')
  expect(read('model-b')).toBe(read('model-a'))
  using folder = workplace()
  const { run } = folder
  const [a, b] = await Promise.all(['model-a', 'model-b'].map((name) => run('info', `${name}/${INDEX}`)))
  const identity = /^identity.*$/m
  expect(a?.stdout).toMatch(identity)
  expect(b?.stdout.match(identity)).not.toEqual(a?.stdout.match(identity))

  const embed = (name: string) => ['embed', 'photos/1.png', '-m', `${name}/${INDEX}`]
  expect((await run(...embed('model-a'), '-o', 'out.jsonl')).code).toBe(0)
  const ofA = folder.read('out.jsonl')
  await run(...embed('model-b'), '-o', 'fresh.jsonl')
  const outcome = await run(...embed('model-b'), '-o', 'out.jsonl')
  expectNothingSilent(outcome, folder.read('out.jsonl'), ofA, folder.read('fresh.jsonl'))
})

test('work that one model has begun is not finished by another: the weights are named, and the way out', async () => {
  using folder = workplace()
  const last = join(folder.path, 'photos/3.png')
  const whole = readFileSync(last)
  truncateSync(last, 500)
  const embed = (name: string) => ['embed', 'photos', '-m', `${name}/${INDEX}`, '-o', 'mixed.jsonl']
  expect((await folder.run(...embed('model-a'))).code).toBe(1)
  writeFileSync(last, whole)
  const { code, stderr } = await folder.run(...embed('model-b'))
  expect(code).toBe(2)
  expect(stderr).toMatch(/made with weights [0-9a-f]{12}; this run has weights [0-9a-f]{12}\..*--restart/s)
  expect((await folder.run(...embed('model-a'))).code).toBe(0)
  expect(folder.rows(folder.read('mixed.jsonl')).size).toBe(3)
})
