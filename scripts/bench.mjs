/**
 * `npm run bench`: sets up what is missing, installs the peers that are compared with into bench/, and runs the benchmark. What follows
 * `--` goes to bench/run.mjs; `--peers` also installs those of Python into bench/.venv;
 * `--browser` measures in a page instead (bench/browser.mjs), `--pictures` pictures of photos
 * (bench/pictures.mjs), `--collections` looking through many embeddings (bench/collections.mjs), and `--duplicates` how well
 * duplicates are found (bench/duplicates.mjs).
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pythonPath } from '../bench/systems.mjs'
import { reportError, setUp } from './setup.mjs'

const bench = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bench')
const args = process.argv.slice(2)
/** Names what is measured in place of passes of a network: a script of bench/ each. */
const OTHERS = ['browser', 'pictures', 'collections', 'duplicates']

try {
  await setUp()
  if (!existsSync(join(bench, 'node_modules', 'onnxruntime-web'))) installNodePeers()
  if (args.includes('--peers')) installPythonPeers()
  const other = OTHERS.find((name) => args.includes(`--${name}`))
  const script = `${other ?? 'run'}.mjs`
  const rest = args.filter((arg) => (arg !== '--peers' || other === 'collections') && arg !== `--${other}`)
  const { status } = spawnSync(process.execPath, [join(bench, script), ...rest], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} catch (error) {
  process.exitCode = reportError(error)
}

/** A peer that cannot be installed is named as missing by the benchmark, which goes on without it. */
function installNodePeers() {
  console.log('Installing what to compare with into bench/ …')
  spawnSync('npm', ['ci', '--workspaces=false', '--no-fund', '--no-audit'], {
    cwd: bench,
    stdio: ['ignore', 'ignore', 'inherit'],
    // Its install script would fetch a GPU runtime, which is not compared.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    shell: process.platform === 'win32',
  })
}

/** Where all is installed already, pip says so within seconds. */
function installPythonPeers() {
  console.log('Installing what to compare with from Python into bench/.venv: several GB the first time …')
  const python = process.platform === 'win32' ? 'python' : 'python3'
  const pip = (errors, ...words) =>
    run(pythonPath, ['-m', 'pip', '--disable-pip-version-check', '--quiet', 'install', ...words], errors)
  const requirements = join(bench, 'peers', 'requirements.txt')
  if (!existsSync(pythonPath) && !run(python, ['-m', 'venv', join(bench, '.venv')])) return
  if (process.platform === 'linux' && !run(pythonPath, ['-c', 'import torch'], 'ignore')) {
    // PyTorch's own index has it without the GPU libraries, which are most of its size. Where it cannot be reached, the next step takes the other.
    const index = ['--index-url', 'https://download.pytorch.org/whl/cpu', '--retries', '0', '--timeout', '15']
    pip('ignore', ...index, '--constraint', requirements, 'torch', 'torchvision')
  }
  if (!pip('inherit', '--requirement', requirements)) {
    console.log('That failed: what it lacks is named as missing.')
  }
}

/** @returns {boolean} whether it ended well */
function run(command, words, errors = 'inherit') {
  const { status, error } = spawnSync(command, words, { stdio: ['ignore', 'ignore', errors] })
  if (error !== undefined) console.log(`${command}: ${error.message}`)
  return status === 0
}
