/**
 * Brings what a fresh clone needs before it can run: packages from the lockfile, the TypeScript build, the WebAssembly kernels, the native engine.
 *
 *     node scripts/setup.mjs            does everything that is not done yet
 *     node scripts/setup.mjs --build    makes the TypeScript and C++ builds alone
 *     node scripts/setup.mjs --tests    brings the bundlers and frameworks of test/projects as well
 *
 * Nothing is installed when this starts, and an old Node must get as far as the line that says so: it uses Node's own modules only, and no
 * recent syntax. Where all is done, nothing is written and no process started, so that a second `npm start` begins at once.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BUNDLE, BUNDLED } from './build-bundle.mjs'
import { runQuietly } from './run-quietly.mjs'
import { withSetupLock } from './setup-lock.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const projects = join(root, 'test/projects')
const notes = join(root, '.plumage/setup.json')
const platform = `${process.platform}-${process.arch}`
const OLDEST_NODE = [20, 19]

/** Says why the set-up stopped: the step, what it said last, and what to do. */
export class SetupError extends Error {
  /** @param {{ step: string, problem: string, advice: string, output?: string }} what */
  constructor({ step, problem, advice, output = '' }) {
    super(`The set-up stopped at "${step}": ${problem}. ${advice}`)
    this.name = 'SetupError'
    const lines = output.trim().split('\n')
    // npm names the cause first and then explains itself at length; compilers end with the cause.
    const isLong = lines.length > 30
    this.output = (isLong ? [...lines.slice(0, 15), '...', ...lines.slice(-15)] : lines).join('\n')
  }
}

/**
 * Does what is not done yet, under a lock, so that two of them in one clone wait for each other.
 *
 * @param {{ install?: boolean, retry?: boolean, fastestOnly?: boolean, tests?: boolean, log?: (line: string) => void }} [options] `retry` makes a
 *   native build again that has failed before with the same sources; with `fastestOnly` no other kernels are compiled than those that this processor
 *   will take; `tests` brings the bundlers and frameworks of test/projects as well
 * @returns {Promise<{ hasNative: boolean }>} `log` was told why there is no native engine, where there is none
 */
export async function setUp(options = {}) {
  const { install = true, retry = false, fastestOnly = false, tests = false, log = console.log } = options
  requireNode()
  const { setsOfThisProcessor } = await import('./build-native.mjs')
  const sets = setsOfThisProcessor({ fastestOnly })
  const isDone = () =>
    (!install || isInstalled(root)) &&
    (!tests || isInstalled(projects)) &&
    isBuilt() &&
    isNativeSettled(sets, retry)
  if (!isDone()) {
    await withSetupLock(join(root, '.plumage'), log, async () => {
      if (install && !isInstalled(root)) await installPackages(log)
      // Compilers of three languages keep all cores busy together, which none of them does alone.
      const builds = [
        isBuilt() ? undefined : buildScripts(log),
        isNativeSettled(sets, retry) ? undefined : buildAddon(sets, log),
        tests && !isInstalled(projects) ? installProjects(log) : undefined,
      ]
      // The lock is held until the last one has ended.
      await Promise.allSettled(builds)
      await Promise.all(builds)
    })
  }
  const { reason } = readNotes().native ?? {}
  if (reason !== undefined) log(`No native engine: ${reason}. Going on with WebAssembly, which is slower.`)
  return { hasNative: reason === undefined }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  throw new SetupError({
    step: 'Node version',
    problem: `this is Node ${process.versions.node}, and Plumage needs ${OLDEST_NODE.join('.')} or newer`,
    advice: 'Install a current Node from https://nodejs.org and run the same command again.',
  })
}

/** Tells whether node_modules of a folder holds what its package-lock.json names, by npm's own list of what it put there. */
function isInstalled(folder) {
  const there = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(there)) return false
  // A folder may be shared with a container or another machine: packages with compiled parts would be the wrong ones.
  if ((readNotes().platform ?? platform) !== platform) return false
  const wanted = readJson(join(folder, 'package-lock.json')).packages
  const found = readJson(there).packages
  return Object.keys(wanted).every((path) => {
    const { optional, link, integrity } = wanted[path]
    if (!path.startsWith('node_modules/') || optional || link) return true
    return found[path] !== undefined && found[path].integrity === integrity
  })
}

