/**
 * Builds the C++ kernels into native/build/plumage.node with whichever C++ compiler is found.
 *
 *     node scripts/build-native.mjs [--sanitize] [--planted]
 *
 * Only what has changed since the last build is compiled: a source, a header that it includes, flags or the compiler. `--sanitize` builds
 * plumage-sanitized.node with the address and undefined-behaviour sanitizers. `--planted` builds plumage-planted.node, in which tests can
 * let the system fail (native/test/planted-failures.cc): it takes the very objects of the addon and is only linked in another way. Both are
 * loaded only where PLUMAGE_NATIVE_ADDON names them.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'native/src')
const plantedSource = join(root, 'native/test/planted-failures.cc')
const target = join(root, 'native/build')

const FLAGS = [
  '-std=gnu++17',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-math-errno',
  '-ffp-contract=fast',
  '-pthread',
  '-Wall',
  '-Wextra',
  '-DNAPI_VERSION=8',
]
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-g', '-O1']
/** Files that are compiled for one instruction set have further flags. */
const AVX2 = ['-mavx2', '-mfma']
// GCC takes what its own intrinsics leave undefined for a mistake.
const AVX512 = [
  '-Wno-maybe-uninitialized',
  '-mavx512f',
  '-mavx512bw',
  '-mavx512dq',
  '-mavx512vl',
  '-mfma',
  '-mprefer-vector-width=512',
]
const INSTRUCTION_SETS = {
  'isa-amx.cc': [
    ...AVX512,
    '-mavx512vnni',
    '-mavx512bf16',
    '-mamx-tile',
    '-mamx-bf16',
    '-mamx-int8',
    '-mavx512vbmi',
  ],
  'isa-avx512-bf16.cc': [...AVX512, '-mavx512vnni', '-mavx512bf16'],
  'isa-avx512-vnni.cc': [...AVX512, '-mavx512vnni'],
  'isa-avx512.cc': AVX512,
  'isa-avx2-vnni.cc': [...AVX2, '-mavxvnni'],
  'isa-avx2.cc': AVX2,
}

/**
 * @param {{ log?: (line: string) => void, sanitize?: boolean, planted?: boolean }} [options]
 * @returns {Promise<{ built: boolean, skipped: boolean, reason?: string, path?: string }>} `skipped` tells that what is there is up to date, `reason` why
 *   there is no addon, and `path` where it is
 */
export async function buildNative({ log = () => {}, sanitize = false, planted = false } = {}) {
  const refuse = (reason) => ({ built: false, skipped: false, reason })
  if (process.platform === 'win32') return refuse('the native engine has no Windows build yet')
  if (planted && process.platform !== 'linux') return refuse('failures are planted by a linker of Linux')
  const compiler = await findCompiler()
  if (compiler === null) return refuse('no C++ compiler found (tried CXX, c++, g++, clang++)')
  let headers
  try {
    headers = createRequire(import.meta.url)('node-api-headers').include_dir
  } catch {
    return refuse('the package node-api-headers is not installed (npm install)')
  }

  const flags = [
    ...FLAGS,
    ...(process.arch === 'x64' ? ['-DPLUMAGE_X86'] : []),
    ...(sanitize ? SANITIZERS : []),
  ]
  const objects = await objectsOf(compiler, [...flags, `-I${headers}`], { sanitize, planted })
  const link = await linkFlags(sanitize, planted)
  const path = join(target, `plumage${sanitize ? '-sanitized' : ''}${planted ? '-planted' : ''}.node`)
  const stamp = digest(objects.map(({ object }) => object).concat(link, compiler.version))
  if (existsSync(path) && (await readFile(`${path}.stamp`, 'utf8').catch(() => '')) === stamp) {
    return { built: false, skipped: true, path }
  }
  try {
    await compile(compiler, objects, log)
    const fresh = `${path}.${process.pid}`
    await execute(compiler.path, [...link, ...objects.map(({ object }) => object), '-o', fresh])
    await rename(fresh, path)
    await writeFile(`${path}.stamp`, stamp)
  } catch (error) {
    const lines = String(error.stderr ?? error.message).split('\n')
    return refuse(`${compiler.path} failed: ${lines.find((line) => /\berror:/i.test(line)) ?? lines[0]}`)
  }
  return { built: true, skipped: false, path }
}

/** Every object of an addon, named after what it is made from: one that is there is up to date. */
async function objectsOf(compiler, flags, { sanitize, planted }) {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.cc')).sort()
  const files = names
    .filter((name) => process.arch === 'x64' || !(name in INSTRUCTION_SETS))
    .map((name) => join(sources, name))
  if (planted) files.push(plantedSource)
  return await Promise.all(
    files.map(async (source) => {
      const name = basename(source, '.cc')
      const args = [...flags, ...(INSTRUCTION_SETS[basename(source)] ?? []), '-c', source]
      const contents = await Promise.all(
        [...(await includedBy(source))].map((file) => readFile(file, 'utf8')),
      )
      const hash = digest([compiler.version, process.arch, ...args, ...contents]).slice(0, 16)
      return {
        args,
        object: join(target, sanitize ? 'objects-sanitized' : 'objects', `${name}-${hash}.o`),
        name,
      }
    }),
  )
}

/** Lists a source and all of our own headers that it includes, directly or not. */
async function includedBy(file, seen = new Set()) {
  seen.add(file)
  for (const [, name] of (await readFile(file, 'utf8')).matchAll(/^#include "(.+)"$/gm)) {
    const header = join(dirname(file), name)
    if (!seen.has(header)) await includedBy(header, seen)
  }
  return seen
}

/** Compiles the objects that are not there, and takes away those that they replace. */
async function compile(compiler, objects, log) {
  const missing = objects.filter(({ object }) => !existsSync(object))
  if (missing.length === 0) return
  log(`compiling ${missing.length} files with ${compiler.path}`)
  const folder = dirname(missing[0].object)
  await mkdir(folder, { recursive: true })
  await Promise.all(
    missing.map(async ({ args, object }) => {
      const fresh = `${object}.${process.pid}`
      await execute(compiler.path, [...args, '-o', fresh])
      await rename(fresh, object)
    }),
  )
  const replaced = (name) =>
    missing.some((one) => name.startsWith(`${one.name}-`) && name.length === basename(one.object).length) &&
    !objects.some(({ object }) => basename(object) === name)
  for (const name of (await readdir(folder)).filter(replaced)) await rm(join(folder, name), { force: true })
}

async function linkFlags(sanitize, planted) {
  const shared =
    process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread']
  const source = planted ? await readFile(plantedSource, 'utf8') : ''
  const wrapped = new Set([...source.matchAll(/__wrap_(\w+)|^PLANTED\((\w+)/gm)].map(([, a, b]) => a ?? b))
  return [...shared, ...(sanitize ? SANITIZERS : []), ...[...wrapped].map((name) => `-Wl,--wrap=${name}`)]
}

/** Takes the compiler of CXX, or the first that answers. */
async function findCompiler() {
  for (const path of process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']) {
    try {
      const { stdout } = await execute(path, ['--version'])
      return { path, version: stdout }
    } catch {
      // It is not there: the next one is tried.
    }
  }
  return null
}

function digest(facts) {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const has = (option) => process.argv.includes(option)
  const result = await buildNative({
    log: console.log,
    sanitize: has('--sanitize'),
    planted: has('--planted'),
  })
  if (result.reason !== undefined) {
    console.error(`The native engine was not built: ${result.reason}.`)
    process.exitCode = 1
  } else {
    console.log(result.skipped ? 'The native engine is up to date.' : 'The native engine is built.')
  }
}
