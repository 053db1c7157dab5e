/** Holds the kernels of every instruction set to what the compiler takes, also those that this processor cannot run and which nobody therefore builds here. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { smallDiskOrNull } from '../test/support/small-disk.js'

const { ALL_SETS, buildNative, checkKernels, emulatedFlagsOf, setsOfThisProcessor } = (await import(
  join(import.meta.dirname, 'build-native.mjs')
)) as {
  readonly ALL_SETS: readonly string[]
  buildNative(options: { emulated: readonly string[] }): Promise<{ reason?: string }>
  checkKernels(set: string, options?: { emulated?: boolean }): Promise<string | null>
  emulatedFlagsOf(name: string, sets: readonly string[]): readonly string[]
  setsOfThisProcessor(options?: { fastestOnly?: boolean }): readonly string[]
}
const { INSTRUCTION_SETS } = await import('../src/engine/native/addon.js')
const { nativeAvailability } = await import('../src/platform/node/native/index.js')
const here = setsOfThisProcessor()

test('each instruction set that the engine knows has kernels, fastest first', () => {
  expect(ALL_SETS).toEqual(process.arch === 'x64' ? INSTRUCTION_SETS : ['generic'])
})

test.skipIf(!nativeAvailability().available)(
  'what the processor is said to run is what the addon finds',
  () => {
    expect(nativeAvailability().instructionSets).toEqual(here)
    expect(setsOfThisProcessor({ fastestOnly: true })[0]).toBe(here[0])
  },
)

test.skipIf(!nativeAvailability().available).each(ALL_SETS.filter((set) => !here.includes(set)))(
  'the kernels of %s compile, though this processor cannot run them',
  async (set) => expect(await checkKernels(set)).toBeNull(),
)

test.skipIf(!nativeAvailability().available || !here.includes('avx2'))(
  'kernels for matrix tiles compile where instructions are emulated, and use none of the tiles that a processor has, for which nobody asks the system there',
  async () => {
    const flags = emulatedFlagsOf('isa-amx', ['amx'])
    expect(flags).toContain('-DEMULATE_AMX_TILE')
    expect(flags.filter((flag) => flag.startsWith('-mamx'))).toEqual([])
    expect(await checkKernels('amx', { emulated: true })).toBeNull()
  },
)

test('an instruction set that nobody knows is not emulated, and the known ones are named', async () => {
  const { reason } = await buildNative({ emulated: ['avx513'] })
  expect(reason).toContain(`no instruction set avx513 to emulate (${ALL_SETS.join(', ')})`)
})

/** With these a linked file lies where its link does, for Node. */
const AS_LINKED = ['--preserve-symlinks', '--preserve-symlinks-main']

test('a cache that cannot be written to is named, and not taken for a compiler that fails', async ({
  skip,
}) => {
  using disk = smallDiskOrNull('1m') ?? skip('no small disk can be mounted here: that needs Linux and root')
  disk.remount('ro')
  using folder = installed()
  const script = join(folder.path, 'scripts/build-native.mjs')
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const env = { ...process.env, PLUMAGE_CACHE: join(disk.path, 'cache') }
    execFile(process.execPath, [...AS_LINKED, script], { env }, (error, _, stderr) =>
      resolve({ code: error?.code, stderr }),
    )
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^The native engine was not built: .*cache.* could not be written \(\w+\)\. .*PLUMAGE_CACHE/,
  )
})

/** Links what a build needs to where npm would install the package, which builds into the cache. */
function installed(): Disposable & { readonly path: string } {
  const root = join(import.meta.dirname, '..')
  const folder = mkdtempSync(join(tmpdir(), 'plumage-installed-'))
  const path = join(folder, 'node_modules/plumage')
  mkdirSync(path, { recursive: true })
  for (const name of ['package.json', 'scripts', 'native', 'dist', 'node_modules'])
    symlinkSync(join(root, name), join(path, name))
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
