/**
 * Compiles the WebAssembly kernels (wasm/src, AssemblyScript) into wasm/build, with and without threads and with and without the
 * fused multiply-add of relaxed SIMD. A machine takes the one that it can run.
 *
 *     node scripts/build-wasm.mjs
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runQuietly } from './run-quietly.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'wasm/src')
const target = join(root, 'wasm/build')

const FLAGS = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--memoryBase',
  '1024',
  // Functions on vectors are this module's own affair.
  '--disableWarning',
  '112',
]
const THREADS = ['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536']
/** Says by the name of each file how it is compiled. */
export const VARIANTS = {
  'simd.wasm': [...FLAGS, '--enable', 'simd'],
  'simd-threads.wasm': [...FLAGS, ...THREADS, '--enable', 'simd,threads'],
  'relaxed.wasm': [...FLAGS, '--enable', 'simd,relaxed-simd'],
  'relaxed-threads.wasm': [...FLAGS, ...THREADS, '--enable', 'simd,relaxed-simd,threads'],
}

/** @returns {Promise<{ built: boolean, output: string }>} `output` is what the compiler said where it failed */
export async function buildWasm() {
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js')
  const stamp = await stampOf(compiler)
  const stampFile = join(target, 'wasm.stamp')
  const names = Object.keys(VARIANTS)
  const there = names.every((name) => existsSync(join(target, name)))
  if (there && (await readFile(stampFile, 'utf8').catch(() => '')) === stamp)
    return { built: false, output: '' }
  await mkdir(target, { recursive: true })
  const scratch = await mkdtemp(join(target, 'tmp-'))
  try {
    const runs = await Promise.all(
      names.map((name) =>
        runQuietly(
          process.execPath,
          [compiler, 'wasm/src/index.ts', ...VARIANTS[name], '-o', join(scratch, name)],
          {
            cwd: root,
          },
        ),
      ),
    )
    const failed = runs.find(({ code }) => code !== 0)
    if (failed !== undefined) return { built: false, output: failed.output }
    for (const name of names) await rename(join(scratch, name), join(target, name))
    await writeFile(stampFile, stamp)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return { built: true, output: '' }
}

async function stampOf(compiler) {
  const version = await readFile(join(dirname(compiler), '../package.json'), 'utf8')
  const hash = createHash('sha256').update(JSON.stringify(VARIANTS)).update(JSON.parse(version).version)
  for (const name of (await readdir(sources)).sort())
    hash.update(name).update(await readFile(join(sources, name)))
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built, output } = await buildWasm()
  console.log(
    output === '' ? (built ? 'The WebAssembly kernels are built.' : 'They are up to date.') : output,
  )
  if (output !== '') process.exitCode = 1
}
