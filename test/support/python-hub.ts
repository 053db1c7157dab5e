/** Finds a Python with huggingface_hub 2, or makes an environment of it where that can be had; what it cannot do is told in a line. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pythonWith } from './python.js'
import { packageRoot } from './repository.js'

const FOLDER = join(packageRoot, '.plumage', 'python-hub')
const LIBRARY = 'huggingface_hub>=2,<3'

/** Gives the interpreter's path, or why there is none. */
export function pythonHubOrReason(): { readonly python: string } | { readonly reason: string } {
  const own = process.env.PLUMAGE_PYTHON_HUB
  const made = join(FOLDER, 'bin', 'python')
  for (const python of [own, pythonWith(['huggingface_hub']).python, made])
    if (python !== undefined && isOfUse(python)) return { python }
  try {
    mkdirSync(FOLDER, { recursive: true })
    if (!existsSync(made))
      execFileSync('python3', ['-m', 'venv', FOLDER], { stdio: 'ignore', timeout: 60_000 })
    execFileSync(made, ['-m', 'pip', 'install', '--quiet', '--retries', '0', LIBRARY], {
      stdio: 'ignore',
      timeout: 120_000,
    })
    if (isOfUse(made)) return { python: made }
  } catch {
    // There is no Python, no venv, or no way to its packages.
  }
  return { reason: `no Python with ${LIBRARY} could be had (PLUMAGE_PYTHON_HUB names an interpreter)` }
}

function isOfUse(python: string): boolean {
  try {
    const version = execFileSync(
      python,
      ['-c', 'import huggingface_hub; print(huggingface_hub.__version__)'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    return version.toString().startsWith('2.')
  } catch {
    return false
  }
}
