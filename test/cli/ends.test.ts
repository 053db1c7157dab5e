/** Every subcommand ends by itself on every engine, also when it fails or finds nothing to do: no thread and no device keeps the process alive. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { GPU } from '../support/gpus.js'
import { MINI } from '../support/mini.js'
import { folderWith } from './run-in-test.js'

const MAIN = resolve('dist/cli/main.js')
const TRUST_GPU = pathToFileURL(resolve('test/support/trust-gpu.mjs')).href
const PHOTO = resolve('examples/photos/hat-1.jpg')
const GOLDENS = resolve('test/golden/data')
/** None of them takes as long, even on a busy machine with an emulated GPU. */
const PATIENCE = 150_000

/** Tells how a command ended: its exit code, or the signal that ended it where it did not end by itself. */
async function ending(args: readonly string[], cwd: string): Promise<string> {
  const node = ['--import', TRUST_GPU, MAIN, ...args]
  const child = spawn(process.execPath, node, { cwd, stdio: 'ignore', timeout: PATIENCE })
  return await new Promise((settle, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => settle(`${args.join(' ')}: ${signal ?? code}`))
  })
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
    const left = commands.map(([code, ...args]) => ({ code, args: [...args, '--engine', engine] }))
    const expected = left.map(({ code, args }) => `${args.join(' ')}: ${code}`)
    const found: string[] = []
    // Two work at a time, as there are cores.
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        found.push(await ending(next.args, folder.path))
    }
    await Promise.all([work(), work()])
    expect(found.sort()).toEqual(expected.sort())
  },
  6 * PATIENCE,
)
