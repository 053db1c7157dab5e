/** Finds a Python with libraries of models: the one that PLUMAGE_PYTHON_MODELS names, or that of the benchmarks. They are gigabytes, so that none is fetched for a test. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './repository.js'

/** Gives the interpreter, and which of the libraries it can import. */
export function pythonWith(libraries: readonly string[]): {
  readonly python: string
  readonly has: ReadonlySet<string>
} {
  const ofBenchmarks = join(packageRoot, 'bench/.venv/bin/python')
  const python = process.env.PLUMAGE_PYTHON_MODELS ?? (existsSync(ofBenchmarks) ? ofBenchmarks : 'python3')
  return { python, has: new Set(libraries.filter((name) => imports(python, name))) }
}

/** A folder of the name may be there without the library in it. */
function imports(python: string, library: string): boolean {
  const program = `from importlib.metadata import version; version('${library}')`
  try {
    execFileSync(python, ['-c', program], { stdio: 'ignore', timeout: 60_000 })
    return true
  } catch {
    return false
  }
}
