/**
 * Builds the C++ kernels into native/build/plumage.node (for an installed package, into the cache, which npm does not empty) with whichever C++ compiler is found.
 *
 *     node scripts/build-native.mjs [--all] [--sanitize] [--planted] [--emulated set,set]
 *
 * The kernels of an instruction set take most of the time. Those that this processor runs are built, and with `--all` those of every other one
 * too, for an addon that is to run elsewhere. Only what has changed since the last build is compiled: a source, a header that it includes, flags or
 * the compiler. `--sanitize` builds plumage-sanitized.node with the address and undefined-behaviour sanitizers. `--planted` builds
 * plumage-planted.node, in which tests can let the system fail (native/test/planted-failures.cc): it takes the very objects of the addon and is
 * only linked in another way. `--emulated` builds plumage-emulated.node, which runs the kernels of the instruction sets named by computing what this
 * processor's lacks in plain code (native/test/emulated-instructions.h). All three are loaded only where PLUMAGE_NATIVE_ADDON names them.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'native/src')
const plantedSource = join(root, 'native/test/planted-failures.cc')
const emulatedInstructions = join(root, 'native/test/emulated-instructions.h')
/** An installed package is compiled already, and says by itself where it looks for its addon. */
const target = root.split(sep).includes('node_modules')
  ? (await import('../dist/bundle/node/addon-folder.js')).addonFolder()
  : join(root, 'native/build')

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
const AVX2 = ['-mavx2', '-mfma', '-mf16c']
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
const VNNI = [...AVX512, '-mavx512vnni']
const BF16 = [...VNNI, '-mavx512bf16']

/** Gives the flags for each instruction set, fastest first. Its kernels are made by native/src/isa-<name>.cc. */
const INSTRUCTION_SETS = {
  ...(process.arch === 'x64' && {
    amx: [...BF16, '-mamx-tile', '-mamx-bf16', '-mamx-int8', '-mavx512vbmi'],
    'avx512-bf16': BF16,
    'avx512-vnni': VNNI,
    avx512: AVX512,
    'avx2-vnni': [...AVX2, '-mavxvnni'],
    avx2: AVX2,
  }),
  generic: [],
}
export const ALL_SETS = Object.keys(INSTRUCTION_SETS)
/** Matches flags that let the compiler use instructions. */
const INSTRUCTIONS = /^-m((?:avx|amx|fma|f16c).*)$/
/** Names what Linux spells in another way than compilers do. */
const LINUX_NAMES = { avx512vnni: 'avx512_vnni', avx512bf16: 'avx512_bf16', avxvnni: 'avx_vnni' }

/**
 * Lists the instruction sets that this processor runs, fastest first; all of them where the system does not say. The addon asks the processor itself
 * before it takes one (native/src/cpu.cc).
 *
 * @param {{ fastestOnly?: boolean }} [options] lists that set alone which will be taken
 */
export function setsOfThisProcessor({ fastestOnly = false } = {}) {
  const processor = askProcessor()
  if (processor === undefined) return ALL_SETS
  const found = ALL_SETS.filter((set) => INSTRUCTION_SETS[set].every(processor.has))
  const bf16 = found.indexOf('avx512-bf16')
  // native/src/cpu.cc says why.
  if (processor.isIntels && bf16 >= 0) found.splice(bf16, 2, 'avx512-vnni', 'avx512-bf16')
  if (!fastestOnly) return found
  // The system may refuse the tiles to a process: then the next set is taken.
  return found.slice(0, found[0] === 'amx' ? 2 : 1)
}

/** Tells whose the processor is, and whether it has what a flag of the compiler asks for; undefined where the system does not say. */
function askProcessor() {
  let text, known
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8')
    known = new Set(/^flags\s*:(.*)$/m.exec(text)[1].split(' '))
  } catch {
    return undefined
  }
  const has = (flag) => {
    const [, name] = INSTRUCTIONS.exec(flag) ?? []
    return name === undefined || known.has(LINUX_NAMES[name] ?? name.replace('-', '_'))
  }
  return { has, isIntels: /^vendor_id\s*: GenuineIntel$/m.test(text) }
}

function runsAvx2() {
  const processor = askProcessor()
  return processor !== undefined && AVX2.every(processor.has)
}

/**
 * @param {{ log?: (line: string) => void, sanitize?: boolean, planted?: boolean, emulated?: readonly string[], sets?: readonly string[] }} [options] `sets`
 *   are the instruction sets that get kernels; default: those of this processor, or those of `emulated`, whose instructions are then computed in plain code
 * @returns {Promise<{ built: boolean, skipped: boolean, reason?: string, path?: string }>} `skipped` tells that what is there is up to date, `reason` why
 *   there is no addon, and `path` where it is
 */
