/**
 * `npm test` sets up what is missing, runs the tests and ends with the line `N passed, N failed`.
 * Arguments go to vitest: `npm test -- src/image`. With `--long` come the tests that repeat on further paths what the others show (test/support/long.ts).
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { reportError, root, setUp } from './setup.mjs'

/** This run writes here, and takes it away in the end. */
const scratch = join(root, `.plumage/tests-${process.pid}`)
/** Lies apart, since vitest takes away in the end what its tests have made. */
const counts = join(root, `.plumage/test-counts-${process.pid}.json`)

try {
  await setUp({ tests: true })
  mkdirSync(scratch, { recursive: true })
  console.log(describeGoldens())
  process.exitCode = await runTests(process.argv.slice(2))
} catch (error) {
  process.exitCode = reportError(error)
  console.log('0 passed, 1 failed')
} finally {
  for (const made of [scratch, counts]) rmSync(made, { recursive: true, force: true })
}

/** Resolves to the exit code, after the closing line. */
async function runTests(args) {
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/count-reporter.mjs')}`]
  const isLong = args.includes('--long')
  const rest = args.filter((arg) => arg !== '--long')
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...rest]
  const child = spawn(process.execPath, vitest, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...softwareGpu(),
      ...(isLong ? { PLUMAGE_LONG_TESTS: '1' } : {}),
      PLUMAGE_TEST_COUNTS: counts,
      PLUMAGE_TEST_FOLDER: scratch,
    },
  })
  // Ctrl-C reaches the tests by themselves; this process stays to count what they did.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })

  const { passed, failed, skipped } = readCounts()
  // Vitest also ends badly without a failed test: it crashed, was killed, or a threshold was missed.
  const unexplained = failed === 0 && code !== 0 ? 1 : 0
  if (unexplained > 0)
    console.log(
      `Vitest ended with ${signal ?? `code ${code}`} though no test failed: counted as one failure.`,
    )
  console.log(`${passed} passed, ${failed + unexplained} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return signal === null ? code : 128 + constants.signals[signal]
}

/**
 * Debian's Chromium brings an emulation of a GPU that WebGPU in Node can use as well. PLUMAGE_HALF_GPU_DRIVER may name the driver of another one that
 * has half floats, as Mesa's lavapipe has from version 24 on. A machine with drivers of its own names them in VK_ICD_FILENAMES.
 */
function softwareGpu() {
  const folder = '/usr/lib/chromium'
  const driver = join(folder, 'vk_swiftshader_icd.json')
  if (process.env.VK_ICD_FILENAMES !== undefined || !existsSync(driver)) return {}
  const drivers = [driver, process.env.PLUMAGE_HALF_GPU_DRIVER].filter(Boolean).join(':')
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return {
    VK_ICD_FILENAMES: drivers,
    LD_LIBRARY_PATH: libraries,
    // Mesa's compiler takes ten times longer over shaders that it optimises than they run, and twice as long over wide vectors as over narrow ones.
    GALLIVM_PERF: 'nopt',
    LP_NATIVE_VECTOR_WIDTH: '128',
    // What it has compiled is kept in the clone, so that each shader is compiled once, whichever file of tests comes first.
    MESA_SHADER_CACHE_DIR: join(root, '.plumage/mesa-cache'),
  }
}

function readCounts() {
  if (!existsSync(counts)) return { passed: 0, failed: 0, skipped: 0 }
  return JSON.parse(readFileSync(counts, 'utf8'))
}

/** The tests choose in the same way (test/support/goldens.ts). */
function describeGoldens() {
  const named = process.env.PLUMAGE_GOLDENS
  const whole = named === undefined ? join(root, '../shared/goldens') : resolve(root, named)
  if (!existsSync(join(whole, 'index.json'))) {
    return named === undefined
      ? 'Goldens: the committed part, test/golden/data.'
      : `Goldens: none, ${whole} has no index.json.`
  }
  const shown = relative(root, whole)
  return `Goldens: the whole set, ${isAbsolute(shown) ? whole : shown}.`
}