async function installPackages(log) {
  log('Installing the packages of package-lock.json ...')
  writeNotes({ platform: undefined })
  const started = Date.now()
  // Under NODE_ENV=production npm would leave out the compiler.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, first] = npmCommand()
  const { code, output } = await runQuietly(command, [...first, ...args], { cwd: root })
  if (code !== 0) {
    throw new SetupError({
      step: 'npm ci',
      problem: `npm ended with ${code}`,
      advice: 'Check the network (a proxy?) and the disk, then run the same command again.',
      output,
    })
  }
  writeNotes({ platform })
  log(`Installed (${seconds(started)}).`)
}

/** The tests that need them are skipped without them: a machine may have no network by now. Waiting for it costs no processor, so it goes on beside the builds. */
async function installProjects(log) {
  log('Installing the bundlers and frameworks of test/projects ...')
  const started = Date.now()
  const args = ['ci', '--ignore-scripts', '--prefer-offline', '--fetch-retries=1', '--fetch-timeout=30000']
  const quiet = ['--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, first] = npmCommand()
  const { code, output } = await runQuietly(command, [...first, ...args, ...quiet], { cwd: projects })
  const [reason = ''] = output.trim().split('\n')
  log(
    code === 0
      ? `Installed those of test/projects (${seconds(started)}).`
      : `No bundlers and frameworks: npm ended with ${code} (${reason}). Their tests are skipped.`,
  )
}

/** Takes the npm that started us, where one did: the one in PATH may be another. */
function npmCommand() {
  const path = process.env.npm_execpath
  if (path && /npm-cli\.c?js$/.test(path)) return [process.execPath, [path]]
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', []]
}

function isBuilt() {
  return readNotes().build === sourceFingerprint() && missingOutputs().length === 0
}

async function buildScripts(log) {
  log('Building ...')
  const started = Date.now()
  const fingerprint = sourceFingerprint()
  const builds = [buildTypeScript().then(buildForNode), buildKernels()]
  await Promise.allSettled(builds)
  await Promise.all(builds)
  writeNotes({ build: fingerprint })
  log(`Built (${seconds(started)}).`)
}

async function buildTypeScript() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  if (!existsSync(compiler)) {
    throw new SetupError({
      step: 'build',
      problem: 'TypeScript is not installed',
      advice: 'Run `npm run setup`, which installs it first.',
    })
  }
  // The compiler goes by its own notes and does not look whether its files are still there.
  const force = missingOutputs().length > 0 ? ['--force'] : []
  const args = [
    compiler,
    '-b',
    ...force,
    join(root, 'tsconfig.node.json'),
    join(root, 'tsconfig.browser.json'),
  ]
  const { code, output } = await runQuietly(process.execPath, args, { cwd: root })
  if (code !== 0) {
    throw new SetupError({
      step: 'build',
      problem: `the TypeScript compiler ended with ${code}`,
      advice: 'Mend the lines it names, then run the same command again.',
      output,
    })
  }
  removeStaleOutputs()
}

/** Bundles what was compiled. */
async function buildForNode() {
  const { buildBundle } = await import('./build-bundle.mjs')
  const warnings = await buildBundle()
  if (warnings.length === 0) return
  throw new SetupError({
    step: 'build',
    problem: 'the bundler warns of what it was given',
    advice: 'Mend what it names, then run the same command again.',
    output: warnings.join('\n'),
  })
}

/** Makes the WebAssembly kernels. */
async function buildKernels() {
  const { buildWasm } = await import('./build-wasm.mjs')
  const { output } = await buildWasm()
  if (output === '') return
  throw new SetupError({
    step: 'build',
    problem: 'the WebAssembly kernels do not compile',
    advice: 'Mend the lines it names, then run the same command again.',
    output,
  })
}