export async function buildNative({
  log = () => {},
  sanitize = false,
  planted = false,
  emulated = [],
  sets = emulated.length > 0 ? emulated : setsOfThisProcessor(),
} = {}) {
  const refuse = (reason) => ({ built: false, skipped: false, reason })
  const unknown = emulated.find((set) => !ALL_SETS.includes(set))
  if (unknown !== undefined)
    return refuse(`there is no instruction set ${unknown} to emulate (${ALL_SETS.join(', ')})`)
  if (emulated.length > 0 && !runsAvx2())
    return refuse('instructions are emulated on processors with AVX2 alone')
  if (planted && process.platform !== 'linux') return refuse('failures are planted by a linker of Linux')
  const { compiler, flags, headers, reason } = await findTools()
  if (reason !== undefined) return refuse(reason)

  const objects = await objectsOf(compiler, [...flags, ...(sanitize ? SANITIZERS : [])], headers, {
    folder: sanitize ? 'objects-sanitized' : 'objects',
    files: [...(await sourcesOf(sets)), ...(planted ? [plantedSource] : [])],
    sets,
    isEmulated: emulated.length > 0,
  })
  const link = await linkFlags(sanitize, planted)
  const path = join(
    target,
    `plumage${sanitize ? '-sanitized' : ''}${planted ? '-planted' : ''}${emulated.length > 0 ? '-emulated' : ''}.node`,
  )
  const stamp = digest(objects.map(({ object }) => basename(object)).concat(link, compiler.version))
  if (existsSync(path) && (await readFile(`${path}.stamp`, 'utf8').catch(() => '')) === stamp) {
    return { built: false, skipped: true, path }
  }
  try {
    await compile(compiler, objects, log)
    await make(path, compiler, [...link, ...objects.map(({ object }) => object)])
    await writeFile(`${path}.stamp`, stamp)
  } catch (error) {
    return refuse(whyNot(compiler, error))
  }
  return { built: true, skipped: false, path }
}

/**
 * Tells whether kernels are right for the compiler, without making them: for those that this processor cannot run.
 *
 * @param {string} set is the name of an instruction set
 * @param {{ emulated?: boolean }} [options] `emulated` compiles what an addon has whose instructions are computed in plain code
 * @returns {Promise<string | null>} what the compiler objects to, or null; throws where there is none
 */
export async function checkKernels(set, { emulated = false } = {}) {
  const own = emulated ? emulatedFlagsOf(`isa-${set}`, [set]) : INSTRUCTION_SETS[set]
  return await compileKernels(set, [...own, '-fsyntax-only']).then(() => null, firstError)
}

/**
 * Writes the assembly that the compiler makes of kernels, for those who count it.
 *
 * @param {string} set is the name of an instruction set
 * @param {string} path is that of the file to write
 */
export async function assembleKernels(set, path) {
  await compileKernels(set, [...INSTRUCTION_SETS[set], '-S', '-o', path])
}

async function compileKernels(set, args) {
  const { compiler, flags, reason } = await findTools()
  if (reason !== undefined) throw new Error(reason)
  const [source] = await sourcesOf([set], (name) => name.startsWith('isa-'))
  await execute(compiler.path, [...flags, ...args, source])
}

/** @returns {Promise<{ compiler?: { path: string, version: string }, flags?: string[], headers?: { folder: string, version: string }, reason?: string }>} */
async function findTools() {
  if (process.platform === 'win32') return { reason: 'the native engine has no Windows build yet' }
  const compiler = await findCompiler()
  if (compiler === null) return { reason: 'no C++ compiler found (tried CXX, c++, g++, clang++)' }
  try {
    const packages = createRequire(import.meta.url)
    const { include_dir: folder } = packages('node-api-headers')
    const { version } = packages('node-api-headers/package.json')
    return {
      compiler,
      flags: [...FLAGS, ...(process.arch === 'x64' ? ['-DPLUMAGE_X86'] : []), `-I${folder}`],
      headers: { folder, version },
    }
  } catch {
    return { reason: 'the package node-api-headers is not installed (npm install)' }
  }
}

/** Tells a folder that takes no files, or no more of them, from a compiler that fails. */
function whyNot(compiler, error) {
  const advice = 'Make room or give the right to write there, or set PLUMAGE_CACHE to another folder'
  const isOurs = error.syscall !== undefined && error.path !== undefined && error.path !== compiler.path
  if (isOurs) return `${error.path} could not be written (${error.code}). ${advice}`
  const failed = `${compiler.path} failed: ${firstError(error)}`
  // The compiler is a process of its own, of whose failures only the text is known.
  const isDisk = /No space left on device|Read-only file system|Disk quota exceeded|Permission denied/
  return isDisk.test(error.stderr ?? '') ? `${failed} (in ${target}). ${advice}` : failed
}

function firstError(error) {
  const lines = String(error.stderr ?? error.message).split('\n')
  return lines.find((line) => /\berror:/i.test(line)) ?? lines[0]
}

