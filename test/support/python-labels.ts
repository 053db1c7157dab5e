/**
 * Finds a Python with scikit-learn, cleanlab and statsmodels: the one that PLUMAGE_PYTHON_COLLECTIONS names, or an environment in .plumage/python-collections.
 * They are hundreds of megabytes, so that none is fetched for a test.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './repository.js'

/** Gives the interpreter, or null where it lacks one of them. */
export function pythonOfLabelsOrNull(): string | null {
  const made = join(packageRoot, '.plumage/python-collections/bin/python')
  const python = process.env.PLUMAGE_PYTHON_COLLECTIONS ?? (existsSync(made) ? made : 'python3')
  const libraries = '"scikit-learn", "cleanlab", "statsmodels", "safetensors"'
  const program = `import importlib.metadata as m; [m.version(n) for n in (${libraries})]`
  try {
    execFileSync(python, ['-c', program], { stdio: 'ignore', timeout: 60_000 })
    return python
  } catch {
    return null
  }
}
