/** `npm run check` runs all that must be green before a change is done. Each step gets one line; what a failing step said follows it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ALL_SETS, buildNative, setsOfThisProcessor } from './build-native.mjs'
import { runQuietly } from './run-quietly.mjs'
import { reportError, root, setUp } from './setup.mjs'

const GOLDEN_LIMIT_BYTES = 12e6
const LONG_FILE_LINES = 300
const bin = (path) => join(root, 'node_modules', path)

const steps = {
  build: () => node('scripts/setup.mjs', '--build'),
  'import directions': () => node('scripts/check-imports.mjs'),
  docstrings: () => node('scripts/check-docs.mjs'),
  'what is generated from the table of operations': () => node('scripts/generate-ops.mjs', '--check'),
  'lint and format': () =>
    node(
      bin('@biomejs/biome/bin/biome'),
      'ci',
      '--colors=off',
      '--diagnostic-level=warn',
      '--error-on-warnings',
      '.',
    ),
  'unused code': () => node(bin('knip/bin/knip.js'), '--no-progress'),
  'types of tests': () => node(bin('typescript/bin/tsc'), '-b', 'tsconfig.json'),
  'size of the committed goldens': checkGoldenSize,
  'kernels that this processor cannot run, emulated': testEmulatedKernels,
  'tests and coverage': runTests,
}

try {
  await setUp()
  let failed = 0
  for (const [name, run] of Object.entries(steps)) {
    const started = performance.now()
    const { ok, output, note = '' } = await run()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)${note === '' ? '' : `: ${note}`}`)
    if (!ok) console.log(output.trimEnd().replace(/^/gm, '    '))
    if (!ok) failed++
  }
  reportLongFiles()
  console.log(
    failed === 0 ? 'All checks passed.' : `${failed} of ${Object.keys(steps).length} checks failed.`,
  )
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  process.exitCode = reportError(error)
}

async function node(...args) {
  return await nodeWith({}, ...args)
}

async function nodeWith(env, ...args) {
  const { code, output } = await runQuietly(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
  })
  return { ok: code === 0, output }
}

/** Compares them with the reference on every operation and the small goldens; the large network would take minutes for each precision. */
async function testEmulatedKernels() {
  const lacking = ALL_SETS.filter((set) => !setsOfThisProcessor().includes(set))
  if (lacking.length === 0) return { ok: true, output: '', note: 'this processor runs them all' }
  const { path, reason } = await buildNative({ emulated: lacking })
  if (path === undefined) return { ok: true, output: '', note: `not run: ${reason}` }
  const pattern = `^(?!.*large).*native, (${lacking.join('|')}),`
  const { ok, output } = await nodeWith(
    { PLUMAGE_NATIVE_ADDON: path },
    'scripts/test.mjs',
    'test/conformance/conformance.test.ts',
    '-t',
    pattern,
  )
  return { ok, output, note: `${lacking.join(', ')}: ${output.trimEnd().split('\n').at(-1)}` }
}

/** Runs the tests; vitest holds the coverage against the threshold of vitest.config.ts. */
async function runTests() {
  const { ok, output } = await node('scripts/test.mjs', '--coverage')
  const plain = output.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '')
  const counts = plain.trimEnd().split('\n').at(-1)
  const lines = plain.match(/Lines\s*:\s*([\d.]+)%/)?.[1]
  return {
    ok,
    output: plain,
    note: `${counts}; ${lines === undefined ? 'no coverage' : `${lines} % of the lines of src/`}`,
  }
}

function checkGoldenSize() {
  const bytes = filesUnder(join(root, 'test/golden/data')).reduce((sum, file) => sum + statSync(file).size, 0)
  const note = `${(bytes / 1e6).toFixed(1)} of at most ${GOLDEN_LIMIT_BYTES / 1e6} MB`
  return {
    ok: bytes > 0 && bytes <= GOLDEN_LIMIT_BYTES,
    output: 'Choose fewer cases in scripts/choose-goldens.mjs.',
    note,
  }
}

/** Reports and fails nothing: a long file may be one thing. */
function reportLongFiles() {
  const sources = ['src', 'native/src', 'scripts', 'test', 'bench', 'examples'].flatMap((folder) =>
    filesUnder(join(root, folder)),
  )
  const long = sources
    .filter((file) => /\.(ts|mts|mjs|cc|h)$/.test(file) && !file.endsWith('-data.ts'))
    .map((file) => ({ file: relative(root, file), lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONG_FILE_LINES)
    .sort((a, b) => b.lines - a.lines)
  if (long.length === 0) return
  console.log(
    `Files of more than ${LONG_FILE_LINES} lines: ${long.map(({ file, lines }) => `${file} (${lines})`).join(', ')}`,
  )
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/node_modules|\.venv/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
}
