/**
 * Finds a Python with scikit-learn, hdbscan and umap-learn: the one that PLUMAGE_PYTHON_COLLECTIONS names, or an environment in .plumage/python-collections. They
 * are hundreds of megabytes, so that none is fetched for a test.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './repository.js'

const FOLDER = join(packageRoot, '.plumage/python-collections')

/** Gives the interpreter's path, or why there is none. */
export function pythonCollectionsOrReason(): { readonly python: string } | { readonly reason: string } {
  const made = join(FOLDER, 'bin/python')
  const python = process.env.PLUMAGE_PYTHON_COLLECTIONS ?? (existsSync(made) ? made : 'python3')
  try {
    const program =
      'import importlib.metadata as m; [m.version(n) for n in ("scikit-learn", "hdbscan", "umap-learn")]'
    execFileSync(python, ['-c', program], { stdio: 'ignore', timeout: 60_000 })
    return { python }
  } catch {
    return {
      reason:
        'no Python with scikit-learn, hdbscan and umap-learn (PLUMAGE_PYTHON_COLLECTIONS names an interpreter)',
    }
  }
}
