/**
 * Keeps the files of a version while somebody reads it. Each reader says in a small file which version of which table it has open, and shows by a heartbeat
 * that it lives; `compact` leaves alone what such a file names. What a killed reader leaves is cleared away by the next `compact`.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord, parseJsonOrNull } from '../../../plain-value.js'
import { Heartbeat } from '../files/heartbeat.js'
import { findOrNull, isAliveOrNull, thisProcess } from '../files/holder.js'
import type { HeldVersion, ReadLease } from './place.js'

export const LEASES = 'leases'

/** Is written over in place, so that its heartbeat goes on. */
const LENGTH = 1024

/** A reader on another machine that has not shown itself for so long is dead. */
const DEAD_MS = 60_000

export class Lease implements ReadLease {
  readonly #path: string
  readonly #who: object
  readonly #heartbeat: Heartbeat

  private constructor(path: string, who: object) {
    this.#path = path
    this.#who = who
    this.#heartbeat = new Heartbeat(path)
  }

  /** Gives null where nothing can be written beside the collection: then nothing can be compacted there either, but by another machine. */
  static async takeOrNull(folder: string): Promise<Lease | null> {
    const token = randomUUID()
    const path = join(folder, LEASES, `${token}.json`)
    try {
      const who = await thisProcess(token)
      await mkdir(join(folder, LEASES), { recursive: true })
      await writeFile(path, textOf(who))
      return new Lease(path, who)
    } catch {
      await rm(path, { force: true }).catch(() => {})
      return null
    }
  }

  /** Says what is read. */
  async hold(held: HeldVersion): Promise<void> {
    const file = openSync(this.#path, 'r+')
    try {
      writeSync(file, textOf({ ...this.#who, ...held }), 0)
    } finally {
      closeSync(file)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#heartbeat[Symbol.asyncDispose]()
    await rm(this.#path, { force: true }).catch(() => {})
  }
}

function textOf(value: object): string {
  return `${JSON.stringify(value).padEnd(LENGTH - 1)}\n`
}

/** Gives what living readers hold, and clears away what dead ones have left. */
export async function heldVersions(folder: string): Promise<readonly HeldVersion[]> {
  const all = await readdir(join(folder, LEASES)).catch(() => [])
  const names = all.filter((name) => name.endsWith('.json'))
  const found = await Promise.all(names.map((name) => heldOrNull(join(folder, LEASES, name), folder)))
  return found.filter((held) => held !== null)
}

async function heldOrNull(path: string, folder: string): Promise<HeldVersion | null> {
  const found = await findOrNull(path)
  // What is being written just now says nothing yet, and counts.
  const alive = found === null ? null : await isAliveOrNull(found.holder)
  if (alive === false || (alive === null && (await ageOf(path, folder)) > DEAD_MS)) {
    await rm(path, { force: true })
    return null
  }
  const said = parseJsonOrNull(await readFile(path, 'utf8').catch(() => ''))
  const { table, version } = isRecord(said) ? said : {}
  return {
    table: typeof table === 'string' ? table : null,
    version: typeof version === 'number' ? version : null,
  }
}

/** Both times are the file system's own, so that clocks of machines need not agree. */
async function ageOf(path: string, folder: string): Promise<number> {
  const probe = join(folder, LEASES, `.${randomUUID()}`)
  try {
    await writeFile(probe, '')
    return (await stat(probe)).mtimeMs - (await stat(path)).mtimeMs
  } catch {
    return 0
  } finally {
    await rm(probe, { force: true }).catch(() => {})
  }
}