/** Goes by path, size and time of everything that the build reads. */
function sourceFingerprint() {
  const hash = createHash('sha256')
  const files = [
    ...sourceFiles(),
    join(root, 'src/platform/browser/report/page.css'),
    join(root, 'src/platform/browser/map/page.css'),
    ...['base', 'numeric', 'core', 'node', 'browser'].map((name) => join(root, `tsconfig.${name}.json`)),
    ...filesUnder(join(root, 'wasm/src')),
    ...['build-wasm', 'build-bundle'].map((name) => join(root, `scripts/${name}.mjs`)),
    ...['typescript', 'rolldown'].map((name) => join(root, `node_modules/${name}/package.json`)),
  ]
  for (const file of files) {
    const { size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: 0 }
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function sourceFiles() {
  return filesUnder(join(root, 'src')).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
}

function outputStems() {
  return sourceFiles()
    .filter((file) => !file.endsWith('.d.ts'))
    .map((file) => join(root, 'dist', relative(join(root, 'src'), file)).slice(0, -'.ts'.length))
}

function missingOutputs() {
  const wasm = ['simd', 'simd-threads', 'relaxed', 'relaxed-threads'].map((name) =>
    join(root, `wasm/build/${name}.wasm`),
  )
  return [
    ...outputStems().filter((stem) => !existsSync(`${stem}.js`) || !existsSync(`${stem}.d.ts`)),
    ...[...wasm, ...BUNDLED].filter((file) => !existsSync(file)),
  ]
}

/** Removes what was built from a source that is gone: it would still be imported and packed. */
function removeStaleOutputs() {
  const stems = new Set(outputStems())
  const compiled = filesUnder(join(root, 'dist')).filter((file) => !file.startsWith(BUNDLE))
  for (const file of compiled) {
    if (!stems.has(file.replace(/\.(js|d\.ts)$/, ''))) rmSync(file, { force: true })
  }
}

/** A failure is remembered with its sources, or every start would compile in vain; a missing compiler is looked for again. */
function isNativeSettled(sets, retry) {
  const { native } = readNotes()
  if (native === undefined || native.fingerprint !== nativeFingerprint()) return false
  // A folder that came from another machine has kernels for its processor.
  if (!sets.every((set) => native.sets?.includes(set))) return false
  return native.reason === undefined
    ? existsSync(join(root, 'native/build/plumage.node'))
    : !retry && native.slow === true
}

function nativeFingerprint() {
  const hash = createHash('sha256').update(`${platform} ${process.env.CXX ?? ''}\n`)
  for (const file of [...filesUnder(join(root, 'native/src')), join(root, 'scripts/build-native.mjs')]) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

async function buildAddon(wanted, log) {
  const started = Date.now()
  const fingerprint = nativeFingerprint()
  const { buildNative } = await import('./build-native.mjs')
  // Kernels that are there stay, so that a start and a run of the tests do not undo each other's work.
  const sets = [...new Set([...wanted, ...(readNotes().native?.sets ?? [])])]
  const { built, reason } = await buildNative({
    sets,
    log: (line) => log(`Native engine: ${line} ...`),
  }).catch((error) => {
    return { built: false, reason: error.message }
  })
  writeNotes({ native: { fingerprint, sets, reason, slow: Date.now() - started > 1000 } })
  if (built) log(`Native engine built (${seconds(started)}).`)
}

function readNotes() {
  return existsSync(notes) ? readJson(notes) : {}
}

function writeNotes(changes) {
  mkdirSync(dirname(notes), { recursive: true })
  const temporary = `${notes}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify({ ...readNotes(), ...changes }, null, 2)}\n`)
  renameSync(temporary, notes)
}

/** Notes cut short by a full disk count as none. */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (path === notes || path.includes('node_modules')) return { packages: {} }
    throw error
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesUnder(path) : [path]
    })
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`
}

/** Prints why a set-up stopped, with the cause last, or all that is known of any other error. Gives the exit code. */
export function reportError(error) {
  if (!(error instanceof SetupError)) {
    console.error(error)
    return 1
  }
  if (error.output !== '') console.error(error.output.replace(/^/gm, '  '))
  console.error(error.message)
  return 1
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1].replace(/(\.mjs)?$/, '.mjs')) {
  try {
    const has = (option) => process.argv.includes(option)
    await setUp({ install: !has('--build'), tests: has('--tests'), retry: true })
  } catch (error) {
    process.exitCode = reportError(error)
  }
}
