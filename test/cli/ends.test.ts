/**
 * Every subcommand ends by itself on every engine, also when it fails or finds nothing to do: no thread and no device keeps the process alive. Those of
 * an engine share a process, since starting one takes longer than most of them; it ends when none has left anything behind.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { GPU } from '../support/gpus.js'
import { MINI } from '../support/mini.js'
import { folderWith } from './run-in-test.js'

const CHILD = resolve('test/cli/ends-child.mjs')
const TRUST_GPU = pathToFileURL(resolve('test/support/trust-gpu.mjs')).href
const PHOTO = resolve('examples/photos/hat-1.jpg')
const GOLDENS = resolve('test/golden/data')
/** All of them together do not take as long, even on a busy machine with an emulated GPU. */
const PATIENCE = 600_000

interface Ended {
  readonly command: string
  readonly code: number
  /** Names what might have kept the process alive at that time. */
  readonly left: readonly string[]
}

/** Resolves to how each command ended, and to how the process did: its exit code, or the signal that ended it where it did not end by itself. */
async function ending(commands: readonly (readonly string[])[], cwd: string) {
  const results = join(cwd, 'results.jsonl')
  const node = ['--import', TRUST_GPU, CHILD, results, JSON.stringify(commands)]
  // What is packed is of this test alone.
  const env = { ...process.env, PLUMAGE_CACHE: join(cwd, 'cache') }
  const child = spawn(process.execPath, node, { cwd, env, stdio: 'ignore', timeout: PATIENCE })
  const end = await new Promise<number | NodeJS.Signals | null>((settle, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => settle(signal ?? code))
  })
  const lines = readFileSync(results, 'utf8').trim().split('\n')
  return { ended: lines.map((line) => JSON.parse(line) as Ended), end }
}

type Command = readonly [code: number, ...args: string[]]
/** Each has its exit code. Inputs are small, since it is the end that is looked at. */
const COMMANDS: readonly Command[] = [
  [0, 'info', MINI, '--size', '28'],
  [0, 'bench', MINI, '--size', '28', '--runs', '1'],
  [0, 'verify', GOLDENS, '--filter', 'position/'],
  [2, 'verify', GOLDENS, '--filter', 'no such case'],
  [1, 'embed', 'broken.jpg', '--model', MINI, '--size', '28'],
  [1, 'features', 'broken.jpg', '--model', MINI, '--size', '28', '--output', 'none', '--format', 'npy'],
  [2, 'bench', MINI, '--size', '29'],
]
/** A network's shaders take ten seconds to compile where the GPU is emulated: there it runs once, for `bench`. */
const DONE: readonly Command[] = [
  [0, 'embed', PHOTO, '--model', MINI, '--size', '28'],
  [0, 'features', PHOTO, '--model', MINI, '--size', '28', '--output', 'maps', '--format', 'npy'],
]
/** There is no such model. */
const GONE: readonly Command[] = [
  [2, 'info', 'gone.safetensors'],
  [2, 'embed', PHOTO, '--model', 'gone.safetensors'],
  [2, 'bench', 'gone.safetensors'],
]

test.each([
  ['reference', [...COMMANDS, ...DONE]],
  ['wasm', [...COMMANDS, ...DONE, ...GONE]],
  ...(nativeAvailability().available ? ([['native', [...COMMANDS, ...DONE]]] as const) : []),
  ...(GPU === null ? [] : ([['webgpu', COMMANDS]] as const)),
] as const)(
  '%s: every subcommand ends by itself',
  async (engine, commands) => {
    using folder = folderWith(['broken.jpg'])
    const asked = commands.map(([code, ...args]) => ({ code, args: [...args, '--engine', engine] }))
    const { ended, end } = await ending(
      asked.map(({ args }) => args),
      folder.path,
    )
    expect(ended.map(({ command, code }) => ({ command, code }))).toEqual(
      asked.map(({ code, args }) => ({ command: args.join(' '), code })),
    )
    expect(end, `left by each in turn: ${ended.map(({ left }) => left.join(' ')).join('; ')}`).toBe(0)
  },
  PATIENCE + 10_000,
)

test.runIf(nativeAvailability().available)(
  'packing weights, running on them and taking them away end by themselves',
  async () => {
    using folder = folderWith([])
    const commands = [
      ['pack', MINI],
      ['embed', PHOTO, '--model', MINI, '--size', '28', '--engine', 'native'],
      ['info', MINI],
      ['pack', '--list'],
      ['pack', '--remove'],
    ]
    const { ended, end } = await ending(commands, folder.path)
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
    expect(end, `left by each in turn: ${ended.map(({ left }) => left.join(' ')).join('; ')}`).toBe(0)
  },
)
