/**
 * `npm run bench`: sets up what is missing, installs the peers that are compared with into bench/, and runs the benchmark. What follows
 * `--` goes to bench/run.mjs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reportError, setUp } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

try {
  await setUp()
  if (!existsSync(join(root, 'bench', 'node_modules', 'onnxruntime-node'))) installPeers()
  const { status } = spawnSync(process.execPath, [join(root, 'bench', 'run.mjs'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} catch (error) {
  process.exitCode = reportError(error)
}

/** A peer that cannot be installed is named as missing by the benchmark, which goes on without it. */
function installPeers() {
  console.log('Installing what to compare with into bench/ …')
  spawnSync('npm', ['ci', '--workspaces=false', '--no-fund', '--no-audit'], {
    cwd: join(root, 'bench'),
    stdio: ['ignore', 'ignore', 'inherit'],
    // Its install script would fetch a GPU runtime, which is not compared.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    shell: process.platform === 'win32',
  })
}
