/** Every subcommand ends by itself on every engine, also when it fails or finds nothing to do: no thread and no device keeps the process alive. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { GPU } from '../support/gpus.js'
import { folderWith } from './run-in-test.js'

const MAIN = resolve('dist/cli/main.js')
const PHOTO = resolve('examples/photos/hat-1.jpg')
const GOLDENS = resolve('test/golden/data')
/** Longer than any of them takes on a busy machine with an emulated GPU. */
const PATIENCE = 150_000

/** The exit code of a command, or the signal that ended it where it did not end by itself. */
async function ending(args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: 'ignore', timeout: PATIENCE })
  return await new Promise((settle, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => settle(`${args.join(' ')}: ${signal ?? code}`))
  })
}

/** Each with its exit code. Small inputs: it is the end that is looked at. */
const COMMANDS: readonly (readonly [code: number, ...args: string[]])[] = [
  [0, 'info', 'mini', '--size', '28'],
  [0, 'bench', 'mini', '--size', '28', '--runs', '1'],
  [0, 'embed', PHOTO, '--size', '28'],
  [0, 'features', PHOTO, '--size', '28', '--output', 'maps', '--format', 'npy'],
  [0, 'verify', GOLDENS, '--filter', 'position/'],
  [2, 'verify', GOLDENS, '--filter', 'no such case'],
]
/** They fail before an engine is chosen, or after; the emulated GPU is spared them. */
const FAILING: typeof COMMANDS = [
  [2, 'info', 'gone.safetensors'],
  [2, 'embed', PHOTO, '--model', 'gone.safetensors'],
  [2, 'bench', 'gone.safetensors'],
  [2, 'bench', 'mini', '--size', '29'],
]

test.each([
  ['reference', [...COMMANDS, ...FAILING]],
  ['wasm', [...COMMANDS, ...FAILING]],
  ...(nativeAvailability().available ? ([['native', [...COMMANDS, ...FAILING]]] as const) : []),
  ...(GPU === null ? [] : ([['webgpu', COMMANDS]] as const)),
] as const)(
  '%s: every subcommand ends by itself',
  async (engine, commands) => {
    using folder = folderWith()
    const left = commands.map(([code, ...args]) => ({ code, args: [...args, '--engine', engine] }))
    const expected = left.map(({ code, args }) => `${args.join(' ')}: ${code}`)
    const found: string[] = []
    // Two at a time, as there are cores.
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        found.push(await ending(next.args, folder.path))
    }
    await Promise.all([work(), work()])
    expect(found.sort()).toEqual(expected.sort())
  },
  6 * PATIENCE,
)
