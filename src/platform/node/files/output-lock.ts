/**
 * Sees to it that an output has one writer. Who holds an output is written in `<output>.lock`. A holder that can be looked at, since it runs
 * beside this process, is judged by whether it runs, however busy it is. One of another host or container is judged by its heartbeat: it changes
 * the file every few seconds, and when that has stayed away for long it is dead. A process that slept for so long finds its lock taken.
 */
import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { explainWriteError, FileError } from './file-error.js'
import { Heartbeat } from './heartbeat.js'
import { type Found, findOrNull, type Holder, isAliveOrNull, thisProcess } from './holder.js'

export interface LockOptions {
  readonly signal?: AbortSignal
  /** Is told when it has to be found out whether a holder elsewhere still lives, which takes up to half a minute. */
  readonly onWait?: (message: string) => void
  /** So old a heartbeat is a dead process's; tests make it shorter. */
  readonly deadMs?: number
}

const DEAD_MS = 30_000
const POLL_MS = 250
/** A lock that is looked at again after this time has not been lost to anyone meanwhile. */
const TRUSTED_MS = 1000
/** Ends the name of a lock that a process brings along. */
const TOKEN = /\.lock\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Throws `FileError` `locked` while another process writes this output. */
export async function lockOutput(output: string, options: LockOptions = {}): Promise<OutputLock> {
  const path = `${output}.lock`
  const { signal, onWait, deadMs = DEAD_MS } = options
  let dead: Found | null = null
  for (;;) {
    signal?.throwIfAborted()
    const result = await attempt(output, path, dead, deadMs)
    if (result instanceof OutputLock) return result
    onWait?.(
      `${output} is held by process ${result.holder.pid} on ${result.holder.host}: waiting to see whether it lives`,
    )
    if (await showsLife(path, result, deadMs, signal)) throw locked(output, path, result.holder)
    dead = result
  }
}

export class OutputLock implements AsyncDisposable {
  readonly #output: string
  readonly #path: string
  readonly #token: string
  readonly #heartbeat: Heartbeat
  #lookedAt = Date.now()

  constructor(output: string, path: string, token: string) {
    this.#output = output
    this.#path = path
    this.#token = token
    this.#heartbeat = new Heartbeat(path)
  }

  /** Throws `FileError` `locked` where another process has taken the lock, as it may when this one has slept for long. */
  async assertHeld(): Promise<void> {
    const now = Date.now()
    if (now - this.#lookedAt < TRUSTED_MS) return
    const found = await findOrNull(this.#path)
    if (found?.holder.token === this.#token) {
      this.#lookedAt = now
      return
    }
    const who =
      found === null ? 'it was removed' : `process ${found.holder.pid} on ${found.holder.host} has it`
    throw new FileError(
      'locked',
      `${this.#output} is not held by this process any more (${who}): nothing more is written to it.`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#heartbeat[Symbol.asyncDispose]()
    const found = await findOrNull(this.#path)
    // Where it cannot be removed, as on a disk that has become read-only, it is free all the same once this process has ended.
    if (found?.holder.token === this.#token) await rm(this.#path, { force: true }).catch(() => {})
  }
}

/**
 * Writes a lock of its own, which is no lock until it has the name of one: where nothing can be written, that is known at once. Only one process at a
 * time has such a file, so that any other was left by one that died just then.
 */
async function attempt(
  output: string,
  path: string,
  dead: Found | null,
  deadMs: number,
): Promise<OutputLock | Found> {
  for (;;) {
    const token = randomUUID()
    const mine = `${path}.${token}`
    try {
      const result = await underGuard(output, async () => {
        const since = performance.now()
        await removeLeftovers(path)
        await writeFile(mine, `${JSON.stringify(await thisProcess(token))}\n`)
        const found = await holderOrNull(output, path, mine, dead, deadMs)
        if (found !== null) return found
        const isTaken = performance.now() - since < GUARD_MS && (await takesName(mine, path))
        return isTaken ? new OutputLock(output, path, token) : null
      })
      // This process was stopped for so long that another was let in, who may have the lock by now.
      if (result !== null) return result
    } catch (error) {
      throw explainWriteError(error, output)
    } finally {
      await rm(mine, { force: true }).catch(() => {})
    }
  }
}

/** Says no where its own file is gone: another process took it for one that was left. */
async function takesName(mine: string, path: string): Promise<boolean> {
  try {
    await rename(mine, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path)
  // A folder may take files and not be listed.
  const names = await readdir(folder).catch(() => [])
  const isLeftover = (name: string) => name.startsWith(`${basename(path)}.`) && TOKEN.test(name)
  for (const name of names.filter(isLeftover)) await rm(join(folder, name), { force: true })
}

/** Looking and taking must be one act. It takes milliseconds, and a guard that its owner died with is free again after these. */
const GUARD_MS = 2000

async function underGuard<Result>(output: string, act: () => Promise<Result>): Promise<Result> {
  const path = `${output}.lock`
  const guard = {
    realpath: false,
    lockfilePath: `${path}.guard`,
    stale: GUARD_MS,
    // Whoever was stopped for longer finds out by himself; by default this would end the process.
    onCompromised: () => {},
    retries: { retries: 50, factor: 1, minTimeout: 80 },
  }
  // It is loaded here because it hooks into the end of the process as soon as it is loaded.
  const { default: lockfile } = await import('proper-lockfile')
  try {
    const release = await lockfile.lock(path, guard)
    try {
      return await act()
    } finally {
      // One that was lost cannot be released, and one that cannot be removed is stale soon.
      await release().catch(() => {})
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error
    throw new FileError(
      'locked',
      `${output} is being taken by another process. Choose another output, or delete ${path}.guard.`,
    )
  }
}

/**
 * Gives null where the lock is free, and who holds it where it has to be found out whether that heart beats. Throws `FileError` `locked` for a
 * holder that lives. @param dead was found to have no heartbeat
 */
async function holderOrNull(
  output: string,
  path: string,
  mine: string,
  dead: Found | null,
  deadMs: number,
): Promise<Found | null> {
  const found = await findOrNull(path)
  if (found === null) return null
  const alive = await isAliveOrNull(found.holder)
  if (alive === true) throw locked(output, path, found.holder)
  // Both times are the file system's own, so that clocks of hosts need not agree.
  const age = (await stat(mine)).mtimeMs - found.mtimeMs
  return alive === false || age > deadMs || isSame(found, dead) ? null : found
}

/** Watches a heart: tells whether it beats, or whether someone else has come meanwhile. */
async function showsLife(path: string, seen: Found, deadMs: number, signal: AbortSignal | undefined) {
  for (let waited = 0; waited < deadMs; waited += POLL_MS) {
    await sleep(POLL_MS)
    signal?.throwIfAborted()
    const now = await findOrNull(path)
    // It has let go, or was cleared away: whoever comes first takes it.
    if (now === null) return false
    if (!isSame(now, seen)) return true
  }
  return false
}

function isSame(a: Found, b: Found | null): boolean {
  return (
    b !== null &&
    a.mtimeMs === b.mtimeMs &&
    a.holder.token === b.holder.token &&
    a.holder.pid === b.holder.pid
  )
}

function locked(output: string, path: string, { pid, host }: Holder): FileError {
  return new FileError(
    'locked',
    `${output} is being written by process ${pid} on ${host}. Wait for it, or choose another output. ` +
      `If that process is not running any more, delete ${path}.`,
  )
}
