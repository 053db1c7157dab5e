/**
 * Builds the C++ kernels into native/build/plumage.node with whichever C++ compiler is found.
 *
 *     node scripts/build-native.mjs [--sanitize]
 *
 * Nothing is done when sources, flags and compiler are those of the last build. `--sanitize` builds plumage-sanitized.node with the
 * address and undefined-behaviour sanitizers; it is loaded only where PLUMAGE_NATIVE_ADDON names it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'native/src')
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
// GCC mistakes what its own intrinsics leave undefined.
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
 * @param {{ log?: (line: string) => void, sanitize?: boolean }} [options]
 * @returns {Promise<{ built: boolean, skipped: boolean, reason?: string }>} `skipped` tells that what is there is up to date,
 *   and `reason` why there is no addon
 */
export async function buildNative({ log = () => {}, sanitize = false } = {}) {
  if (process.platform === 'win32') {
    return { built: false, skipped: false, reason: 'the native engine has no Windows build yet' }
  }
  const compiler = await findCompiler()
  if (compiler === null) {
    return { built: false, skipped: false, reason: 'no C++ compiler found (tried CXX, c++, g++, clang++)' }
  }
  let headers
  try {
    headers = createRequire(import.meta.url)('node-api-headers').include_dir
  } catch {
    return {
      built: false,
      skipped: false,
      reason: 'the package node-api-headers is not installed (npm install)',
    }
  }

  const x86 = process.arch === 'x64'
  const flags = [...FLAGS, ...(x86 ? ['-DPLUMAGE_X86'] : []), ...(sanitize ? SANITIZERS : []), `-I${headers}`]
  const names = (await readdir(sources)).sort()
  const files = names.filter((name) => name.endsWith('.cc') && (x86 || !(name in INSTRUCTION_SETS)))
  const stamp = await stampOf(names, [compiler.version, process.arch, ...flags])
  const addon = join(target, sanitize ? 'plumage-sanitized.node' : 'plumage.node')
  if (existsSync(addon) && (await readFile(`${addon}.stamp`, 'utf8').catch(() => '')) === stamp) {
    return { built: false, skipped: true }
  }

  log(`compiling ${files.length} files with ${compiler.path}`)
  await mkdir(target, { recursive: true })
  const scratch = await mkdtemp(join(target, 'tmp-'))
  try {
    const objects = files.map((file) => join(scratch, `${file}.o`))
    await Promise.all(
      files.map((file, index) =>
        execute(compiler.path, [
          ...flags,
          ...(INSTRUCTION_SETS[file] ?? []),
          '-c',
          join(sources, file),
          '-o',
          objects[index],
        ]),
      ),
    )
    const fresh = join(scratch, 'plumage.node')
    await execute(compiler.path, [...linkFlags(sanitize), ...objects, '-o', fresh])
    await writeFile(join(scratch, 'stamp'), stamp)
    await rename(fresh, addon)
    await rename(join(scratch, 'stamp'), `${addon}.stamp`)
  } catch (error) {
    const lines = String(error.stderr ?? error.message).split('\n')
    return {
      built: false,
      skipped: false,
      reason: `${compiler.path} failed: ${lines.find((line) => /\berror:/i.test(line)) ?? lines[0]}`,
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return { built: true, skipped: false }
}

function linkFlags(sanitize) {
  const shared =
    process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread']
  return [...shared, ...(sanitize ? SANITIZERS : [])]
}

/** Takes the compiler of CXX, or the first that answers. */
async function findCompiler() {
  for (const path of process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']) {
    try {
      const { stdout } = await execute(path, ['--version'])
      return { path, version: stdout }
    } catch {
      // It is not there, so the next one is tried.
    }
  }
  return null
}

async function stampOf(names, facts) {
  const hash = createHash('sha256').update(JSON.stringify(facts)).update(JSON.stringify(INSTRUCTION_SETS))
  for (const name of names) hash.update(name).update(await readFile(join(sources, name)))
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await buildNative({ log: console.log, sanitize: process.argv.includes('--sanitize') })
  if (result.reason !== undefined) {
    console.error(`The native engine was not built: ${result.reason}.`)
    process.exitCode = 1
  } else {
    console.log(result.skipped ? 'The native engine is up to date.' : 'The native engine is built.')
  }
}
