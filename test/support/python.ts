/**
 * Finds a Python with libraries that this one is compared with: the one that PLUMAGE_PYTHON names, the environment that .ci/run makes of
 * python-requirements.txt, that of the benchmarks, which alone has torch and what stands on it, or the system's.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './repository.js'

export interface FoundPython {
  readonly python: string
  /** Names those of the libraries that it has. */
  readonly has: ReadonlySet<string>
  /** Says in a line which of them it lacks; null where it has all. */
  readonly lacks: string | null
}

/** Gives the interpreter that has most of the libraries, by their names on PyPI. */
export function pythonWith(libraries: readonly string[]): FoundPython {
  const made = ['.plumage/python', 'bench/.venv'].map((folder) => join(packageRoot, folder, 'bin/python'))
  const candidates = [process.env.PLUMAGE_PYTHON, ...made.filter(existsSync), 'python3']
  let best: Omit<FoundPython, 'lacks'> = { python: 'python3', has: new Set() }
  for (const python of candidates) {
    if (python === undefined || best.has.size === libraries.length) continue
    const has = librariesOf(python, libraries)
    if (has.size > best.has.size) best = { python, has }
  }
  const lacked = libraries.filter((name) => !best.has.has(name))
  const lacks =
    lacked.length === 0
      ? null
      : `Left out: no Python with ${lacked.join(', ')} (PLUMAGE_PYTHON names an interpreter).`
  return { ...best, lacks }
}

/** A folder of the name may be there without the library in it. */
function librariesOf(python: string, libraries: readonly string[]): ReadonlySet<string> {
  const program = `
import sys, importlib.metadata as m
for name in sys.argv[1:]:
  try: m.version(name); print(name)
  except m.PackageNotFoundError: pass`
  try {
    const found = execFileSync(python, ['-c', program, ...libraries], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    })
    return new Set(found.split('\n').filter(Boolean))
  } catch {
    return new Set()
  }
}
