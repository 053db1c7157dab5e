/** Says which process holds something, in a file that others read, and tells whether that process still runs. */
import { readFile, readlink, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { isRecord, type PlainValue } from '../../../plain-value.js'

/** Is a process that holds something. It is a type and no interface, so that it is a plain record as well. */
export type Holder = {
  readonly pid: number
  readonly host: string
  /** Names the part of the world in which process numbers mean the same: this start of this machine, and the container. */
  readonly place: string | null
  /** Tells when the process started, in the system's own count, where it has one: process numbers are used again. */
  readonly started: string | null
  /** Tells this lock from all others. */
  readonly token: string | null
}

/** Is what such a file says, and when it was written. */
export interface Found {
  readonly holder: Holder
  readonly mtimeMs: number
}

/** Says of this process what others have to know of it. */
export async function thisProcess(token: string): Promise<Holder> {
  const { pid } = process
  return { pid, host: hostname(), place: await placeOrNull(), started: await startOf(pid), token }
}

/** Reads who has written this file; null where it is absent or says nothing. */
export async function findOrNull(path: string): Promise<Found | null> {
  try {
    const { mtimeMs } = await stat(path)
    const holder = holderOrNull(JSON.parse(await readFile(path, 'utf8')))
    return holder === null ? null : { holder, mtimeMs }
  } catch {
    // It is absent, or what lies there says nothing: nobody's either way.
    return null
  }
}

/** Reads what `thisProcess` has said; null where it names no process. */
export function holderOrNull(said: PlainValue): Holder | null {
  const { pid, host, place, started, token } = isRecord(said) ? said : {}
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null
  return {
    pid,
    host: String(host),
    place: textOrNull(place),
    started: textOrNull(started),
    token: textOrNull(token),
  }
}

function textOrNull(value: PlainValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** Tells whether a process runs. Gives null for one that cannot be looked at from here. */
export async function isAliveOrNull({ pid, host, place, started }: Holder): Promise<boolean | null> {
  if (host !== hostname() || (place !== null && place !== (await placeOrNull()))) return null
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const start = await startOf(pid)
  return start === null || started === null || start === started
}

/** Two containers may have one host name, and one host two starts: Linux tells both. Other systems have one room for all processes. */
async function placeOrNull(): Promise<string | null> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null)
  const processes = await readlink('/proc/self/ns/pid').catch(() => null)
  return boot === null || processes === null ? null : `${boot.trim()} ${processes}`
}

/** Reads Linux's /proc/<pid>/stat; gives `gone` for a process that is dead but not yet buried, and null on other systems. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // The second field is a name that may hold spaces and parentheses: count from behind it.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? 'gone' : (fields[18] ?? null)
}
