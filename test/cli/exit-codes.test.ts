/** Holds the table of exit codes to what README says. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CheckpointError } from '../../src/checkpoint/checkpoint-error.js'
import { EXIT } from '../../src/cli/run.js'
import { HubError } from '../../src/hub/hub-error.js'
import { folderWith, type InTestOptions, runInTest } from './run-in-test.js'

const refusing = (error: Error) => ({ loadEncoder: () => Promise.reject(error) })

type Case = readonly [code: number, what: string, args: readonly string[], options: Partial<InTestOptions>]
const CASES: readonly Case[] = [
  [EXIT.done, 'all was done', ['embed', 'a.jpg'], {}],
  [EXIT.done, 'help', ['--help'], {}],
  [EXIT.incomplete, 'some inputs failed', ['embed', 'a.jpg', 'broken.jpg'], {}],
  [EXIT.incomplete, 'all inputs failed', ['features', 'broken.jpg', 'gone.jpg', '-o', 'maps'], {}],
  [EXIT.impossible, 'no such command', ['embde', 'a.jpg'], {}],
  [EXIT.impossible, 'no such option', ['embed', 'a.jpg', '--sise', '224'], {}],
  [EXIT.impossible, 'nothing found', ['embed', '*.webp'], {}],
  [EXIT.impossible, 'no place for the output', ['embed', 'a.jpg', '-o', 'a.jpg/x.csv'], {}],
  [EXIT.impossible, 'an output of somebody else', ['embed', 'a.jpg', '-o', 'own.csv'], {}],
  [
    EXIT.impossible,
    'a damaged model',
    ['embed', 'a.jpg'],
    refusing(new CheckpointError('truncated', 'the model is cut off')),
  ],
  [EXIT.impossible, 'no network', ['embed', 'a.jpg'], refusing(new HubError('no-network', 'no network'))],
  [EXIT.impossible, 'a mistake of our own', ['embed', 'a.jpg'], refusing(new TypeError('oh'))],
  [EXIT.interrupted, 'an interrupt', ['embed', 'a.jpg'], { signal: AbortSignal.abort(new Error('SIGINT')) }],
]

test.each(CASES)('%i: %s', async (code, _what, args, options) => {
  using folder = folderWith({ 'a.jpg': 'a', 'broken.jpg': 'broken', 'own.csv': 'my own' })
  expect(await runInTest(args, { cwd: folder.path, ...options })).toMatchObject({ code })
})

test.each([
  ['usage', ['embed', 'a.jpg', '--sise', '224'], {}],
  ['nothing-found', ['embed', '*.webp'], {}],
  ['incomplete', ['embed', 'a.jpg', 'broken.jpg'], {}],
  ['truncated', ['embed', 'a.jpg'], refusing(new CheckpointError('truncated', 'the model is cut off'))],
  ['internal', ['embed', 'a.jpg'], refusing(new TypeError('oh'))],
  ['interrupted', ['embed', 'a.jpg'], { signal: AbortSignal.abort(new Error('SIGINT')) }],
] as const)('with --json the error that ends a run has the code %s', async (code, args, options) => {
  using folder = folderWith({ 'a.jpg': 'a', 'broken.jpg': 'broken' })
  const { stderr } = await runInTest([...args, '--json'], { cwd: folder.path, ...options })
  const last = stderr.trim().split('\n').at(-1) ?? ''
  expect(JSON.parse(last)).toEqual({ event: 'error', code, error: expect.any(String) })
})

test('README has the same table', () => {
  const rows = readFileSync('README.md', 'utf8').match(/^\| `(0|1|2|130)` \|.*$/gm) ?? []
  expect(rows.map((row) => Number(/\d+/.exec(row)?.[0]))).toEqual(Object.values(EXIT))
})
