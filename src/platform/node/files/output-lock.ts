/**
 * Sees to it that an output has one writer. Who holds an output is written in `<output>.lock` and checked against the processes that run: a
 * killed holder does not keep anyone out, and a holder too busy to show signs of life is not taken for dead.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import lockfile from 'proper-lockfile'
import { explainWriteError, FileError } from './file-error.js'

interface Holder {
  readonly pid: number
  readonly host: string
  /** Tells when the process started, in the system's own count, where it has one: process numbers are used again. */
  readonly started: string | null
}

/** Throws `FileError` `locked` while another process writes this output. */
export async function lockOutput(output: string): Promise<AsyncDisposable> {
  const path = `${output}.lock`
  // Looking and taking must be one act. It takes milliseconds, and a guard that its owner died with is free again after these.
  const guard = {
    realpath: false,
    lockfilePath: `${path}.guard`,
    stale: 2000,
    retries: { retries: 50, factor: 1, minTimeout: 80 },
  }
  try {
    const release = await lockfile.lock(path, guard)
    try {
      const holder = await readHolderOrNull(path)
      if (holder !== null && (await isAlive(holder))) throw locked(output, path, holder)
      await writeFile(path, JSON.stringify(await thisProcess()))
    } finally {
      await release()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw explainWriteError(error, output)
    throw new FileError(
      'locked',
      `${output} is being taken by another process. Choose another output, or delete ${path}.guard.`,
    )
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

function locked(output: string, path: string, { pid, host }: Holder): FileError {
  return new FileError(
    'locked',
    `${output} is being written by process ${pid} on ${host}. Wait for it, or choose another output. ` +
      `If that process is not running any more, delete ${path}.`,
  )
}

async function thisProcess(): Promise<Holder> {
  return { pid: process.pid, host: hostname(), started: await startOf(process.pid) }
}

async function readHolderOrNull(path: string): Promise<Holder | null> {
  try {
    const { pid, host, started } = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder>
    if (pid === undefined || !Number.isInteger(pid) || pid <= 0) return null
    return { pid, host: String(host), started: typeof started === 'string' ? started : null }
  } catch {
    // It is absent, or cut off by a kill in the middle of writing it: nobody's either way.
    return null
  }
}

/** On another host nothing can be known: it counts as running. */
async function isAlive({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const start = await startOf(pid)
  return start === null || started === null || start === started
}

/** Reads Linux's /proc/<pid>/stat; gives `gone` for a process that is dead but not yet buried, and null on other systems. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // The second field is a name that may hold spaces and parentheses: count from behind it.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? 'gone' : (fields[18] ?? null)
}