/** Lists what is compiled by itself: files that another one includes are a part of that, and kernels are made for some instruction sets. */
async function sourcesOf(sets, isWanted = () => true) {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.cc')).sort()
  const included = new Set()
  for (const name of names) {
    for (const [, other] of (await readFile(join(sources, name), 'utf8')).matchAll(/^#include "(.+\.cc)"$/gm))
      included.add(other)
  }
  const isMade = (name) => !name.startsWith('isa-') || sets.includes(name.slice('isa-'.length, -'.cc'.length))
  return names
    .filter((name) => !included.has(name) && isMade(name) && isWanted(name))
    .map((name) => join(sources, name))
}

/** Every object of an addon, named after what it is made from: one that is there is up to date. Those that take longest come first. */
async function objectsOf(compiler, flags, headers, { folder, files, sets, isEmulated }) {
  const objects = await Promise.all(
    files.map(async (source) => {
      const base = basename(source, '.cc')
      const own = isEmulated ? emulatedFlagsOf(base, sets) : flagsOf(base, sets)
      // What is not made in another way is one object for both addons.
      const name = isEmulated && own.length > 0 ? `emulated-${base}` : base
      const args = [...flags, ...own, '-c', source]
      const read = [
        ...(await includedBy(source)),
        ...(own.includes(emulatedInstructions) ? [emulatedInstructions] : []),
      ]
      const contents = await Promise.all(read.map((file) => readFile(file, 'utf8')))
      // The places of the folder and of Node's headers are left out, so that nothing is built again where a folder is moved or a package is installed in another project.
      const said = args.map((arg) => arg.replace(headers.folder, headers.version).replace(root, '.'))
      const hash = digest([compiler.version, process.arch, ...said, ...contents]).slice(0, 16)
      return { args, object: join(target, folder, `${name}-${hash}.o`), name }
    }),
  )
  const rank = ({ name }) =>
    ['isa-', 'unit-', ''].findIndex((start) => name.replace('emulated-', '').startsWith(start))
  return objects.sort((a, b) => rank(a) - rank(b))
}

/** Kernels are made for an instruction set, and one file knows which there are. */
function flagsOf(name, sets) {
  const variable = (set) => set.replace(/-./g, ([, letter]) => letter.toUpperCase())
  if (name !== 'cpu') return INSTRUCTION_SETS[name.replace('isa-', '')] ?? []
  const made = ALL_SETS.filter((set) => sets.includes(set))
  return [`-DPLUMAGE_KERNELS=${made.map((set) => `KERNELS_OF(${variable(set)})`).join(' ')}`]
}

/**
 * Where the processor lacks instructions, the compiler is told to compute them in plain code, and the addon not to ask for them.
 *
 * @param {string} name is that of a file of native/src, without its ending
 * @param {readonly string[]} sets are the instruction sets that are emulated
 * @returns {string[]} the flags beside those of every file
 */
export function emulatedFlagsOf(name, sets) {
  const flags = flagsOf(name, sets)
  if (name === 'cpu') return [...flags, '-DPLUMAGE_EMULATED']
  if (flags.length === 0) return flags
  const processor = askProcessor()
  // Tiles need the system's leave, which such an addon does not ask for.
  const has = (flag) => !flag.startsWith('-mamx') && processor.has(flag)
  const define = (flag) => `-DEMULATE_${INSTRUCTIONS.exec(flag)[1].toUpperCase().replace('-', '_')}`
  // The compiler's warnings are about calls between objects, of which there are none with such vectors, and about its own types.
  // Unrolled plain code is much to optimise, and speed is no aim.
  const quiet = ['-O1', '-Wno-psabi', '-Wno-ignored-attributes', '-Wno-uninitialized']
  return [
    ...new Set([...AVX2, ...flags.filter(has)]),
    ...flags.filter((flag) => !has(flag)).map(define),
    ...quiet,
    '-include',
    emulatedInstructions,
  ]
}

/** Lists a source and all of our own files that it includes, directly or not. */
async function includedBy(file, seen = new Set()) {
  seen.add(file)
  for (const [, name] of (await readFile(file, 'utf8')).matchAll(/^#include "(.+)"$/gm)) {
    const other = join(dirname(file), name)
    if (!seen.has(other)) await includedBy(other, seen)
  }
  return seen
}

/** Compiles the objects that are not there, one for each core at a time, and takes away those that they replace. */
async function compile(compiler, objects, log) {
  const missing = objects.filter(({ object }) => !existsSync(object))
  if (missing.length === 0) return
  log(`compiling ${missing.length} files with ${compiler.path}`)
  const folder = dirname(missing[0].object)
  await mkdir(folder, { recursive: true })
  const waiting = [...missing]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await make(next.object, compiler, next.args)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const replaced = (name) =>
    missing.some((one) => name.startsWith(`${one.name}-`) && name.length === basename(one.object).length) &&
    !objects.some(({ object }) => basename(object) === name)
  for (const name of (await readdir(folder)).filter(replaced)) await rm(join(folder, name), { force: true })
}

/** Makes a file whole or not at all. */
async function make(path, compiler, args) {
  const fresh = `${path}.${process.pid}`
  try {
    await execute(compiler.path, [...args, '-o', fresh])
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined)
    throw error
  }
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
    ...(has('--emulated') && {
      emulated: process.argv[process.argv.indexOf('--emulated') + 1]?.split(',') ?? [''],
    }),
    ...(has('--all') && { sets: ALL_SETS }),
  })
  if (result.reason !== undefined) {
    console.error(`The native engine was not built: ${result.reason}.`)
    process.exitCode = 1
  } else {
    console.log(result.skipped ? 'The native engine is up to date.' : 'The native engine is built.')
  }
}
