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
import { dirname, join, relative } from 'node:path'
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
    // The compiler is WebAssembly itself and slow until Node has optimised it: one process makes all variants in a third of the time that four take.
    const { code, output } = await runQuietly(
      process.execPath,
      [fileURLToPath(import.meta.url), '--into', scratch],
      {
        cwd: root,
      },
    )
    if (code !== 0) return { built: false, output }
    for (const name of names) await rename(join(scratch, name), join(target, name))
    await writeFile(stampFile, stamp)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return { built: true, output: '' }
}

/** Compiles every variant into a folder; throws with what the compiler said. */
async function compileInto(folder) {
  const { default: compiler } = await import('assemblyscript/asc')
  for (const [name, flags] of Object.entries(VARIANTS)) {
    const args = ['wasm/src/index.ts', ...flags, '-o', relative(root, join(folder, name))]
    const { error, stderr } = await compiler.main(args)
    if (error) throw new Error(`${name}: ${stderr.toString()}`)
  }
}

async function stampOf(compiler) {
  const version = await readFile(join(dirname(compiler), '../package.json'), 'utf8')
  const hash = createHash('sha256').update(JSON.stringify(VARIANTS)).update(JSON.parse(version).version)
  for (const name of (await readdir(sources)).sort())
    hash.update(name).update(await readFile(join(sources, name)))
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [option, folder] = process.argv.slice(2)
  if (option === '--into') await compileInto(folder)
  else await buildAndReport()
}

async function buildAndReport() {
  const { built, output } = await buildWasm()
  console.log(
    output === '' ? (built ? 'The WebAssembly kernels are built.' : 'They are up to date.') : output,
  )
  if (output !== '') process.exitCode = 1
}
